"""Loading a playbook: its grammar, and every complaint about it."""

import hashlib

import pytest

from offboard.errors import Problem, SourceError
from offboard.loading.playbook import load
from offboard.model import Due, OnFailure, Playbook

HEAD = "playbook: mine\n"


def book(text: str) -> Playbook:
    return load("mine.yaml", text.encode())


def steps(text: str) -> Playbook:
    return book(f"{HEAD}steps:\n{text}")


def refused(text: str) -> list[Problem]:
    with pytest.raises(SourceError) as caught:
        book(text)
    return list(caught.value.problems)


def only(text: str) -> Problem:
    problems = refused(text)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def step_refused(text: str) -> Problem:
    """The complaint about one step, whose first line is line 3 of the file."""
    return only(f"{HEAD}steps:\n{text}")


def test_every_part_of_the_grammar_is_read() -> None:
    text = (
        "playbook: mine\n"
        "description: What it does.\n"
        "parameters:\n"
        "  laptop: {default: Sawyer Laptop, description: Which one.}\n"
        "  boss: {type: user, required: true}\n"
        "accept: [license-by-group]\n"
        "steps:\n"
        "  - disable-user\n"
        "  - id: block\n"
        "    action: disable-devices\n"
        '    with: {devices: {display_name: "${parameters.laptop}"}}\n'
        '    when: parameters.boss != "x"\n'
        "    on_failure: continue\n"
        "    due: T+30d\n"
    )
    found = book(text)
    assert (found.name, found.description, found.accept, found.path) == (
        "mine",
        "What it does.",
        ("license-by-group",),
        "mine.yaml",
    )
    laptop, boss = found.parameters
    assert (laptop.name, laptop.type, laptop.required, laptop.default) == ("laptop", "text", False, "Sawyer Laptop")
    assert (boss.name, boss.type, boss.required, boss.default) == ("boss", "user", True, None)
    bare, full = found.steps
    assert (bare.id, bare.action, bare.parameters, bare.when, bare.on_failure, bare.due, bare.line) == (
        "disable-user",
        "disable-user",
        {},
        None,
        OnFailure.STOP,
        Due(0),
        8,
    )
    assert (full.id, full.parameters, full.on_failure, full.due, full.line) == (
        "block",
        {"devices": {"display_name": "${parameters.laptop}"}},
        OnFailure.CONTINUE,
        Due(30 * 1440),
        9,
    )
    assert full.when == 'parameters.boss != "x"'
    assert found.digest == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("due", "minutes"),
    [("T", 0), ("T+30d", 43200), ("T-7d", -10080), ("T+2h", 120), ("T+90m", 90), ("T+2w", 20160)],
)
def test_due_is_relative_to_the_leave_time(due: str, minutes: int) -> None:
    assert steps(f"  - {{action: delete-user, due: {due}}}").steps[0].due == Due(minutes)


def test_steps_without_id_are_called_like_their_action_and_numbered() -> None:
    found = steps(
        "  - revoke-sessions\n  - {action: disable-user, id: revoke-sessions-2}\n  - revoke-sessions\n  - revoke-sessions"
    )
    assert [step.id for step in found.steps] == [
        "revoke-sessions",
        "revoke-sessions-2",
        "revoke-sessions-3",
        "revoke-sessions-4",
    ]


def test_an_id_given_later_is_not_taken_by_an_earlier_step_without_one() -> None:
    found = steps("  - disable-user\n  - {action: delete-user, id: disable-user}")
    assert [step.id for step in found.steps] == ["disable-user-2", "disable-user"]


def test_an_unknown_action_is_named_with_place_and_near_word() -> None:
    problem = step_refused("  - id: remove\n    action: delte-user\n")
    assert (problem.line, problem.column, problem.width) == (4, 13, 10)
    assert str(problem) == "mine.yaml:4:13: unknown action 'delte-user'"
    assert problem.hint == "did you mean 'delete-user'?"
    assert problem.quote == "    action: delte-user"


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("  - delte-user", 5, "unknown action 'delte-user'", "did you mean 'delete-user'?"),
        ("  - xyzzy", 5, "unknown action 'xyzzy'", "expected one of disable-user"),
        ("  - {actoin: disable-user}", 6, "unknown key 'actoin' in a step", "did you mean 'action'?"),
        ("  - {disable-user: {}}", 6, "unknown key 'disable-user'", "write 'action: disable-user'"),
        ("  - {action: disable-devices, devices: owned}", 31, "unknown key 'devices'", "write it under 'with'"),
        ("  - {id: x}", 6, "a step without 'action'", ""),
        ("  - 7", 5, "a step: expected an action's name, or a mapping with 'action:', found the number 7", ""),
        ("  - [disable-user]", 5, "found a list", ""),
        ("  -", 4, "found nothing", ""),
        ("  - {action: 7}", 14, "expected one of disable-user", ""),
        ("  - {action: delete-user, due: T+30}", 32, "'T+30' is no due time", "T+90m (minutes)"),
        ("  - {action: delete-user, due: 30d}", 32, "'30d' is no due time", "T+30d"),
        ("  - {action: delete-user, due: T+9999d}", 32, "more than ten years", ""),
        ("  - {action: delete-user, due: 30}", 32, "due: expected text, found the number 30", "in quotes"),
        (
            "  - {action: delete-user, on_failure: abort}",
            39,
            "on_failure: 'abort' is not allowed",
            "stop, continue, pause",
        ),
        ("  - {action: delete-user, on_failure: stpo}", 39, "'stpo' is not allowed", "did you mean 'stop'?"),
        ("  - {action: delete-user, id: a b}", 31, "'a b' cannot be a name", "letters"),
        ("  - {action: delete-user, id: 5}", 31, "id: expected text, found the number 5", "in quotes"),
        ("  - {action: delete-user, when: true}", 33, "when: expected text, found true", "in quotes"),
        ("  - {action: delete-user, with: }", 27, "with: expected a mapping, found nothing", ""),
        ("  - {action: delete-user, with: {now: 1}}", 34, "unknown parameter 'now' of delete-user", "has no parameters"),
        ("  - {action: disable-devices, with: {device: owned}}", 38, "unknown parameter 'device'", "mean 'devices'?"),
        ("  - {action: disable-devices, with: {devices: ownd}}", 47, "devices: 'ownd' is not allowed", "mean 'owned'?"),
        ("  - {action: unown-devices, with: {devices: registered}}", 45, "'registered' is not allowed", "owned"),
        ("  - {action: disable-devices, with: {devices: [a]}}", 47, "devices: expected a mapping, found a list", ""),
        ("  - {action: disable-devices, with: {devices: {}}}", 47, "devices is empty", "display_name, id"),
        ("  - {action: disable-devices, with: {devices: {id: a, display_name: b}}}", 48, "only 1 of its keys", ""),
        ('  - {action: disable-devices, with: {devices: {id: ""}}}', 52, "id is empty", ""),
        ("  - {action: disable-devices, with: {devices: {name: b}}}", 48, "unknown key 'name'", "display_name"),
        ("  - {action: list-deleted-users, with: {max: 0}}", 46, "max: must not be less than 1", ""),
        (
            "  - {action: list-deleted-users, with: {max: many}}",
            46,
            "max: expected a whole number, found the text 'many'",
            "",
        ),
        (
            "  - {action: remove-licenses, with: {keep: [7]}}",
            45,
            "an entry of keep: expected text, found the number 7",
            "in quotes",
        ),
    ],
)
def test_what_is_wrong_with_a_step_is_said_at_its_place(text: str, column: int, message: str, hint: str) -> None:
    problem = step_refused(text)
    assert (problem.line, problem.column) == (3, column)
    assert message in problem.message
    assert hint in problem.hint
    assert hint or not problem.hint


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("steps: [disable-user]\n", 1, 1, "a playbook without 'playbook'"),
        (HEAD, 1, 1, "a playbook without 'steps'"),
        (f"{HEAD}steps: []\n", 2, 8, "steps is empty"),
        (f"{HEAD}steps:\n", 2, 1, "steps: expected a list, found nothing"),
        (f"{HEAD}steps: {{a: b}}\n", 2, 9, "steps: expected a list, found a mapping"),
        ("playbook: 3\nsteps: [disable-user]\n", 1, 11, "playbook: expected text, found the number 3"),
        ("playbook: a b\nsteps: [disable-user]\n", 1, 11, "'a b' cannot be a name"),
        (f"{HEAD}stepz: 1\nsteps: [disable-user]\n", 2, 1, "unknown key 'stepz'"),
        (f"{HEAD}accept: [A]\nsteps: [disable-user]\n", 2, 10, "'A' is no code"),
        (f"{HEAD}accept: [a, a]\nsteps: [disable-user]\n", 2, 9, "twice"),
        (f"{HEAD}parameters: {{9: {{}}}}\nsteps: [disable-user]\n", 2, 14, "key must be text"),
        (f"{HEAD}parameters: {{user: {{}}}}\nsteps: [disable-user]\n", 2, 14, "'user' cannot be a parameter's name"),
        (f"{HEAD}parameters: {{leave: {{}}}}\nsteps: [disable-user]\n", 2, 14, "'leave' cannot be a parameter's name"),
        (f"{HEAD}parameters: {{a-b: {{}}}}\nsteps: [disable-user]\n", 2, 14, "'a-b' cannot be a parameter's name"),
        (f"{HEAD}parameters: {{a: {{typ: text}}}}\nsteps: [disable-user]\n", 2, 18, "unknown key 'typ' in parameter a"),
        (f"{HEAD}parameters: {{a: {{type: int}}}}\nsteps: [disable-user]\n", 2, 24, "type: 'int' is not allowed"),
        (f"{HEAD}parameters: {{a: {{default: 5}}}}\nsteps: [disable-user]\n", 2, 27, "default: expected text"),
        (f"{HEAD}parameters: {{a: {{required: 'no'}}}}\nsteps: [disable-user]\n", 2, 28, "expected true or false"),
        (f"{HEAD}parameters: {{a: {{required: true, default: x}}}}\nsteps: [disable-user]\n", 2, 28, "and has a default"),
        ("[]", 1, 1, "expected a mapping, found a list"),
        ("hello", 1, 1, "expected a mapping, found the text 'hello'"),
    ],
)
def test_what_is_wrong_with_a_playbook_is_said_at_its_place(text: str, line: int, column: int, message: str) -> None:
    problem = refused(text)[0]
    assert (problem.line, problem.column) == (line, column)
    assert message in problem.message


def test_a_repeated_id_is_refused_with_the_line_of_the_first() -> None:
    problem = step_refused("  - {action: disable-user, id: x}\n  - {action: delete-user, id: x}\n")
    assert (problem.line, problem.column) == (4, 31)
    assert "line 3" in problem.hint


def test_more_steps_than_allowed_are_refused() -> None:
    assert len(steps("  - disable-user\n" * 200).steps) == 200
    assert "at most 200 entries" in refused(f"{HEAD}steps:\n" + "  - disable-user\n" * 201)[0].message


@pytest.mark.parametrize(
    ("condition", "column", "message", "hint"),
    [
        ("leaver.userTyp == 'x'", 18, "unknown field 'leaver.userTyp'", "leaver.userType"),
        ("leaver.userType = 'x'", 27, "'=' is not CEL", "=="),
        ("leaver.userType ==", 28, "this is not CEL", ""),
        ("parameters.x == 'x'", 22, "no parameter 'x' is declared", "declare"),
        ("leaver.mail", 11, "gives text, not true or false", ""),
    ],
)
def test_a_wrong_condition_is_refused_when_loading_at_its_place(
    condition: str, column: int, message: str, hint: str
) -> None:
    problem = step_refused(f"  - action: delete-user\n    when: {condition}\n")
    assert (problem.line, problem.column) == (4, column)
    assert message in problem.message
    assert hint in problem.hint


def test_the_place_of_a_mistake_in_a_condition_of_several_lines_is_found() -> None:
    problem = step_refused(
        '  - action: delete-user\n    when: |\n      leaver.mail != null &&\n        leaver.idd == "x"\n'
    )
    assert (problem.line, problem.column) == (6, 16)


def test_the_place_of_a_mistake_in_a_quoted_condition_is_found() -> None:
    problem = step_refused("  - action: delete-user\n    when: \"leaver.idd == 'x'\"\n")
    assert (problem.line, problem.column) == (4, 19)


@pytest.mark.parametrize(
    ("name", "column", "message", "hint"),
    [
        ("${parameters.latpop}", 45, "no parameter 'latpop' is declared", "parameters.laptop"),
        ("x ${leaver.displayNam}", 47, "unknown field 'leaver.displayNam'", "leaver.displayName"),
        ("${secret}", 45, "unknown field 'secret'", "known are"),
        ("a ${leaver.mail", 47, "not closed", "$${"),
        ("${parameters.maybe}", 45, "may have no value", "has(parameters.maybe)"),
    ],
)
def test_a_wrong_field_in_a_text_is_refused_at_its_place(name: str, column: int, message: str, hint: str) -> None:
    problem = only(
        f"{HEAD}parameters: {{laptop: {{default: x}}, maybe: {{}}}}\nsteps:\n"
        f'  - action: disable-devices\n    with: {{devices:        {{ display_name: "{name}" }}}}\n'
    )
    assert (problem.line, problem.column) == (5, column)
    assert message in problem.message
    assert hint in problem.hint


def test_an_optional_parameter_may_be_used_where_a_condition_guards_it() -> None:
    found = book(
        f"{HEAD}parameters: {{maybe: {{}}}}\nsteps:\n  - action: disable-devices\n"
        '    with: {devices: {display_name: "${parameters.maybe}"}}\n    when: has(parameters.maybe)\n'
    )
    assert found.steps[0].when == "has(parameters.maybe)"


def test_all_problems_of_grammar_and_sense_are_named_at_once_in_the_order_of_the_file() -> None:
    problems = refused(
        "playbok: x\nparameters:\n  a: {type: txt}\nsteps:\n  - delte-user\n  - action: delete-user\n    due: tomorrow\n"
        "    when: leaver.x == 1\n  - {action: disable-user, wen: x}\n"
    )
    assert [problem.line for problem in problems] == [1, 3, 5, 7, 8, 9]

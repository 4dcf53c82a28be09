"""Whatever a file holds, loading ends in a playbook or in complaints with places, and quickly in words."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offboard.errors import SourceError
from offboard.loading.expression import ExpressionError, compile_expression
from offboard.loading.playbook import load
from offboard.loading.source import Fields, Items, Scalar, data
from offboard.loading.yamlsource import read
from offboard.model import Playbook

REAL = {path.name: path.read_bytes() for path in sorted((Path(__file__).parents[2] / "playbooks").glob("*.yaml"))}
FAST = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SIGNS = ["- ", ": ", "\n", "  ", "[", "]", "{", "}", ",", "'", '"', "|", ">", "#", "?", "---", "...", "%", "\t", "\x00"]
WORDS = ["&a", "*a", "!!", "yes", "1:30", "~", "null", "${", "é"]
PIECES = [*SIGNS, *WORDS, "steps", "action", "disable-user", "with", "when", "due", "T+1d"]
CEL = [*PIECES, "leaver.", "id", "&&", "||", "==", "(", ")"]


def answer(content: bytes) -> Playbook | SourceError:
    try:
        return load("fuzz.yaml", content)
    except SourceError as error:
        return error


def check(content: bytes) -> None:
    found = answer(content)
    if isinstance(found, Playbook):
        assert found.steps
        return
    lines = len(content.splitlines()) + 1
    for problem in found.problems:
        assert problem.message
        assert 0 <= problem.line <= lines
        assert problem.column >= (1 if problem.line else 0)
        assert "\n" not in problem.message
        assert len(problem.message) < 400
    assert 1 <= len(found.problems) <= 51


@FAST
@given(st.binary(max_size=400))
def test_any_bytes_end_in_a_playbook_or_in_complaints(content: bytes) -> None:
    check(content)


@FAST
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_any_heap_of_yaml_ends_in_a_playbook_or_in_complaints(text: str) -> None:
    check(text.encode())
    check(b"playbook: x\nsteps:\n" + text.encode())


@FAST
@given(st.sampled_from(sorted(REAL)), st.randoms(use_true_random=False), st.integers(1, 6))
def test_any_damage_to_a_real_playbook_ends_in_one_or_in_complaints(name: str, chance: random.Random, times: int) -> None:
    content = bytearray(REAL[name])
    for _ in range(times):
        place = chance.randrange(len(content))
        kind = chance.randrange(4)
        if kind == 0:
            content[place] = chance.randrange(256)
        elif kind == 1:
            del content[place : place + chance.randrange(1, 40)]
        elif kind == 2:
            content[place:place] = chance.choice(PIECES).encode()
        else:
            start = chance.randrange(len(content))
            content[place:place] = content[start : start + 60]
    check(bytes(content))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def written(value: object) -> str:
    """The value in YAML's flow style, every text in double quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


@FAST
@given(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=5))
def test_what_is_written_plainly_is_read_back_as_it_is(value: dict[str, object]) -> None:
    tree = read("f", written(value).encode())
    assert data(tree.root) == value
    places = [(node.mark.line, node.mark.column) for node in nodes(tree.root)]
    assert places == sorted(places)


def nodes(node: Scalar | Items | Fields) -> Iterator[Scalar | Items | Fields]:
    yield node
    if isinstance(node, Items):
        for item in node.items:
            yield from nodes(item)
    elif isinstance(node, Fields):
        for key, value in node.entries:
            yield key
            yield from nodes(value)


@FAST
@given(st.text(max_size=60) | st.lists(st.sampled_from(CEL)).map("".join))
def test_any_condition_is_compiled_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        compile_expression(text)
    except ExpressionError as error:
        place = error.offset
    else:
        place = 0
    assert 0 <= place <= max(len(text), 0)


KEY = re.compile(rb"(?m)(?:^[ ]*(?:- )?|[{,] ?)([A-Za-z_]+):(?= |$)")


def test_two_hundred_mistyped_keys_are_all_refused() -> None:
    chance = random.Random(7)
    keys = [(name, found.span(1)) for name, content in REAL.items() for found in KEY.finditer(code(content))]
    assert len(keys) > 40
    for _ in range(200):
        name, (start, end) = chance.choice(keys)
        content, place = REAL[name], chance.randrange(start, end)
        letter = bytes([chance.choice([c for c in b"abcdefghijklmnopqrstuvwxyz_" if c != content[place]])])
        mutated = chance.choice(
            [
                content[:place] + letter + content[place + 1 :],
                content[:place] + letter + content[place:],
                content[:place] + content[place + 1 :],
            ]
        )
        found = answer(mutated)
        assert isinstance(found, SourceError), (name, content[start:end], mutated[start - 1 : end + 2])
        line = content.count(b"\n", 0, start) + 1
        # A parameter that is declared under another name is missed where it is used.
        assert any(problem.line in (0, line) or "is declared" in problem.message for problem in found.problems)


def code(content: bytes) -> bytes:
    """The file with its comments blanked out, byte for byte as long."""
    return re.sub(rb"(?m)(^|\s)#.*$", lambda found: b" " * len(found.group()), content)

"""Strict YAML: what is read, and what is refused with which words at which place."""

import pytest
import yaml

from offboard.errors import Problem, SourceError
from offboard.loading.source import Fields, Scalar, data
from offboard.loading.yamlsource import MAX_BYTES, MAX_DEPTH, MAX_NODES, read


def refused(content: bytes) -> list[Problem]:
    with pytest.raises(SourceError) as caught:
        read("my.yaml", content)
    assert all(problem.path == "my.yaml" for problem in caught.value.problems)
    return list(caught.value.problems)


def only(content: bytes) -> Problem:
    problems = refused(content)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def test_json_values_keep_their_types_and_all_else_is_text() -> None:
    tree = read("f", b"a: true\nb: null\nc: -12\nd: 1.5\ne: T+30d\nf: 'true'\ng: nobody\nh:\ni: [1, x]\nj: {k: v}\n")
    assert data(tree.root) == {
        "a": True,
        "b": None,
        "c": -12,
        "d": 1.5,
        "e": "T+30d",
        "f": "true",
        "g": "nobody",
        "h": None,
        "i": [1, "x"],
        "j": {"k": "v"},
    }


def test_a_node_knows_its_line_and_column() -> None:
    root = read("f", "\N{ZERO WIDTH NO-BREAK SPACE}a: 1\né:\n  - x\n  - yy\n".encode()).root
    assert isinstance(root, Fields)
    items = root.get("é")
    assert items is not None
    marks = [(item.mark.line, item.mark.column, item.mark.width) for item in items.items]  # type: ignore[union-attr]
    assert marks == [(3, 5, 1), (4, 5, 2)]


@pytest.mark.parametrize(
    ("word", "instead"),
    [
        ("yes", "true"),
        ("No", "false"),
        ("ON", "true"),
        ("off", "false"),
        ("y", "true"),
        ("n", "false"),
        ("True", "true"),
        ("FALSE", "false"),
        ("Null", "null"),
        ("~", "null"),
    ],
)
def test_words_that_readers_disagree_about_are_refused_with_both_ways_to_write_them(word: str, instead: str) -> None:
    problem = only(f"a: 1\nkey: {word}\n".encode())
    assert (problem.line, problem.column, problem.width) == (2, 6, len(word))
    assert problem.hint == f'write {instead}, or "{word}" in quotes'
    assert problem.quote == f"key: {word}"


@pytest.mark.parametrize(
    "word",
    [
        "1:30",
        "190:20:30",
        "010",
        "0o17",
        "08",
        "0x1F",
        "0b11",
        "1_000",
        "1e3",
        "1E-3",
        "+1",
        ".5",
        "5.",
        ".inf",
        "-.INF",
        ".nan",
        "2026-11-23",
        "2026-11-23T17:00:00Z",
        "2026-1-2",
        "1234567890123456",
        "<<",
        "=",
    ],
)
def test_numbers_and_dates_that_readers_disagree_about_are_refused(word: str) -> None:
    problem = only(f"key: {word}\n".encode())
    assert (problem.line, problem.column) == (1, 6)
    assert f'"{word}" in quotes' in problem.hint


@pytest.mark.parametrize("word", ["yes", "1:30", "010", "~", "2026-11-23", "<<", "1e3", "true"])
def test_the_same_in_quotes_is_text(word: str) -> None:
    assert data(read("f", f'a: "{word}"\nb: \'{word}\'\n"{word}": x\n'.encode()).root) == {
        "a": word,
        "b": word,
        word: "x",
    }


@pytest.mark.parametrize(
    "value",
    [
        "Sawyer Laptop",
        "T+30d",
        "a:b",
        "no-one",
        "1.2.3",
        "12345678-1234-1234-1234-123456789012",
        "v1",
        "yesterday",
        "1 2",
    ],
)
def test_plain_text_is_text(value: str) -> None:
    root = read("f", f"a: {value}".encode()).root
    assert data(root) == {"a": value}


def test_a_duplicate_key_is_refused_with_its_line_and_the_line_of_the_first() -> None:
    problem = only(b"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n")
    assert (problem.line, problem.column) == (5, 3)
    assert "'c'" in problem.message
    assert "line 3" in problem.hint


def test_a_key_written_in_two_styles_is_still_twice_there() -> None:
    assert only(b"a: 1\n'a': 2\n").line == 2


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        (b"a: &x 1\n", 1, 4, "anchor &x"),
        (b"a: 1\nb: *x\n", 2, 4, "alias *x"),
        (b"a: !!str 1\n", 1, 4, "tag '!!str'"),
        (b"a: !ruby/object x\n", 1, 4, "tag '!ruby/object'"),
        (b"b: {}\n<<: {a: 1}\n", 2, 1, "merge key"),
        (b"a: 1\n---\nb: 1\n", 2, 1, "second document"),
        (b"%YAML 1.1\n---\na: 1\n", 1, 1, "directive"),
        (b"a:\n\tb: 1\n", 2, 1, "tab"),
        (b"a: b\tc\n", 1, 5, "tab"),
        (b"a: \x00\n", 1, 4, "U+0000"),
        ("a: x\N{RIGHT-TO-LEFT OVERRIDE}y\n".encode(), 1, 5, "U+202E"),
        (b"a: \xff\n", 1, 4, "not UTF-8"),
        ("a: 1\nb: é".encode("latin-1"), 2, 4, "not UTF-8"),
        ("a: 1".encode("utf-16"), 1, 1, "UTF-16"),
        (b"a: 1\n1: x\n", 2, 1, "key must be text"),
        (b"? [x]\n: y\n", 1, 3, "key must be text"),
        (b"a: 1\nb: 'x\n", 2, 4, "never closed"),
        (b"a: [1,\n", 1, 4, "never closed"),
        (b"a: [1\nb: 2\n", 1, 4, "not closed"),
        (b"a: {b: 1\n", 1, 4, "not closed"),
        (b"a: b: c\n", 1, 5, "colon"),
        (b"a: 1\n b: 2\n", 2, 3, "colon"),
        (b"a:\n  b: 1\n c: 2\n", 3, 2, "key was expected"),
        (b"a: @x\n", 1, 4, "cannot begin"),
        (b'a: "\\q"\n', 1, 5, "escape"),
        (b"a: - b\n", 1, 4, "list cannot begin"),
        (b"", 0, 0, "empty"),
        (b" \n\n", 0, 0, "empty"),
        (b"# only this\n", 0, 0, "empty"),
    ],
)
def test_everything_else_than_strict_yaml_is_refused_at_its_place(
    content: bytes, line: int, column: int, words: str
) -> None:
    problem = refused(content)[0]
    assert (problem.line, problem.column) == (line, column)
    assert words in problem.message


def test_all_problems_of_a_file_are_named_at_once() -> None:
    problems = refused(b"a: yes\nb: &x 1\nc: *x\na: 2\nd: 010\n")
    assert [problem.line for problem in problems] == [1, 2, 3, 4, 5]


def test_a_file_full_of_problems_names_fifty_and_counts_the_rest() -> None:
    problems = refused(b"".join(b"k%d: yes\n" % n for n in range(80)))
    assert len(problems) == 51
    assert str(problems[-1]) == "my.yaml: 30 more problems are not shown"


def test_depth_is_allowed_up_to_the_limit_and_refused_beyond() -> None:
    fits = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert data(read("f", fits).root)
    assert "deep" in only(b"[" + fits + b"]").message


@pytest.mark.parametrize("opening", [b"[", b"{", b"- ", b"{a: ", b"? "])
def test_fifty_thousand_openings_are_refused_and_crash_nothing(opening: bytes) -> None:
    assert refused((opening * 50_000)[:MAX_BYTES])[0].message


def test_nodes_are_allowed_up_to_the_limit_and_refused_beyond() -> None:
    assert len(data(read("f", b"[" + b"x," * (MAX_NODES - 1) + b"]").root)) == MAX_NODES - 1
    assert "keys and values" in only(b"[" + b"x," * MAX_NODES + b"]").message


def test_bytes_are_allowed_up_to_the_limit_and_refused_beyond() -> None:
    fits = b"a: 1\n#" + b"x" * (MAX_BYTES - 6)
    assert data(read("f", fits).root) == {"a": 1}
    assert "256 KiB" in only(fits + b"x").message


def test_the_alias_bomb_is_refused() -> None:
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [*%c,*%c,*%c,*%c]\n" % (n + 1, n + 1, n, n, n, n) for n in range(ord("a"), ord("i"))
    )
    assert all("anchor" in p.message or "alias" in p.message for p in refused(bomb))


def test_a_problem_in_a_very_long_line_does_not_quote_it() -> None:
    assert only(b"a: [" + b"x, " * 1000 + b"yes]").quote == ""


def test_windows_line_ends_and_an_explicit_document_start_are_fine() -> None:
    assert data(read("f", b"---\r\na: 1\r\nb: |\r\n  x\r\n  y\r\n").root) == {"a": 1, "b": "x\ny\n"}


def test_trouble_inside_the_yaml_library_is_still_a_complaint_about_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_args: object, **_kwargs: object) -> None:
        raise RecursionError("too deep inside")

    monkeypatch.setattr(yaml, "parse", breaks)
    assert "too deep inside" in only(b"a: 1").message


def test_the_reader_works_without_libyaml_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offboard.loading.yamlsource._LOADER", yaml.SafeLoader)
    assert data(read("f", b"a: [1, x]\n").root) == {"a": [1, "x"]}
    assert only(b"[" * 3000).line == 1
    assert only(b"a: 1\na: 2\n").line == 2
    assert "never closed" in only(b"a: 'x").message


def test_a_scalar_at_the_root_is_a_tree_too() -> None:
    assert isinstance(read("f", b"hello").root, Scalar)

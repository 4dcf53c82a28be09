"""The quick answer is never another than the library's."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from offboard.loading.grammar import playbook_schema
from offboard.loading.schemafit import fits
from offboard.loading.source import data
from offboard.loading.yamlsource import read

ROOT = Path(__file__).parents[2]
SCHEMA = playbook_schema()
LIBRARY = Draft202012Validator(SCHEMA)

STEP_WORDS = ["disable-user", "unown-devices", "disable-devices", "remove-licenses", "list-deleted-users"]
OTHER_WORDS = [
    "T",
    "T+30d",
    "T+0d",
    "stop",
    "owned",
    "registered",
    "newest",
    "a b",
    "",
    "x",
    "user",
    "synced-user",
    "text",
]
WORDS = st.sampled_from([*STEP_WORDS, *OTHER_WORDS])
VALUES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(-2, 100_001) | st.sampled_from([0.0, 1.0, 2.5]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["display_name", "id", "devices", "keep", "max", "sort"]), inner, max_size=3)
    ),
    max_leaves=6,
)
STEPS = WORDS | st.dictionaries(
    st.sampled_from(["action", "action", "id", "with", "when", "on_failure", "due", "x"]), VALUES, max_size=5
)
PARAMETERS = st.dictionaries(
    WORDS,
    st.dictionaries(st.sampled_from(["type", "required", "default", "description"]), VALUES, max_size=3),
    max_size=2,
)
BOOKS = st.fixed_dictionaries(
    {"playbook": WORDS, "steps": st.lists(STEPS | VALUES, max_size=4)},
    optional={"parameters": PARAMETERS | VALUES, "accept": st.lists(WORDS, max_size=3) | VALUES, "description": VALUES},
)


@settings(max_examples=400, deadline=None)
@given(BOOKS | VALUES)
def test_what_fits_here_fits_there(document: Any) -> None:
    assert not fits(SCHEMA, document) or LIBRARY.is_valid(document)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["string", "object", "array", "boolean", "integer", "number", "null"]).map(lambda t: {"type": t})
    | st.lists(WORDS | st.booleans() | st.integers(0, 1), min_size=1).map(lambda v: {"enum": v})
    | (WORDS | st.booleans() | st.integers(0, 1)).map(lambda v: {"const": v})
    | st.integers(0, 3).flatmap(
        lambda n: st.sampled_from(
            ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum"]
        ).map(lambda k: {k: n})
    )
    | st.booleans().map(lambda v: {"uniqueItems": v})
    | st.just({"oneOf": [{}]})
    | st.just({"$ref": "#"}),
    VALUES,
)
def test_each_keyword_agrees_also_where_it_is_negated(schema: dict[str, Any], value: Any) -> None:
    for wrapped in (schema, {"not": schema}, {"if": schema, "then": {"type": "string"}, "else": {"type": "array"}}):
        if "$ref" not in schema:
            assert not fits(wrapped, value) or Draft202012Validator(wrapped).is_valid(value)
        else:
            assert not fits(wrapped, value)


@pytest.mark.parametrize("path", sorted((ROOT / "playbooks").glob("*.yaml")), ids=lambda path: path.stem)
def test_right_playbooks_fit_without_the_library(path: Path) -> None:
    assert fits(SCHEMA, data(read(path.name, path.read_bytes()).root))


def test_the_library_is_not_loaded_for_a_playbook_that_is_right_and_is_for_a_wrong_one() -> None:
    code = (
        "import sys\n"
        "from offboard.loading.playbook import load\n"
        "from offboard.errors import SourceError\n"
        "load('playbooks/entra-article.yaml')\n"
        "assert 'jsonschema' not in sys.modules\n"
        "try: load('p', b'playbook: p\\nsteps: [delte-user]')\n"
        "except SourceError as error: print(error.problems[0])\n"
        "assert 'jsonschema' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "p:2:9: unknown action 'delte-user'\n"

"""What a token says of itself."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offboard.graph.token import UNKNOWN, TokenInfo, decode


def token(claims: Any) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}.signature"


def test_a_persons_token() -> None:
    claims = {
        "scp": "User.Read.All Device.Read.All",
        "wids": ["FE930BE7-5e62-47db-91af-98c3a49a38b1"],
        "oid": "o",
        "appid": "a",
        "tid": "T-1",
        "upn": "admin@contoso.com",
    }
    assert decode(token(claims)) == TokenInfo(
        kind="delegated",
        scopes=frozenset({"User.Read.All", "Device.Read.All"}),
        wids=frozenset({"fe930be7-5e62-47db-91af-98c3a49a38b1"}),
        oid="o",
        appid="a",
        tid="t-1",
        name="admin@contoso.com",
    )


def test_an_apps_token() -> None:
    found = decode(token({"roles": ["User.Read.All"], "idtyp": "app", "azp": "a", "app_displayname": "Runner"}))
    assert (found.kind, found.granted, found.appid, found.name) == (
        "application",
        frozenset({"User.Read.All"}),
        "a",
        "Runner",
    )


def test_an_app_without_any_permission_is_still_an_app() -> None:
    assert decode(token({"sub": "x", "oid": "x"})).kind == "application"
    assert decode(token({"sub": "x", "oid": "y"})).kind == "unknown"


def test_names_outside_ascii_survive_the_urls_alphabet() -> None:
    assert decode(token({"upn": "zoë.ÿ?>~@contoso.com", "scp": "a"})).name == "zoë.ÿ?>~@contoso.com"


DEEP = f"a.{'W1tb' * 30000}.c"


@pytest.mark.parametrize(
    "text",
    ["", "sandbox", "a.b", "a.b.c", "a.b.c.d", "..", "a.!!!!.c", DEEP, token([]), token("x"), token(None)],
)
def test_what_cannot_be_read_is_unknown(text: str) -> None:
    assert decode(text) == UNKNOWN


@given(
    st.dictionaries(
        st.sampled_from(["scp", "roles", "wids", "oid", "tid", "upn", "idtyp", "sub"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5),
    )
)
def test_claims_of_the_wrong_type_are_taken_as_absent(claims: dict[str, Any]) -> None:
    found = decode(token(claims))
    assert found.kind in ("delegated", "application", "unknown")
    assert all(isinstance(each, str) for each in (found.oid, found.tid, found.name, *found.granted, *found.wids))


@given(st.text())
def test_any_text_is_tolerated(text: str) -> None:
    assert isinstance(decode(f"a.{text}.c"), TokenInfo)

"""Shared by all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import canary

canary.listen()
OWN = ("federated-token", "token.jwt")
"""Files in which a test itself keeps a token, for the program to read."""


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def no_secret_is_left_on_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """After all tests, none of the files they left holds a new password or a token."""
    yield
    found = canary.leaking_files(tmp_path_factory.getbasetemp(), OWN)
    assert found == [], f"{len(found)} files hold a password or a token, first {found[:5]}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What a test printed or logged holds none either."""
    said = "".join(text for title, text in report.sections if "Captured" in title).encode("utf-8", "replace")
    if canary.JWT.search(said) or canary.passwords_in(said):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} printed a password or a token"

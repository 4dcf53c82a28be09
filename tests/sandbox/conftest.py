"""A tenant per test, a clock that stands still until it is moved, and clients of both kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from msgraph import GraphServiceClient

from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.transport import SandboxTransport
from tests.sandbox.world import graph_client


def pytest_configure(config: pytest.Config) -> None:
    # Importing the SDK's generated builders warns about classes of its own; every warning of ours is an error.
    for message in ("This class is deprecated", "GetQueryParameters is deprecated"):
        config.addinivalue_line("filterwarnings", f"ignore:{message}:DeprecationWarning")


class Clock:
    """Time as the test tells it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 17, 6, 2, 400_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_(self, **span: float) -> None:
        self.moment += timedelta(**span)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    tenant = Sandbox.open(None, now=clock)
    yield tenant
    tenant.close()


@pytest.fixture
async def http(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": "Bearer anything"}
    transport: Any = SandboxTransport(sandbox)
    root = "https://graph.microsoft.com/v1.0"
    async with httpx.AsyncClient(transport=transport, base_url=root, headers=headers) as client:
        yield client


@pytest.fixture
async def graph(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[GraphServiceClient]:
    async with graph_client(SandboxTransport(sandbox)) as client:
        yield client

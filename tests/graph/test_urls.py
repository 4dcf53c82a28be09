"""URLs put together from a shape are the SDK's own, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offboard.graph.requests import DEVICE, USER, get
from offboard.graph.urls import SHAPES, url_of
from tests.world import a_world

pytestmark = pytest.mark.anyio


async def test_every_kind_of_request_gets_the_url_that_the_sdk_would_expand(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        graph = world.connection.graph
        for first, second in (("a0000000-0000-4000-8000-000000000001", "b1"), ("x", "y-2"), ("o'neil@x", "a b/c")):
            for info in (
                get(graph.users.by_user_id(first), select=USER, expand=["manager"]),
                get(graph.users.by_user_id(first).owned_devices, select=DEVICE, top=999),
                get(graph.users, select=USER, filter=f"userPrincipalName eq '{first}'"),
                graph.devices.by_device_id(first)
                .registered_owners.by_directory_object_id(second)
                .ref.to_delete_request_information(),
            ):
                world.connection.adapter.set_base_url_for_request_information(info)
                assert url_of(info) == info.url
                assert url_of(info) == info.url, "also the second time, from the remembered shape"


async def test_a_thousand_requests_of_one_shape_are_expanded_once(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        graph, adapter = world.connection.graph, world.connection.adapter
        asked = [get(graph.users.by_user_id(f"id-{n}"), select=USER) for n in range(1000)]
        for info in asked:
            adapter.set_base_url_for_request_information(info)
        before = SHAPES.copy()
        urls = {url_of(info) for info in asked}

        assert len(urls) == len(asked)
        assert len(SHAPES.keys() - before.keys()) <= 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(id=st.text(min_size=1, max_size=40), other=st.text(min_size=1, max_size=40))
def test_whatever_the_id_the_url_is_the_sdks(id: str, other: str) -> None:
    from kiota_abstractions.method import Method
    from kiota_abstractions.request_information import RequestInformation

    template = "{+baseurl}/groups/{group%2Did}/members/{directoryObject%2Did}/$ref"
    base = "https://graph.microsoft.com/v1.0"
    paths = {"baseurl": base, "group%2Did": id, "directoryObject%2Did": other}
    info = RequestInformation(Method.DELETE, template, paths)

    assert url_of(info) == info.url

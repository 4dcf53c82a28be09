"""A sequential script with msgraph-sdk, typed throughout: `python -m benchmarks.peers.sdk URL FIRST LAST`."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import Any
from uuid import UUID

import httpx
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.device import Device
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.user import User
from msgraph.generated.users.item.assign_license.assign_license_post_request_body import AssignLicensePostRequestBody
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder

from offboard.sandbox.crowd import person_name


async def main() -> None:
    """One person after the other, one call after the other."""
    url, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    async with httpx.AsyncClient(headers={"Authorization": "Bearer sdk"}, timeout=60) as http:
        adapter = GraphRequestAdapter(AnonymousAuthenticationProvider(), http)
        adapter.base_url = f"{url}/v1.0"
        graph = GraphServiceClient(request_adapter=adapter)
        for number in range(first, last + 1):
            await leave(graph, person_name(number))


async def leave(graph: GraphServiceClient, name: str) -> None:
    """All of one person."""
    options: Any = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(
        select=["id", "accountEnabled", "licenseAssignmentStates"]
    )
    user = await graph.users.by_user_id(name).get(RequestConfiguration(query_parameters=options))
    assert user is not None
    assert user.id is not None
    me = graph.users.by_user_id(user.id)
    found = await me.owned_devices.get()
    devices = [each.id for each in (found.value if found and found.value else []) if each.id]
    await me.patch(User(account_enabled=False))
    await me.revoke_sign_in_sessions.post()
    password = PasswordProfile(password=secrets.token_urlsafe(24) + "aA1!", force_change_password_next_sign_in=True)
    await me.patch(User(password_profile=password))
    for device in devices:
        await graph.devices.by_device_id(device).patch(Device(account_enabled=False))
    for device in devices:
        await graph.devices.by_device_id(device).registered_owners.by_directory_object_id(user.id).ref.delete()
    states = user.license_assignment_states or []
    direct = sorted({str(s.sku_id) for s in states if s.sku_id and not s.assigned_by_group})
    body = AssignLicensePostRequestBody(add_licenses=[], remove_licenses=[UUID(sku) for sku in direct])
    await me.assign_license.post(body)
    await me.delete()


if __name__ == "__main__":
    asyncio.run(main())

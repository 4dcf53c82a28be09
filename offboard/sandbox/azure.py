"""What azure-cli asks before it comes to Graph: the endpoints of the cloud, and its subscriptions: none."""

from __future__ import annotations

from datetime import datetime

from .dispatch import common_headers
from .wire import Json, Request, Response, dumps

_PATHS = ("/metadata/endpoints", "/subscriptions", "/tenants")
_ARM = "https://management.core.windows.net/"


def is_azure(request: Request) -> bool:
    """Whether this is meant for Azure's management endpoint."""
    return request.path.lower().rstrip("/") in _PATHS


def answer(request: Request, moment: datetime, tenant_id: str) -> Response:
    """Answer azure-cli truthfully: a cloud whose only service is this tenant."""
    headers = {**common_headers(request, moment), "Content-Type": "application/json; charset=utf-8"}
    path = request.path.lower().rstrip("/")
    if request.method.upper() != "GET":
        return Response(405, headers)
    if path == "/metadata/endpoints":
        # The older version of this interface lists clouds, the newer one describes the one that is asked.
        cloud = _cloud(request.root)
        return Response(200, headers, dumps([cloud] if "2019-05-01" in request.query else cloud))
    tenants = [{"id": f"/tenants/{tenant_id}", "tenantId": tenant_id}]
    return Response(200, headers, dumps({"value": tenants if path == "/tenants" else []}))


def _cloud(root: str) -> Json:
    return {
        "name": "Sandbox",
        "portal": root,
        "authentication": {
            "loginEndpoint": root,
            "audiences": [_ARM, root],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graph": root,
        "graphAudience": root,
        "microsoftGraphResourceId": root,
        "media": root,
        "batch": root,
        "resourceManager": root,
        "activeDirectoryDataLake": root,
        "gallery": root,
        "sqlManagement": root,
        "suffixes": {
            "storage": "storage.invalid",
            "keyVaultDns": "vault.invalid",
            "sqlServerHostname": "sql.invalid",
            "acrLoginServer": "registry.invalid",
        },
    }

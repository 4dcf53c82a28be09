"""Graph's own errors: status, code and message; raised by handlers, turned into envelopes at the edge."""

from __future__ import annotations

from collections.abc import Mapping

from .wire import Json


class GraphError(Exception):
    """An answer in Graph's error envelope."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def envelope(self, date: str, request_id: str, client_request_id: str) -> Json:
        """The body, shaped as Graph shapes it."""
        inner = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


def bad_request(message: str) -> GraphError:
    """400 from the directory service."""
    return GraphError(400, "Request_BadRequest", message)


def bad_uri(message: str) -> GraphError:
    """400 from the gateway, which read the URL or the body and did not understand it."""
    return GraphError(400, "BadRequest", message)


def unsupported_query(message: str = "") -> GraphError:
    """400 for a query that needs ConsistencyLevel and $count, or is not offered at all."""
    return GraphError(400, "Request_UnsupportedQuery", message or "Unsupported Query.")


def not_found(key: str) -> GraphError:
    """404 which names the object that was looked for."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


def unknown_segment(segment: str) -> GraphError:
    """400 for a path that Graph does not have."""
    return bad_uri(f"Resource not found for the segment '{segment}'.")


def denied(message: str = "Insufficient privileges to complete the operation.") -> GraphError:
    """403 for a missing permission or role."""
    return GraphError(403, "Authorization_RequestDenied", message)


def unauthenticated(message: str) -> GraphError:
    """401 for a missing, malformed or expired token."""
    headers = {"WWW-Authenticate": 'Bearer realm="", authorization_uri="/common/oauth2/authorize"'}
    return GraphError(401, "InvalidAuthenticationToken", message, headers)

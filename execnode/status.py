"""Errors across gRPC: one ErrorDetail in the status details; no googleapis package is needed.

Statuses without an ErrorDetail are the node's own: FAILED_PRECONDITION, the catalogs are not attached;
NOT_FOUND, no such query or session; UNAUTHENTICATED; UNIMPLEMENTED, the feature is switched off.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from grpclib.const import Status
from grpclib.encoding.base import StatusDetailsCodecBase
from grpclib.exceptions import GRPCError

from execnode.rpc.execnode.v1 import ErrorDetail
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

_MAX_TEXT_CHARACTERS = 2048  # trailers are one HTTP/2 header block; an engine text can be long

_STATUSES: Mapping[SqlState, Status] = MappingProxyType(
    {
        SqlState.QUERY_CANCELED: Status.CANCELLED,
        SqlState.OUT_OF_MEMORY: Status.RESOURCE_EXHAUSTED,
        SqlState.TOO_MANY_CONNECTIONS: Status.RESOURCE_EXHAUSTED,
        SqlState.ADMIN_SHUTDOWN: Status.UNAVAILABLE,
        SqlState.INTERNAL_ERROR: Status.INTERNAL,
    }
)


class StatusDetailsCodec(StatusDetailsCodecBase):
    """grpclib's codec for status details: exactly one ErrorDetail. Give it to Server and Channel."""

    def encode(self, status: Status, message: str | None, details: Any) -> bytes:
        return bytes(details)

    def decode(self, status: Status, message: str | None, data: bytes) -> ErrorDetail:
        return ErrorDetail.parse(data)


def grpc_error_from(error: GatewayError) -> GRPCError:
    """Give the gRPC status of an error; the engine's text goes into the details only."""
    detail = ErrorDetail(
        sqlstate=error.sqlstate.value,
        message=getattr(error, "engine_text", "")[:_MAX_TEXT_CHARACTERS],
        engine_class=getattr(error, "engine_class", ""),
        client_message=error.message,
    )
    return GRPCError(_STATUSES.get(error.sqlstate, Status.INVALID_ARGUMENT), error.message, detail)

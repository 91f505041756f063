"""What goes wrong between gateway and node, translated once: a statement's errors, a node's failures."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from grpclib.const import Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from h2.exceptions import H2Error

from execnode.engine.errors import EngineFault, engine_error
from execnode.rpc.execnode.v1 import ErrorDetail
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgwire.errors import GatewayError, InternalError
from pgwire.sqlstate import SqlState


class CatalogsOutdated(EngineUnavailable):
    """The node lacks the generation that the statement needs. Nothing ran: attach it and try again."""

    def __init__(self) -> None:
        super().__init__("the exec node has not attached the catalogs", FallbackReason.UNHEALTHY)


class QueryUnknown(EngineUnavailable):
    """The node does not know the query or session: it was restarted, or its time to live has passed."""

    def __init__(self) -> None:
        super().__init__("the exec node lost the statement", FallbackReason.NODE_LOST)


_FORGOTTEN = frozenset(
    {SqlState.UNDEFINED_OBJECT, SqlState.INVALID_CURSOR_STATE, SqlState.CONNECTION_DOES_NOT_EXIST}
)
_REASONS_BY_SQLSTATE = {
    SqlState.OUT_OF_MEMORY: FallbackReason.OUT_OF_MEMORY,
    SqlState.TOO_MANY_CONNECTIONS: FallbackReason.QUEUE_FULL,
    SqlState.ADMIN_SHUTDOWN: FallbackReason.DRAINING,
}
_REASONS_BY_STATUS = {
    Status.RESOURCE_EXHAUSTED: FallbackReason.QUEUE_FULL,
    Status.DEADLINE_EXCEEDED: FallbackReason.DEADLINE,
    Status.UNAVAILABLE: FallbackReason.DRAINING,
    Status.UNAUTHENTICATED: FallbackReason.CONNECT,
    Status.PERMISSION_DENIED: FallbackReason.CONNECT,
    Status.UNIMPLEMENTED: FallbackReason.CONNECT,
}
"""Of a status without ErrorDetail. UNAVAILABLE is said only by a node that answers: it drains."""

_MESSAGES = {
    FallbackReason.QUEUE_FULL: "the exec node has too many statements waiting",
    FallbackReason.DEADLINE: "the exec node did not answer in time",
    FallbackReason.DRAINING: "the exec node takes no new statements",
    FallbackReason.CONNECT: "the exec node refused the gateway",
    FallbackReason.OUT_OF_MEMORY: "out of memory",
}


@contextmanager
def node_errors_translated() -> Iterator[None]:
    """Translate what grpclib raises inside; a GatewayError passes through.

    grpclib wakes a waiting call by cancelling its task and replaces the CancelledError. It never takes the
    cancellation back (`Task.uncancel`), so a TaskGroup further out would later believe that it was cancelled.

    Raises:
        EngineUnavailable: the node was lost, shed the work or drains.
        GatewayError: the statement's own error.
    """
    task = asyncio.current_task()
    cancellations = task.cancelling() if task is not None else 0
    try:
        yield
    except GRPCError as error:
        raise translate_status(error) from error
    except (StreamTerminatedError, H2Error, OSError, EOFError, AssertionError, ValueError) as error:
        # H2Error: the connection was closed under the call. AssertionError: grpclib's own check of a message
        # that was cut short.
        _take_back_cancellation(task, cancellations)
        raise EngineUnavailable("the exec node was lost", FallbackReason.NODE_LOST) from error
    except ProtocolError as error:
        raise InternalError("internal error") from error


def translate_status(error: GRPCError) -> GatewayError:
    """Translate a failed call by its ErrorDetail, or by its status where there is none."""
    if error.status is Status.FAILED_PRECONDITION:
        return CatalogsOutdated()
    fault = _fault(error.details)
    if error.status is Status.NOT_FOUND or (fault is not None and _is_forgotten(fault)):
        return QueryUnknown()
    if fault is not None:
        reason = _REASONS_BY_SQLSTATE.get(fault.sqlstate)
        return _unavailable(reason) if reason is not None else fault
    reason = _REASONS_BY_STATUS.get(error.status)
    return _unavailable(reason) if reason is not None else InternalError("internal error")


def _fault(detail: object) -> EngineFault | None:
    """Rebuild the statement's own error; None where the node gave no ErrorDetail."""
    if not isinstance(detail, ErrorDetail) or not detail.sqlstate:
        return None
    try:
        sqlstate = SqlState(detail.sqlstate)
    except ValueError:
        sqlstate = SqlState.INTERNAL_ERROR
    return engine_error(
        sqlstate,
        engine_text=detail.message,
        engine_class=detail.engine_class,
        message=detail.client_message or None,
    )


def _is_forgotten(fault: EngineFault) -> bool:
    """Whether the node, not DuckDB (whose errors have a class), says that it has no such query or session."""
    return not fault.engine_class and fault.sqlstate in _FORGOTTEN


def _unavailable(reason: FallbackReason) -> EngineUnavailable:
    return EngineUnavailable(_MESSAGES[reason], reason)


def _take_back_cancellation(task: asyncio.Task[object] | None, before: int) -> None:
    """Take back grpclib's own cancellation; one that came from elsewhere meanwhile is honoured.

    Raises:
        asyncio.CancelledError: somebody else cancelled the task too.
    """
    if task is None or task.cancelling() <= before:
        return
    task.uncancel()
    if task.cancelling() > before:
        raise asyncio.CancelledError

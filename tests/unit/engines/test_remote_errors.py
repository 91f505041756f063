"""gRPC's failures, translated."""

import asyncio

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from execnode.rpc.execnode.v1 import ErrorDetail
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.remote_errors import (
    CatalogsOutdated,
    QueryUnknown,
    node_errors_translated,
    translate_status,
)
from pgwire.errors import GatewayError, InternalError, QueryCanceled, StatementError
from pgwire.sqlstate import SqlState


def failed(status: Status, sqlstate: str | None = None) -> GatewayError:
    detail = ErrorDetail(sqlstate, "secret row 42", "SomeException") if sqlstate is not None else None
    return translate_status(GRPCError(status, "text", detail))


@pytest.mark.parametrize(
    ("status", "sqlstate", "reason"),
    [
        (Status.RESOURCE_EXHAUSTED, None, FallbackReason.QUEUE_FULL),
        (Status.DEADLINE_EXCEEDED, None, FallbackReason.DEADLINE),
        (Status.UNAVAILABLE, None, FallbackReason.DRAINING),
        (Status.UNAUTHENTICATED, None, FallbackReason.CONNECT),
        (Status.RESOURCE_EXHAUSTED, "53200", FallbackReason.OUT_OF_MEMORY),
    ],
)
def test_a_node_that_cannot_is_unavailable_for_a_reason(
    status: Status, sqlstate: str | None, reason: FallbackReason
) -> None:
    error = failed(status, sqlstate)
    assert isinstance(error, EngineUnavailable)
    assert error.reason is reason


def test_a_statements_own_error_keeps_its_sqlstate_and_not_the_engines_words() -> None:
    error = failed(Status.INVALID_ARGUMENT, "22012")
    assert isinstance(error, StatementError)
    assert error.sqlstate is SqlState.DIVISION_BY_ZERO
    assert "42" not in error.message
    assert isinstance(failed(Status.CANCELLED, "57014"), QueryCanceled)


def test_missing_catalogs_and_forgotten_queries_are_told_apart() -> None:
    assert isinstance(failed(Status.FAILED_PRECONDITION), CatalogsOutdated)
    assert isinstance(failed(Status.NOT_FOUND), QueryUnknown)
    nodes_own_word = GRPCError(Status.INVALID_ARGUMENT, "", ErrorDetail("42704"))
    assert isinstance(translate_status(nodes_own_word), QueryUnknown)
    assert isinstance(failed(Status.INVALID_ARGUMENT, "42704"), StatementError)


@pytest.mark.parametrize("sqlstate", [None, "", "nonsense"])
def test_what_cannot_be_read_is_an_internal_error(sqlstate: str | None) -> None:
    assert isinstance(failed(Status.UNKNOWN, sqlstate), InternalError)


async def lose_node(task: asyncio.Task[object], cancellations: int) -> None:
    """Do what grpclib does to a waiting call whose connection is lost; more than one: others cancel too."""
    with node_errors_translated():
        for _ in range(cancellations):
            task.cancel()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise StreamTerminatedError("Connection lost") from None


async def test_grpclibs_own_cancellation_is_taken_back() -> None:
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(EngineUnavailable):
        await lose_node(task, cancellations=1)
    assert task.cancelling() == 0


async def test_a_cancellation_from_elsewhere_is_honoured_even_when_the_node_is_lost() -> None:
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(asyncio.CancelledError):
        await lose_node(task, cancellations=2)
    task.uncancel()

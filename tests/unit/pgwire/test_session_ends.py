"""How pipelines, errors and COPY end in the session; the expectations were taken from PostgreSQL 15."""

from collections.abc import Sequence

import pytest

from pgwire.backend import (
    CloseComplete,
    CommandComplete,
    ErrorResponse,
    ReadyForQuery,
    error_response,
)
from pgwire.errors import GatewayError, ProtocolViolation, StatementError
from pgwire.frontend import (
    Bind,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Execute,
    Flush,
    FunctionCall,
    Parse,
    Sync,
    Terminate,
)
from pgwire.session.effects import (
    CloseConnection,
    CopyInData,
    CopyInDone,
    CopyInFailed,
    Effect,
    EndPipeline,
    FailTransaction,
    FlushOutput,
    ReleasePortal,
    ReleaseStatement,
    Send,
)
from pgwire.session.machine import Session
from pgwire.session.objects import PreparedStatement
from pgwire.session.outcomes import (
    CopyInStarted,
    Failed,
    PipelineEnded,
    SimpleQueryDone,
)
from pgwire.session.status import Phase
from tests.unit.pgwire.session_driver import (
    COLUMNS,
    ERROR,
    FAILED,
    FATAL,
    IDLE,
    IN_TRANSACTION,
    SESSION_IN,
    begin,
    bind,
    execute,
    parse,
    prepared,
    sent,
    sync,
)

READY = [Send(ReadyForQuery(b"I")), FlushOutput()]


def refusal(effects: Sequence[Effect]) -> GatewayError:
    (effect,) = effects
    assert isinstance(effect, FailTransaction)
    return effect.error


# Sync, Flush, Close, Terminate, FunctionCall


def test_sync_ends_the_pipeline_and_the_portals_of_an_implicit_block() -> None:
    session = prepared()
    portal = session.portals.resolve("")
    assert list(session.receive(Sync())) == [EndPipeline()]
    assert list(session.resume(PipelineEnded(IDLE))) == [ReleasePortal(portal), *READY]
    assert refusal(session.receive(Execute(""))).sqlstate == "34000"


def test_portals_outlive_sync_inside_a_block() -> None:
    session = Session()
    begin(session)
    parse(session)
    bind(session, "p")
    assert list(sync(session, IN_TRANSACTION)) == [Send(ReadyForQuery(b"T")), FlushOutput()]
    assert "p" in session.portals


def test_a_commit_that_fails_at_sync_is_an_error_and_ready_for_query() -> None:
    session = SESSION_IN[Phase.ENDING_PIPELINE]()
    assert sent(session.resume(Failed(ERROR, IDLE))) == [error_response(ERROR), ReadyForQuery(b"I")]
    assert session.phase is Phase.READY


def test_flush_sends_what_is_pending() -> None:
    assert list(Session().receive(Flush())) == [FlushOutput()]


def test_close_releases_and_is_silent_about_the_unknown() -> None:
    session = prepared()
    statement, portal = session.statements.resolve(""), session.portals.resolve("")
    assert list(session.receive(Close(b"S", ""))) == [ReleaseStatement(statement), Send(CloseComplete())]
    assert list(session.receive(Close(b"P", ""))) == [ReleasePortal(portal), Send(CloseComplete())]
    assert list(session.receive(Close(b"S", ""))) == [Send(CloseComplete())]
    assert list(session.receive(Close(b"P", ""))) == [Send(CloseComplete())]


def test_a_portal_outlives_its_statement() -> None:
    session = prepared()
    session.receive(Close(b"S", ""))
    assert sent(execute(session)) == [CommandComplete("SELECT 1")]


def test_terminate_closes_even_while_a_query_runs() -> None:
    session = SESSION_IN[Phase.BUSY_SIMPLE]()
    assert list(session.receive(Terminate())) == [CloseConnection()]
    assert session.resume(Failed(ERROR, IDLE)) == ()


def test_a_function_call_is_refused_and_needs_no_sync() -> None:
    session = Session()
    error = refusal(session.receive(FunctionCall(1)))
    assert error.sqlstate == "0A000"
    assert sent(session.resume(Failed(error, IDLE))) == [error_response(error), ReadyForQuery(b"I")]


# Errors


def test_a_refusal_fails_the_transaction_like_any_other_error() -> None:
    session = Session()
    begin(session)
    error = refusal(session.receive(Execute("nope")))
    assert sent(session.resume(Failed(error, FAILED))) == [error_response(error)]
    assert session.phase is Phase.SKIPPING
    assert sent(sync(session, FAILED)) == [ReadyForQuery(b"E")]


@pytest.mark.parametrize("phase", [Phase.BUSY_SIMPLE, Phase.EXECUTING, Phase.COPY_IN_SIMPLE])
def test_a_fatal_error_closes_without_ready_for_query(phase: Phase) -> None:
    effects = SESSION_IN[phase]().resume(Failed(FATAL, IDLE))
    assert list(effects) == [Send(error_response(FATAL)), FlushOutput(), CloseConnection()]


UNREADABLE = StatementError("invalid byte sequence")


def test_an_unreadable_query_is_an_error_and_ready_for_query() -> None:
    session = Session()
    assert refusal(session.reject(b"Q", UNREADABLE)) is UNREADABLE
    assert sent(session.resume(Failed(UNREADABLE, IDLE)))[-1] == ReadyForQuery(b"I")


@pytest.mark.parametrize("tag", [b"P", b"B", b"D", b"E", b"C"])
def test_an_unreadable_extended_message_discards_until_sync(tag: bytes) -> None:
    session = Session()
    assert refusal(session.reject(tag, UNREADABLE)) is UNREADABLE
    assert sent(session.resume(Failed(UNREADABLE, IDLE))) == [error_response(UNREADABLE)]
    assert session.reject(tag, UNREADABLE) == ()


def test_an_unreadable_copy_fail_still_fails_the_copy() -> None:
    session = SESSION_IN[Phase.COPY_IN_SIMPLE]()
    assert list(session.reject(b"f", UNREADABLE)) == [CopyInFailed("invalid byte sequence")]
    assert Session().reject(b"f", UNREADABLE) == ()


def test_an_unreadable_message_out_of_turn_is_a_violation() -> None:
    with pytest.raises(ProtocolViolation, match="unexpected Query message during COPY from stdin"):
        SESSION_IN[Phase.COPY_IN_SIMPLE]().reject(b"Q", UNREADABLE)


def test_a_fatal_decoding_error_is_raised_and_closes() -> None:
    session = Session()
    with pytest.raises(ProtocolViolation, match="invalid message format"):
        session.reject(b"Q", ProtocolViolation("invalid message format"))
    assert session.phase is Phase.CLOSED


# COPY


def test_copy_data_reaches_the_shell_and_the_simple_query_goes_on() -> None:
    session = SESSION_IN[Phase.COPY_IN_SIMPLE]()
    assert list(session.receive(CopyData(b"1\n"))) == [CopyInData(b"1\n")]
    assert list(session.receive(CopyDone())) == [CopyInDone()]
    assert session.resume(CopyInStarted()) == ()  # the next COPY of the same string
    session.receive(CopyDone())
    assert sent(session.resume(SimpleQueryDone(IDLE, closed_portals=False))) == [ReadyForQuery(b"I")]


def test_copy_fail_gives_its_reason() -> None:
    session = SESSION_IN[Phase.COPY_IN_EXTENDED]()
    assert list(session.receive(CopyFail("nah"))) == [CopyInFailed("nah")]
    assert session.phase is Phase.EXECUTING


@pytest.mark.parametrize("phase", [Phase.COPY_IN_SIMPLE, Phase.COPY_IN_EXTENDED])
def test_flush_and_sync_are_ignored_while_copy_data_flows(phase: Phase) -> None:
    session = SESSION_IN[phase]()
    assert session.receive(Flush()) == ()
    assert session.receive(Sync()) == ()
    assert session.phase is phase


@pytest.mark.parametrize("phase", [Phase.COPY_IN_SIMPLE, Phase.COPY_IN_EXTENDED])
def test_what_a_client_sends_after_its_copy_failed_is_ignored(phase: Phase) -> None:
    session = SESSION_IN[phase]()
    session.resume(Failed(ERROR, IDLE))
    for message in (CopyData(b"2\n"), CopyDone(), CopyFail("")):
        assert session.receive(message) == ()


# The names that the shell shares


def test_statements_of_sql_and_of_parse_share_their_names() -> None:
    session = Session()
    session.statements.add(PreparedStatement("s", (), COLUMNS, None))
    assert refusal(session.receive(Parse("s", "select"))).sqlstate == "42P05"
    session.resume(Failed(ERROR, IDLE))
    sync(session)
    with pytest.raises(StatementError):
        session.statements.add(PreparedStatement("s", (), COLUMNS, None))
    assert [statement.name for statement in session.statements.clear()] == ["s"]
    assert list(session.statements) == []


def test_the_error_response_of_a_refusal_carries_its_sqlstate() -> None:
    session = Session()
    error = refusal(session.receive(Bind("", "nope")))
    (response,) = sent(session.resume(Failed(error, IDLE)))
    assert isinstance(response, ErrorResponse)
    assert response.sqlstate == "26000"

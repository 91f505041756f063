"""What the session says and asks for, case by case; the expectations were taken from PostgreSQL 15."""

from collections.abc import Sequence

import pytest

from pgwire.backend import (
    BindComplete,
    CommandComplete,
    EmptyQueryResponse,
    FieldDescription,
    NoData,
    ParameterDescription,
    ParseComplete,
    PortalSuspended,
    ReadyForQuery,
    RowDescription,
    error_response,
)
from pgwire.errors import GatewayError
from pgwire.frontend import (
    Bind,
    Describe,
    Execute,
    Flush,
    Parse,
    Query,
)
from pgwire.session.effects import (
    BindPortal,
    Effect,
    ExecutePortal,
    FailTransaction,
    FlushOutput,
    PlanStatement,
    ReleasePortal,
    ReleaseStatement,
    RunSimpleQuery,
    Send,
)
from pgwire.session.machine import Session
from pgwire.session.objects import PortalState
from pgwire.session.outcomes import (
    Failed,
    PortalBound,
    PortalSuspendedOutcome,
    SimpleQueryDone,
)
from pgwire.session.status import Phase, TransactionStatus
from tests.unit.pgwire.session_driver import (
    COLUMNS,
    ERROR,
    FAILED,
    IDLE,
    IN_TRANSACTION,
    SESSION_IN,
    begin,
    bind,
    execute,
    parse,
    prepared,
    query,
    sent,
    sync,
)

READY = [Send(ReadyForQuery(b"I")), FlushOutput()]


def refusal(effects: Sequence[Effect]) -> GatewayError:
    (effect,) = effects
    assert isinstance(effect, FailTransaction)
    return effect.error


# Simple queries


def test_a_simple_query_runs_and_ends_in_ready_for_query() -> None:
    session = Session()
    assert list(session.receive(Query("select 1"))) == [RunSimpleQuery("select 1")]
    assert session.is_busy
    assert list(session.resume(SimpleQueryDone(IDLE, closed_portals=False))) == READY
    assert not session.is_busy


@pytest.mark.parametrize("status", list(TransactionStatus))
def test_ready_for_query_tells_the_transaction_status(status: TransactionStatus) -> None:
    session = Session()
    assert sent(query(session, status)) == [ReadyForQuery(status.value)]
    assert session.status is status


def test_an_error_in_a_simple_query_is_followed_by_ready_for_query_at_once() -> None:
    session = SESSION_IN[Phase.BUSY_SIMPLE]()
    effects = session.resume(Failed(ERROR, FAILED))
    assert sent(effects) == [error_response(ERROR), ReadyForQuery(b"E")]
    assert effects[-1] == FlushOutput()
    assert session.status is FAILED


def test_a_simple_query_destroys_the_unnamed_statement_and_portal() -> None:
    session = prepared()
    statement, portal = session.statements.resolve(""), session.portals.resolve("")
    effects = list(session.receive(Query("select 1")))
    assert effects == [ReleasePortal(portal), ReleaseStatement(statement), RunSimpleQuery("select 1")]
    assert "" not in session.statements
    assert "" not in session.portals


@pytest.mark.parametrize(
    ("status", "closed", "survives"),
    [
        (IN_TRANSACTION, False, True),
        (IN_TRANSACTION, True, False),
        (IDLE, False, False),
        (FAILED, False, True),
    ],
)
def test_portals_end_with_their_transaction(status: TransactionStatus, closed: bool, survives: bool) -> None:
    session = Session()
    begin(session)
    parse(session, "s")
    bind(session, "p", "s")
    portal = session.portals.resolve("p")
    effects = query(session, status, closed=closed)
    assert ("p" in session.portals) == survives
    assert (ReleasePortal(portal) in effects) == (not survives)
    assert "s" in session.statements


# Parse


def test_parse_plans_and_keeps_the_statement() -> None:
    session = Session()
    assert list(session.receive(Parse("s", "select $1", (23,)))) == [PlanStatement("s", "select $1", (23,))]
    session = Session()
    assert sent(parse(session, "s", (23,))) == [ParseComplete()]
    statement = session.statements.resolve("s")
    assert (statement.parameter_oids, statement.columns, statement.handle) == ((23,), COLUMNS, "plan s")


def test_parse_replaces_the_unnamed_statement_even_if_it_then_fails() -> None:
    session = prepared()
    old = session.statements.resolve("")
    assert list(session.receive(Parse("", "selct"))) == [
        ReleaseStatement(old),
        PlanStatement("", "selct", ()),
    ]
    session.resume(Failed(ERROR, IDLE))
    sync(session)
    error = refusal(session.receive(Bind("", "")))
    assert (error.sqlstate, error.message) == ("26000", "unnamed prepared statement does not exist")


def test_a_named_statement_is_never_replaced() -> None:
    session = Session()
    parse(session, "s")
    error = refusal(session.receive(Parse("s", "select")))
    assert (error.sqlstate, error.message) == ("42P05", 'prepared statement "s" already exists')


# Bind


def test_bind_makes_a_portal() -> None:
    session = Session()
    parse(session, "s", (23,))
    message = Bind("p", "s", (1,), (b"\0\0\0\1",), (1,))
    statement = session.statements.resolve("s")
    assert list(session.receive(message)) == [BindPortal("p", statement, message)]
    session = Session()
    parse(session, "s")
    assert sent(bind(session, "p", "s")) == [BindComplete()]
    portal = session.portals.resolve("p")
    assert (portal.handle, portal.state, portal.is_suspended) == ("stream p", PortalState.READY, False)


def test_bind_replaces_the_unnamed_portal() -> None:
    session = prepared()
    old, statement = session.portals.resolve(""), session.statements.resolve("")
    message = Bind("", "")
    assert list(session.receive(message)) == [ReleasePortal(old), BindPortal("", statement, message)]


def test_a_named_portal_is_never_replaced() -> None:
    session = prepared()
    bind(session, "p")
    error = refusal(session.receive(Bind("p", "")))
    assert (error.sqlstate, error.message) == ("42P03", 'cursor "p" already exists')


def test_bind_to_an_unknown_statement_is_26000() -> None:
    error = refusal(Session().receive(Bind("", "nope")))
    assert (error.sqlstate, error.message) == ("26000", 'prepared statement "nope" does not exist')


@pytest.mark.parametrize(
    ("message", "sqlstate", "text"),
    [
        (
            Bind("", "s"),
            "08P01",
            'bind message supplies 0 parameters, but prepared statement "s" requires 1',
        ),
        (
            Bind("", "s", (), (None, None)),
            "08P01",
            'bind message supplies 2 parameters, but prepared statement "s" requires 1',
        ),
        (
            Bind("", "s", (0, 0, 0), (b"1",)),
            "08P01",
            "bind message has 3 parameter formats but 1 parameters",
        ),
        (
            Bind("", "s", (), (b"1",), (0, 0, 0)),
            "08P01",
            "bind message has 3 result formats but query has 1 columns",
        ),
        (Bind("", "s", (7,), (b"1",)), "22023", "unsupported format code: 7"),
    ],
)
def test_bind_checks_counts_and_formats_in_postgresqls_words(message: Bind, sqlstate: str, text: str) -> None:
    session = Session()
    parse(session, "s", (23,))
    error = refusal(session.receive(message))
    assert (error.sqlstate, error.message, error.fatal) == (sqlstate, text, False)


def test_an_unknown_result_format_is_refused_when_the_portal_runs() -> None:
    session = Session()
    parse(session, "s")
    session.receive(Bind("", "s", (), (), (7,)))
    session.resume(PortalBound((FieldDescription("a", 0, 0, 23, 4, -1, 7),), "handle"))
    error = refusal(session.receive(Execute("")))
    assert (error.sqlstate, error.message) == ("22023", "unsupported format code: 7")


def test_held_cursors_outlive_the_transaction_that_ends() -> None:
    session = Session()
    parse(session, "s")
    for name in ("kept", "dropped"):
        bind(session, name, "s")
    for portal in session.portals:
        portal.is_held = portal.name == "kept"
    assert [portal.name for portal in session.portals.end_transaction()] == ["dropped"]
    assert "kept" in session.portals
    assert [portal.name for portal in session.portals.clear()] == ["kept"]


def test_result_formats_do_not_matter_where_there_are_no_rows() -> None:
    session = Session()
    parse(session, columns=None)
    (effect,) = session.receive(Bind("", "", (), (), (1, 1, 1)))
    assert isinstance(effect, BindPortal)


def test_an_error_in_bind_discards_until_sync() -> None:
    session = prepared()
    session.receive(Bind("", ""))
    effects = session.resume(Failed(ERROR, IDLE))
    assert list(effects) == [Send(error_response(ERROR)), FlushOutput()]
    assert session.receive(Execute("")) == ()
    assert session.receive(Query("select 1")) == ()
    assert session.receive(Flush()) == ()
    assert sent(sync(session)) == [ReadyForQuery(b"I")]


# Describe


def test_describe_of_a_statement_gives_parameters_and_rows_and_asks_for_nothing() -> None:
    session = Session()
    parse(session, "s", (23,))
    assert list(session.receive(Describe(b"S", "s"))) == [
        Send(ParameterDescription((23,))),
        Send(RowDescription(COLUMNS)),
    ]


def test_describe_of_what_returns_no_rows_gives_no_data() -> None:
    session = Session()
    parse(session, columns=None)
    bind(session)
    assert sent(session.receive(Describe(b"S", ""))) == [ParameterDescription(()), NoData()]
    assert sent(session.receive(Describe(b"P", ""))) == [NoData()]


def test_describe_of_a_portal_gives_its_rows() -> None:
    assert sent(prepared().receive(Describe(b"P", ""))) == [RowDescription(COLUMNS)]


@pytest.mark.parametrize(("kind", "sqlstate"), [(b"S", "26000"), (b"P", "34000")])
def test_describe_of_the_unknown_is_an_error(kind: bytes, sqlstate: str) -> None:
    assert refusal(Session().receive(Describe(kind, "nope"))).sqlstate == sqlstate


def test_rows_cannot_be_described_in_a_failed_transaction() -> None:
    session = Session()
    parse(session, "rows")
    parse(session, "none", columns=None)
    query(session, FAILED)
    assert sent(session.receive(Describe(b"S", "none"))) == [ParameterDescription(()), NoData()]
    assert refusal(session.receive(Describe(b"S", "rows"))).sqlstate == "25P02"


# Execute


@pytest.mark.parametrize(("max_rows", "asked"), [(0, 0), (-1, 0), (5, 5)])
def test_execute_runs_the_portal(max_rows: int, asked: int) -> None:
    session = prepared()
    portal = session.portals.resolve("")
    assert list(session.receive(Execute("", max_rows))) == [ExecutePortal(portal, asked)]


def test_a_completed_portal_sends_its_tag() -> None:
    session = prepared()
    assert sent(execute(session, tag="SELECT 3")) == [CommandComplete("SELECT 3")]


def test_a_suspended_portal_goes_on() -> None:
    session = prepared()
    portal = session.portals.resolve("")
    session.receive(Execute("", 2))
    assert sent(session.resume(PortalSuspendedOutcome())) == [PortalSuspended()]
    assert portal.is_suspended
    assert list(session.receive(Execute("", 2))) == [ExecutePortal(portal, 2)]


@pytest.mark.parametrize(
    ("tag", "again"), [("SELECT 3", "SELECT 0"), ("INSERT 0 1", "INSERT 0 0"), ("SHOW", "SHOW")]
)
def test_a_portal_with_rows_has_none_left_after_its_end(tag: str, again: str) -> None:
    session = prepared()
    execute(session, tag=tag)
    assert sent(session.receive(Execute(""))) == [CommandComplete(again)]
    assert not session.is_busy


def test_a_portal_without_rows_runs_once() -> None:
    session = Session()
    parse(session, columns=None)
    bind(session)
    execute(session, tag="INSERT 0 1")
    error = refusal(session.receive(Execute("")))
    assert (error.sqlstate, error.message) == ("55000", 'portal "" cannot be run')


def test_an_empty_query_is_empty_every_time() -> None:
    session = Session()
    parse(session, columns=None)
    bind(session)
    assert sent(execute(session, tag=None)) == [EmptyQueryResponse()]
    assert sent(session.receive(Execute(""))) == [EmptyQueryResponse()]


def test_a_portal_that_failed_cannot_be_run_again() -> None:
    session = Session()
    begin(session)
    parse(session)
    bind(session, "p")
    session.receive(Execute("p"))
    session.resume(Failed(ERROR, FAILED))
    sync(session, FAILED)
    assert refusal(session.receive(Execute("p"))).sqlstate == "25P02"
    session.resume(Failed(ERROR, FAILED))
    sync(session, FAILED)
    query(session, IN_TRANSACTION)  # ROLLBACK TO SAVEPOINT
    assert refusal(session.receive(Execute("p"))).sqlstate == "55000"


def test_execute_of_an_unknown_portal_is_34000() -> None:
    error = refusal(Session().receive(Execute("nope")))
    assert (error.sqlstate, error.message) == ("34000", 'portal "nope" does not exist')


def test_commit_ends_all_portals() -> None:
    session = Session()
    begin(session)
    parse(session)
    for name in ("p", "commit"):
        bind(session, name)
    portals = set(session.portals)
    effects = execute(session, "commit", "COMMIT", ended=True)
    assert effects[0] == Send(CommandComplete("COMMIT"))
    assert {effect.portal for effect in effects if isinstance(effect, ReleasePortal)} == portals
    assert session.status is IDLE


def test_an_error_outside_a_block_ends_all_portals() -> None:
    session = prepared()
    portal = session.portals.resolve("")
    session.receive(Execute(""))
    assert ReleasePortal(portal) in session.resume(Failed(ERROR, IDLE))

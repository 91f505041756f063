"""Every (phase, event), enumerated from the table; and the page that is rendered from it."""

import itertools
from typing import get_args

import pytest

from pgwire.errors import ProtocolViolation
from pgwire.frontend import (
    Bind,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Describe,
    Execute,
    Flush,
    FrontendMessage,
    FunctionCall,
    Parse,
    PasswordMessage,
    Query,
    Sync,
    Terminate,
)
from pgwire.session.effects import CloseConnection
from pgwire.session.machine import Session
from pgwire.session.outcomes import (
    CopyInStarted,
    Failed,
    Outcome,
    PipelineEnded,
    PortalBound,
    PortalCompleted,
    PortalSuspendedOutcome,
    SimpleQueryDone,
    StatementPlanned,
)
from pgwire.session.status import BUSY_PHASES, COPY_IN_PHASES, Phase
from pgwire.session.transitions import (
    TRANSITIONS,
    Event,
    FatalFailure,
    Reexecuted,
    Refused,
    RefusedSimple,
)
from tests.unit.pgwire.session_driver import (
    COLUMNS,
    ERROR,
    FATAL,
    IDLE,
    SESSION_IN,
    bind,
    execute,
    parse,
)
from tests.unit.pgwire.session_page import PAGE, render

MESSAGES: tuple[FrontendMessage, ...] = (
    Query("select"),
    Parse("", "select"),
    Bind("", ""),
    Describe(b"S", ""),
    Execute(""),
    Close(b"S", ""),
    Sync(),
    Flush(),
    Terminate(),
    CopyData(b"1\n"),
    CopyDone(),
    CopyFail("no"),
    FunctionCall(1),
    PasswordMessage(b"x\0"),
)
OUTCOMES: tuple[Outcome, ...] = (
    StatementPlanned((), COLUMNS, None),
    PortalBound(COLUMNS, None),
    SimpleQueryDone(IDLE, closed_portals=False),
    PortalSuspendedOutcome(),
    PortalCompleted("SELECT 1", IDLE, transaction_ended=False),
    PipelineEnded(IDLE),
    CopyInStarted(),
    Failed(ERROR, IDLE),
    Failed(FATAL, IDLE),
)


def test_the_samples_cover_every_message_outcome_and_phase() -> None:
    assert {type(message) for message in MESSAGES} == set(get_args(FrontendMessage))
    assert {type(outcome) for outcome in OUTCOMES} == set(get_args(Outcome))
    assert set(SESSION_IN) == set(Phase)
    for phase, build in SESSION_IN.items():
        assert build().phase is phase


@pytest.mark.parametrize(
    ("phase", "message"),
    list(itertools.product(Phase, MESSAGES)),
    ids=lambda value: value.name if isinstance(value, Phase) else type(value).__name__,
)
def test_a_message_moves_as_the_table_says_or_is_08p01(phase: Phase, message: FrontendMessage) -> None:
    session = SESSION_IN[phase]()
    after = TRANSITIONS.get((phase, type(message)))
    if after is None:
        with pytest.raises(ProtocolViolation, match=f"unexpected {type(message).__name__} message"):
            session.receive(message)
        assert session.phase is Phase.CLOSED
        return
    effects = session.receive(message)
    assert session.phase is after
    assert (after is Phase.CLOSED) == (CloseConnection() in effects)


@pytest.mark.parametrize(
    ("phase", "outcome"),
    list(itertools.product(Phase, OUTCOMES)),
    ids=lambda value: value.name if isinstance(value, Phase) else type(value).__name__,
)
def test_an_outcome_moves_as_the_table_says_or_is_a_bug_of_the_shell(phase: Phase, outcome: Outcome) -> None:
    session = SESSION_IN[phase]()
    is_fatal = isinstance(outcome, Failed) and outcome.error.fatal
    after = TRANSITIONS.get((phase, FatalFailure if is_fatal else type(outcome)))
    if after is None:
        with pytest.raises(RuntimeError, match=f"outcome {type(outcome).__name__} in phase {phase.name}"):
            session.resume(outcome)
        assert session.phase is phase
        return
    effects = session.resume(outcome)
    assert session.phase is after
    assert (phase is Phase.CLOSED) == (effects == () and after is Phase.CLOSED)


def test_the_sessions_own_events_move_as_the_table_says() -> None:
    ready = SESSION_IN[Phase.READY]
    cases: dict[Event, Session] = {Refused: ready(), RefusedSimple: ready(), Reexecuted: ready()}
    cases[Refused].receive(Execute("unknown"))
    cases[RefusedSimple].reject(b"Q", ERROR)
    execute(cases[Reexecuted])
    cases[Reexecuted].receive(Execute(""))
    for event, session in cases.items():
        assert session.phase is TRANSITIONS[Phase.READY, event]


def test_every_entry_of_the_table_is_reached_by_one_of_these_tests() -> None:
    own = {(Phase.READY, event) for event in (Refused, RefusedSimple, Reexecuted)}
    from_messages = set(itertools.product(Phase, map(type, MESSAGES)))
    from_outcomes = set(itertools.product(Phase, [*map(type, OUTCOMES), FatalFailure]))
    assert set(TRANSITIONS) <= own | from_messages | from_outcomes


def test_busy_and_copying_are_told_from_the_phase() -> None:
    for phase, build in SESSION_IN.items():
        session = build()
        assert session.is_busy == (phase in BUSY_PHASES)
        assert session.is_copying_in == (phase in COPY_IN_PHASES)
        accepts_outcomes = any(before is phase and event is Failed for before, event in TRANSITIONS)
        assert accepts_outcomes == (session.is_busy or session.is_copying_in or phase is Phase.CLOSED)


def test_every_phase_can_be_left_by_terminate() -> None:
    for phase in Phase:
        if phase is not Phase.CLOSED:
            assert TRANSITIONS[phase, Terminate] is Phase.CLOSED


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == render()


def test_a_prepared_session_stays_usable_through_the_driver() -> None:
    session = SESSION_IN[Phase.READY]()
    parse(session, "s")
    bind(session, "p", "s")
    assert {portal.name for portal in session.portals} == {"", "p"}
    assert {statement.name for statement in session.statements} == {"", "s"}

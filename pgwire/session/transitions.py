"""Every legal move of a session, as one table; docs/protocol.md is rendered from it.

A message that has no entry for the phase is 08P01. An outcome that has no entry is a bug of the shell.
PostgreSQL docs, "Message Flow"; what the prose leaves open is as PostgreSQL 15 was seen to behave.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

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
    Query,
    Sync,
    Terminate,
)
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
from pgwire.session.status import Phase


@dataclass(frozen=True, slots=True)
class Refused:
    """The session refused a message of the extended protocol: unknown name, wrong count, bad UTF-8."""


@dataclass(frozen=True, slots=True)
class RefusedSimple:
    """The session refused a Query or FunctionCall."""


@dataclass(frozen=True, slots=True)
class Reexecuted:
    """Execute of a portal that had completed; answered without running anything."""


@dataclass(frozen=True, slots=True)
class FatalFailure:
    """Failed, with an error that ends the connection."""


Event: TypeAlias = type[FrontendMessage | Outcome | Refused | RefusedSimple | Reexecuted | FatalFailure]

_COPY_MESSAGES: tuple[Event, ...] = (CopyData, CopyDone, CopyFail)
_EXTENDED_MESSAGES: tuple[Event, ...] = (Parse, Bind, Describe, Execute, Close, Flush)
_OUTCOMES: tuple[Event, ...] = (
    StatementPlanned,
    PortalBound,
    SimpleQueryDone,
    PortalSuspendedOutcome,
    PortalCompleted,
    PipelineEnded,
    CopyInStarted,
    Failed,
    FatalFailure,
)

_READY: dict[tuple[Phase, Event], Phase] = {
    (Phase.READY, Query): Phase.BUSY_SIMPLE,
    (Phase.READY, FunctionCall): Phase.BUSY_SIMPLE,
    (Phase.READY, RefusedSimple): Phase.BUSY_SIMPLE,
    (Phase.READY, Parse): Phase.PLANNING,
    (Phase.READY, Bind): Phase.BINDING,
    (Phase.READY, Describe): Phase.READY,
    (Phase.READY, Execute): Phase.EXECUTING,
    (Phase.READY, Reexecuted): Phase.READY,
    (Phase.READY, Close): Phase.READY,
    (Phase.READY, Refused): Phase.REFUSING,
    (Phase.READY, Flush): Phase.READY,
    (Phase.READY, Sync): Phase.ENDING_PIPELINE,
    (Phase.READY, Terminate): Phase.CLOSED,
    # What a client still sends after its COPY failed.
    **{(Phase.READY, event): Phase.READY for event in _COPY_MESSAGES},
}

_BUSY: dict[tuple[Phase, Event], Phase] = {
    (Phase.BUSY_SIMPLE, SimpleQueryDone): Phase.READY,
    (Phase.BUSY_SIMPLE, CopyInStarted): Phase.COPY_IN_SIMPLE,
    (Phase.BUSY_SIMPLE, Failed): Phase.READY,
    (Phase.PLANNING, StatementPlanned): Phase.READY,
    (Phase.PLANNING, Failed): Phase.SKIPPING,
    (Phase.BINDING, PortalBound): Phase.READY,
    (Phase.BINDING, Failed): Phase.SKIPPING,
    (Phase.EXECUTING, PortalCompleted): Phase.READY,
    (Phase.EXECUTING, PortalSuspendedOutcome): Phase.READY,
    (Phase.EXECUTING, CopyInStarted): Phase.COPY_IN_EXTENDED,
    (Phase.EXECUTING, Failed): Phase.SKIPPING,
    (Phase.REFUSING, Failed): Phase.SKIPPING,
    (Phase.ENDING_PIPELINE, PipelineEnded): Phase.READY,
    # PostgreSQL too answers a commit that fails at Sync with ErrorResponse and ReadyForQuery at once.
    (Phase.ENDING_PIPELINE, Failed): Phase.READY,
}

_COPY_IN: dict[tuple[Phase, Event], Phase] = {
    (Phase.COPY_IN_SIMPLE, CopyData): Phase.COPY_IN_SIMPLE,
    (Phase.COPY_IN_SIMPLE, CopyDone): Phase.BUSY_SIMPLE,
    (Phase.COPY_IN_SIMPLE, CopyFail): Phase.BUSY_SIMPLE,
    (Phase.COPY_IN_SIMPLE, Failed): Phase.READY,
    (Phase.COPY_IN_EXTENDED, CopyData): Phase.COPY_IN_EXTENDED,
    (Phase.COPY_IN_EXTENDED, CopyDone): Phase.EXECUTING,
    (Phase.COPY_IN_EXTENDED, CopyFail): Phase.EXECUTING,
    (Phase.COPY_IN_EXTENDED, Failed): Phase.SKIPPING,
    # "In this mode the backend ignores Flush and Sync": clients send Sync right behind Execute.
    **{
        (phase, event): phase
        for phase in (Phase.COPY_IN_SIMPLE, Phase.COPY_IN_EXTENDED)
        for event in (Flush, Sync)
    },
}

_SKIPPING: dict[tuple[Phase, Event], Phase] = {
    (Phase.SKIPPING, Sync): Phase.ENDING_PIPELINE,
    (Phase.SKIPPING, Terminate): Phase.CLOSED,
    **{
        (Phase.SKIPPING, event): Phase.SKIPPING
        for event in (Query, FunctionCall, *_EXTENDED_MESSAGES, *_COPY_MESSAGES)
    },
}

_WORKING = (
    Phase.BUSY_SIMPLE,
    Phase.PLANNING,
    Phase.BINDING,
    Phase.EXECUTING,
    Phase.REFUSING,
    Phase.ENDING_PIPELINE,
    Phase.COPY_IN_SIMPLE,
    Phase.COPY_IN_EXTENDED,
)

TRANSITIONS: Mapping[tuple[Phase, Event], Phase] = MappingProxyType(
    {
        **_READY,
        **_BUSY,
        **_COPY_IN,
        **_SKIPPING,
        **{(phase, event): Phase.CLOSED for phase in _WORKING for event in (Terminate, FatalFailure)},
        # What was running when the client left still reports.
        **{(Phase.CLOSED, event): Phase.CLOSED for event in _OUTCOMES},
    }
)
"""(phase, event) → the phase after it."""

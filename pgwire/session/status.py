"""The states of a connection: what the client sees (transaction status), what may come next (phase)."""

from enum import Enum, unique


@unique
class TransactionStatus(Enum):
    """ReadyForQuery's status byte."""

    __hash__ = object.__hash__  # Enum's own is written in Python, and members are only equal to themselves

    IDLE = b"I"
    IN_TRANSACTION = b"T"
    FAILED = b"E"


@unique
class Phase(Enum):
    """What the session waits for; the value is its sentence in docs/protocol.md."""

    __hash__ = object.__hash__

    READY = "any message that begins something"
    BUSY_SIMPLE = "the outcome of a simple query, or of refusing a function call"
    PLANNING = "the outcome of PlanStatement"
    BINDING = "the outcome of BindPortal"
    EXECUTING = "the outcome of ExecutePortal"
    REFUSING = "the outcome of FailTransaction, inside the extended protocol"
    ENDING_PIPELINE = "the outcome of EndPipeline"
    SKIPPING = "Sync; an error happened in the extended protocol"
    COPY_IN_SIMPLE = "COPY data for a simple query"
    COPY_IN_EXTENDED = "COPY data for a portal"
    CLOSED = "nothing"


BUSY_PHASES = frozenset(
    {
        Phase.BUSY_SIMPLE,
        Phase.PLANNING,
        Phase.BINDING,
        Phase.EXECUTING,
        Phase.REFUSING,
        Phase.ENDING_PIPELINE,
    }
)
COPY_IN_PHASES = frozenset({Phase.COPY_IN_SIMPLE, Phase.COPY_IN_EXTENDED})

"""Infrastructure failures of an engine: the only failures that may lead to a fallback."""

from enum import StrEnum

from pgwire.errors import EndpointUnavailable
from pgwire.sqlstate import SqlState


class FallbackReason(StrEnum):
    """Why a statement could not run on its endpoint; the same word in metrics, logs and audit."""

    UNHEALTHY = "unhealthy"
    CONNECT = "connect"
    DEADLINE = "deadline"
    QUEUE_FULL = "queue_full"
    NODE_LOST = "node_lost"
    DRAINING = "draining"
    OUT_OF_MEMORY = "out_of_memory"

    @property
    def casts_doubt(self) -> bool:
        """Whether the endpoint itself is in doubt, and not just too busy or too small for this statement."""
        return self in (FallbackReason.CONNECT, FallbackReason.DEADLINE, FallbackReason.NODE_LOST)

    @property
    def leaves_outcome_open(self) -> bool:
        """Whether the statement may have run to its end all the same: only its answer is missing."""
        return self in (FallbackReason.DEADLINE, FallbackReason.NODE_LOST)


_SQLSTATES = {
    FallbackReason.QUEUE_FULL: SqlState.CONFIGURATION_LIMIT_EXCEEDED,
    FallbackReason.OUT_OF_MEMORY: SqlState.OUT_OF_MEMORY,
}


class EngineUnavailable(EndpointUnavailable):
    """The engine, not the statement, failed. SQLSTATE 08006, 53400 for a full queue, 53200 for memory.

    outcome_is_open: whether what it was told may be done all the same.
    """

    def __init__(
        self,
        message: str,
        reason: FallbackReason,
        *,
        sqlstate: SqlState | None = None,
        outcome_is_open: bool | None = None,
    ) -> None:
        super().__init__(message, sqlstate=sqlstate or _SQLSTATES.get(reason))
        self.reason = reason
        self.outcome_is_open = reason.leaves_outcome_open if outcome_is_open is None else outcome_is_open


class OutcomeUnknown(EngineUnavailable):
    """A write, or its COMMIT, of which nobody knows whether it was kept. It must not be sent again."""

    def __init__(self, reason: FallbackReason) -> None:
        super().__init__(
            "unknown outcome: the exec node was lost while the statement may have been writing",
            reason,
            sqlstate=SqlState.TRANSACTION_RESOLUTION_UNKNOWN,
        )


class IncompatibleNode(EngineUnavailable):
    """The node speaks no version of the contract that the gateway speaks: it is never used."""

    def __init__(self) -> None:
        super().__init__("the exec node speaks another contract", FallbackReason.UNHEALTHY)

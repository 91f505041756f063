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


_SQLSTATES = {
    FallbackReason.QUEUE_FULL: SqlState.CONFIGURATION_LIMIT_EXCEEDED,
    FallbackReason.OUT_OF_MEMORY: SqlState.OUT_OF_MEMORY,
}


class EngineUnavailable(EndpointUnavailable):
    """The engine, not the statement, failed. SQLSTATE 08006, 53400 for a full queue, 53200 for memory."""

    def __init__(self, message: str, reason: FallbackReason) -> None:
        super().__init__(message, sqlstate=_SQLSTATES.get(reason))
        self.reason = reason


class IncompatibleNode(EngineUnavailable):
    """The node speaks no version of the contract that the gateway speaks: it is never used."""

    def __init__(self) -> None:
        super().__init__("the exec node speaks another contract", FallbackReason.UNHEALTHY)

"""Infrastructure failures of an engine: the only failures that may lead to a fallback."""

from enum import StrEnum

from pgwire.errors import EndpointUnavailable


class FallbackReason(StrEnum):
    """Why a statement could not run on its endpoint; the same word in metrics, logs and audit."""

    UNHEALTHY = "unhealthy"
    CONNECT = "connect"
    DEADLINE = "deadline"
    QUEUE_FULL = "queue_full"
    NODE_LOST = "node_lost"
    DRAINING = "draining"
    OUT_OF_MEMORY = "out_of_memory"


class EngineUnavailable(EndpointUnavailable):
    """The engine, not the statement, failed."""

    def __init__(self, message: str, reason: FallbackReason) -> None:
        super().__init__(message)
        self.reason = reason

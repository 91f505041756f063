"""What a call says beside its request, in gRPC metadata: its trace, and on which side of a rollout it counts.

Set where the call arrives, read where its statement is counted; a task that the call starts inherits it.
"""

from collections.abc import Mapping
from contextvars import ContextVar

ARM_KEY = "pgproxy-arm"
TRACE_KEY = "traceparent"
"""W3C Trace Context, "traceparent Header"."""

_ARMS = frozenset({"canary", "control", "none"})
_metadata: ContextVar[Mapping[str, str]] = ContextVar("call_metadata", default={})  # noqa: B039  # never changed


def note_call(metadata: Mapping[str, object]) -> None:
    """Keep what is known of for the rest of this task and those that it starts."""
    _metadata.set({key: str(metadata[key]) for key in (ARM_KEY, TRACE_KEY) if key in metadata})


def call_arm() -> str:
    """The caller's arm; `none` where it says nothing known."""
    arm = _metadata.get().get(ARM_KEY, "none")
    return arm if arm in _ARMS else "none"


def call_traceparent() -> str:
    """The caller's span; empty: it is not traced."""
    return _metadata.get().get(TRACE_KEY, "")

"""What a metastore does alike whatever its database: views of the state that was last read, watchers."""

import asyncio
from abc import ABC, abstractmethod

from pgproxy.control.fleet import Assignment, Endpoint
from pgproxy.control.secret_box import SecretBox
from pgproxy.control.state import ControlState
from pgproxy.control.undo import undone
from pgproxy.policy.model import PolicySet
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState


class SharedMetastore(ABC):
    """The base of every `Metastore`."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box
        self._watchers: set[asyncio.Event] = set()
        self._known = (-1, -1, ControlState())
        self._policy_set = PolicySet(-1)

    @abstractmethod
    async def _current(self) -> tuple[int, int, ControlState]:
        """Give the epoch, the policy's epoch and the state that belong together."""

    async def state(self) -> ControlState:
        """See `Metastore`."""
        return (await self._current())[2]

    async def policy_set(self) -> PolicySet:
        """See `Metastore`."""
        return (await self.current())[1]

    async def current(self) -> tuple[ControlState, PolicySet]:
        """See `Metastore`."""
        _, policy_epoch, state = await self._current()
        if self._policy_set.epoch != policy_epoch:
            self._policy_set = state.policy_set(policy_epoch)
        return state, self._policy_set

    @property
    def secret_box(self) -> SecretBox:
        return self._box

    @property
    def server_secret(self) -> bytes:
        """See `Metastore`."""
        return self._box.derive("verifiers of unknown users")

    async def endpoints(self) -> tuple[Endpoint, ...]:
        """See `Metastore`."""
        state = await self.state()
        return tuple(state.endpoints[name] for name in sorted(state.endpoints))

    async def assignments(self) -> tuple[Assignment, ...]:
        """See `Metastore`."""
        found = (await self.state()).assignments.values()
        return tuple(sorted(found, key=lambda a: (a.principal, a.priority, a.endpoint)))

    async def state_at(self, epoch: int) -> ControlState:
        """See `Metastore`."""
        current, _, state = await self._current()
        if not 0 <= epoch <= current:
            raise StatementError(f"version {epoch} does not exist", sqlstate=SqlState.UNDEFINED_OBJECT)
        return await asyncio.to_thread(undone, state, await self._undo_since(epoch, current))

    @abstractmethod
    async def _undo_since(self, epoch: int, current: int) -> list[str | None]:
        """Give what undoes each change after `epoch` up to `current`, the latest first."""

    def wake_watchers(self) -> None:
        """Let this process's watchers look at once."""
        for watcher in self._watchers:
            watcher.set()


async def wait_for(event: asyncio.Event, timeout_s: float) -> None:
    """Return once `event` is set, and clear it, or after the timeout."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return
    event.clear()

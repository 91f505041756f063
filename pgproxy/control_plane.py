"""The control plane as sessions see it: changes made in the metastore and, before they are answered, here."""

import asyncio

from pgproxy.control.api_keys import KeyDraft
from pgproxy.control.metastore import ControlPlaneUnavailable, Metastore, MetastoreError, Transform
from pgproxy.control.service import Actor, ControlService
from pgproxy.control.state import ControlState
from pgproxy.following import MetastoreFollower


class GatewayControlPlane:
    """See `pgproxy.session.services.ControlPlane`."""

    def __init__(self, metastore: Metastore, service: ControlService, follower: MetastoreFollower) -> None:
        self._metastore = metastore
        self._service = service
        self._follower = follower

    async def verifier_of(self, password: str) -> str:
        """Make a SCRAM verifier, or take one as it is."""
        return await self._service.verifier_of(password)

    async def draft_api_key(self) -> KeyDraft:
        """Make an API key that belongs to nobody yet."""
        return await self._service.draft_api_key()

    async def state_at(self, version: int) -> ControlState:
        """Give the control plane as a version left it. Raises: 42704."""
        try:
            return await self._metastore.state_at(version)
        except MetastoreError:
            raise _unavailable() from None

    async def check(self, actor: str, change: Transform, may_be_self: str | None) -> None:
        """Make a change without keeping it."""
        try:
            state = await self._metastore.state()
        except MetastoreError:
            raise _unavailable() from None
        await asyncio.to_thread(self._service.checked, Actor(actor), state, change, may_be_self)

    async def make(self, actor: str, change: Transform, may_be_self: str | None) -> None:
        """Make a change; when this returns it holds in this gateway."""
        try:
            await self._service.apply(Actor(actor), change, may_be_self=may_be_self)
        except MetastoreError:
            raise _unavailable() from None
        await self._follower.catch_up()


def _unavailable() -> ControlPlaneUnavailable:
    return ControlPlaneUnavailable("the control plane cannot be changed")

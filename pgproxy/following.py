"""Letting every change of the metastore hold here, within a second of its commit.

A metastore that cannot be read changes nothing at first: the gateway goes on with the last policy it knows,
says so in /health, and tries again. After a grace period nobody may do anything until it is back.
"""

import asyncio
import math
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from pgproxy.catalog.service import CatalogService
from pgproxy.control.flags import CurrentFlags
from pgproxy.control.metastore import ControlPlaneUnavailable, Metastore, MetastoreError
from pgproxy.control.state import ControlState
from pgproxy.net.session_registry import SessionRegistry
from pgproxy.policy.current import CurrentPolicies
from pgproxy.policy.model import PolicySet, PrincipalKind
from pgproxy.publishing import CatalogPublisher
from pgproxy.rollout.controller import RolloutController
from pgproxy.routing.registry import EndpointRegistry

log = structlog.get_logger(__name__)

_NO_EPOCH = -1
_FIRST_RETRY_S = 0.2
_LONGEST_RETRY_S = 10.0


@dataclass(frozen=True, slots=True)
class Followers:
    """What a change reaches."""

    policies: CurrentPolicies
    catalogs: CatalogService
    endpoints: EndpointRegistry
    sessions: SessionRegistry
    flags: CurrentFlags
    rollouts: RolloutController
    publisher: CatalogPublisher


class MetastoreFollower:
    """Applies new epochs, in order and one at a time.

    since: the epoch that everything was built from. grace_s: for how long the last known policy holds.
    """

    def __init__(
        self, metastore: Metastore, followers: Followers, since: int, grace_s: float = math.inf
    ) -> None:
        self._grace_s = grace_s
        self._lost_at = 0.0
        self._metastore = metastore
        self._followers = followers
        self._seen = since
        self._api_keys: frozenset[str] = frozenset()
        self._applying = asyncio.Lock()
        self._is_current = True

    @property
    def is_current(self) -> bool:
        """False while the metastore cannot be read and the last known policy holds."""
        return self._is_current

    @property
    def followed_epoch(self) -> int:
        """The last change of the metastore that holds here."""
        return self._seen

    async def follow(self) -> None:
        """Follow for as long as the gateway runs."""
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                async for epoch in self._metastore.watch(self._seen):
                    await self._apply()
                    self._seen = epoch
                    self._is_current, retry_s = True, _FIRST_RETRY_S
            except MetastoreError:
                if self._is_current:
                    log.error("metastore.lost", epoch=self._seen)  # noqa: TRY400  # its text may name the file
                    self._lost_at = time.monotonic()
                self._is_current = False
            left_s = self._lost_at + self._grace_s - time.monotonic()
            if not self._is_current and left_s <= 0:
                await self._fail_closed()
            pause_s = retry_s * random.uniform(0.8, 1.2)  # noqa: S311  # jitter, not a secret
            await asyncio.sleep(min(pause_s, left_s) if left_s > 0 else pause_s)
            retry_s = min(retry_s * 2, _LONGEST_RETRY_S)
            await self._try_again()

    async def catch_up(self) -> ControlState:
        """Let what has been committed hold now, so that a login sees the policy that it came with.

        Gives all of it, as of now.

        Raises:
            ControlPlaneUnavailable: 57P03, the metastore cannot be read.
        """
        try:
            state, policy_set = await self._metastore.current()
            if policy_set.epoch != self._followers.policies.policy_set.epoch:
                await self._apply()
        except MetastoreError:
            raise ControlPlaneUnavailable("the control plane cannot be read") from None
        return state

    def may_stay(self, principal: str, key_id: str | None = None) -> bool:
        """Whether the current policy knows a user of this name who is not locked, and the API key, if any."""
        known = self._followers.policies.policy_set.principals.get(principal)
        is_user = known is not None and known.kind is PrincipalKind.USER and known.can_login
        return is_user and (key_id is None or key_id in self._api_keys)

    async def _fail_closed(self) -> None:
        """Let a policy hold that allows nothing; the next that can be read takes its place."""
        followers = self._followers
        async with self._applying:
            if followers.policies.policy_set.epoch == _NO_EPOCH:
                return
            followers.policies.replace(PolicySet(_NO_EPOCH))
            ended = followers.sessions.end_unless(self.may_stay)
        log.error("metastore.grace_ended", ended_sessions=ended)

    async def _try_again(self) -> None:
        if self._is_current:
            return
        try:
            await self._apply()
        except MetastoreError:
            return
        self._is_current = True
        log.info("metastore.found")

    async def _apply(self) -> None:
        followers = self._followers
        async with self._applying:
            policy_set = await self._metastore.policy_set()
            self._api_keys = frozenset((await self._metastore.state()).api_keys)
            is_new = policy_set.epoch != followers.policies.policy_set.epoch
            if is_new:
                followers.policies.replace(policy_set)
            if ended := followers.sessions.end_unless(self.may_stay):
                log.info("sessions.ended", sessions=ended)
            if is_new:
                await followers.catalogs.publish_policy_set(policy_set)
                log.info("policy.replaced", policy_epoch=policy_set.epoch)
            followers.endpoints.apply(await self._metastore.endpoints(), await self._metastore.assignments())
            state = await self._metastore.state()
            self._apply_flags(state.flags)
            followers.rollouts.apply(state.rollouts, state.endpoints.values())
            followers.publisher.want(await self._metastore.epoch(), state.catalogs)

    def _apply_flags(self, stored: Mapping[str, str]) -> None:
        """Let the flags hold from the next statement on. Flags that do not parse were refused when set."""
        followers = self._followers
        try:
            has_changed = followers.flags.store(stored)
        except (KeyError, ValueError):
            log.error("flags.not_understood")  # noqa: TRY400  # a newer program may have written them
            return
        if has_changed:
            log.info("flags.replaced")
            followers.endpoints.probe_all_now()

"""Getting back to a node after a cut: few attempts, and never longer than a node is waited for.

What is asked is whether the *node* answers, not whether the statement's next rows are there: a slow query on
a node that is well is waited for as long as it takes.
"""

import asyncio

import structlog

from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.remote_errors import CatalogsOutdated, QueryUnknown
from pgproxy.engines.remote_node import RemoteNode
from pgwire.errors import GatewayError

log = structlog.get_logger(__name__)

_PAUSES_S = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Before each attempt; a node that was killed is given up after their sum."""

_CUTS = frozenset({FallbackReason.NODE_LOST, FallbackReason.CONNECT})


class Resumption:
    """The attempts to get one statement's connection back, counted until something has come of one.

    has_given_up: the node did not come back.
    """

    def __init__(self, node: RemoteNode) -> None:
        self._node = node
        self._attempts = 0
        self._resumed_s = 0.0
        self.has_given_up = False

    def succeed(self) -> None:
        """A part of the answer came: the next cut is a new one."""
        self._attempts = 0

    async def wait(self, failure: EngineUnavailable) -> None:
        """Return when the node answers again after this failure.

        Raises:
            EngineUnavailable: `failure` itself if it is no cut; else that the node was lost, after too many
                attempts without success or after CallTimes.resume_s.
        """
        if not is_cut(failure):
            raise failure
        loop, limit_s = asyncio.get_running_loop(), self._node.times.resume_s
        if loop.time() - self._resumed_s > limit_s:  # the last attempt held for a while
            self._attempts = 0
        try:
            async with asyncio.timeout(limit_s):
                await self._try_until_it_answers()
        except (TimeoutError, EngineUnavailable):
            self.has_given_up = True
            raise node_lost() from failure
        self._resumed_s = loop.time()

    async def _try_until_it_answers(self) -> None:
        while self._attempts < len(_PAUSES_S):
            await asyncio.sleep(_PAUSES_S[self._attempts])
            self._attempts += 1
            try:
                await self._node.health(self._node.times.resume_s)
            except EngineUnavailable as failure:
                log.info("remote.not_back_yet", attempt=self._attempts, cause=failure.reason)
                if failure.reason not in _CUTS:
                    return  # it answers, if only that it drains or has no memory
            except GatewayError:
                return
            else:
                return
        raise node_lost()


def is_cut(failure: EngineUnavailable) -> bool:
    """Whether only the connection may have failed, and not the node's knowledge of the statement."""
    return failure.reason in _CUTS and not isinstance(failure, (QueryUnknown, CatalogsOutdated))


def node_lost() -> EngineUnavailable:
    """Make the failure of a node that does not come back."""
    return EngineUnavailable("the exec node was lost", FallbackReason.NODE_LOST)

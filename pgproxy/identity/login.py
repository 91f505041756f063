"""One client's way in over the PostgreSQL protocol: the exchange that its rule asks for, and how it ended."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pgproxy.identity.model import AuthMethod, Identity
from pgwire.auth.exchange import AuthenticationExchange, password_failed
from pgwire.backend import BackendMessage
from pgwire.errors import AuthenticationFailed
from pgwire.frontend import PasswordMessage


@dataclass(frozen=True, slots=True)
class LoginWatch:
    """Told how a login went. is_locked: asked again before a right answer counts: others may have failed."""

    is_locked: Callable[[], bool]
    failed: Callable[[], None]
    succeeded: Callable[[Identity], None]


class Login:
    """An exchange under way.

    exchange None: proven already. proven: gives the identity once the exchange is done. is_slow: the
    exchange hashes, so it runs in a thread.
    """

    def __init__(
        self,
        user: str,
        exchange: AuthenticationExchange | None,
        proven: Callable[[], Identity],
        watch: LoginWatch,
        *,
        is_slow: bool = False,
    ) -> None:
        self._user = user
        self._exchange = exchange
        self._proven = proven
        self._watch = watch
        self._is_slow = is_slow
        self._identity: Identity | None = None
        if exchange is None:
            self._succeed()

    @property
    def identity(self) -> Identity | None:
        """Who it is, once proven."""
        return self._identity

    def start(self) -> tuple[BackendMessage, ...]:
        """Give what the server says first."""
        return () if self._exchange is None else self._exchange.start()

    async def receive(self, message: PasswordMessage) -> tuple[BackendMessage, ...]:
        """Take the client's answer and give the next messages.

        Raises:
            AuthenticationFailed: wrong, unknown or locked, with one text for all.
            ProtocolViolation: not what the exchange expects.
        """
        exchange = self._exchange
        if exchange is None:
            raise RuntimeError("nothing is asked any more")
        try:
            if self._is_slow:
                messages = await asyncio.to_thread(exchange.receive, message)
            else:
                messages = exchange.receive(message)
            if exchange.is_done:
                self._succeed()
        except AuthenticationFailed:
            self._watch.failed()
            raise
        return messages

    def _succeed(self) -> None:
        identity = self._proven()
        if is_guessable(identity.method) and self._watch.is_locked():
            raise password_failed(self._user)
        self._identity = identity
        self._watch.succeeded(identity)


def is_guessable(method: AuthMethod) -> bool:
    """Whether a person may have chosen the secret; keys, tokens and certificates are not guessed."""
    return method in (AuthMethod.SCRAM, AuthMethod.SCRAM_PLUS, AuthMethod.PASSWORD)

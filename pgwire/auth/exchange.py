"""What every way to authenticate has in common."""

from typing import Protocol

from pgwire.backend import BackendMessage
from pgwire.errors import AuthenticationFailed
from pgwire.frontend import PasswordMessage


class AuthenticationExchange(Protocol):
    """A conversation that ends in proof or in `AuthenticationFailed`.

    AuthenticationOk is no part of it: whoever drives the exchange sends it once `is_done`, or refuses.
    """

    @property
    def is_done(self) -> bool:
        """The client has proven to be the user."""
        ...

    def start(self) -> tuple[BackendMessage, ...]:
        """Give what the server says first."""
        ...

    def receive(self, message: PasswordMessage) -> tuple[BackendMessage, ...]:
        """Take an answer of the client and give the server's next messages.

        Raises:
            AuthenticationFailed: wrong password or unknown user, with one text for both.
            ProtocolViolation: not what the exchange expects.
        """
        ...


def password_failed(user_name: str) -> AuthenticationFailed:
    """Make the one error for a wrong password and for an unknown user."""
    return AuthenticationFailed(f'password authentication failed for user "{user_name}"')

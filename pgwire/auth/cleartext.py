"""The cleartext password exchange; only for connections inside TLS, which is for the caller to see to.

PostgreSQL docs, "Password Authentication".
"""

from collections.abc import Callable

from pgwire.auth.exchange import password_failed
from pgwire.backend import AuthenticationCleartextPassword, BackendMessage
from pgwire.errors import ProtocolViolation, StatementError
from pgwire.frontend import PasswordMessage, decode_password


class CleartextExchange:
    """One password, one check.

    is_password: `ScramVerifier.matches` or the check of an API key; for an unknown user, the mock verifier's.
    """

    def __init__(self, user_name: str, is_password: Callable[[str], bool]) -> None:
        self._user_name = user_name
        self._is_password = is_password
        self._is_waiting = False
        self._is_done = False

    @property
    def is_done(self) -> bool:
        """The password was right."""
        return self._is_done

    def start(self) -> tuple[BackendMessage, ...]:
        """Ask for the password."""
        self._is_waiting = True
        return (AuthenticationCleartextPassword(),)

    def receive(self, message: PasswordMessage) -> tuple[BackendMessage, ...]:
        """Check the password. As slow as `is_password`: run it in an executor.

        Raises:
            AuthenticationFailed: 28P01, also for an empty password and for one that is not UTF-8.
            ProtocolViolation: no password was asked for, or the message is malformed.
        """
        if not self._is_waiting:
            raise ProtocolViolation("unexpected password message")
        self._is_waiting = False
        try:
            password = decode_password(message)
        except StatementError:
            raise password_failed(self._user_name) from None
        if not self._is_password(password) or not password:
            raise password_failed(self._user_name)
        self._is_done = True
        return ()

"""The one exception family that a client may see.

`message`, `detail` and `hint` hold no SQL literal, secret, path, row or peer address: whoever raises one of
these vouches for that. PostgreSQL docs, "Error and Notice Message Fields"; Appendix A, "PostgreSQL Error
Codes".
"""

from dataclasses import dataclass
from typing import ClassVar

from pgwire.sqlstate import SqlState


@dataclass(frozen=True, slots=True)
class ErrorObject:
    """What an error is about, for drivers to read: names, or None."""

    schema: str | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None


NO_OBJECT = ErrorObject()


class GatewayError(Exception):
    """Anything a client may see.

    position: 1-based index, in characters, into the query text that the client sent; None for none.
    where: PostgreSQL's CONTEXT, e.g. the line of COPY's own input. about: the object that it is about.
    """

    default_sqlstate: ClassVar[SqlState] = SqlState.INTERNAL_ERROR
    fatal: ClassVar[bool] = False
    routine: ClassVar[str | None] = None
    """The function of PostgreSQL that would have said it, where drivers know the error by that alone."""

    def __init__(  # noqa: PLR0913  # the fields of ErrorResponse, by name
        self,
        message: str,
        *,
        sqlstate: SqlState | None = None,
        detail: str | None = None,
        hint: str | None = None,
        position: int | None = None,
        where: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.sqlstate = sqlstate if sqlstate is not None else self.default_sqlstate
        self.detail = detail
        self.hint = hint
        self.position = position
        self.where = where
        self.about = NO_OBJECT


class ProtocolViolation(GatewayError):
    """The peer broke the protocol; the connection closes."""

    default_sqlstate = SqlState.PROTOCOL_VIOLATION
    fatal = True


class AuthenticationFailed(GatewayError):
    """Unknown user and bad password alike; the connection closes."""

    default_sqlstate = SqlState.INVALID_PASSWORD
    fatal = True


class InvalidCatalog(GatewayError):
    """The startup packet names a database that is not there; the connection closes."""

    default_sqlstate = SqlState.INVALID_CATALOG_NAME
    fatal = True


class AccessDenied(GatewayError):
    """The principal may see the object but not use it so. rule: what refuses, in a word for metrics."""

    default_sqlstate = SqlState.INSUFFICIENT_PRIVILEGE

    def __init__(
        self, message: str, *, rule: str, hint: str | None = None, detail: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.rule = rule


class StatementError(GatewayError):
    """The statement is wrong: syntax, undefined object, bad value. Give `sqlstate` unless it is 42601."""

    default_sqlstate = SqlState.SYNTAX_ERROR


class FeatureNotSupported(GatewayError):
    """Valid PostgreSQL that the gateway does not do; the hint says what to do instead."""

    default_sqlstate = SqlState.FEATURE_NOT_SUPPORTED


class CachedPlanChanged(FeatureNotSupported):
    """A prepared statement would now give other columns; drivers prepare it again."""

    routine = "RevalidateCachedQuery"


class UnknownStatement(GatewayError):
    """No prepared statement of that name."""

    default_sqlstate = SqlState.INVALID_SQL_STATEMENT_NAME


class UnknownPortal(GatewayError):
    """No portal (cursor) of that name."""

    default_sqlstate = SqlState.INVALID_CURSOR_NAME


class FailedTransaction(GatewayError):
    """The block has failed; only its end is accepted."""

    default_sqlstate = SqlState.IN_FAILED_SQL_TRANSACTION


class QueryCanceled(GatewayError):
    """CancelRequest or statement_timeout."""

    default_sqlstate = SqlState.QUERY_CANCELED


class TooManyConnections(GatewayError):
    """No slot left; the connection closes."""

    default_sqlstate = SqlState.TOO_MANY_CONNECTIONS
    fatal = True


class OutOfMemory(GatewayError):
    """The engine hit its memory cap."""

    default_sqlstate = SqlState.OUT_OF_MEMORY


class ShuttingDown(GatewayError):
    """The gateway drains; the connection closes."""

    default_sqlstate = SqlState.ADMIN_SHUTDOWN
    fatal = True


class EndpointUnavailable(GatewayError):
    """The exec node that ran the statement is gone, and the rows cannot be had elsewhere."""

    default_sqlstate = SqlState.CONNECTION_FAILURE


class InternalError(GatewayError):
    """A bug. The text is fixed; the error id is also in the log."""

    default_sqlstate = SqlState.INTERNAL_ERROR

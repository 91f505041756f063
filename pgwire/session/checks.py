"""What the session can decide about a Bind or an Execute without the shell; the words are PostgreSQL's."""

from collections.abc import Sequence

from pgwire.backend import CommandComplete, EmptyQueryResponse
from pgwire.errors import StatementError
from pgwire.frontend import Bind
from pgwire.session.objects import Portal, PortalState, PreparedStatement
from pgwire.sqlstate import SqlState

_FORMATS = (0, 1)


def check_bind(statement: PreparedStatement, message: Bind) -> None:
    """Check counts and format codes.

    Raises:
        StatementError: 08P01 for a wrong count, 22023 for an unknown format of a parameter; both leave
            the connection alive.
    """
    given, required = len(message.parameters), len(statement.parameter_oids)
    formats = len(message.parameter_formats)
    if formats > 1 and formats != given:
        raise _miscounted(f"bind message has {formats} parameter formats but {given} parameters")
    if given != required:
        raise _miscounted(
            f"bind message supplies {given} parameters, "
            f'but prepared statement "{statement.name}" requires {required}'
        )
    formats = len(message.result_formats)
    if statement.columns is not None and formats > 1 and formats != len(statement.columns):
        raise _miscounted(
            f"bind message has {formats} result formats but query has {len(statement.columns)} columns"
        )
    if message.parameter_formats:
        _check_formats(message.parameter_formats)


def check_result_formats(portal: Portal) -> None:
    """Check the formats that Bind asked for; PostgreSQL does so when it sends the first row.

    Raises:
        StatementError: 22023.
    """
    for field in portal.columns or ():
        if field.format not in _FORMATS:
            _check_formats((field.format,))


def _check_formats(codes: Sequence[int]) -> None:
    for code in codes:
        if code not in _FORMATS:
            raise StatementError(
                f"unsupported format code: {code}", sqlstate=SqlState.INVALID_PARAMETER_VALUE
            )


def _miscounted(text: str) -> StatementError:
    return StatementError(text, sqlstate=SqlState.PROTOCOL_VIOLATION)


def answer_rerun(portal: Portal) -> CommandComplete | EmptyQueryResponse:
    """Answer an Execute of a portal that has run to its end.

    A portal with rows has no more of them (`SELECT 0`, `INSERT 0 0`, `SHOW`); an empty one is empty again.

    Raises:
        StatementError: 55000, the portal failed, or has no rows and so runs only once.
    """
    if portal.state is PortalState.COMPLETED and portal.command_tag is None:
        return EmptyQueryResponse()
    if portal.state is PortalState.FAILED or portal.columns is None or portal.command_tag is None:
        raise StatementError(
            f'portal "{portal.name}" cannot be run', sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE
        )
    words = portal.command_tag.split(" ")
    if words[-1].isdecimal():
        words[-1] = "0"
    return CommandComplete(" ".join(words))

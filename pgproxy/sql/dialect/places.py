"""Where in the client's text an error is: what PostgreSQL calls an expression's location.

sqlglot notes where names, constants and calls stand; everything else is found from those inside it.
"""

import re

from sqlglot import exp

from pgwire.errors import StatementError

_QUERY_START = re.compile(r"\(\s*(?:select|with|values|table)\b", re.IGNORECASE)


class OperatorError(StatementError):
    """An error of an operator, which stands in the text somewhere behind `after` characters."""

    after: int | None = None


class PlacelessError(StatementError):
    """An error that PostgreSQL meets while it computes, and so without a place."""


class QueryError(StatementError):
    """An error of a query in parentheses, whose first place is `inside`, 1-based."""

    inside: int | None = None


def start_of(node: exp.Expr | None) -> int | None:
    """The 1-based position of the first thing in `node` that has one."""
    if node is None:
        return None
    starts = [_start(found) for found in node.walk() if "start" in found.meta]
    return min(starts) + 1 if starts else None


def _start(node: exp.Expr) -> int:
    """Where a name, constant or call starts; of a parameter the number is known, and `$` stands before it."""
    return int(node.meta["start"]) - isinstance(node.parent, exp.Parameter)


def end_of(node: exp.Expr) -> int | None:
    """How many characters there are up to the end of `node`, closing parentheses left out."""
    ends = [found.meta["end"] for found in node.walk() if "end" in found.meta]
    return max(ends) + 1 if ends else None


def blame(error: StatementError, node: exp.Expr) -> StatementError:
    """Give an error the place of a node, unless it has one; it is given back."""
    if isinstance(error, OperatorError):
        error.after = error.after if error.after is not None else end_of(node)
    elif error.position is None and not isinstance(error, PlacelessError):
        error.position = start_of(node)
    return error


def blame_query(error: QueryError, query: exp.Expr) -> QueryError:
    """Give an error the place of a query in parentheses; it is given back."""
    error.inside = start_of(query)
    return error


def point_at(error: StatementError, text: str) -> StatementError:
    """Give an error of an operator or a query its position, which only the text shows.

    An operator begins at the first character behind blanks and parentheses, a query at its parenthesis.
    """
    if error.position is not None:
        return error
    if isinstance(error, OperatorError) and error.after is not None:
        rest = text[error.after :]
        skipped = len(rest) - len(rest.lstrip(" \t\r\n\f\v)"))
        error.position = error.after + skipped + 1 if skipped < len(rest) else None
    elif isinstance(error, QueryError) and error.inside is not None:
        opened = [found.start() for found in _QUERY_START.finditer(text, 0, error.inside)]
        error.position = opened[-1] + 1 if opened else None
    return error

"""`SELECT pgproxy.submit(…)`, `SELECT pgproxy.cancel(…)`, `SELECT * FROM pgproxy.result(…)`: told by shape.

They are statements of the gateway, not functions that an engine has: nothing else may stand beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.scan import TokenKind
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState


class QueryFunction(Enum):
    """Which function is called. The value is its name, and that of its column."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    RESULT = "result"


_OPTIONS = frozenset({"idempotency_key", "priority", "ttl"})


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument. parameter: its number, where it is one; else text: NULL is None."""

    text: str | None = None
    parameter: int | None = None

    def value(self, parameters: tuple[str | None, ...]) -> str | None:
        """Give its text, once the parameters are known."""
        return self.text if self.parameter is None else parameters[self.parameter - 1]


@dataclass(frozen=True, slots=True)
class QueryCall:
    """One call. options: named arguments, of submit only."""

    function: QueryFunction
    argument: Argument
    options: Mapping[str, Argument]

    @property
    def parameter_count(self) -> int:
        """How many parameters it has."""
        numbers = (a.parameter for a in (self.argument, *self.options.values()) if a.parameter is not None)
        return max(numbers, default=0)


def parse_query_call(text: str) -> QueryCall | None:
    """Parse one statement; None where it is none of these.

    Raises:
        StatementError: it begins like one and goes on otherwise.
    """
    if "pgproxy" not in text.lower():
        return None
    reader = TokenReader(text)
    if not reader.accept("select"):
        return None
    is_from = reader.is_symbol("*") and reader.is_word("from", distance=1)
    if is_from:
        reader.advance()
        reader.advance()
    function = _function(reader, is_from=is_from)
    if function is None:
        return None
    argument = _argument(reader)
    options = {}
    while function is QueryFunction.SUBMIT and reader.accept_symbol(","):
        name, value = _option(reader)
        options[name] = value
    reader.expect_symbol(")")
    reader.expect_end()
    return QueryCall(function, argument, options)


def _function(reader: TokenReader, *, is_from: bool) -> QueryFunction | None:
    """Take `pgproxy.name(`; nothing where it is not one of ours."""
    name = reader.ahead(2)
    if not reader.is_word("pgproxy") or not reader.is_symbol(".", distance=1) or name is None:
        return None
    functions = (QueryFunction.RESULT,) if is_from else (QueryFunction.SUBMIT, QueryFunction.CANCEL)
    found = next((f for f in functions if reader.is_word(f.value, distance=2)), None)
    if found is None or not reader.is_symbol("(", distance=3):
        return None
    for _ in range(4):
        reader.advance()
    return found


def _argument(reader: TokenReader) -> Argument:
    token = reader.current
    if reader.accept("null"):
        return Argument()
    if token is not None and token.kind is TokenKind.PARAMETER:
        reader.advance()
        found = Argument(parameter=int(token.value[1:]))
    elif reader.number_ahead():
        found = Argument(reader.number())
    else:
        found = Argument(reader.string())
    if reader.accept_symbol("::"):
        reader.name()  # a cast: every argument is taken as text
    return found


def _option(reader: TokenReader) -> tuple[str, Argument]:
    position = reader.position
    name = reader.name()
    if name not in _OPTIONS:
        raise StatementError(
            f'pgproxy.submit has no argument named "{name}"',
            sqlstate=SqlState.UNDEFINED_FUNCTION,
            position=position,
        )
    arrow = reader.current
    if arrow is None or arrow.value not in ("=>", ":="):
        raise reader.error()
    reader.advance()
    return name, _argument(reader)

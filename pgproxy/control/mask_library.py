"""Ready masks: `mask.email(email)` in a mask's expression, written out as plain SQL when it is stored.

What is stored, exported and shown is the plain SQL, so that what a mask does never changes under an
administrator's feet. Works on PostgreSQL's tokens: what stands in a literal or a comment is no call. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.scan import Token, TokenKind, scan
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

SALT_ATTRIBUTE = "mask_salt"
"""`mask.hash(x)` salts with this attribute of the reader; one without it reads NULL."""


@dataclass(frozen=True, slots=True)
class _Mask:
    """write: gives the SQL. arity: how many arguments it may be given."""

    arity: tuple[int, ...]
    write: Callable[[Sequence[str]], str]


def _null(_: Sequence[str]) -> str:
    return "NULL"


def _constant(arguments: Sequence[str]) -> str:
    return f"({arguments[0]})"


def _hash(arguments: Sequence[str]) -> str:
    """The salt in front makes a table of known hashes useless; tenants with other salts cannot join."""
    salt = arguments[1] if len(arguments) > 1 else f"current_setting('pgproxy.attr.{SALT_ATTRIBUTE}')"
    return f"md5(({salt}) || ({arguments[0]})::text)"


def _partial(arguments: Sequence[str]) -> str:
    """The middle has one length for all, which says nothing of the value's."""
    value, prefix, suffix = f"({arguments[0]})::text", f"({arguments[1]})", f"({arguments[2]})"
    return (
        f"CASE WHEN length({value}) > {prefix} + {suffix} "
        f"THEN left({value}, {prefix}) || '***' || right({value}, {suffix}) ELSE '***' END"
    )


def _email(arguments: Sequence[str]) -> str:
    value = arguments[0]
    return f"left({value}, 1) || '***@' || split_part({value}, '@', 2)"


def _year_only(arguments: Sequence[str]) -> str:
    return f"date_trunc('year', {arguments[0]})"


def _bucket(arguments: Sequence[str]) -> str:
    value, size = arguments
    return f"floor(({value})::numeric / ({size})) * ({size})"


MASKS: Mapping[str, _Mask] = MappingProxyType(
    {
        "null": _Mask((0, 1), _null),
        "constant": _Mask((1,), _constant),
        "hash": _Mask((1, 2), _hash),
        "partial": _Mask((3,), _partial),
        "email": _Mask((1,), _email),
        "year_only": _Mask((1,), _year_only),
        "bucket": _Mask((2,), _bucket),
    }
)


def expand_masks(sql: str) -> str:
    """Write every `mask.name(…)` out.

    Raises:
        StatementError: 42883, there is no such mask or not with so many arguments; 42601.
    """
    reader, pieces, done = TokenReader(sql), [], 0
    while (token := reader.current) is not None:
        if not _is_call(reader):
            reader.advance()
            continue
        pieces += [sql[done : token.start], _expand_call(reader)]
        done = reader.previous_end
    return "".join([*pieces, sql[done:]])


def expand_value(sql: str, column: str) -> str:
    """Let `value` in a tag's mask mean `column`."""
    quoted, pieces, done = '"' + column.replace('"', '""') + '"', [], 0
    tokens = scan(sql)
    for before, token, after in zip((None, *tokens), tokens, (*tokens[1:], None), strict=False):
        is_value = token.kind is TokenKind.WORD and token.value == "value"
        if is_value and not _is_symbol(before, ".") and not _is_symbol(after, ".", "("):
            pieces += [sql[done : token.start], quoted]
            done = token.end
    return "".join([*pieces, sql[done:]])


def _is_call(reader: TokenReader) -> bool:
    return reader.is_word("mask") and reader.is_symbol(".", 1) and reader.is_symbol("(", 3)


def _expand_call(reader: TokenReader) -> str:
    position = reader.position
    reader.expect("mask")
    reader.expect_symbol(".")
    name = reader.label()
    reader.expect_symbol("(")
    arguments: tuple[str, ...] = ()
    if not reader.is_symbol(")"):
        arguments = reader.list_of(reader.balanced_text)
    reader.expect_symbol(")")
    mask = MASKS.get(name)
    if mask is None or len(arguments) not in mask.arity:
        raise StatementError(
            f"function mask.{name} with {len(arguments)} arguments does not exist",
            sqlstate=SqlState.UNDEFINED_FUNCTION,
            hint=f"The masks are: {', '.join(sorted(MASKS))}.",
            position=position,
        )
    return mask.write([expand_masks(argument) for argument in arguments])


def _is_symbol(token: Token | None, *symbols: str) -> bool:
    return token is not None and token.kind is TokenKind.SYMBOL and token.value in symbols

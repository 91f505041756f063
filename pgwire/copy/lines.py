"""The lines of COPY TO's text and csv: their options, and which columns hold nothing to be misread."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pgwire.errors import StatementError
from pgwire.rows.lines import Check, Line
from pgwire.sqlstate import SqlState
from pgwire.types import Oid, ResultColumn

# Types whose text holds digits, letters, signs, points, colons and blanks: COPY text escapes none.
_CLEAN = frozenset({
    Oid.BOOL, Oid.INT2, Oid.INT4, Oid.INT8, Oid.OID, Oid.FLOAT4, Oid.FLOAT8, Oid.NUMERIC, Oid.DATE, Oid.TIME,
    Oid.TIMETZ, Oid.TIMESTAMP, Oid.TIMESTAMPTZ, Oid.UUID, Oid.BIT, Oid.VARBIT,
})  # fmt: skip
_CLEAN_CSV = _CLEAN - {Oid.BIT, Oid.VARBIT}
"""These are never empty, as NULL is by default in csv."""
_REFUSED_DELIMITERS = frozenset("\\.abcdefghijklmnopqrstuvwxyz0123456789")
_CLEAN_BYTES = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-.: ")


@dataclass(frozen=True, slots=True)
class CopyTextOptions:
    """FORMAT text. delimiter: one byte; null: what stands for NULL; header: column names first."""

    delimiter: str = "\t"
    null: str = "\\N"
    header: bool = False


@dataclass(frozen=True, slots=True)
class CopyCsvOptions:
    """FORMAT csv. force_quote: the names of columns whose values are always quoted, `*` for all."""

    delimiter: str = ","
    null: str = ""
    quote: str = '"'
    escape: str = '"'
    header: bool = False
    force_quote: frozenset[str] = field(default_factory=frozenset)


def text_line(options: CopyTextOptions, columns: Sequence[ResultColumn]) -> Line:
    """Describe the lines of FORMAT text.

    Raises:
        StatementError: 0A000 or 22023, the delimiter cannot be one.
    """
    check_single_byte("delimiter", options.delimiter)
    if options.delimiter in _REFUSED_DELIMITERS:
        raise StatementError(
            f'COPY delimiter cannot be "{options.delimiter}"', sqlstate=SqlState.INVALID_PARAMETER_VALUE
        )
    is_clean = options.delimiter not in _CLEAN_BYTES
    checks = tuple(
        Check.CLEAN if is_clean and column.type_oid in _CLEAN else Check.CHECKED for column in columns
    )
    backslash = ord("\\")
    return Line(False, ord(options.delimiter), options.null.encode(), backslash, backslash, checks)


def csv_line(options: CopyCsvOptions, columns: Sequence[ResultColumn]) -> Line:
    """Describe the lines of FORMAT csv.

    Raises:
        StatementError: 0A000 or 22023, delimiter, quote or escape cannot be one.
    """
    for name in ("delimiter", "quote", "escape"):
        check_single_byte(name, getattr(options, name))
    is_clean = not {options.delimiter, options.quote} & _CLEAN_BYTES
    is_clean = is_clean and not (options.null and set(options.null) <= _CLEAN_BYTES)
    unclean = Check.ALONE if len(columns) == 1 else Check.CHECKED
    checks = tuple(
        Check.FORCED
        if {"*", column.name} & options.force_quote
        else (Check.CLEAN if is_clean and column.type_oid in _CLEAN_CSV else unclean)
        for column in columns
    )
    quote, escape = ord(options.quote), ord(options.escape)
    return Line(True, ord(options.delimiter), options.null.encode(), quote, escape, checks)


def check_single_byte(option: str, value: str) -> None:
    """Refuse what PostgreSQL refuses as a COPY delimiter, quote or escape.

    Raises:
        StatementError: 0A000 or 22023.
    """
    if len(value.encode()) != 1:
        raise StatementError(
            f"COPY {option} must be a single one-byte character", sqlstate=SqlState.FEATURE_NOT_SUPPORTED
        )
    if value in "\r\n":
        raise StatementError(
            f"COPY {option} cannot be newline or carriage return", sqlstate=SqlState.INVALID_PARAMETER_VALUE
        )

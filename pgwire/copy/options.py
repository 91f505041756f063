"""COPY's options: what may be said, together with what, in PostgreSQL's words and order.

PostgreSQL source, copy.c `ProcessCopyOptions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_REFUSED_DELIMITERS = frozenset("\\.abcdefghijklmnopqrstuvwxyz0123456789")
_TRUE, _FALSE = frozenset({"true", "on", "1"}), frozenset({"false", "off", "0"})
_UTF8_NAMES = frozenset({"utf8", "unicode"})
_KNOWN = frozenset({
    "format", "freeze", "delimiter", "null", "header", "quote", "escape", "force_quote", "force_not_null",
    "force_null", "encoding",
})  # fmt: skip
EVERY_COLUMN = "*"
"""FORCE_QUOTE's word for all columns."""


class CopyFormat(StrEnum):
    """FORMAT; the value is the option's word."""

    TEXT = "text"
    CSV = "csv"
    BINARY = "binary"


class HeaderLine(Enum):
    """HEADER. MATCH: the names must be the columns'."""

    NONE = "false"
    NAMES = "true"
    MATCH = "match"


@dataclass(frozen=True, slots=True)
class CopyOptionValue:
    """One option as it was written. value: text, a tuple for a list, None where none was given."""

    name: str
    value: str | tuple[str, ...] | None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """All options of one COPY, defaults filled in. quote, escape: of no meaning outside csv."""

    format: CopyFormat = CopyFormat.TEXT
    delimiter: str = "\t"
    null: str = "\\N"
    header: HeaderLine = HeaderLine.NONE
    quote: str = '"'
    escape: str = '"'
    force_quote: tuple[str, ...] = ()
    force_not_null: tuple[str, ...] = ()
    force_null: tuple[str, ...] = ()


def read_copy_options(options: Sequence[CopyOptionValue], *, is_from: bool) -> CopyOptions:
    """Check the options of a COPY and fill in the defaults.

    Raises:
        StatementError: 42601, 22023, in PostgreSQL's words.
        FeatureNotSupported: 0A000, options that do not go together, encodings other than UTF-8.
    """
    given: dict[str, CopyOptionValue] = {}
    for option in options:
        if option.name in given:
            raise StatementError("conflicting or redundant options", position=option.position)
        if option.name not in _KNOWN:
            raise StatementError(f'option "{option.name}" not recognized', position=option.position)
        given[option.name] = option
        _check_value(option)
    format_ = CopyFormat(_text(given["format"])) if "format" in given else CopyFormat.TEXT
    is_csv = format_ is CopyFormat.CSV
    quote = _text_or(given, "quote", '"')
    found = CopyOptions(
        format=format_,
        delimiter=_text_or(given, "delimiter", "," if is_csv else "\t"),
        null=_text_or(given, "null", "" if is_csv else "\\N"),
        header=_header(given["header"], is_from=is_from) if "header" in given else HeaderLine.NONE,
        quote=quote,
        escape=_text_or(given, "escape", quote),
        force_quote=_names(given, "force_quote"),
        force_not_null=_names(given, "force_not_null"),
        force_null=_names(given, "force_null"),
    )
    if format_ is CopyFormat.BINARY:
        _check_binary(given, found)
    _check_delimiter(found)
    _check_csv_only(given, found, is_from=is_from)
    return found


def _check_value(option: CopyOptionValue) -> None:
    match option.name:
        case "format":
            word = _text(option)
            if word not in {format_.value for format_ in CopyFormat}:
                raise StatementError(
                    f'COPY format "{word}" not recognized',
                    sqlstate=SqlState.INVALID_PARAMETER_VALUE,
                    position=option.position,
                )
        case "freeze":
            if option.value is not None and _text(option).lower() not in _TRUE | _FALSE:
                raise StatementError("freeze requires a Boolean value")
        case "encoding":
            name = _text(option).lower().replace("-", "").replace("_", "")
            if name not in _UTF8_NAMES:
                raise FeatureNotSupported(
                    "COPY in an encoding other than UTF8 is not supported", position=option.position
                )
        case "force_quote" | "force_not_null" | "force_null":
            is_star = option.name == "force_quote" and option.value == EVERY_COLUMN
            if not is_star and not isinstance(option.value, tuple):
                raise StatementError(
                    f'argument to option "{option.name}" must be a list of column names',
                    sqlstate=SqlState.INVALID_PARAMETER_VALUE,
                    position=option.position,
                )
        case _:
            return


def _text(option: CopyOptionValue) -> str:
    if not isinstance(option.value, str):
        raise StatementError(f"{option.name} requires a parameter")
    return option.value


def _text_or(given: dict[str, CopyOptionValue], name: str, default: str) -> str:
    return _text(given[name]) if name in given else default


def _names(given: dict[str, CopyOptionValue], name: str) -> tuple[str, ...]:
    value = given[name].value if name in given else ()
    return (value,) if isinstance(value, str) else value or ()


def _header(option: CopyOptionValue, *, is_from: bool) -> HeaderLine:
    word = "true" if option.value is None else str(option.value).lower()
    if word == "match":
        if not is_from:
            raise FeatureNotSupported('cannot use "match" with HEADER in COPY TO')
        return HeaderLine.MATCH
    if word not in _TRUE | _FALSE:
        raise StatementError('header requires a Boolean value or "match"')
    return HeaderLine.NAMES if word in _TRUE else HeaderLine.NONE


def _check_binary(given: dict[str, CopyOptionValue], found: CopyOptions) -> None:
    for name in ("delimiter", "null"):
        if name in given:
            raise StatementError(f"cannot specify {name.upper()} in BINARY mode")
    if found.header is not HeaderLine.NONE:
        raise FeatureNotSupported("cannot specify HEADER in BINARY mode")


def _check_delimiter(found: CopyOptions) -> None:
    delimiter = found.delimiter
    _check_one_byte("delimiter", delimiter)
    if delimiter in "\r\n":
        raise _invalid("COPY delimiter cannot be newline or carriage return")
    if "\r" in found.null or "\n" in found.null:
        raise _invalid("COPY null representation cannot use newline or carriage return")
    if found.format is not CopyFormat.CSV and delimiter in _REFUSED_DELIMITERS:
        raise _invalid(f'COPY delimiter cannot be "{delimiter}"')


def _check_csv_only(given: dict[str, CopyOptionValue], found: CopyOptions, *, is_from: bool) -> None:
    is_csv = found.format is CopyFormat.CSV
    for name in ("quote", "escape"):
        if name in given and not is_csv:
            raise FeatureNotSupported(f"COPY {name} available only in CSV mode")
        if is_csv:
            _check_one_byte(name, getattr(found, name))
        if name == "quote" and is_csv and found.delimiter == found.quote:
            raise _invalid("COPY delimiter and quote must be different")
    for name, needs_from in (("force_quote", False), ("force_not_null", True), ("force_null", True)):
        words = name.replace("_", " ")
        if name in given and not is_csv:
            raise FeatureNotSupported(f"COPY {words} available only in CSV mode")
        if name in given and is_from is not needs_from:
            raise FeatureNotSupported(
                f"COPY {words} only available using COPY {'FROM' if needs_from else 'TO'}"
            )
    if found.format is not CopyFormat.BINARY and found.delimiter in found.null:
        raise FeatureNotSupported("COPY delimiter must not appear in the NULL specification")
    if is_csv and found.quote in found.null:
        raise FeatureNotSupported("CSV quote character must not appear in the NULL specification")


def _check_one_byte(name: str, value: str) -> None:
    if len(value.encode()) != 1:
        raise FeatureNotSupported(f"COPY {name} must be a single one-byte character")


def _invalid(message: str) -> StatementError:
    return StatementError(message, sqlstate=SqlState.INVALID_PARAMETER_VALUE)

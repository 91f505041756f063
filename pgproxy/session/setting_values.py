"""How the value of a setting is read and shown. Pure functions, one per kind of setting.

PostgreSQL docs, "Parameter Names and Values". Each parser takes the text of the value and gives its canonical
text, or raises StatementError 22023.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from zoneinfo import available_timezones

from pgproxy.sql.utility.statements import INTERVAL_MARK
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

ValueParser = Callable[[str, str], str]
"""(setting's name, text) -> canonical text."""

_BOOLEANS = {
    "on": "on",
    "off": "off",
    "true": "on",
    "false": "off",
    "yes": "on",
    "no": "off",
    "1": "on",
    "0": "off",
}
_MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_KILOBYTES = {"B": 1 / 1024, "kB": 1, "MB": 1024, "GB": 1024**2, "TB": 1024**3}
_MILLISECOND_STEPS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1))
_KILOBYTE_STEPS = (("TB", 1024**3), ("GB", 1024**2), ("MB", 1024), ("kB", 1))
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)\s*")


def invalid_value(name: str, text: str, hint: str | None = None) -> StatementError:
    """Give PostgreSQL's error for a bad value; the value is the client's own."""
    return StatementError(
        f'invalid value for parameter "{name}": "{text}"',
        sqlstate=SqlState.INVALID_PARAMETER_VALUE,
        hint=hint,
    )


def boolean(name: str, text: str) -> str:
    """Read a boolean, abbreviations included."""
    lowered = text.strip().lower()
    if lowered in _BOOLEANS:
        return _BOOLEANS[lowered]
    matches = {
        value for word, value in _BOOLEANS.items() if lowered and word.startswith(lowered) and lowered != "o"
    }
    if len(matches) == 1:
        return matches.pop()
    raise StatementError(
        f'parameter "{name}" requires a Boolean value', sqlstate=SqlState.INVALID_PARAMETER_VALUE
    )


def text_value(_name: str, text: str) -> str:
    """Accept any text."""
    return text


def identifier_text(_name: str, text: str) -> str:
    """Accept any text, cut to PostgreSQL's 63 bytes, with what is not printable ASCII shown as `?`."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:63]


def integer(lowest: int, highest: int) -> ValueParser:
    """Make a parser of a plain integer within a range."""

    def parse(name: str, text: str) -> str:
        match = _QUANTITY.fullmatch(text)
        if match is None or match[2]:
            raise invalid_value(name, text)
        return _within(name, round(float(match[1])), lowest, highest, "")

    return parse


def milliseconds(lowest: int = 0, highest: int = 2147483647) -> ValueParser:
    """Make a parser of a duration whose base unit is the millisecond; 0 switches the limit off."""
    return _quantity(lowest, highest, _MILLISECONDS, _MILLISECOND_STEPS, "ms")


def kilobytes(lowest: int = 64, highest: int = 2147483647) -> ValueParser:
    """Make a parser of a size whose base unit is the kilobyte."""
    return _quantity(lowest, highest, _KILOBYTES, _KILOBYTE_STEPS, "kB")


def real(lowest: float, highest: float) -> ValueParser:
    """Make a parser of a floating-point value within a range."""

    def parse(name: str, text: str) -> str:
        try:
            value = float(text)
        except ValueError:
            raise invalid_value(name, text) from None
        if not lowest <= value <= highest:
            raise _outside(name, f"{value:g}", f"{lowest:g}", f"{highest:g}", "")
        return f"{value:g}"

    return parse


def choice(*allowed: str, hidden: tuple[str, ...] = ()) -> ValueParser:
    """Make a parser of one word of a list; `hidden` words are accepted but not named in the hint."""
    by_word = {word.lower(): word for word in (*allowed, *hidden)}

    def parse(name: str, text: str) -> str:
        found = by_word.get(text.strip().lower())
        if found is None:
            raise invalid_value(name, text, f"Available values: {', '.join(allowed)}.")
        return found

    return parse


def client_encoding(name: str, text: str) -> str:
    """Accept every spelling of UTF-8. PostgreSQL ignores case and punctuation in encoding names."""
    cleaned = re.sub(r"[^a-z0-9]", "", text.lower())
    if cleaned in ("utf8", "unicode"):
        return "UTF8"
    if cleaned in _OTHER_ENCODINGS:
        raise FeatureNotSupported(
            f'client_encoding "{text}" is not supported', hint="Use client_encoding UTF8."
        )
    raise invalid_value(name, text)


_OTHER_ENCODINGS = frozenset(
    [
        "sqlascii",
        "latin1",
        "latin2",
        "latin3",
        "latin4",
        "latin5",
        "latin6",
        "latin7",
        "latin8",
        "latin9",
        "latin10",
        "iso88591",
        "iso885915",
        "win1250",
        "win1251",
        "win1252",
        "win1253",
        "win1254",
        "win1255",
        "win1256",
        "win1257",
        "win1258",
        "win866",
        "win874",
        "koi8r",
        "koi8u",
        "eucjp",
        "euckr",
        "euccn",
        "euctw",
        "sjis",
        "big5",
        "gbk",
        "gb18030",
        "uhc",
        "johab",
        "mule_internal",
        "windows1252",
        "windows1251",
    ]
)


def date_style(name: str, text: str) -> str:
    """Accept the ISO style with any field order; the order does not change ISO output."""
    style, order = "ISO", "MDY"
    for word in re.split(r"[,\s]+", text.strip().lower()):
        if word in ("iso", ""):
            style = "ISO"
        elif word in ("mdy", "us", "noneuro", "noneuropean"):
            order = "MDY"
        elif word in ("dmy", "euro", "european"):
            order = "DMY"
        elif word == "ymd":
            order = "YMD"
        elif word in ("sql", "postgres", "german"):
            raise invalid_value(name, text, "Only the ISO date style is supported.")
        elif word != "default":
            raise StatementError(
                f'invalid value for parameter "{name}": "{text}"',
                sqlstate=SqlState.INVALID_PARAMETER_VALUE,
                detail=f'Unrecognized key word: "{word}".',
            )
    return f"{style}, {order}"


_POSIX_ZONE = re.compile(
    r"(?P<name><[+\-A-Za-z0-9:]{3,}>|[A-Za-z]{3,})?(?P<sign>[+-]?)(?P<hours>\d{1,2})"
    r"(?::(?P<minutes>\d{2}))?(?::00)?"
)


def time_zone(name: str, text: str) -> str:
    """Accept a zone of the time zone database, in any case, an offset in hours, or one in POSIX form.

    A number, or an interval, is hours east; with a colon or a name before it, it is POSIX's, hours west.
    PostgreSQL docs, "POSIX Time Zone Specifications".
    """
    stripped = text.strip()
    is_interval = stripped.startswith(INTERVAL_MARK)
    stripped = stripped.removeprefix(INTERVAL_MARK)
    found = _zones().get(stripped.lower())
    if found is not None:
        return found
    match = _POSIX_ZONE.fullmatch(stripped)
    if match is None or int(match["hours"]) > 15:
        raise invalid_value(name, text)
    zone = stripped
    if not match["name"] and (is_interval or not match["minutes"]):
        sign, hours, minutes = match["sign"] or "+", int(match["hours"]), int(match["minutes"] or 0)
        tail = f"{hours:02d}" + (f":{minutes:02d}" if minutes else "")
        zone = f"<{sign}{tail}>{'-' if sign == '+' else '+'}{tail}"
    engine_zone(zone)
    return zone


def engine_zone(zone: str) -> str:
    """Name a zone as the engine knows it: an offset in POSIX form (`<-03>+03`, `-02:00`) is one of `Etc`.

    Raises:
        FeatureNotSupported: an offset that is not of whole hours, or beyond what `Etc` has.
    """
    match = _POSIX_ZONE.fullmatch(zone)
    if match is None:
        return zone
    sign, hours = match["sign"] or "+", int(match["hours"])
    if int(match["minutes"] or 0) or hours > (12 if sign == "+" else 14):
        raise FeatureNotSupported(
            "time zones given as this offset are not supported", hint="Use the name of a time zone."
        )
    return f"Etc/GMT{sign}{hours}" if hours else "UTC"


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {zone.lower(): zone for zone in available_timezones()} | {
        "utc": "UTC",
        "gmt": "GMT",
        "zulu": "Zulu",
    }


def _quantity(
    lowest: int, highest: int, units: dict[str, float], steps: tuple[tuple[str, int], ...], base: str
) -> ValueParser:
    def parse(name: str, text: str) -> str:
        match = _QUANTITY.fullmatch(text)
        if match is None or (match[2] and match[2] not in units):
            *others, last = (f'"{unit}"' for unit in units)
            hint = f"Valid units for this parameter are {', '.join(others)}, and {last}."
            raise invalid_value(name, text, hint if match is not None else None)
        value = round(float(match[1]) * (units[match[2]] if match[2] else 1))
        _within(name, value, lowest, highest, base)
        if value <= 0:
            return str(value)
        return next(f"{value // size}{unit}" for unit, size in steps if value % size == 0)

    return parse


@lru_cache
def base_units(text: str, units: str) -> int:
    """Read a canonical quantity back to its base unit: `5s` → 5000 for units `ms`."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return 0
    table = _MILLISECONDS if units == "ms" else _KILOBYTES
    return round(float(match[1]) * (table[match[2]] if match[2] else 1))


def _within(name: str, value: int, lowest: int, highest: int, unit: str) -> str:
    if lowest <= value <= highest:
        return str(value)
    raise _outside(name, str(value), str(lowest), str(highest), f" {unit}" if unit else "")


def _outside(name: str, value: str, lowest: str, highest: str, unit: str) -> StatementError:
    return StatementError(
        f'{value}{unit} is outside the valid range for parameter "{name}" '
        f"({lowest}{unit} .. {highest}{unit})",
        sqlstate=SqlState.INVALID_PARAMETER_VALUE,
    )

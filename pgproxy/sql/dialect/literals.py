"""What PostgreSQL reads in a string constant of a type: dates, times, intervals, arrays, bytea, booleans.

Each function gives what the engine reads, or None where the form is not one that is known here.
PostgreSQL docs, "Date/Time Input", "Interval Input", "Array Value Input", "bytea Hex Format".
"""

import re

from pgproxy.sql.dialect import zone_names

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month_name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATES = tuple(
    re.compile(pattern + r"(?=$|[ T])", re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4,6})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})",
        _MONTH + r"\.?[ -](?P<day>\d{1,2}),?[ -](?P<year>\d{4})",
        r"(?P<day>\d{1,2})[ -]" + _MONTH + r"[ -](?P<year>\d{4})",
        r"(?P<year>\d{4})[ -]" + _MONTH + r"[ -](?P<day>\d{1,2})",
    )
)
_ERA = re.compile(r"\s+(ad|bc)$", re.IGNORECASE)
_TIME = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d*)?))?\s*(?P<half>am|pm)?"
    r"\s*(?P<zone>z|utc|gmt|[+-]\d{1,2}(?::?\d{2})?(?::\d{2})?)?\s*$",
    re.IGNORECASE,
)
_INTERVAL_PART = re.compile(r"([+-]?\d*\.?\d+)\s*([a-z]+)", re.IGNORECASE)
_SPACED_SIGN = re.compile(r"([+-])\s+(?=[\d.])")
_INTERVAL_CLOCK = re.compile(r"([+-]?)(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d*)?))?$")
_INTERVAL_YEARS = re.compile(r"([+-]?)(\d+)-(\d+)$")
_ISO_DURATION = re.compile(r"P(?:T?-?[\d.]+[YMWDHS])+$")
_UNITS: dict[str, tuple[int, int, int]] = {}
for _names, _size in (
    ("microsecond microseconds us usec usecs", (0, 0, 1)),
    ("millisecond milliseconds ms msec msecs", (0, 0, 1_000)),
    ("second seconds s sec secs", (0, 0, 1_000_000)),
    ("minute minutes m min mins", (0, 0, 60_000_000)),
    ("hour hours h hr hrs", (0, 0, 3_600_000_000)),
    ("day days d", (0, 1, 0)),
    ("week weeks w", (0, 7, 0)),
    ("month months mon mons", (1, 0, 0)),
    ("year years y yr yrs", (12, 0, 0)),
    ("decade decades dec decs", (120, 0, 0)),
    ("century centuries cent c", (1_200, 0, 0)),
    ("millennium millennia mil mils", (12_000, 0, 0)),
):
    _UNITS.update(dict.fromkeys(_names.split(), _size))

Duration = tuple[int, int, int]
"""Months, days, microseconds: an interval's three fields."""


def parse_date(text: str) -> tuple[str, str] | None:
    """Read a date at the front; gives it in ISO form, and what follows it."""
    text = text.strip()
    for pattern in _DATES:
        match = pattern.match(text)
        if match is not None:
            found = match.groupdict()
            month = found.get("month") or str(_MONTHS.index(found["month_name"][:3].lower()) + 1)
            iso = f"{int(found['year']):04}-{int(month):02}-{int(found['day']):02}"
            return iso, text[match.end() :].lstrip("T ")
    return None


def without_era(text: str) -> tuple[str, bool]:
    """The moment before AD or BC, and whether it is before Christ."""
    match = _ERA.search(text.rstrip())
    return (text, False) if match is None else (text[: match.start()], match[1].lower() == "bc")


def parse_time(text: str) -> tuple[str, str] | None:
    """Read a time of day; gives `hh:mm:ss[.ffffff]`, and the zone as `+hh[:mm]` or nothing."""
    match = _TIME.match(text.strip())
    if match is None:
        return None
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    zone = (match["zone"] or "").lower()
    if zone in ("z", "utc", "gmt"):
        zone = "+00"
    if re.fullmatch(r"[+-]\d", zone):
        zone = zone[0] + "0" + zone[1]
    if re.fullmatch(r"[+-]\d{4}", zone):
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{hour:02}:{match['minute']}:{match['second'] or '00'}", zone


def parse_timestamp(text: str, *, with_zone: bool) -> str | None:
    """Read a date with or without a time; a zone is dropped where the type has none, as PostgreSQL does."""
    found = parse_date(text)
    if found is None:
        zoned = zone_names.split_zone(text)
        found = parse_date(zoned[0]) if zoned is not None else None
    if found is None:
        return None
    date, rest = found
    if not rest:
        return f"{date} 00:00:00"
    zoned = zone_names.split_zone(f"0 {rest}")
    if zoned is not None:
        return _in_named_zone(date, zoned[0][2:], zoned[1], with_zone=with_zone)
    time = parse_time(rest)
    if time is None:
        return None
    return f"{date} {time[0]}{time[1] if with_zone else ''}"


def _in_named_zone(date: str, rest: str, zone: str, *, with_zone: bool) -> str | None:
    time = parse_time(rest) if rest.strip() else ("00:00:00", "")
    if time is None or time[1]:
        return None
    offset = zone_names.offset_at(f"{date} {time[0]}", zone) if with_zone else ""
    return None if offset is None else f"{date} {time[0]}{offset}"


def parse_interval(text: str, unit: str | None = None) -> Duration | None:
    """Read an interval: PostgreSQL's verbose form, SQL's `y-m` and `d h:m:s`, or a number of `unit`s."""
    rest = text.strip().lower()
    if _ISO_DURATION.match(text.strip()):
        return _iso_duration(text.strip()[1:])
    is_ago = rest.endswith("ago")
    rest = _SPACED_SIGN.sub(r"\1", rest.removesuffix("ago").removeprefix("@").strip())
    total = [0, 0, 0]
    while rest:
        part = _interval_part(rest, unit)
        if part is None:
            return None
        size, rest = part
        total = [have + more for have, more in zip(total, size, strict=True)]
    sign = -1 if is_ago else 1
    return sign * total[0], sign * total[1], sign * total[2]


def _interval_part(rest: str, unit: str | None) -> tuple[Duration, str] | None:
    word, _, tail = rest.partition(" ")
    tail = tail.strip()
    if clock := _INTERVAL_CLOCK.match(word):
        sign, hours, minutes, seconds = clock.groups()
        micros = (
            int(hours) * 3_600_000_000 + int(minutes) * 60_000_000 + round(float(seconds or 0) * 1_000_000)
        )
        return (0, 0, -micros if sign == "-" else micros), tail
    if years := _INTERVAL_YEARS.match(word):
        months = int(years[2]) * 12 + int(years[3])
        return (-months if years[1] == "-" else months, 0, 0), tail
    if part := _INTERVAL_PART.match(rest):
        size = _UNITS.get(part[2])
        return (_scaled(part[1], size), rest[part.end() :].strip()) if size else None
    if re.fullmatch(r"[+-]?\d*\.?\d+", word):
        # SQL's `3 04:05:06`: days before a clock; else the unit that follows the literal, or seconds.
        is_days = bool(_INTERVAL_CLOCK.match(tail.split(" ")[0])) if tail else False
        size = (0, 1, 0) if is_days else _UNITS.get((unit or "second").lower())
        return (_scaled(word, size), tail) if size else None
    return None


def _scaled(number: str, size: Duration) -> Duration:
    """A fraction of a month goes to days (30 a month), one of a day to microseconds, as in PostgreSQL."""
    months, days, micros = size
    if "." not in number:
        count = int(number)
        return count * months, count * days, count * micros
    value = float(number)
    whole_months = int(value * months)
    day_value = value * days + (value * months - whole_months) * 30
    whole_days = int(round(day_value, 9))
    return whole_months, whole_days, round(value * micros + (day_value - whole_days) * 86_400_000_000)


def _iso_duration(text: str) -> Duration | None:
    total = [0, 0, 0]
    date, _, time = text.partition("T")
    for part, units in (
        (date, {"Y": "year", "M": "month", "W": "week", "D": "day"}),
        (time, {"H": "hour", "M": "minute", "S": "second"}),
    ):
        for number, letter in re.findall(r"(-?[\d.]+)([A-Z])", part):
            if letter not in units:
                return None
            total = [
                have + more for have, more in zip(total, _scaled(number, _UNITS[units[letter]]), strict=True)
            ]
    return total[0], total[1], total[2]


def parse_boolean(text: str) -> str | None:
    """Read a boolean: any unique prefix of the words that PostgreSQL knows."""
    word = text.strip().lower()
    for value, words in (("true", ("true", "yes", "on", "1")), ("false", ("false", "no", "off", "0"))):
        if any(word and known.startswith(word) for known in words) and word != "o":
            return value
    return None


def parse_bytea(text: str) -> str | None:
    """Read bytea, in hex or escape form; gives hex digits."""
    if text.startswith("\\x"):
        digits = re.sub(r"\s", "", text[2:])
        return digits if re.fullmatch(r"(?:[0-9A-Fa-f]{2})*", digits) else None
    data = bytearray()
    for match in re.finditer(r"\\(\\|[0-3][0-7]{2})|([^\\])|(\\)", text, re.DOTALL):
        escape, plain, bad = match.groups()
        if bad:
            return None
        if plain:
            data += plain.encode()
        else:
            data.append(0x5C if escape == "\\" else int(escape, 8))
    return data.hex()


def parse_array(text: str) -> list[object] | None:
    """Read an array constant: strings, None for NULL, nested lists."""
    text = text.strip()
    try:
        items, end = _array_items(text, 0)
    except (IndexError, ValueError):
        return None
    return items if end == len(text) else None


def _array_items(text: str, at: int) -> tuple[list[object], int]:
    if text[at] != "{":
        raise ValueError(at)
    items: list[object] = []
    at = _skip_blanks(text, at + 1)
    if text[at] == "}":
        return items, at + 1
    while True:
        item, at = _array_item(text, _skip_blanks(text, at))
        items.append(item)
        at = _skip_blanks(text, at)
        if text[at] == "}":
            return items, at + 1
        if text[at] != ",":
            raise ValueError(at)
        at += 1


def _array_item(text: str, at: int) -> tuple[object, int]:
    if text[at] == "{":
        return _array_items(text, at)
    if text[at] == '"':
        match = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL).match(text, at)
        if match is None:
            raise ValueError(at)
        return re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL), match.end()
    match = re.compile(r"(?:[^{},\"\\]|\\.)+", re.DOTALL).match(text, at)
    if match is None:
        raise ValueError(at)
    word = match[0].strip()
    return (None if word.upper() == "NULL" else re.sub(r"\\(.)", r"\1", word)), match.end()


def _skip_blanks(text: str, at: int) -> int:
    while text[at] in " \t\n\r\f\v":
        at += 1
    return at

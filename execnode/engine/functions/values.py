"""Intervals, arrays, bytea and regular expressions: functions that PostgreSQL has and DuckDB has not."""

from execnode.engine.functions.macro import Macro, failure, fields, let

_DAY = 86_400_000_000
_PARTS = (
    "{'m': (date_part('year', i) * 12 + date_part('month', i))::BIGINT, 'd': date_part('day', i)::BIGINT, "
    "'t': (date_part('hour', i) * 3600000000 + date_part('minute', i) * 60000000 + "
    "date_part('microseconds', i))::BIGINT}"
)
"""An interval's months, days and microseconds."""
_WHOLE = "to_months(p.m::INTEGER) + to_days(p.d::INTEGER) + to_microseconds(p.t)"
_HOURS_TO_DAYS = fields("m", d=f"p.d + p.t // {_DAY}", t=f"p.t % {_DAY}")
_DAYS_TO_MONTHS = fields("t", m="p.m + p.d // 30", d="p.d % 30")
_SAME_SIGN_OF_TIME = fields(
    "m",
    d="p.d - CASE WHEN p.d > 0 AND p.t < 0 THEN 1 WHEN p.d < 0 AND p.t > 0 THEN -1 ELSE 0 END",
    t=f"p.t + CASE WHEN p.d > 0 AND p.t < 0 THEN {_DAY} WHEN p.d < 0 AND p.t > 0 THEN -{_DAY} ELSE 0 END",
)
_BACKWARDS = "p.m > 0 AND (p.d < 0 OR (p.d = 0 AND p.t < 0))"
_FORWARDS = "p.m < 0 AND (p.d > 0 OR (p.d = 0 AND p.t > 0))"
_SAME_SIGN_OF_DAYS = fields(
    "t",
    m=f"p.m - CASE WHEN {_BACKWARDS} THEN 1 WHEN {_FORWARDS} THEN -1 ELSE 0 END",
    d=f"p.d + CASE WHEN {_BACKWARDS} THEN 30 WHEN {_FORWARDS} THEN -30 ELSE 0 END",
)
_PLAIN_SIGN_OF_DAYS = fields(
    "t",
    m="p.m - CASE WHEN p.m > 0 AND p.d < 0 THEN 1 WHEN p.m < 0 AND p.d > 0 THEN -1 ELSE 0 END",
    d="p.d + CASE WHEN p.m > 0 AND p.d < 0 THEN 30 WHEN p.m < 0 AND p.d > 0 THEN -30 ELSE 0 END",
)

_INTERVAL_DIVISION = let(
    _PARTS[:-1] + ", 'n': n}",
    fields("n", m="trunc(p.m / p.n)", d="trunc(p.d / p.n)", t="p.t / p.n",
           x="round((p.m / p.n - trunc(p.m / p.n)) * 30, 6)", y="p.d / p.n - trunc(p.d / p.n)"),
    fields("m", "t", d="p.d + trunc(p.x)", s="round((p.y + p.x - trunc(p.x)) * 86400, 6)"),
    fields("m", d="p.d + trunc(p.s / 86400)",
           t="round_even(p.t + (p.s - trunc(p.s / 86400) * 86400) * 1000000, 0)"),
    "to_months(p.m::INTEGER) + to_days(p.d::INTEGER) + to_microseconds(p.t::BIGINT)",
)  # fmt: skip
"""PostgreSQL source: timestamp.c `interval_div`: what is left of months goes to days, of days to the time."""

_BUCKET_CHECK = (
    f"CASE WHEN n <= 0 THEN {failure('2201G', 'count must be greater than zero')} "
    f"WHEN lo = hi THEN {failure('2201G', 'lower bound cannot equal upper bound')} "
    "WHEN lo < hi AND x < lo OR lo > hi AND x > lo THEN 0 "
    "WHEN lo < hi AND x >= hi OR lo > hi AND x <= hi THEN n + 1 ELSE inside END"
)
_TRIMMED = (
    f"CASE WHEN n < 0 OR n > len(a) THEN {failure('2202E', 'number of elements to trim is out of range')} "
    "ELSE list_slice(a, 1, len(a) - n) END"
)
_ARRAY_TEXT = (
    "'{' || array_to_string(list_transform(a, lambda k: CASE WHEN k IS NULL THEN 'NULL' "
    "WHEN k = '' OR upper(k) = 'NULL' OR regexp_matches(k, '[{}\",\\\\\\s]') "
    "THEN '\"' || replace(replace(k, '\\', '\\\\'), '\"', '\\\"') || '\"' ELSE k END), ',') || '}'"
)
_RECORD_PART = let(
    "v",
    "CASE WHEN p IS NULL THEN '' WHEN p = '' OR regexp_matches(p, '[(),\"\\\\\\s]') "
    "THEN '\"' || replace(replace(p, '\\', '\\\\'), '\"', '\"\"') || '\"' ELSE p END",
)
_BYTE_INDEX = "CASE WHEN i < 0 OR i >= octet_length(b) THEN " + failure("2202E", "index out of valid range")
_ESCAPED = (
    "array_to_string(list_transform(range(0, octet_length(b)), lambda k: CASE "
    "WHEN substring(hex(b), 2 * k + 1, 2) = '5C' THEN '\\\\' "
    "WHEN substring(hex(b), 2 * k + 1, 2) = '00' OR substring(hex(b), 2 * k + 1, 1) >= '8' THEN '\\' || "
    "lpad(oct_of(k, b), 3, '0') ELSE decode(unhex(substring(hex(b), 2 * k + 1, 2))) END), '')"
)
_OCTAL = (
    "(('0x' || substring(hex(b), 2 * k + 1, 2))::INTEGER // 64)::VARCHAR || "
    "(('0x' || substring(hex(b), 2 * k + 1, 2))::INTEGER // 8 % 8)::VARCHAR || "
    "(('0x' || substring(hex(b), 2 * k + 1, 2))::INTEGER % 8)::VARCHAR"
)
_START_CHECK = "CASE WHEN s < 1 THEN " + failure("22023", "invalid value for the start") + " ELSE "
_POSITION = (
    f"{_START_CHECK}CASE WHEN regexp_matches(substring(v, s), r, '') "
    "THEN s + length(regexp_extract(substring(v, s), '(?s)\\A(.*?)(?:' || r || ')', 1)) ELSE 0 END END"
)

_IDENTIFIER = r'\s*("(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)\s*'
_IDENTIFIER_PARTS = (
    f"CASE WHEN v IS NULL THEN NULL WHEN regexp_full_match(v, '{_IDENTIFIER}(?:\\.{_IDENTIFIER})*') "
    f'THEN list_transform(regexp_extract_all(v, \'"(?:[^"]|"")+"|[^.\\s"]+\'), '
    "lambda k: CASE WHEN starts_with(k, '\"') THEN replace(k[2:-2], '\"\"', '\"') ELSE lower(k) END) "
    f"ELSE {failure('22023', 'string is not a valid identifier')} END"
)

VALUE_MACROS = (
    Macro("justify_hours", "i", let(_PARTS, _HOURS_TO_DAYS, _SAME_SIGN_OF_TIME, _WHOLE)),
    Macro("justify_days", "i", let(_PARTS, _DAYS_TO_MONTHS, _PLAIN_SIGN_OF_DAYS, _WHOLE)),
    Macro("justify_interval", "i", let(_PARTS, _HOURS_TO_DAYS, _DAYS_TO_MONTHS, _SAME_SIGN_OF_DAYS,
                                       _SAME_SIGN_OF_TIME, _WHOLE)),
    Macro("interval_months", "i", "(date_part('year', i) * 12 + date_part('month', i))::BIGINT"),
    Macro("interval_days", "i", "date_part('day', i)::BIGINT"),
    Macro("interval_micros", "i", let(_PARTS, "p.t")),
    Macro("interval_of", "m, d, t", "to_months(m::INTEGER) + to_days(d::INTEGER) + "
          "to_microseconds(t::BIGINT)"),
    Macro("interval_div", "i, n", _INTERVAL_DIVISION),
    Macro("truncated_years", "x, n", "date_trunc('year', x) - "
          "to_years(((date_part('year', x) - 1) % n)::INTEGER)"),
    Macro("bucket", "x, lo, hi, n, inside", _BUCKET_CHECK),
    Macro("array_positions", "a, x", "list_filter(range(1, len(a) + 1), "
          "lambda k: a[k] IS NOT DISTINCT FROM x)::INTEGER[]"),
    Macro("array_position_from", "a, x, s", "list_filter(range(greatest(s, 1), len(a) + 1), "
          "lambda k: a[k] IS NOT DISTINCT FROM x)[1]::INTEGER"),
    Macro("array_replace", "a, x, y", "list_transform(a, lambda k: CASE WHEN k IS NOT DISTINCT FROM x THEN y "
          "ELSE k END)"),
    Macro("array_fill", "x, n", "list_transform(range(0, n), lambda k: x)"),
    Macro("array_dims", "a", "CASE WHEN len(a) > 0 THEN '[1:' || len(a) || ']' END"),
    Macro("parse_ident", "v", _IDENTIFIER_PARTS),
    Macro("trim_array", "a, n", _TRIMMED),
    Macro("array_text", "a", _ARRAY_TEXT),
    Macro("record_part", "v", _RECORD_PART),
    Macro("format_padded", "v, w, is_left", "CASE WHEN length(coalesce(v, '')) >= w THEN coalesce(v, '') "
          "WHEN is_left THEN rpad(coalesce(v, ''), w, ' ') ELSE lpad(coalesce(v, ''), w, ' ') END"),
    Macro("get_byte", "b, i", f"{_BYTE_INDEX} ELSE ('0x' || substring(hex(b), 2 * i + 1, 2))::INTEGER END"),
    Macro("set_byte", "b, i, v", f"{_BYTE_INDEX} ELSE unhex(left(hex(b), 2 * i) || "
          "lpad(hex(v % 256), 2, '0') || substring(hex(b), 2 * i + 3)) END"),
    Macro("bytea_substring", "b, s, n", "unhex(substring(hex(b), 2 * greatest(s, 1) - 1, "
          "2 * greatest(CASE WHEN s < 1 THEN n + s - 1 ELSE n END, 0)))"),
    Macro("bytea_escape", "b", _ESCAPED.replace("oct_of(k, b)", f"({_OCTAL})")),
    Macro("regexp_count", "v, r, s", _START_CHECK +
          "len(regexp_extract_all(substring(v, s), r))::INTEGER END"),
    Macro("regexp_substr", "v, r, s, n, g", _START_CHECK +
          "regexp_extract_all(substring(v, s), r, g)[n] END"),
    Macro("regexp_instr", "v, r, s", f"({_POSITION})::INTEGER"),
)  # fmt: skip
"""bucket: `inside` is the bucket of a value between the bounds. regexp_*: `r` is an RE2 pattern."""

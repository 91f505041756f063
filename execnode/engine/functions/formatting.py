"""Pieces of to_char() and to_number(). PostgreSQL source: formatting.c.

A pattern is taken apart by the gateway; here is what depends on the value.
"""

from execnode.engine.functions.macro import Macro, failure, fields, let

_ROMAN = "'I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'"
_SUFFIX = (
    "CASE WHEN abs(n) % 100 BETWEEN 11 AND 13 THEN 'th' WHEN abs(n) % 10 = 1 THEN 'st' "
    "WHEN abs(n) % 10 = 2 THEN 'nd' WHEN abs(n) % 10 = 3 THEN 'rd' ELSE 'th' END"
)
_PADDED = let(
    "CAST(n::BIGINT AS VARCHAR)",
    "CASE WHEN length(p) >= w THEN p ELSE lpad(p, w, '0') END",
)
_DATE_CODE = (
    "CASE code WHEN 'D' THEN date_part('dow', x) + 1 WHEN 'W' THEN (date_part('day', x) - 1) // 7 + 1 "
    "WHEN 'WW' THEN (date_part('doy', x) - 1) // 7 + 1 WHEN 'CC' THEN (date_part('year', x) + 99) // 100 "
    "ELSE (date_part('week', x) - 1) * 7 + date_part('isodow', x) END"
)
_OFFSET = let(
    "{'s': CASE WHEN seconds < 0 THEN '-' ELSE '+' END, 'h': abs(seconds)::BIGINT // 3600, "
    "'m': abs(seconds)::BIGINT % 3600 // 60}",
    fields("s", h="lpad(CAST(p.h AS VARCHAR), 2, '0')", m="lpad(CAST(p.m AS VARCHAR), 2, '0')"),
    "CASE word WHEN 'TZM' THEN p.m WHEN 'TZH' THEN p.s || p.h "
    "ELSE p.s || p.h || CASE WHEN p.m = '00' THEN '' ELSE ':' || p.m END END",
)
_PARSED = let(
    "v",
    "CASE WHEN p IS NULL OR try_strptime(p, directives) IS NOT NULL THEN try_strptime(p, directives) "
    "WHEN regexp_full_match(p, '[0-9 :/.,-]*') THEN "
    f"{failure('22008', 'date/time field value out of range')} "
    f"ELSE {failure('22007', 'invalid value for a date or time')} END",
)

_NUMBER = let(
    "{'t': CAST(abs(v) AS VARCHAR), 'n': v < 0, 'z': v = 0}",
    fields("n", "z", i="ltrim(split_part(p.t, '.', 1), '0')", f="split_part(p.t, '.', 2)"),
    fields(
        "n", "f", "i",
        o="length(p.i) > whole OR whole = 0",
        g="list_transform(groups, lambda g: substring(CASE WHEN length(p.i) > whole OR whole = 0 "
        "THEN repeat('#', whole) ELSE lpad(p.i, whole, '0') END, g[1], g[2]))",
        d="CASE WHEN length(p.i) > whole OR whole = 0 THEN repeat('#', length(p.f)) ELSE left(p.f, kept) || "
        "CASE WHEN trims THEN rtrim(substring(p.f, kept + 1), '0') ELSE substring(p.f, kept + 1) END END",
    ),
    fields("n", "d", "o", g="array_to_string(p.g, ',')"),
    fields("n", "d", "g",
           lead="CASE WHEN p.o THEN 0 ELSE length(regexp_extract(left(p.g, blank), '^[0,]*')) END"),
    "{'blank': repeat(' ', p.lead), 'digits': CASE WHEN trims AND point <> '' AND p.d = '' AND "
    "substring(p.g, p.lead + 1) = '' THEN '0' ELSE '' END || substring(p.g, p.lead + 1) || point || p.d, "
    "'n': p.n}",
)  # fmt: skip
"""v: rounded to the pattern's scale. whole: digits before the point, in groups of (start, length). blank: how
many characters at the front show only behind a digit. kept: digits behind the point that always show."""
_SIGNED = let(
    "{'x': number_parts(v, whole, groups, blank, point, kept, trims)}",
    fields(b="p.x.blank", d="p.x.digits", n="p.x.n"),
    "CASE mode "
    "WHEN 'plain' THEN p.b || CASE WHEN p.n THEN '-' ELSE ' ' END || p.d "
    "WHEN 'fill' THEN CASE WHEN p.n THEN '-' ELSE '' END || p.d "
    "WHEN 'S' THEN p.b || CASE WHEN p.n THEN '-' ELSE '+' END || p.d "
    "WHEN 'fill S' THEN CASE WHEN p.n THEN '-' ELSE '+' END || p.d "
    "WHEN 'end S' THEN p.b || p.d || CASE WHEN p.n THEN '-' ELSE '+' END "
    "WHEN 'fill end S' THEN p.d || CASE WHEN p.n THEN '-' ELSE '+' END "
    "WHEN 'end MI' THEN p.b || p.d || CASE WHEN p.n THEN '-' ELSE ' ' END "
    "WHEN 'fill end MI' THEN p.d || CASE WHEN p.n THEN '-' ELSE '' END "
    "WHEN 'SG' THEN CASE WHEN p.n THEN '-' ELSE '+' END || p.b || p.d "
    "WHEN 'fill SG' THEN CASE WHEN p.n THEN '-' ELSE '+' END || p.d "
    "WHEN 'PR' THEN p.b || CASE WHEN p.n THEN '<' ELSE ' ' END || p.d || CASE WHEN p.n THEN '>' ELSE ' ' END "
    "WHEN 'fill PR' THEN CASE WHEN p.n THEN '<' || p.d || '>' ELSE p.d END END",
)


def _roman_digit(place: int) -> str:
    letters = ("IVX", "XLC", "CDM")[place]
    forms = ["", "a", "aa", "aaa", "ab", "b", "ba", "baa", "baaa", "ac"]
    spelled = [form.translate(str.maketrans("abc", letters)) for form in forms]
    return "[" + ", ".join(f"'{form}'" for form in spelled) + f"][(p // {10**place}) % 10 + 1]"


_ROMAN_NUMBER = let(
    "round(v)::BIGINT",
    "CASE WHEN p BETWEEN 1 AND 3999 THEN repeat('M', p // 1000) || "
    + " || ".join(_roman_digit(place) for place in (2, 1, 0))
    + " ELSE repeat('#', 15) END",
)
_PARSED_NUMBER = let(
    "{'n': regexp_matches(v, '-|<'), 'd': regexp_replace(v, '[^0-9.]', '', 'g'), 'v': v}",
    fields(
        "n", i="left(split_part(p.d, '.', 1), whole)", f="left(split_part(p.d, '.', 2), decimals)", v="p.v"
    ),
    f"CASE WHEN p.v IS NULL THEN NULL WHEN p.i || p.f = '' THEN "
    f"{failure('22P02', 'invalid input syntax for type numeric')} "
    "ELSE CASE WHEN p.n THEN '-' ELSE '' END || p.i || CASE WHEN p.f = '' THEN '' ELSE '.' || p.f END END",
)

_FLOAT_TEXT = (
    "CASE WHEN abs(x) < most THEN regexp_replace(CAST(x AS VARCHAR), '\\.0$', '') ELSE "
    + let(
        "regexp_replace(CAST(x AS VARCHAR), '\\.0$', '')",
        "{'t': p, 's': CASE WHEN starts_with(p, '-') THEN '-' ELSE '' END, "
        "'i': split_part(ltrim(p, '-'), '.', 1), 'd': replace(ltrim(p, '-'), '.', '')}",
        fields("t", "s", "i", f="left(p.d, 1)", r="rtrim(substring(p.d, 2), '0')"),
        "CASE WHEN regexp_matches(p.t, '[a-z]') THEN p.t ELSE "
        "p.s || p.f || CASE WHEN p.r = '' THEN '' ELSE '.' || p.r END || 'e+' || "
        "lpad(CAST(length(p.i) - 1 AS VARCHAR), 2, '0') END",
    )
    + " END"
)
"""most: from which on PostgreSQL writes an exponent; the engine does so later."""

FORMATTING_MACROS = (
    Macro("float_text", "x, most", _FLOAT_TEXT),
    Macro("padded_number", "n, w", _PADDED),
    Macro("ordinal_suffix", "n", _SUFFIX),
    Macro("year_with_comma", "n", "CAST(n::BIGINT // 1000 AS VARCHAR) || ',' || "
          "lpad(CAST(n::BIGINT % 1000 AS VARCHAR), 3, '0')"),
    Macro("roman_month", "n, padded", f"rpad([{_ROMAN}][n::BIGINT], CASE WHEN padded = 1 THEN 4 "
          f"ELSE length([{_ROMAN}][n::BIGINT])::INTEGER END, ' ')"),
    Macro("micros_of_day", "x", "(date_part('hour', x) * 3600000000 + date_part('minute', x) * 60000000 + "
          "date_part('microseconds', x))"),
    Macro("date_code", "x, code", _DATE_CODE),
    Macro("zone_offset", "seconds, word", _OFFSET),
    Macro("parsed_moment", "v, directives", _PARSED),
    Macro("number_parts", "v, whole, groups, blank, point, kept, trims", _NUMBER),
    Macro("number_to_char", "v, whole, groups, blank, point, kept, trims, mode",
          _SIGNED.replace("number_parts(", "pgproxy_functions.main.number_parts(")),
    Macro("roman_number", "v", _ROMAN_NUMBER),
    Macro("text_to_number", "v, whole, decimals", _PARSED_NUMBER),
)  # fmt: skip

"""Exact numeric. PostgreSQL source: numeric.c `select_div_scale`, `div_var`, `float8_numeric`.

A quotient is DECIMAL(38, 20), rounded to as many digits as PostgreSQL computes: 16 significant ones at
least, in steps of four, and no fewer than its operands have behind the point. How many those are is a
function of its own, because an engine's column has one scale for all rows.
"""

from execnode.engine.functions.macro import Macro, failure, fields, let

QUOTIENT_SCALE = 20
_MAX_FAST_DIVISOR = 9_200_000_000
"""Times 10^9 it is still within 64 bits, where a division costs a hundredth of one of 128 bits."""

_POWER = "('1' || repeat('0', {0}))::DECIMAL(38, 0)"
"""10 to the power of a number, exactly. A list of constants would cost milliseconds whenever it is bound."""
_SMALLEST = "0." + "0" * (QUOTIENT_SCALE - 1) + f"1::DECIMAL({QUOTIENT_SCALE}, {QUOTIENT_SCALE})"
_PLACED = f" * {_POWER.format(f'{QUOTIENT_SCALE} - p.r')} * {_SMALLEST}"
"""What turns a whole number of 10^-r into a quotient."""
_WEIGHT = "CASE WHEN {0} = 0 THEN 0 ELSE floor(log10({0}) / 4)::INTEGER END"
# A little more than it is, so that 0.0006 * 10000 is 6.
_FIRST_DIGIT = "floor({0} * pow(10000, -{1}) * 1.00000000000001)"

_DIVISION_SCALE = let(
    "{'x': abs(a)::DOUBLE, 'y': abs(b)::DOUBLE}",
    fields("x", "y", v=_WEIGHT.format("p.x"), w=_WEIGHT.format("p.y")),
    "greatest(lo, 0, 16 - 4 * (p.v - p.w - CASE WHEN "
    f"{_FIRST_DIGIT.format('p.x', 'p.v')} <= {_FIRST_DIGIT.format('p.y', 'p.w')} THEN 1 ELSE 0 END))",
)
_STEP = "p.e * 1000000000"
_EXACT = let(
    "p",
    fields("a", "b", "r", n="((p.a::DOUBLE / p.b::DOUBLE) * pow(10, p.r))::DECIMAL(38, 0)",
           t=f"p.a * {_POWER.format('p.r')}"),
    fields("b", "r", "n", "t", e="p.t - p.n * p.b"),
    fields("b", "r", "t", n="p.n + round(p.e::DOUBLE / p.b::DOUBLE)::DECIMAL(38, 0)"),
    fields("b", "r", "n", e="(p.t - p.n * p.b) * 2"),
    f"(p.n + CASE WHEN p.e >= p.b THEN 1 WHEN p.e < -p.b THEN -1 ELSE 0 END)::DECIMAL(38, 0){_PLACED}",
)  # fmt: skip
"""The double's quotient, corrected by the remainder that it leaves."""
_UNIT = "p.u"
_FAST = (
    f"p.i::DECIMAL(38, {QUOTIENT_SCALE}) + CASE WHEN p.r = {QUOTIENT_SCALE} THEN "
    "p.d::DECIMAL(18, 0) * 0.000000000000000001::DECIMAL(18, 18) + "
    "((p.e * 1000 // p.y + 5) // 10)::DECIMAL(3, 0) * 0.00000000000000000001::DECIMAL(20, 20) ELSE "
    f"(((p.d + {_UNIT} // 2) // {_UNIT} * {_UNIT})::DECIMAL(19, 0) * 0.000000000000000001::DECIMAL(18, 18))"
    f"::DECIMAL(38, {QUOTIENT_SCALE}) END"
)
_DIVISION = let(
    "{'a': a, 'b': CASE WHEN b = 0 AND a IS NOT NULL THEN "
    f"{failure('22012', 'division by zero')} ELSE b END, 'r': least({QUOTIENT_SCALE}, {_DIVISION_SCALE})}}",
    fields("r", a="abs(p.a)", b="abs(p.b)", g="sign(p.a) * sign(p.b)",
           x="TRY_CAST(TRY(abs(p.a) * unit) AS BIGINT)", y="TRY_CAST(TRY(abs(p.b) * unit) AS BIGINT)"),
    fields("a", "b", "r", "g", "y", i="p.x // p.y", e="p.x % p.y",
           f=f"coalesce(p.y < {_MAX_FAST_DIVISOR} AND p.x IS NOT NULL AND (p.r <= 16 OR p.r = 20), false)"),
    fields("a", "b", "r", "g", "y", "i", "f", d=f"CASE WHEN p.f THEN {_STEP} // p.y END",
           e=f"CASE WHEN p.f THEN {_STEP} % p.y END"),
    fields("a", "b", "r", "g", "y", "i", "f", d=f"p.d * 1000000000 + {_STEP} // p.y", e=f"{_STEP} % p.y",
           u="pow(10, greatest(18 - p.r, 0))::BIGINT"),
    f"p.g * CASE WHEN p.f THEN {_FAST} ELSE {_EXACT} END",
)  # fmt: skip
"""Long division by 10^9 a step, in 64 bits where they hold it: 1 to 2 µs a row."""

_TEN = "10000000000::HUGEINT"
_HAS_ROOM = "length(CAST(abs({0}) AS VARCHAR)) <= 29"
"""28 digits and the point: times 10^10, a half of a product is within 128 bits."""
_WIDE_EXACT = let(
    "{'a': replace(CAST(abs(p.a) AS VARCHAR), '.', '')::HUGEINT, "
    "'b': replace(CAST(abs(p.b) AS VARCHAR), '.', '')::HUGEINT, 'r': p.r, "
    "'n': ((abs(p.a)::DOUBLE / abs(p.b)::DOUBLE) * pow(10, p.r))::HUGEINT}",
    fields("b", "r", "n", t=f"{_POWER.format('p.r')}::HUGEINT", a=f"p.a // {_TEN}", c=f"p.a % {_TEN}",
           m=f"p.n // {_TEN}", k=f"p.n % {_TEN}"),
    fields("b", "r", "n", e=f"(p.a * p.t - p.m * p.b) * {_TEN} + (p.c * p.t - p.k * p.b)"),
    fields("b", "r", "n", "e", c="round(p.e::DOUBLE / p.b::DOUBLE)::HUGEINT"),
    fields("b", "r", n="p.n + p.c", e="(p.e - p.c * p.b) * 2"),
    f"(p.n + CASE WHEN p.e >= p.b THEN 1 WHEN p.e < -p.b THEN -1 ELSE 0 END)::DECIMAL(38, 0){_PLACED}",
)  # fmt: skip
"""The same with the factors in two halves each: a product of quotients has more than 38 digits."""
_NEAR = f"TRY_CAST(format('{{:.15g}}', p.a::DOUBLE / p.b::DOUBLE) AS DECIMAL(38, {QUOTIENT_SCALE}))"
_OVERFLOW = failure("22003", "value overflows numeric format")
_WIDE_DIVISION = let(
    "{'a': a, 'b': CASE WHEN b = 0 AND a IS NOT NULL THEN "
    f"{failure('22012', 'division by zero')} ELSE b END, 'r': least({QUOTIENT_SCALE}, {_DIVISION_SCALE})}}",
    f"CASE WHEN {_HAS_ROOM.format('p.a')} AND {_HAS_ROOM.format('p.b')} THEN "
    f"sign(p.a) * sign(p.b) * {_WIDE_EXACT} "
    f"WHEN p.a IS NOT NULL AND p.b IS NOT NULL THEN coalesce({_NEAR}, {_OVERFLOW}) END",
)
"""For operands of many digits behind the point. Where one has more than 28 it is right to 15."""

_FRACTION = r"length(regexp_extract(v, '\.([0-9]*)', 1))"
_EXPONENT = r"coalesce(TRY_CAST(nullif(regexp_extract(v, '[eE]([+-]?[0-9]+)', 1), '') AS INTEGER), 0)"
_TEXT_SCALE = f"greatest({_FRACTION} - {_EXPONENT}, 0)"
TEXT_VALUE_SCALE = 18
_TOO_FINE = failure("0A000", f"numeric with more than {TEXT_VALUE_SCALE} digits behind the point")
_TEXT_VALUE = let(
    "v",
    f"CASE WHEN regexp_full_match(p, '(?i)\\s*[+-]?(nan|inf(inity)?)\\s*') THEN "
    f"{failure('0A000', 'numeric NaN and infinity are not supported')} "
    f"WHEN {_TEXT_SCALE.replace('(v,', '(p,')} > {TEXT_VALUE_SCALE} THEN {_TOO_FINE} "
    f"ELSE CAST(p AS DECIMAL(38, {TEXT_VALUE_SCALE})) END",
)
_NOT_FINITE = failure("0A000", "numeric NaN and infinity are not supported")
_FLOAT_VALUE = (
    f"CASE WHEN isfinite(v::DOUBLE) IS NOT FALSE THEN CAST(format('{{{{:.{{digits}}g}}}}', v::DOUBLE) "
    f"AS DECIMAL(38, {TEXT_VALUE_SCALE})) ELSE {_NOT_FINITE} END"
)
_MIN_SCALE = r"length(rtrim(regexp_extract(CAST(v AS VARCHAR), '\.([0-9]*)', 1), '0'))"
_SHOWN = let(
    "{'t': CAST(v AS VARCHAR), 'r': r}",
    fields("t", "r", have=r"length(regexp_extract(p.t, '\.([0-9]*)', 1))"),
    "CASE WHEN p.r = p.have THEN p.t WHEN p.r = 0 THEN left(p.t, length(p.t) - p.have - 1) "
    "WHEN p.r < p.have THEN left(p.t, length(p.t) - p.have + p.r) "
    f"WHEN p.have = {QUOTIENT_SCALE} THEN p.t "
    "ELSE rpad(p.t || CASE WHEN p.have = 0 THEN '.' ELSE '' END, "
    "(length(p.t) + p.r - p.have + CASE WHEN p.have = 0 THEN 1 ELSE 0 END)::INTEGER, '0') END",
)
"""Digits beyond a quotient's 20 are not known, so they are not written."""
_LIKELY_SCALE = let(
    "abs(v)::DOUBLE",
    "CASE WHEN p = 0 OR p = 1 THEN 20 ELSE greatest(0, 16 - 4 * floor(log10(p) / 4)::INTEGER) END",
)

NUMERIC_MACROS = (
    Macro("numeric_div_scale", "a, b, lo", _DIVISION_SCALE),
    Macro("numeric_div", "a, b, unit, lo", _DIVISION),
    Macro("numeric_div_wide", "a, b, lo", _WIDE_DIVISION),
    Macro("numeric_quotient_scale", "v", _LIKELY_SCALE),
    Macro("numeric_min_scale", "v", _MIN_SCALE),
    Macro("numeric_text", "v, r", _SHOWN),
    Macro("text_numeric_scale", "v", _TEXT_SCALE),
    Macro("text_numeric", "v", _TEXT_VALUE),
    Macro("float8_numeric", "v", _FLOAT_VALUE.format(digits=15)),
    Macro("float4_numeric", "v", _FLOAT_VALUE.format(digits=6)),
)
"""unit: 10 to the power of the operands' scale, 10^6 at most. lo: the fewest digits of a quotient
behind the point."""

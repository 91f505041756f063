"""Roots of numerics; float functions with PostgreSQL's errors. PostgreSQL source: numeric.c `sqrt_var`."""

from execnode.engine.functions.macro import Macro, failure, fields, let

_NEGATIVE = failure("2201F", "cannot take square root of a negative number")
_SIZES = ((18, "1"), (16, "10000"), (14, "100000000"), (12, "1000000000000"))
"""How many digits behind the point the root of what is below a bound has within 64 bits."""


def _corrected(digits: int) -> str:
    """SQL of a double's root, corrected by what its square leaves, and rounded to `p.r` digits."""
    part = f"0.{'0' * (digits - 1)}1::DECIMAL({digits}, {digits})"
    value = f"(p.n::DECIMAL(19, 0) * {part})::DECIMAL(19, {digits})"
    unit = "p.u"
    left = f"(p.x::DECIMAL(38, {2 * digits}) - {value} * {value})::DOUBLE"
    rounded = f"(p.n + floor(p.e * 1e{digits})::BIGINT + {unit} // 2) // {unit} * {unit}"
    whole = f"CASE WHEN p.r = {digits} THEN p.n + round(p.e * 1e{digits})::BIGINT ELSE {rounded} END"
    return let(
        "p",
        fields("x", "r", "q", n=f"(p.q * 1e{digits})::BIGINT"),
        fields(
            "r",
            "n",
            e=f"CASE WHEN p.q > 0 THEN {left} / (2 * p.q) ELSE 0 END",
            u=f"pow(10, greatest({digits} - p.r, 0))::BIGINT",
        ),
        f"CASE WHEN p.r > {digits} THEN (p.n::DECIMAL(19, 0) * {part})::DECIMAL(38, 20) + "
        "round(p.e * 1e20)::DECIMAL(18, 0) * 0.00000000000000000001::DECIMAL(20, 20) ELSE "
        f"(({whole})::DECIMAL(19, 0) * {part})::DECIMAL(38, 20) END",
    )


_ROOT = let(
    f"{{'x': x, 'r': least(r, 20), 'q': CASE WHEN x < 0 THEN {_NEGATIVE} ELSE sqrt(x::DOUBLE) END}}",
    "CASE "
    + " ".join(f"WHEN p.x < {bound} THEN {_corrected(digits)}" for digits, bound in _SIZES)
    + " ELSE round(p.q, p.r::INTEGER)::DECIMAL(38, 20) END",
)
_ROOT_SCALE = let(
    "abs(x)::DOUBLE",
    "greatest(lo, 0, CASE WHEN p = 0 THEN 15 ELSE 17 - 2 * (floor(log10(p) / 4)::INTEGER + 1) END)",
)

_TOO_LARGE = failure("22003", "value out of range: overflow")
_TOO_SMALL = failure("22003", "value out of range: underflow")


def _checked(result: str, operand: str) -> str:
    """SQL of a float function that raises where a finite operand gives infinity, or nothing."""
    return let(
        f"{{'x': {operand}, 'y': {result}}}",
        f"CASE WHEN isinf(p.y) AND NOT isinf(p.x) THEN {_TOO_LARGE} "
        f"WHEN p.y = 0 AND NOT isinf(p.x) THEN {_TOO_SMALL} ELSE p.y END",
    )


def _logarithm(name: str) -> str:
    zero = failure("2201E", "cannot take logarithm of zero")
    negative = failure("2201E", "cannot take logarithm of a negative number")
    return let("x::DOUBLE", f"CASE WHEN p = 0 THEN {zero} WHEN p < 0 THEN {negative} ELSE {name}(p) END")


_POWER = (
    "CASE WHEN p.x = 0 AND p.y < 0 THEN "
    f"{failure('2201F', 'zero raised to a negative power is undefined')} "
    "WHEN p.x < 0 AND NOT isinf(p.x) AND floor(p.y) <> p.y THEN "
    f"{failure('2201F', 'a negative number raised to a non-integer power yields a complex result')} "
    "WHEN isinf(power(p.x, p.y)) AND NOT isinf(p.x) AND NOT isinf(p.y) THEN "
    f"{_TOO_LARGE} WHEN power(p.x, p.y) = 0 AND p.x <> 0 AND NOT isinf(p.x) AND NOT isinf(p.y) THEN "
    f"{_TOO_SMALL} ELSE power(p.x, p.y) END"
)

_DIGITS_OF = "CASE WHEN {0} = 0 THEN 0 ELSE trunc(log10(abs({0})))::INTEGER END"

ROOT_MACROS = (
    Macro("logarithm_scale", "l, lo", let("l::DOUBLE", f"greatest(16 - {_DIGITS_OF.format('p')}, lo, 0)")),
    Macro(
        "logarithm_of_base_scale",
        "l, b, lo",
        let(
            "{'l': l::DOUBLE, 'b': b::DOUBLE}",
            f"greatest(16 - {_DIGITS_OF.format('p.l')} + {_DIGITS_OF.format('p.b')}, lo, 0)",
        ),
    ),
    Macro(
        "exponential_scale", "x, lo", "greatest(16 - trunc(x::DOUBLE * 0.434294481903252)::INTEGER, lo, 0)"
    ),
    Macro("numeric_sqrt", "x, r", _ROOT),
    Macro("numeric_sqrt_scale", "x, lo", _ROOT_SCALE),
    Macro("sum_of_deviations", "n, squares, total", "greatest(n * squares - total * total, 0)"),
    Macro("degrees_of_freedom", "n, less", "nullif(n * (n - less), 0)"),
    Macro("float8_sqrt", "x", let("x::DOUBLE", f"CASE WHEN p < 0 THEN {_NEGATIVE} ELSE sqrt(p) END")),
    Macro("float8_exp", "x", _checked("exp(x::DOUBLE)", "x::DOUBLE")),
    Macro(
        "float8_power",
        "x, y",
        let("{'x': x::DOUBLE, 'y': y::DOUBLE}", _POWER),
    ),
    Macro("float8_ln", "x", _logarithm("ln")),
    Macro("float8_log", "x", _logarithm("log10")),
)

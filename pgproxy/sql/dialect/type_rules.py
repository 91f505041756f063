"""The types of constants, rows and operations, from those of their parts.

PostgreSQL docs, "Functions and Operators" and "Type Conversion".
"""

from sqlglot import exp

from pgproxy.sql.dialect.type_names import FLOATS, INTEGERS, NUMBER_ORDER


def arithmetic_type(node: exp.Expr, left: str | None, right: str | None) -> str | None:
    """The type of an operation, by those of its operands."""
    if isinstance(node, exp.Pow):
        return _power_type(left, right)
    if left in NUMBER_ORDER and right in NUMBER_ORDER:
        wider = max(left, right, key=NUMBER_ORDER.index)
        # real with anything but real is double precision.
        return "float8" if wider == "float4" and left != right else wider
    if isinstance(node, exp.Sub) and left == "jsonb":
        return left
    if isinstance(node, exp.Sub) and left == right == "date":
        return "int4"
    if left == "date" and right in INTEGERS:
        return "date"
    if {left, right} == {"date", "interval"}:
        return "timestamp"
    if left in ("timestamp", "timestamptz") and right == "interval":
        return left
    if isinstance(node, exp.Sub) and left == right and left in ("timestamp", "timestamptz"):
        return "interval"
    if isinstance(node, exp.Sub) and {left, right} == {"timestamp", "date"}:
        return "interval"
    return _interval_arithmetic(node, left, right)


def _interval_arithmetic(node: exp.Expr, left: str | None, right: str | None) -> str | None:
    is_interval = (
        left == right == "interval"
        if isinstance(node, (exp.Add, exp.Sub))
        else (isinstance(node, (exp.Mul, exp.Div)) and left == "interval" and right in NUMBER_ORDER)
        or (isinstance(node, exp.Mul) and left in NUMBER_ORDER and right == "interval")
    )
    return "interval" if is_interval else None


def is_row(node: exp.Expr | None) -> bool:
    """Whether this is `(a, b)` or `ROW(…)`."""
    return isinstance(node, exp.Tuple) or (
        isinstance(node, exp.Anonymous) and str(node.this).lower() == "row"
    )


def field_of_row(node: exp.Dot) -> exp.Expr | None:
    """The field that `(ROW(a, b)).f1` asks for."""
    row, name = node.this.unnest(), node.expression.name.lower()
    if not is_row(row) or not isinstance(node.expression, exp.Identifier) or not name[1:].isdigit():
        return None
    fields = row.expressions
    is_there = name[0] == "f" and 1 <= int(name[1:]) <= len(fields)
    return fields[int(name[1:]) - 1] if is_there and not any(field.is_star for field in fields) else None


def series_type(kinds: list[str | None]) -> str | None:
    """The type of generate_series() over ends of these types; dates become timestamps with time zone."""
    known = [kind for kind in kinds if kind is not None]
    if known and all(kind in INTEGERS for kind in known):
        return "int8" if "int8" in known else "int4"
    if known and all(kind in NUMBER_ORDER for kind in known):
        return "numeric"
    if "timestamptz" in known or known == ["date", "date"]:
        return "timestamptz"
    return "timestamp" if "timestamp" in known else None


def literal_type(node: exp.Literal) -> str | None:
    """Give a constant's type. A string is not yet anything: PostgreSQL calls it unknown."""
    if node.is_string:
        return None
    text = node.name
    if not text.isdigit():
        return "numeric"
    value = int(text) if len(text) < 30 else 2**64
    return "int4" if value < 2**31 else "int8" if value < 2**63 else "numeric"


def negated_type(node: exp.Neg) -> str | None:
    """The type of a constant with a minus, which is read as one: -2147483648 is an integer."""
    digits = node.this.name if isinstance(node.this, exp.Literal) and not node.this.is_string else ""
    return {str(2**31): "int4", str(2**63): "int8"}.get(digits.lstrip("0"))


def is_unknown(item: exp.Expr) -> bool:
    """A constant without a type, which is text in a column."""
    return isinstance(item, exp.Null) or are_texts([item])


def are_texts(items: list[exp.Expr]) -> bool:
    """Whether these are string constants, which are text where nothing says otherwise."""
    known = [item for item in items if not isinstance(item, exp.Null)]
    return bool(known) and all(isinstance(item, exp.Literal) and item.is_string for item in known)


def average_type(argument: str | None) -> str | None:
    """The type of avg() and its like."""
    if argument in FLOATS:
        return "float8"
    if argument in (*INTEGERS, "numeric"):
        return "numeric"
    return "interval" if argument == "interval" else None


def rounded_type(argument: str | None, *, is_exact: bool) -> str | None:
    """The type of round() and ln() and their like; of log(b, x), which is_exact says, always numeric."""
    if argument == "numeric" or is_exact:
        return "numeric"
    return "float8" if argument in (*INTEGERS, *FLOATS) else None


def _power_type(left: str | None, right: str | None) -> str | None:
    if left is None or right is None:
        return None
    return "numeric" if "numeric" in (left, right) and not {left, right} & set(FLOATS) else "float8"

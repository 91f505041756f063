"""Names and shapes: identifiers, aliases, operators with a schema, constants without a type.

PostgreSQL docs, "Lexical Structure" and "Table Expressions".
"""

from collections.abc import Iterable, Sequence

from sqlglot import exp

from pgproxy.sql.dialect.build import call, cast, constant_integer, function_name, string
from pgproxy.sql.dialect.grammar import NAME_KEY
from pgproxy.sql.dialect.names import UNNAMED, column_name
from pgproxy.sql.dialect.places import OperatorError, blame
from pgproxy.sql.dialect.type_rules import is_row
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.node_kinds import classes_below
from pgproxy.sql.utility.scan import fold_identifier as fold_word
from pgwire.errors import FeatureNotSupported
from pgwire.sqlstate import SqlState

_BINARY_OPERATORS: dict[str, type[exp.Expr]] = {
    "=": exp.EQ,
    "<>": exp.NEQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
    "+": exp.Add,
    "-": exp.Sub,
    "*": exp.Mul,
    "||": exp.DPipe,
    "~": exp.RegexpLike,
    "~*": exp.RegexpILike,
    "~~": exp.Like,
    "~~*": exp.ILike,
}
_NEGATED_OPERATORS = {"!~": "~", "!~*": "~*", "!~~": "~~", "!~~*": "~~*"}
_BYTE_COLLATIONS = frozenset({"default", "c", "posix", "ucs_basic"})


def name_inner_columns(nodes: Iterable[exp.Expr]) -> bool:
    """Give unnamed columns of derived tables, CTEs, views and new tables PostgreSQL's names, in place.

    nodes: of a tree; gives whether it was changed.
    """
    is_changed = False
    for query in [node for node in nodes if type(node) is exp.Select]:
        holder = _holder(query)
        if holder is None:
            continue
        for item in query.expressions:
            if isinstance(item, (exp.Alias, exp.Column)) or item.is_star:
                continue
            name = column_name(item)
            if name != UNNAMED or isinstance(holder, exp.Create):
                parent, index = item.parent, item.index
                alias = exp.Alias(this=item, alias=exp.to_identifier(name, quoted=True))
                if parent is not None:
                    parent.set("expressions", alias, index)
                    is_changed = True
    return is_changed


_ARROWS = classes_below(exp.Lambda)
_TAKE_LAMBDAS = frozenset(
    f"{kind}_{what}" for kind in ("list", "array") for what in ("transform", "apply", "filter", "reduce")
) | {"apply", "filter", "reduce"}
"""Functions that only the engine has; an arrow in them is its lambda."""


def arrows_are_operators(nodes: Iterable[exp.Expr]) -> bool:
    """`f(x -> 'a')` is the json operator, which sqlglot takes for a lambda; in place.

    nodes: of a tree; gives whether it was changed.
    """
    arrows = [node for node in nodes if type(node) in _ARROWS]
    for arrow in arrows:
        if len(arrow.expressions) != 1 or _takes_lambda(arrow.parent):
            continue
        operand = exp.Column(
            this=exp.to_identifier(arrow.expressions[0].name, quoted=arrow.expressions[0].args.get("quoted"))
        )
        leftmost = body = arrow.this
        while isinstance(leftmost, exp.Binary):
            leftmost = leftmost.this
        extract = exp.JSONExtract(this=operand, expression=leftmost.copy())
        if leftmost is body:
            body = extract
        else:
            leftmost.replace(extract)
        arrow.replace(body)
    return bool(arrows)


def _takes_lambda(function: exp.Expr | None) -> bool:
    if not isinstance(function, exp.Func):
        return False
    name = function_name(function) or str(function.meta.get(NAME_KEY) or "").lower()
    return name in _TAKE_LAMBDAS


def _holder(query: exp.Select) -> exp.Expr | None:
    """What gives the query's columns to others by name, if the query itself names them."""
    if isinstance(query.parent, exp.SetOperation) and query.arg_key != "this":
        return None
    holder = query.parent
    while isinstance(holder, (exp.SetOperation, exp.Subquery)) and not _is_derived_table(holder):
        holder = holder.parent
    return holder if isinstance(holder, (exp.CTE, exp.Create)) or _is_derived_table(holder) else None


def _is_derived_table(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Subquery) and isinstance(node.parent, (exp.From, exp.Join, exp.Lateral))


def fold_identifier(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Unquoted names are lower case; then all are quoted, since the engine reserves other words (`at`)."""
    if isinstance(node, exp.Identifier) and not node.args.get("quoted") and isinstance(node.this, str):
        node.set("this", fold_word(node.this))
        node.set("quoted", True)
    return node


def plain_operator(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`a OPERATOR(pg_catalog.~) b` is `a ~ b`; a collation by bytes is the engine's own order."""
    if isinstance(node, exp.Collate):
        name = node.expression.name.lower()
        return node.this if name in _BYTE_COLLATIONS else node
    if not isinstance(node, exp.Operator):
        return node
    symbol = str(node.args["operator"]).removeprefix("pg_catalog.")
    positive = _NEGATED_OPERATORS.get(symbol, symbol)
    kind = _BINARY_OPERATORS.get(positive)
    if kind is None:
        raise FeatureNotSupported("this operator is not supported in OPERATOR(...)")
    plain = kind(this=node.this, expression=node.expression)
    return exp.Not(this=plain) if symbol in _NEGATED_OPERATORS else plain


def unqualified_builtin(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`pg_catalog.length(x)` is `length(x)`."""
    is_builtin = isinstance(node, exp.Dot) and isinstance(node.this, exp.Identifier)
    if is_builtin and node.this.name == "pg_catalog" and isinstance(node.expression, exp.Func):
        return node.expression
    return node


def function_alias(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`FROM f(…) x` names its one column x as well; the engine would make x a struct."""
    if not isinstance(node, (exp.Table, exp.Unnest)):
        return node
    alias = node.args.get("alias")
    is_function = isinstance(node, exp.Unnest) or isinstance(node.this, exp.ExplodingGenerateSeries)
    if not is_function or not isinstance(alias, exp.TableAlias) or alias.columns or alias.this is None:
        return node
    if isinstance(node, exp.Table) or len(node.expressions) == 1:
        alias.set("columns", [alias.this.copy()])
    return node


def values_columns(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The columns of VALUES are column1, column2, …; the engine begins with col0."""
    if not isinstance(node, exp.Values) or not isinstance(node.args.get("alias"), exp.TableAlias):
        return node
    alias = node.args["alias"]
    if not alias.columns and alias.this is not None and node.expressions:
        first = node.expressions[0]
        width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
        alias.set("columns", [exp.to_identifier(f"column{place + 1}", quoted=True) for place in range(width)])
    return node


def row_comparison(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Rows compare by their parts, so an unknown part that decides makes the whole unknown.

    PostgreSQL docs, "Row Constructor Comparison".
    """
    if not isinstance(node, (exp.EQ, exp.NEQ, *_STRICTLY)):
        return node
    left, right = node.this, node.expression
    if not is_row(left) or not is_row(right) or any(item.is_star for item in node.find_all(exp.Column)):
        return node
    if len(left.expressions) != len(right.expressions):
        error = OperatorError("unequal number of entries in row expressions", sqlstate=SqlState.SYNTAX_ERROR)
        raise blame(error, left)
    if not left.expressions:
        return node
    kind: type[exp.Expr] = type(node)
    if kind in _STRICTLY:
        return exp.Paren(this=_ordered(kind, left.expressions, right.expressions))
    parts = [
        kind(this=one, expression=other)
        for one, other in zip(left.expressions, right.expressions, strict=True)
    ]
    joined: exp.Expr = parts[0]
    for part in parts[1:]:
        joined = (exp.And if kind is exp.EQ else exp.Or)(this=joined, expression=part)
    return exp.Paren(this=joined)


_STRICTLY: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.LT,
    exp.LTE: exp.LT,
    exp.GT: exp.GT,
    exp.GTE: exp.GT,
}


def _ordered(kind: type[exp.Expr], left: Sequence[exp.Expr], right: Sequence[exp.Expr]) -> exp.Expr:
    """`(a, b) < (c, d)` as `a < c OR (a = c AND b < d)`."""
    first, other = left[0], right[0]
    if len(left) == 1:
        return kind(this=first.copy(), expression=other.copy())
    before = _STRICTLY[kind](this=first.copy(), expression=other.copy())
    same = exp.EQ(this=first.copy(), expression=other.copy())
    rest = exp.And(this=same, expression=exp.Paren(this=_ordered(kind, left[1:], right[1:])))
    return exp.Or(this=before, expression=exp.Paren(this=rest))


def untyped_null(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A NULL that stands alone as an output column is text."""
    if isinstance(node, exp.Null) and isinstance(node.parent, exp.DPipe):
        return cast(node.copy(), "VARCHAR")
    top = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
    if (
        isinstance(node, exp.Null)
        and isinstance(top, exp.Select)
        and not isinstance(top.parent, exp.SetOperation)
    ):
        holder = node if node.parent is top else node.parent
        if holder is not None and holder.arg_key == "expressions" and not isinstance(top.parent, exp.Insert):
            return cast(node.copy(), "VARCHAR")
    return node


def escape_string(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`E'…'`, whose escapes are resolved by now, is a plain string; a bit string has no counterpart."""
    if isinstance(node, exp.ByteString):
        return string(str(node.this))
    if isinstance(node, (exp.BitString, exp.HexString)):
        base = 2 if isinstance(node, exp.BitString) else 16
        digits = str(node.this)
        bits = digits if base == 2 else "".join(f"{int(digit, 16):04b}" for digit in digits)
        if not bits or set(bits) - {"0", "1"}:
            raise FeatureNotSupported("empty bit strings are not supported", hint="Use bytea or an integer.")
        return cast(string(bits), "BIT")
    return node


def renamed(node: exp.Expr, names: dict[str, str]) -> exp.Expr:
    """The same call under the engine's name, where it is in the table."""
    name = names.get(function_name(node))
    return call(name, *node.expressions) if name else node


def with_ties(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """FETCH FIRST n ROWS WITH TIES: the rows whose rank is not above n."""
    fetch = node.args.get("limit")
    if not isinstance(node, exp.Select) or not isinstance(fetch, exp.Fetch):
        return node
    options = fetch.args.get("limit_options")
    if options is None or not options.args.get("with_ties"):
        return node
    order = node.args.get("order")
    if order is None or node.args.get("distinct") or node.args.get("offset") or node.args.get("qualify"):
        raise FeatureNotSupported("this form of FETCH ... WITH TIES is not supported")
    keys = []
    for item in order.expressions:
        key = item.copy()
        key.set("this", _sorted_by(item.this, node).copy())
        keys.append(key)
    rank = exp.Window(this=exp.Rank(), order=exp.Order(expressions=keys))
    count = fetch.args.get("count") or exp.Literal.number(1)
    node.set("qualify", exp.Qualify(this=exp.LTE(this=rank, expression=count.copy())))
    node.set("limit", None)
    return node


def _sorted_by(key: exp.Expr, select: exp.Select) -> exp.Expr:
    """The expression behind an output's number or name in ORDER BY."""
    place = constant_integer(key)
    found = key
    if place is not None:
        found = select.expressions[place - 1].unalias()
    elif isinstance(key, exp.Column) and not key.table:
        found = next((item.this for item in select.expressions if item.alias == key.name), key)
    return found


_MISSING = frozenset(
    ["array_dims", "array_fill", "array_positions", "array_replace", "trim_array", "width_bucket", "scale",
     "min_scale", "trim_scale", "sind", "cosd", "tand", "get_byte", "set_byte", "convert_from", "convert_to",
     "timeofday", "regexp_substr", "regexp_like", "regexp_count", "regexp_instr", "parse_ident", "num_nulls",
     "num_nonnulls", "unistr", "normalize", "jsonb_path_exists", "sha224", "sha384", "sha512", "justify_days",
     "justify_hours", "justify_interval"]
)  # fmt: skip
"""Functions of PostgreSQL that the engine lacks, or answers in its own words."""


def missing_call(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A function that PostgreSQL has and the engine has not is not supported, rather than unknown."""
    name = function_name(node) or str(node.meta.get(NAME_KEY, "")).lower()
    if name in _MISSING:
        raise FeatureNotSupported(f"{name}() is not supported", hint="Write it with other functions.")
    return node


def row_is_null(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A row is null if all its parts are, and not null if none is."""
    if not isinstance(node, exp.Is) or not isinstance(node.expression, exp.Null):
        return node
    row = node.this.unnest()
    fields = row.expressions if is_row(row) else _fields_of_relation(row, types)
    if not fields:
        return node
    parts: list[exp.Expr] = [exp.Is(this=part, expression=exp.Null()) for part in fields]
    if node.args.get("negate"):
        parts = [exp.Not(this=part) for part in parts]
    return exp.Paren(this=exp.and_(*parts, copy=False))


def _fields_of_relation(row: exp.Expr, types: KnownTypes) -> list[exp.Expr]:
    """The columns of the relation whose name stands for its row; none of any other expression."""
    if not isinstance(row, exp.Column) or types.of(row) != "record":
        return []
    names = [exp.to_identifier(name, quoted=True) for name, _ in types.row_of(row.name, row) or ()]
    return [exp.Column(this=name, table=exp.to_identifier(row.name, quoted=True)) for name in names]


def null_concatenation(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A text joined with NULL is a NULL of text, also where it is the whole output."""
    if not isinstance(node, exp.DPipe):
        return node
    sides = [side.this if isinstance(side, exp.Cast) else side for side in (node.this, node.expression)]
    has_null = any(isinstance(side, exp.Null) for side in sides)
    is_text = any(isinstance(side, exp.Literal) and side.is_string for side in sides)
    return cast(exp.Null(), "VARCHAR") if has_null and is_text else node

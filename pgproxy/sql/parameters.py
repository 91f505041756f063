"""What type each `$n` has.

Declared, or inferred from where it stands; and the casts that fix it on the engine.

PostgreSQL docs, "PREPARE" and "Function Type Resolution": an undeclared parameter takes its type from the
context in
which it is first used, and is text where that says nothing.
"""

from collections.abc import Mapping

from sqlglot import exp

from pgproxy.catalog.snapshot import SystemRelation
from pgproxy.catalog.types import column_type
from pgproxy.sql.bindings import catalog_type_name
from pgproxy.sql.dialect.build import put
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.draft import Draft
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import Oid, engine_type_of, postgres_type_of, type_by_name, type_by_oid

MAX_PARAMETERS = 65_535
_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In,
    exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.If, exp.Case,
)  # fmt: skip
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod)
_TEXT_OPERANDS = (
    exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.SimilarTo, exp.DPipe, exp.Lower, exp.Upper,
    exp.Concat,
    exp.Trim, exp.Length, exp.Substring, exp.StartsWith, exp.StrPosition, exp.Replace, exp.SplitPart,
    exp.Escape,
)  # fmt: skip
_AGGREGATE_OIDS: dict[type[exp.Expr], Oid] = {
    exp.Count: Oid.INT8,
    exp.Avg: Oid.NUMERIC,
    exp.Length: Oid.INT4,
    exp.StrPosition: Oid.INT4,
}


def count_parameters(tree: exp.Expr) -> int:
    """The highest `$n` of the statement.

    Raises:
        StatementError: 42P02 for `$0` and numbers that no protocol message can carry.
    """
    numbers = [int(parameter.name) for parameter in tree.find_all(exp.Parameter)]
    if any(not 1 <= number <= MAX_PARAMETERS for number in numbers):
        raise StatementError("there is no parameter of that number", sqlstate=SqlState.UNDEFINED_PARAMETER)
    return max(numbers, default=0)


def infer_parameters(draft: Draft) -> tuple[int, ...]:
    """One OID per parameter.

    Raises:
        StatementError: 42P18 where a number is not used and not declared.
    """
    count = max(count_parameters(draft.tree), len(draft.parameter_oids))
    if not count:
        return ()
    declared = (*draft.parameter_oids, *([0] * (count - len(draft.parameter_oids))))
    columns = _column_oids(draft)
    inferred: dict[int, int] = {}
    for parameter in draft.tree.find_all(exp.Parameter):
        number = int(parameter.name)
        inferred[number] = inferred.get(number) or _from_context(parameter, columns, draft) or 0
    oids = []
    for number, oid in enumerate(declared, start=1):
        if not oid and number not in inferred:
            raise StatementError(
                f"could not determine data type of parameter ${number}",
                sqlstate=SqlState.INDETERMINATE_DATATYPE,
            )
        oids.append(oid or inferred.get(number) or int(Oid.TEXT))
    return tuple(oids)


def cast_parameters(tree: exp.Expr, oids: tuple[int, ...]) -> None:
    """Wrap each `$n` in a cast to the engine's type of its OID."""
    types = {oid: exp.DataType.build(engine_type_of(oid), dialect="duckdb") for oid in set(oids)}
    for parameter in list(tree.find_all(exp.Parameter)) if oids else ():
        parent, key, index = parameter.parent, parameter.arg_key, parameter.index
        cast = exp.Cast(this=parameter, to=types[oids[int(parameter.name) - 1]].copy())
        if parent is not None and key is not None:
            put(parent, key, index, cast)


def type_oid(to: exp.DataType) -> int | None:
    """The OID of a type as written in a cast; None where it is unknown."""
    named = catalog_type_name(to)
    if named is not None:
        known = type_by_name(named)
        return known.oid if known is not None else None
    element = catalog_type_name(to.expressions[0]) if len(to.expressions) == 1 else None
    if element is not None and to.this is exp.DType.ARRAY:
        known = type_by_name(element)
        return known.array_oid if known is not None and known.array_oid else None
    text = to.sql(dialect="duckdb")
    oid = postgres_type_of(text)[0]
    if to.this is exp.DataType.Type.JSONB:
        return int(Oid.JSONB)
    return oid


def _column_oids(draft: Draft) -> Mapping[str, int]:
    """Column types by name, and by `alias.name`; a name with two types is left out."""
    found: dict[str, int] = {}
    clashing: set[str] = set()
    for use in draft.uses:
        if use.info is None:
            continue
        for column in use.info.columns:
            pg_type = type_by_name(column.pg_type) if column.pg_type is not None else None
            oid = pg_type.oid if pg_type is not None else column_type(column).oid
            name = column.name.lower()
            found[f"{use.alias.lower()}.{name}"] = oid
            if found.setdefault(name, oid) != oid:
                clashing.add(name)
            if isinstance(use.info, SystemRelation):
                continue
    return {name: oid for name, oid in found.items() if name not in clashing}


def _from_context(  # noqa: C901 - one arm per place
    parameter: exp.Expr, columns: Mapping[str, int], draft: Draft
) -> int | None:
    node, parent = parameter, parameter.parent
    while isinstance(parent, (exp.Paren, exp.Neg)) or (
        isinstance(parent, exp.Tuple) and isinstance(parent.parent, exp.In)
    ):
        node, parent = parent, parent.parent
    match parent:
        case exp.Cast():
            held = draft.context.catalog.system_types.get(catalog_type_name(parent.to) or "")
            return int(Oid.TEXT) if held is not None and held.input is not None else type_oid(parent.to)
        case exp.Limit() | exp.Offset() | exp.Fetch():
            return int(Oid.INT8)
        case exp.GenerateSeries() | exp.ExplodingGenerateSeries():
            return _sibling_oid(parent, node, columns) or int(Oid.INT4)
        case exp.Any():
            return _array_of(_operand_oid(_other(parent.parent, parent), columns))
        case exp.Subquery() | exp.Select() | exp.Alias() | None:
            return _insert_column(node, draft)
        case exp.Tuple():
            return _insert_column(node, draft)
        case _ if isinstance(parent, _TEXT_OPERANDS):
            return int(Oid.TEXT)
        case _ if isinstance(parent, _COMPARISONS):
            return _sibling_oid(parent, node, columns)
        case _ if isinstance(parent, _ARITHMETIC):
            return _arithmetic_oid(parent, node, columns)
        case exp.And() | exp.Or() | exp.Not() | exp.Where() | exp.Having():
            return int(Oid.BOOL)
        case _:
            return None


def _other(parent: exp.Expr | None, node: exp.Expr) -> exp.Expr | None:
    if parent is None:
        return None
    other: exp.Expr | None = parent.expression if parent.this is node else parent.this
    return other


def _sibling_oid(parent: exp.Expr, node: exp.Expr, columns: Mapping[str, int]) -> int | None:
    for sibling in parent.iter_expressions():
        if sibling is not node:
            candidates = sibling.expressions if isinstance(sibling, exp.Tuple) else [sibling]
            for candidate in candidates:
                oid = _operand_oid(candidate, columns)
                if oid is not None:
                    return oid
    return None


def _arithmetic_oid(parent: exp.Expr, node: exp.Expr, columns: Mapping[str, int]) -> int | None:
    oid = _operand_oid(_other(parent, node), columns)
    if oid in (Oid.DATE, Oid.TIMESTAMP, Oid.TIMESTAMPTZ):
        # `timestamp - $1` is an interval in PostgreSQL, `date - $1` a date.
        if oid == Oid.DATE:
            return int(Oid.DATE if isinstance(parent, exp.Sub) else Oid.INT4)
        return int(Oid.INTERVAL)
    return oid


def _operand_oid(  # noqa: C901, PLR0912 - one arm per kind of operand
    node: exp.Expr | None, columns: Mapping[str, int]
) -> int | None:
    match node:
        case exp.Column():
            qualified = f"{node.table.lower()}.{node.name.lower()}" if node.table else node.name.lower()
            return columns.get(qualified) or columns.get(node.name.lower()) or _computed_oid(node)
        case exp.Cast():
            return type_oid(node.to)
        case exp.Literal() if not node.is_string:
            text = str(node.this)
            if text.isdigit():
                return int(Oid.INT4 if int(text) < 2**31 else Oid.INT8)
            return int(Oid.NUMERIC)
        case exp.Boolean():
            return int(Oid.BOOL)
        case exp.Paren() | exp.Neg() | exp.Sum() | exp.Min() | exp.Max():
            return _operand_oid(node.this, columns)
        case exp.Extract():
            return int(Oid.NUMERIC)
        case exp.CurrentDate():
            return int(Oid.DATE)
        case exp.CurrentTimestamp():
            return int(Oid.TIMESTAMPTZ)
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div():
            return _operand_oid(node.this, columns) or _operand_oid(node.expression, columns)
        case None:
            return None
        case _ if type(node) in _AGGREGATE_OIDS:
            return int(_AGGREGATE_OIDS[type(node)])
        case _:
            return int(Oid.TEXT) if isinstance(node, _TEXT_OPERANDS) else None


def _computed_oid(column: exp.Column) -> int | None:
    """The type of a column that no relation has: of a derived table, of a function in FROM."""
    found = type_by_name(KnownTypes(None).of(column) or "")
    return found.oid if found is not None else None


def _array_of(oid: int | None) -> int | None:
    element = type_by_oid(oid) if oid is not None else None
    return element.array_oid if element is not None and element.array_oid else None


def _insert_column(node: exp.Expr, draft: Draft) -> int | None:
    """The target column at the place where the value stands in VALUES or in the select list of INSERT."""
    if not isinstance(draft.tree, exp.Insert) or not draft.uses:
        return None
    item = node.parent if isinstance(node.parent, exp.Alias) else node
    row = item.parent
    is_values = isinstance(row, exp.Tuple) and isinstance(row.parent, exp.Values)
    if row is None or not (is_values or row is draft.tree.expression):
        return None
    index = next((place for place, value in enumerate(row.expressions) if value is item), None)
    target = draft.uses[0].info
    if index is None or target is None:
        return None
    schema = draft.tree.this
    names = [part.name.lower() for part in schema.expressions] if isinstance(schema, exp.Schema) else None
    columns = {column.name.lower(): column for column in target.columns}
    ordered = names if names is not None else list(columns)
    column = columns.get(ordered[index]) if index < len(ordered) else None
    return column_type(column).oid if column is not None else None

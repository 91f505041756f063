"""What a result looks like to the client where the engine's types do not tell: type OIDs and text forms."""

from sqlglot import exp

from pgproxy.sql.dialect.build import call, case, cast, constant_text, function_name
from pgproxy.sql.dialect.documents import with_blanks
from pgproxy.sql.dialect.type_names import NUMBER_ORDER, sql_name
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import Oid, decode_typmod, type_by_name

RESULT_OIDS_KEY = "pgproxy_result_oids"
"""Where a query's `meta` holds the type OID of each output column, None where the engine's type is right."""

MADE_TYPES_KEY = "pgproxy_made_types"
_LENGTH_HEADER = 4
"""What the modifier of a varchar counts besides its length."""
RESULT_TYPMODS_KEY = "pgproxy_result_typmods"
"""The same for type modifiers."""

_NUMERIC_ARRAY = 1231
_DECLARED = {
    "varchar": Oid.VARCHAR,
    "bit": Oid.BIT,
    "varbit": 1562,
    "bpchar": Oid.BPCHAR,
    "name": Oid.NAME,
    "regtype": Oid.REGTYPE,
    "jsonb": Oid.JSONB,
    "json": Oid.JSON,
    "varchar[]": 1015,
    "bpchar[]": 1014,
    "jsonb[]": 3807,
    "name[]": 1003,
    "record": Oid.RECORD,
    "void": Oid.VOID,
    "record[]": 2287,
}


def output_types(root: exp.Expr, types: KnownTypes) -> tuple[str | None, ...] | None:
    """PostgreSQL's types of a query's outputs; None where a star hides their number."""
    if isinstance(root, exp.SetOperation):
        left, right = output_types(root.this, types), output_types(root.expression, types)
        if left is None or right is None or len(left) != len(right):
            return None
        return tuple(_common(one, other) for one, other in zip(left, right, strict=True))
    if isinstance(root, exp.Subquery):
        return output_types(root.this, types)
    if isinstance(root, exp.Values):
        return tuple(kind for _, kind in types.row_columns(root))
    returning = returned(root)
    if returning is not None:
        has_star = any(item.is_star for item in returning.expressions)
        return None if has_star else tuple(types.of(item) for item in returning.expressions)
    if not isinstance(root, exp.Select):
        return None
    found: list[str | None] = []
    for item in root.expressions:
        if item.is_star and not isinstance(item, (exp.Alias, exp.Count)):
            columns = _star_types(item, root, types)
            if columns is None:
                return None
            found += columns
        else:
            found.append(types.of(item))
    return tuple(found)


def made_types(
    kinds: tuple[str | None, ...] | None, lengths: tuple[int, ...] | None
) -> tuple[str | None, ...] | None:
    """Of the columns of CREATE TABLE AS: the types that are kept beside the engine's. None: no such type.

    char(n) is not: a computed one has its blanks, a stored one has none.
    """
    if kinds is None or lengths is None or len(kinds) != len(lengths):
        return None
    sized = ("varchar" if length < 0 else f"varchar({length - _LENGTH_HEADER})" for length in lengths)
    kept = tuple(
        {"varchar": name, "jsonb": "jsonb"}.get(kind or "") for kind, name in zip(kinds, sized, strict=True)
    )
    return kept if any(kept) else None


def returned(root: exp.Expr) -> exp.Returning | None:
    """What a statement that writes gives back."""
    held = root.args.get("returning") if isinstance(root, (exp.Insert, exp.Update, exp.Delete)) else None
    return held if isinstance(held, exp.Returning) else None


def _common(one: str | None, other: str | None) -> str | None:
    if one in NUMBER_ORDER and other in NUMBER_ORDER:
        return max(one, other, key=NUMBER_ORDER.index)
    return one if one == other else None


def _star_types(star: exp.Expr, select: exp.Select, types: KnownTypes) -> list[str | None] | None:
    """The columns of a star over one function or derived table."""
    if select.args.get("joins") or not isinstance(star, exp.Star) or any(star.args.values()):
        return None
    source = select.args["from_"].this if select.args.get("from_") else None
    if isinstance(source, exp.Subquery):
        inner = output_types(source.this, types)
        return list(inner) if inner is not None else None
    if source is None or (isinstance(source, exp.Table) and not isinstance(source.this, exp.Func)):
        return None
    columns: list[str | None] = [kind for _, kind in types.row_columns(source)]
    has_number = source.args.get("ordinality") or source.args.get("offset")
    return [*columns, "int8"] if has_number and columns else columns or None


def result_oids(
    kinds: tuple[str | None, ...] | None, written: frozenset[int] = frozenset()
) -> tuple[int | None, ...] | None:
    """OIDs to declare; None where the engine's types say it all. written: numerics that leave as text."""
    if kinds is None:
        return None
    oids = tuple(_declared(kind or "", at in written) for at, kind in enumerate(kinds))
    return oids if any(oid is not None for oid in oids) else None


def _declared(kind: str, is_written: bool) -> int | None:
    if is_written:
        return _NUMERIC_ARRAY if kind == "numeric[]" else int(Oid.NUMERIC)
    oid = _DECLARED.get(kind)
    return None if oid is None else int(oid)


def declared_typmods(tree: exp.Expr) -> tuple[int, ...] | None:
    """The type modifiers to show of a translated statement's outputs."""
    held: tuple[int, ...] | None = tree.meta.get(RESULT_TYPMODS_KEY)
    return held


def declared_oids(first: tuple[int | None, ...] | None, tree: exp.Expr) -> tuple[int | None, ...] | None:
    """The OIDs to declare of a translated statement; first: what the catalog knows, which goes before."""
    held: tuple[int | None, ...] | None = tree.meta.get(RESULT_OIDS_KEY)
    if first is None or held is None or len(first) != len(held):
        return first if first is not None else held
    return tuple(one if one is not None else other for one, other in zip(first, held, strict=True))


def name_of_type(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """pg_typeof() is known before the run, or not supported."""
    if function_name(node) != "pg_typeof" or len(node.expressions) != 1:
        return node
    operand = node.expressions[0]
    is_unknown = isinstance(operand, exp.Null) or constant_text(operand) is not None
    kind = "unknown" if is_unknown else types.of(operand)
    if kind is None or (kind == "record" and isinstance(operand, exp.Column)):
        raise FeatureNotSupported("pg_typeof() of this expression is not supported")
    name = cast(exp.Literal.string(sql_name(kind)), "VARCHAR")
    if _is_compared(node) and (known := type_by_name(kind)) is not None:
        name = cast(exp.Literal.number(known.oid), "BIGINT")
    if not any(_is_own_aggregate(found, operand) for found in operand.find_all(exp.AggFunc)):
        return name
    # The aggregate makes one row of many; without it the query would not.
    is_any = exp.GTE(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(0))
    return case((is_any, name))


def _is_compared(node: exp.Expr) -> bool:
    """Whether the type counts by its OID: compared with others or with a constant, or cast to a number."""
    holder = node.parent
    while isinstance(holder, exp.Paren):
        holder = holder.parent
    if isinstance(holder, exp.Cast):
        return holder.to.this in exp.DataType.INTEGER_TYPES
    if not isinstance(holder, (exp.EQ, exp.NEQ, exp.In)):
        return False
    for other in (holder.args.get("expression"), holder.this, *holder.expressions):
        text = constant_text(other)
        known = type_by_name(text.strip().lower()) if text is not None else None
        if text is not None and known is None:
            raise StatementError("type does not exist", sqlstate=SqlState.UNDEFINED_OBJECT)
        if known is not None and other is not None:
            other.replace(cast(exp.Literal.number(known.oid), "BIGINT"))
    return True


def _is_own_aggregate(aggregate: exp.Expr, operand: exp.Expr) -> bool:
    """Whether it aggregates the query of the operand, not a query inside it and not a window."""
    node: exp.Expr | None = aggregate
    while node is not None and node is not operand.parent:
        if isinstance(node, (exp.Subquery, exp.Window)):
            return False
        node = node.parent
    return True


def output_lengths(kinds: tuple[str | None, ...] | None, shown: tuple[int, ...] | None) -> list[int | None]:
    """The length of each output that is a char(n). shown: the outputs' type modifiers."""
    if kinds is None or shown is None or len(kinds) != len(shown):
        return []
    sizes = [
        decode_typmod(Oid.BPCHAR, typmod) if kind == "bpchar" else ()
        for kind, typmod in zip(kinds, shown, strict=True)
    ]
    return [size[0] if size else None for size in sizes]


def show_outputs(root: exp.Expr, kinds: tuple[str | None, ...] | None, lengths: list[int | None]) -> None:
    """Write the outputs of a query as PostgreSQL shows them, in place: jsonb with blanks, char(n) padded."""
    if isinstance(root, exp.SetOperation):
        for side in (root.this, root.expression):
            show_outputs(side, kinds, lengths)
    elif isinstance(root, exp.Subquery):
        show_outputs(root.this, kinds, lengths)
    elif kinds is not None and isinstance(listed := returned(root) or root, (exp.Select, exp.Returning)):
        _show_list(listed, kinds, lengths)


def _show_list(
    root: exp.Select | exp.Returning, kinds: tuple[str | None, ...], lengths: list[int | None]
) -> None:
    is_star = len(root.expressions) == 1 and isinstance(root.expressions[0], exp.Star)
    if isinstance(root, exp.Select) and is_star and "jsonb" in kinds:
        _expand_star(root)
    if len(kinds) != len(root.expressions):
        return
    for at, item in enumerate(list(root.expressions)):
        shown = _shown(item.unalias(), kinds[at], lengths[at] if at < len(lengths) else None)
        if shown is None:
            continue
        if isinstance(item, exp.Alias):
            item.set("this", shown)
        else:
            name = item.alias_or_name if isinstance(item, exp.Column) else f"column{at + 1}"
            alias = exp.to_identifier(name, quoted=True)
            root.set("expressions", exp.Alias(this=shown, alias=alias), at)


def _expand_star(root: exp.Select) -> None:
    """The columns of the one derived table that a star stands for, in place."""
    source = root.args["from_"].this
    query = source.this if isinstance(source, exp.Subquery) else None
    if isinstance(query, exp.Select) and not any(item.is_star for item in query.expressions):
        names = [item.alias_or_name for item in query.expressions]
        root.set("expressions", [exp.column(exp.to_identifier(name, quoted=True)) for name in names])


def _shown(value: exp.Expr, kind: str | None, length: int | None) -> exp.Expr | None:
    if kind == "jsonb" and not isinstance(value, exp.Star):
        return with_blanks(value.copy())
    if length is not None:
        return call(
            "rpad", cast(value.copy(), "VARCHAR"), exp.Literal.number(length), exp.Literal.string(" ")
        )
    return None

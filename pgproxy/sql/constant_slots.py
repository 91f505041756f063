"""Which constants of a statement decide nothing in its plan: others of their kind may stand in their place.

An allow-list of positions, each with the rules that look there:

* a constant beside a plain column in a comparison, BETWEEN or IN, in a WHERE or ON of a query. `checks` and
  `constants` read a string beside numbers, moments, documents, arrays and what is of no known type; beside a
  column of text nothing does. Of an integer they ask the type, and `leakproof_predicates` whether it has more
  than 18 digits: the statement's shape tells int4 from int8, and longer ones are no part of it;
* in a statement that reads the catalog only, the same beside its columns of type name and oid. Rules look at
  names in constants, but only in casts and in arguments of functions; pg_settings is looked at by name;
* a constant that INSERT or UPDATE stores as it is, or adds to a column, under the same types.

All else is a part of what the plan is kept under: patterns, LIMIT, positions in ORDER BY, intervals and
dates, arguments of functions, outputs, which name and type the result.
"""

from collections.abc import Iterator, Mapping

from sqlglot import exp

from pgproxy.catalog.snapshot import SystemRelation, TableInfo
from pgproxy.sql.catalog_types import SystemColumns
from pgproxy.sql.dialect.type_names import FLOATS, INTEGERS, type_of_engine_type
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.draft import Draft
from pgproxy.sql.plan import StatementKind

_KINDS = frozenset({StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE})
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_TEXTS = frozenset({"text", "varchar", "name"})
_NUMBERS = frozenset({*INTEGERS, *FLOATS, "numeric", "oid"})
_SAFE_DIGITS = 18
_FILTERED = (exp.Select, exp.Update, exp.Delete)


def constant_slots(draft: Draft, known: KnownTypes) -> tuple[int, ...]:
    """Find them in a resolved tree, which is still what the client wrote.

    known: `translation.known_types` of it, which learns what is asked here.

    None in a statement that reads a temporary table, or the catalog and tables, nor in DuckDB's own grammar.
    """
    if draft.kind not in _KINDS or draft.dialect != "postgres" or draft.parameter_oids:
        return ()
    types = _column_types(draft, known)
    if types is None:
        return ()
    stored = dict(_stored_constants(draft))
    found: set[int] = set()
    refused: set[int] = set()
    with types.steady():
        for literal in draft.tree.find_all(exp.Literal):
            start, is_stored = literal.meta.get("start"), id(literal) in stored
            if start is None:
                continue
            if _fits(literal, stored[id(literal)] if is_stored else _compared_with(literal, types)):
                found.add(start)
            else:
                refused.add(start)  # also where it was copied from a place that is on the list
    return tuple(sorted(found - refused))


def _column_types(draft: Draft, known: KnownTypes) -> KnownTypes | None:
    """The types of the columns that constants may stand beside; None: none may."""
    if all(isinstance(use.info, TableInfo) and not use.is_temporary for use in draft.uses):
        return known
    if all(isinstance(use.info, SystemRelation) and not use.info.session_rows for use in draft.uses):
        return KnownTypes(SystemColumns(draft), type_name=str)
    return None


def _fits(literal: exp.Expr, kind: str | None) -> bool:
    """Whether every constant like this one is handled alike beside, or in, a column of this type."""
    return kind in (_TEXTS if literal.is_string else _NUMBERS)


def _compared_with(literal: exp.Expr, types: KnownTypes) -> str | None:
    """The type of the column that the constant is compared with in a condition on rows."""
    value = _signed(literal)
    comparison = value.parent
    if isinstance(comparison, _COMPARISONS):
        column = comparison.expression if value is comparison.this else comparison.this
    elif isinstance(comparison, (exp.Between, exp.In)) and value is not comparison.this:
        column = comparison.this
    else:
        return None
    is_plain = isinstance(column, exp.Column) and isinstance(column.this, exp.Identifier)
    return types.of(column) if is_plain and _is_condition(comparison) else None


def _signed(literal: exp.Expr) -> exp.Expr:
    """The constant with its sign."""
    parent = literal.parent
    return parent if isinstance(parent, exp.Neg) and not literal.is_string else literal


def _is_condition(node: exp.Expr) -> bool:
    """Whether a predicate is a part of a WHERE or ON, joined by AND, OR and NOT only."""
    child, parent = node, node.parent
    while isinstance(parent, (exp.And, exp.Or, exp.Not, exp.Paren)):
        child, parent = parent, parent.parent
    if isinstance(parent, exp.Join):
        return child.arg_key == "on"
    return (
        isinstance(parent, exp.Where) and parent.arg_key == "where" and isinstance(parent.parent, _FILTERED)
    )


def _stored_constants(draft: Draft) -> Iterator[tuple[int, str | None]]:
    """The id of each constant that the statement stores, and the type of its column."""
    tree, info = draft.tree, draft.uses[0].info if draft.uses else None
    if not isinstance(info, TableInfo) or not isinstance(tree, (exp.Insert, exp.Update)):
        return
    kinds = {column.name.lower(): type_of_engine_type(column.engine_type) for column in info.columns}
    cells = _assigned(tree, kinds) if isinstance(tree, exp.Update) else _inserted(tree, kinds)
    for value, kind in cells:
        literal = value.this if isinstance(value, exp.Neg) else value
        if isinstance(literal, exp.Literal):
            yield id(literal), kind


def _assigned(tree: exp.Update, kinds: Mapping[str, str | None]) -> Iterator[tuple[exp.Expr, str | None]]:
    """The values of SET; of `n = n + 1`, for an integer, what is added."""
    for item in tree.expressions:
        if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
            continue
        name, value = item.this.name.lower(), item.expression
        kind = kinds.get(name)
        if isinstance(value, (exp.Add, exp.Sub)) and kind in INTEGERS:
            is_own = isinstance(value.this, exp.Column) and value.this.name.lower() == name
            value = value.expression if is_own else value
        yield value, kind


def _inserted(tree: exp.Insert, kinds: Mapping[str, str | None]) -> Iterator[tuple[exp.Expr, str | None]]:
    """The cells of VALUES. Of several rows only in columns of constants: `common_scales` counts digits.

    It does so for numbers with a fraction beside those without; integers of 18 digits have room in any case.
    """
    if not isinstance(tree.expression, exp.Values) or tree.args.get("by_name"):
        return
    rows = tree.expression.expressions
    if not all(isinstance(row, exp.Tuple) for row in rows):
        return
    named = tree.this.expressions if isinstance(tree.this, exp.Schema) else ()
    columns = [kinds.get(column.name.lower()) for column in named] or list(kinds.values())
    for kind, *cells in zip(columns, *(row.expressions for row in rows), strict=False):
        if len(cells) == 1 or all(map(_is_whole, cells)):
            yield from ((cell, kind) for cell in cells)


def _is_whole(cell: exp.Expr) -> bool:
    """A string, NULL or an integer of so few digits that it has room in any type."""
    value = cell.this if isinstance(cell, exp.Neg) else cell
    is_number = isinstance(value, exp.Literal) and not value.is_string
    if is_number:
        return value.name.isdigit() and len(value.name) <= _SAFE_DIGITS
    return isinstance(value, (exp.Literal, exp.Null))

"""What is known of the types in a source tree, in PostgreSQL's names: `int4`, `int4[]`; None: unknown.

Small on purpose: it serves the rules of this package, which must be right where a type is unknown.
PostgreSQL docs, "Functions and Operators" and "Type Conversion".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol

from sqlglot import exp

from pgproxy.sql.dialect.call_types import call_type
from pgproxy.sql.dialect.function_types import RESULTS, ROW_COLUMNS
from pgproxy.sql.dialect.names import column_name
from pgproxy.sql.dialect.scopes import cte_of, enclosing_queries, sources, typing_query
from pgproxy.sql.dialect.type_names import (
    INTEGERS,
    NUMBER_ORDER,
    TEXTS,
    type_of_data_type,
    type_of_engine_type,
)
from pgproxy.sql.dialect.type_rules import (
    are_texts,
    arithmetic_type,
    field_of_row,
    is_row,
    is_unknown,
    literal_type,
    negated_type,
)
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

DOCUMENT_CALLS = frozenset(
    ["row_to_json", "to_json", "to_jsonb", "json_build_array", "jsonb_build_array", "json_build_object",
     "jsonb_build_object", "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg"]
)  # fmt: skip
"""What writes its arguments as json."""


class TypeSource(Protocol):
    """Tells the columns of a base relation."""

    def column_types(self, table: exp.Table) -> Mapping[str, str] | None:
        """Give DuckDB's type of each column by lower-case name; None where the relation is unknown."""
        ...

    def readable_columns(self, table: exp.Table) -> Sequence[str] | None:
        """The columns that a star stands for, in order; None where the relation is unknown."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric in the engine. shown: how many digits PostgreSQL shows behind the point, a number or SQL."""

    precision: int
    scale: int
    shown: int | exp.Expr


_BITS = ("bit", "varbit")
_BITWISE = (
    exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot, exp.BitwiseLeftShift,
    exp.BitwiseRightShift,
)  # fmt: skip
_TYPED = (
    exp.Column, exp.Cast, exp.Literal, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Pow, exp.Predicate,
    exp.Connector, exp.Not, exp.Boolean, exp.Escape, exp.Case, exp.DPipe, exp.Subquery, exp.Array,
    exp.Interval, exp.Paren, exp.Neg, exp.Filter, exp.Window, exp.Collate, exp.Alias, exp.Distinct,
    exp.Order, exp.Bracket, exp.Dot, exp.Func, exp.Tuple, exp.AtTimeZone, exp.BitString, exp.HexString,
    *_BITWISE,
)  # fmt: skip
"""All that `KnownTypes` knows anything of. Most nodes of a tree are names and clauses, asked for nothing."""


@cache
def _may_be_typed(kind: type[exp.Expr]) -> bool:
    return issubclass(kind, _TYPED)


class _Read(NamedTuple):
    """What a query reads under a name, or all of it. columns: of the stored relations; others: all else."""

    query: exp.Expr
    relations: Sequence[exp.Expr]
    columns: Sequence[Mapping[str, str]]
    others: Sequence[exp.Expr]


class KnownTypes:
    """Types of nodes, found before rewriting; a node that replaces another takes its type over.

    type_name: gives PostgreSQL's name of what the source calls a type; DuckDB's names if not said.
    numbers: what is known of expressions that rules made, by id; asked: columns that are being looked up.
        Both serve `scales`.
    """

    def __init__(
        self, source: TypeSource | None, type_name: Callable[[str], str | None] | None = None
    ) -> None:
        self.source = source
        self._type_name = type_name or type_of_engine_type
        self._known: dict[int, tuple[exp.Expr, str | None]] = {}
        self._rows: dict[int, tuple[exp.Expr, list[tuple[str, str | None]] | None]] = {}
        self.numbers: dict[int, tuple[exp.Expr, Number]] = {}
        self._sources: dict[tuple[int, str], _Read] | None = None
        self._definitions: dict[int, exp.CTE | None] = {}
        self._stored: dict[int, tuple[exp.Expr, str]] = {}
        self.asked: set[int] = set()
        self.room = 0
        """How many nodes more the rules may give; `engine` says it."""

    def make_room(self, new: exp.Expr) -> None:
        """Refuse what has grown beyond any statement: a rule may write an operand twice, within another.

        Raises:
            StatementError: 54001.
        """
        for _ in new.dfs():
            self.room -= 1
            if self.room < 0:
                raise StatementError("stack depth limit exceeded", sqlstate=SqlState.STATEMENT_TOO_COMPLEX)

    def of(self, node: exp.Expr) -> str | None:
        """Give a node's type, or None."""
        found = self._known.get(id(node))
        if found is None:
            if not _may_be_typed(type(node)):  # type: ignore[arg-type]  # classes hash, whatever instances do
                return None
            # Set first: a column that (wrongly) refers to itself then ends here.
            self._known[id(node)] = (node, None)
            found = (node, self._infer(node))
            self._known[id(node)] = found
        return found[1]

    def learn(self, nodes: Sequence[exp.Expr]) -> None:
        """Find the types of all nodes of a tree."""
        with self.steady():
            for node in nodes:
                if _may_be_typed(type(node)):  # type: ignore[arg-type]  # as in `of`
                    self.of(node)

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Read each query's FROM once: nobody changes the tree meanwhile."""
        self._sources, self._definitions = {}, {}
        try:
            yield
        finally:
            self._sources = None

    def stored_type(self, column: exp.Column) -> str | None:
        """What the source calls the type of a relation's column, if that was seen in a steady tree."""
        held = self._stored.get(id(column))
        return held[1] if held is not None else None

    def _read_by(self, query: exp.Expr, alias: str) -> "_Read":
        """`scopes.sources`, which every column of a query asks."""
        if self._sources is None:
            return self._read(query, sources(query, alias))
        key = (id(query), alias)
        held = self._sources.get(key)
        if held is None:
            held = self._sources[key] = self._read(query, sources(query, alias))
        return held

    def _read(self, query: exp.Expr, relations: list[exp.Expr]) -> "_Read":
        """Tell the stored relations, whose columns are known by name, from the others."""
        columns: list[Mapping[str, str]] = []
        others: list[exp.Expr] = []
        for relation in relations:
            known = self._stored_columns(relation) if isinstance(relation, exp.Table) else None
            if known is None:
                others.append(relation)
            else:
                columns.append(known)
        return _Read(query, relations, columns, others)

    def _stored_columns(self, table: exp.Table) -> Mapping[str, str] | None:
        if self.source is None or self._definition(table) is not None or isinstance(table.this, exp.Func):
            return None
        return self.source.column_types(table)

    def _definition(self, table: exp.Table) -> exp.CTE | None:
        """`scopes.cte_of`, which every column of a query asks of each relation in its FROM."""
        if self._sources is None:
            return cte_of(table)
        if id(table) not in self._definitions:
            self._definitions[id(table)] = cte_of(table)
        return self._definitions[id(table)]

    def replace(self, old: exp.Expr, new: exp.Expr) -> None:
        """Let `new` have the type that `old` had in PostgreSQL."""
        self._known[id(new)] = (new, self.of(old))

    def know(self, node: exp.Expr, kind: str | None) -> None:
        """Let a node that a rule made have this type."""
        self._known[id(node)] = (node, kind)

    def star_items(self, select: exp.Select) -> list[exp.Expr] | None:
        """Give the items that `*` stands for where a query reads one CTE or derived table, else None."""
        held = sources(select, "")
        if len(held) != 1:
            return None
        source = held[0]
        definition = cte_of(source) if isinstance(source, exp.Table) else None
        query = typing_query(definition) if definition is not None else source
        while isinstance(query, (exp.Subquery, exp.SetOperation)):
            query = query.this
        is_known = isinstance(query, exp.Select) and not any(item.is_star for item in query.expressions)
        return list(query.expressions) if is_known else None

    def all_of(self, nodes: list[exp.Expr]) -> str | None:
        """Give the one type that these have together, by PostgreSQL's rules for numbers.

        Quoted constants and NULL take the type of the others.
        """
        kinds = {self.of(node) for node in nodes if not is_unknown(node)}
        if len(kinds) == 1:
            return kinds.pop()
        if kinds and all(kind in NUMBER_ORDER for kind in kinds):
            return max((str(kind) for kind in kinds), key=NUMBER_ORDER.index)
        return None

    def _infer(self, node: exp.Expr) -> str | None:
        return _inference_of(type(node))(self, node)  # type: ignore[arg-type]  # as in `of`

    def _row_or_call(self, node: exp.Expr) -> str | None:
        return "record" if is_row(node) else self._wrapped_or_call(node)

    def _bitwise(self, node: exp.Expr) -> str | None:
        left = self.of(node.this)
        is_one = isinstance(node, (exp.BitwiseNot, exp.BitwiseLeftShift, exp.BitwiseRightShift))
        kind = left if is_one else self.all_of([node.this, node.expression])
        return kind if kind in (*INTEGERS, "bit") else None

    def _at_time_zone(self, node: exp.Expr) -> str | None:
        return {"timestamp": "timestamptz", "timestamptz": "timestamp"}.get(self.of(node.this) or "")

    def _case(self, node: exp.Expr) -> str | None:
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        default = node.args.get("default")
        return self.all_of([*branches, *([default] if default is not None else [])])

    def _joined(self, node: exp.Expr) -> str | None:
        are_constants = are_texts([node.this, node.expression])
        return self._concatenation(self.of(node.this), self.of(node.expression), are_constants)

    def _collected(self, node: exp.Expr) -> str | None:
        inner = self.of(node.this)
        return f"{inner}[]" if inner else None

    def _array(self, node: exp.Expr) -> str | None:
        items = [one.expressions[0] if isinstance(one, exp.Select) else one for one in node.expressions]
        element = self.all_of(items) or ("text" if are_texts(items) else None)
        return f"{element}[]" if element else None

    def _extracted(self, node: exp.Expr) -> str | None:
        return "jsonb" if self.of(node.this) == "jsonb" else "json"

    def _concatenation(self, left: str | None, right: str | None, are_constants: bool) -> str | None:
        for kind in (left, right):
            if kind == "jsonb" or (kind and kind.endswith("[]")):
                return kind
        if left in _BITS and right in _BITS:
            return "varbit"
        return "text" if left in TEXTS or right in TEXTS or are_constants else None

    def _wrapped_or_call(self, node: exp.Expr) -> str | None:
        if isinstance(
            node,
            (exp.Paren, exp.Neg, exp.Filter, exp.Window, exp.Collate, exp.Alias, exp.Distinct, exp.Order),
        ):
            if isinstance(node, exp.Neg) and (kind := negated_type(node)) is not None:
                return kind
            inner = node.expressions[0] if isinstance(node, exp.Distinct) and node.expressions else node.this
            return self.of(inner) if isinstance(inner, exp.Expr) else None
        if isinstance(node, exp.Bracket):
            array = self.of(node.this)
            if array == "jsonb" or any(isinstance(index, exp.Slice) for index in node.expressions):
                return array
            return array.removesuffix("[]") if array and array.endswith("[]") else None
        if isinstance(node, exp.Dot) and (field := field_of_row(node)) is not None:
            return self.of(field)
        if isinstance(node, exp.Dot):
            return self.of(node.expression) if isinstance(node.expression, exp.Func) else None
        return call_type(node, self) if isinstance(node, exp.Func) else None

    def _arithmetic(self, node: exp.Expr) -> str | None:
        return arithmetic_type(node, self.of(node.this), self.of(node.expression))

    def _column(self, column: exp.Column) -> str | None:
        name = column.name if column.this.args.get("quoted") else column.name.lower()
        relation = column.table
        is_plain = self._sources is not None
        for query in enclosing_queries(column):
            _, _, columns, others = self._read_by(query, relation)
            stored = [held[name] for held in columns if name in held]
            is_plain = is_plain and not others
            if is_plain and len(stored) == 1:
                self._stored[id(column)] = (column, stored[0])
            found = {self._type_name(kind) for kind in stored}
            found.update(self._source_column(source, name) for source in others)
            found.discard(None)
            if found:
                return found.pop() if len(found) == 1 else None
            is_plain = is_plain and not stored
        return "record" if not column.table and self.row_of(name, column) is not None else None

    def row_of(self, relation: str, place: exp.Expr) -> list[tuple[str, str | None]] | None:
        """The columns of the relation of this name that is visible there; None where they are not known."""
        for query in enclosing_queries(place):
            held = self._read_by(query, relation).relations
            if held and id(held[0]) not in self._rows:  # asked before rules replace what gives the columns
                self._rows[id(held[0])] = (held[0], self._relation(held[0]) if len(held) == 1 else None)
            if held:
                return self._rows[id(held[0])][1]
        return None

    def _relation(self, source: exp.Expr) -> list[tuple[str, str | None]] | None:
        alias = source.args.get("alias")
        given = [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
        if isinstance(source, exp.Values):
            return self._row_source(source) if given else self.row_columns(source)
        definition = cte_of(source) if isinstance(source, exp.Table) else None
        if definition is not None:
            columns = self._outputs(typing_query(definition), definition.args.get("alias"))
        elif isinstance(source, exp.Subquery):
            columns = self._outputs(source.this, alias)
        elif isinstance(source, exp.Table) and self.source is not None and not given:
            kinds = self.source.column_types(source)
            names = self.source.readable_columns(source) if kinds else None
            return None if not kinds or not names else [(n, self._type_name(kinds[n.lower()])) for n in names]
        else:
            return None
        return columns if columns is not None and (definition is None or not given) else None

    def _outputs(self, query: exp.Expr, alias: exp.Expr | None) -> list[tuple[str, str | None]] | None:
        """The columns of a query in FROM, if each has a name of its own."""
        first = query
        while isinstance(first, (exp.Subquery, exp.SetOperation)):
            first = first.this
        if not isinstance(first, exp.Select) or any(item.is_star for item in first.expressions):
            held = sources(first, "") if isinstance(first, exp.Select) and len(first.expressions) == 1 else []
            return self._relation(held[0]) if len(held) == 1 and first is query else None
        given = [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
        names = [*given, *map(column_name, first.expressions[len(given) :])]
        kinds = [
            self._query_column(query, name, alias) or ("text" if is_unknown(item.unalias()) else None)
            for name, item in zip(names, first.expressions, strict=False)
        ]
        return list(zip(names, kinds, strict=True)) if len({*names}) == len(names) == len(kinds) else None

    def _source_column(self, source: exp.Expr, name: str) -> str | None:
        if isinstance(source, exp.Table):
            definition = self._definition(source)
            if definition is not None:
                return self._query_column(typing_query(definition), name, definition.args.get("alias"))
            if isinstance(source.this, exp.Func):
                return dict(self._row_source(source)).get(name)
            columns = self.source.column_types(source) if self.source is not None else None
            return self._type_name(columns[name]) if columns and name in columns else None
        if isinstance(source, exp.Subquery):
            return self._query_column(source.this, name, source.args.get("alias"))
        if isinstance(source, (exp.Values, exp.Unnest, exp.Lateral)):
            return dict(self._row_source(source)).get(name)
        return None

    def _row_source(self, source: exp.Expr) -> list[tuple[str, str | None]]:
        """The columns of VALUES and of a function in FROM, under the names that they have there."""
        alias = source.args.get("alias")
        given = [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
        columns = self.row_columns(source)
        own = alias.name.lower() if isinstance(alias, exp.TableAlias) and alias.this is not None else ""
        if len(columns) == 1 and own and not given and not isinstance(source, exp.Values):
            given = [own]
        return [(given[at] if at < len(given) else name, kind) for at, (name, kind) in enumerate(columns)]

    def row_columns(self, source: exp.Expr) -> list[tuple[str, str | None]]:
        """The columns of VALUES and of a function that gives rows, with their own names; none if unknown."""
        if isinstance(source, exp.Values):
            rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in source.expressions]
            columns = [list(cells) for cells in zip(*rows, strict=False)]
            kinds = [self.all_of(cells) or ("text" if are_texts(cells) else None) for cells in columns]
            return [(f"column{at + 1}", kind) for at, kind in enumerate(kinds)]
        inner = source.this if isinstance(source, (exp.Table, exp.Lateral)) else source
        if isinstance(inner, exp.Unnest):
            items = [(self.of(item) or "").removesuffix("[]") or None for item in inner.expressions]
            return [("unnest", kind) for kind in items]
        if isinstance(inner, (exp.GenerateSeries, exp.ExplodingGenerateSeries)):
            return [("generate_series", self.of(inner))]
        name = inner.name.lower() if isinstance(inner, exp.Anonymous) else ""
        if name in ROW_COLUMNS:
            return list(ROW_COLUMNS[name])
        return [(name, RESULTS.get(name))] if name in RESULTS else []

    def _query_column(self, query: exp.Expr, name: str, alias: exp.Expr | None) -> str | None:
        # The branches of a set operation may differ; then nothing is said.
        while isinstance(query, exp.Subquery):
            query = query.this
        if isinstance(query, exp.SetOperation):
            left = self._query_column(query.this, name, alias)
            return left if left == self._query_column(query.expression, name, alias) else None
        values = _only_values(query)
        if values is not None and isinstance(alias, exp.TableAlias) and alias.columns:
            given = [column.name.lower() for column in alias.columns]
            kinds = [kind for _, kind in self.row_columns(values)]
            return kinds[given.index(name)] if name in given[: len(kinds)] else None
        if not isinstance(query, exp.Select):
            return None
        renamed = (
            [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
        )
        for index, item in enumerate(query.expressions):
            own = renamed[index] if index < len(renamed) else column_name(item)
            if not item.is_star and own == name:
                return self.of(item)
        if any(item.is_star for item in query.expressions):
            found = {self._source_column(source, name) for source in sources(query, "")} - {None}
            return found.pop() if len(found) == 1 else None
        return None

    def _subquery(self, node: exp.Subquery) -> str | None:
        query = node.this
        return self.of(query.expressions[0]) if isinstance(query, exp.Select) and query.expressions else None


def _always(kind: str) -> Callable[[KnownTypes, exp.Expr], str | None]:
    return lambda types, node: kind


_INFERENCES: tuple[tuple[tuple[type[exp.Expr], ...], Callable[[KnownTypes, Any], str | None]], ...] = (
    ((exp.Column,), KnownTypes._column),
    ((exp.Cast,), lambda types, node: type_of_data_type(node.args["to"])),
    ((exp.Literal,), lambda types, node: literal_type(node)),
    ((exp.BitString, exp.HexString), _always("bit")),
    ((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Pow), KnownTypes._arithmetic),
    ((exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.Escape), _always("bool")),
    ((exp.Tuple, exp.Anonymous), KnownTypes._row_or_call),
    (_BITWISE, KnownTypes._bitwise),
    ((exp.AtTimeZone,), KnownTypes._at_time_zone),
    ((exp.Case,), KnownTypes._case),
    ((exp.DPipe,), KnownTypes._joined),
    ((exp.Subquery,), KnownTypes._subquery),
    ((exp.ArrayAgg,), KnownTypes._collected),
    ((exp.Array,), KnownTypes._array),
    ((exp.JSONExtractScalar, exp.JSONBExtractScalar), _always("text")),
    ((exp.ParseJSON,), _always("json")),
    ((exp.JSONExtract, exp.JSONBExtract), KnownTypes._extracted),
    ((exp.JSONBDeleteAtPath,), _always("jsonb")),
    ((exp.Interval,), _always("interval")),
    ((exp.Expr,), KnownTypes._wrapped_or_call),
)
"""How the type of each kind of node is found; the first that fits."""


@cache
def _inference_of(kind: type[exp.Expr]) -> Callable[[KnownTypes, exp.Expr], str | None]:
    return next(infer for kinds, infer in _INFERENCES if issubclass(kind, kinds))


def _only_values(query: exp.Expr) -> exp.Values | None:
    """The VALUES that a query is, which sqlglot reads as `SELECT * FROM (VALUES …)`."""
    if isinstance(query, exp.Select) and len(query.expressions) == 1 and query.expressions[0].is_star:
        held = sources(query, "")
        query = held[0] if len(held) == 1 else query
    return query if isinstance(query, exp.Values) else None

"""The clauses of a statement in the order in which PostgreSQL looks at them, for the types of its parameters.

PostgreSQL source, analyze.c `transformSelectStmt`, `transformSetOperationStmt`, `transformInsertStmt`.
"""

from collections.abc import Sequence

from sqlglot import exp

from pgproxy.sql.typing.expressions import ExpressionTypes, Kind, Surroundings
from pgproxy.sql.typing.types import UNKNOWN, common_type
from pgwire.types import Oid

_SOURCES = ("with_", "from_", "joins", "laterals", "using")
_AFTER_OUTPUTS = ("where", "having", "qualify", "order", "group", "windows", "distinct", "sort")
_COUNTS = ("limit", "offset")


def type_parameters(tree: exp.Expr, around: Surroundings) -> None:
    """Fix every parameter that the statement tells of, in `around.parameters`.

    Raises:
        StatementError: 42725 or 42804, what PostgreSQL cannot decide either.
    """
    _Statement(tree, around).visit(tree)


class _Statement:
    def __init__(self, tree: exp.Expr, around: Surroundings) -> None:
        self._types = ExpressionTypes(tree, around, self.columns)
        self._targets = around.targets
        self._seen: dict[int, Sequence[Kind]] = {}

    def visit(self, node: object) -> None:
        """Type what is no expression: statements, clauses, sources; and what is."""
        if isinstance(node, list):
            for item in node:
                self.visit(item)
        elif isinstance(node, exp.Expr) and self._types.holds(node):
            self._visit(node)

    def _visit(self, node: exp.Expr) -> None:
        match node:
            case exp.Subquery() | exp.Query() | exp.Values():
                self.columns(node)
            case exp.Insert():
                self._insert(node)
            case exp.Update():
                self._update(node)
            case exp.Limit() | exp.Offset() | exp.Fetch():
                self._count(node)
            case exp.Where() | exp.Having() | exp.Qualify():
                self._types.truth(node.this)
            case exp.Join():
                self.visit(node.this)
                self._types.truth(node.args.get("on"))
            case exp.Condition():
                self._types.of(node)
            case _:
                self.visit(list(node.iter_expressions()))

    def columns(self, query: exp.Expr, *, resolves: bool = True) -> Sequence[Kind]:
        """Type a query; give its columns. resolves: what is unknown at the end is text."""
        if id(query) not in self._seen:
            self._seen[id(query)] = self._columns(query, resolves=resolves)
        return self._seen[id(query)]

    def _columns(self, query: exp.Expr, *, resolves: bool) -> Sequence[Kind]:
        match query:
            case exp.Subquery():
                self.visit(query.args.get("with_"))
                found = self.columns(query.this, resolves=resolves)
                self._counts(query)
                return found
            case exp.SetOperation():
                return self._set_operation(query, resolves=resolves)
            case exp.Select():
                return self._select(query, resolves=resolves)
            case exp.Values():
                return self._values(query)
            case _:
                return ()

    def _select(self, select: exp.Select, *, resolves: bool) -> Sequence[Kind]:
        for key in _SOURCES:
            self.visit(select.args.get(key))
        kinds = [self._types.of(item) for item in select.expressions]
        for key in _AFTER_OUTPUTS:
            self.visit(select.args.get(key))
        self._counts(select)
        if resolves:
            for item in select.expressions:
                self._types.assign(item, int(Oid.TEXT))
            kinds = [int(Oid.TEXT) if kind == UNKNOWN else kind for kind in kinds]
        return [self._types.of(item) or kind for item, kind in zip(select.expressions, kinds, strict=True)]

    def _set_operation(self, query: exp.SetOperation, *, resolves: bool) -> Sequence[Kind]:
        self.visit(query.args.get("with_"))
        sides = [self.columns(side, resolves=False) for side in (query.this, query.expression)]
        merged: list[Kind] = []
        for at, pair in enumerate(zip(*sides, strict=False)):
            known = [kind for kind in pair if kind is not None]
            is_open = not resolves and not any(known)
            common = UNKNOWN if is_open else common_type(known) if len(known) == len(pair) else None
            self._give(query, at, common)
            merged.append(common)
        self.visit(query.args.get("order"))
        self._counts(query)
        return merged

    def _give(self, query: exp.Expr, at: int, kind: Kind) -> None:
        """Let the parameters that are a query's column take a type."""
        if isinstance(query, exp.Subquery):
            self._give(query.this, at, kind)
        elif isinstance(query, exp.SetOperation):
            for side in (query.this, query.expression):
                self._give(side, at, kind)
        elif isinstance(query, exp.Select) and at < len(query.expressions):
            self._types.assign(query.expressions[at], kind)

    def _values(self, values: exp.Values) -> Sequence[Kind]:
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
        return [self._types.alike(cells) for cells in zip(*rows, strict=False)]

    def _counts(self, query: exp.Expr) -> None:
        for key in _COUNTS:
            self.visit(query.args.get(key))

    def _count(self, node: exp.Expr) -> None:
        count = node.args.get("count") or node.expression
        self._types.of(count)
        self._types.assign(count, int(Oid.INT8))

    def _insert(self, insert: exp.Insert) -> None:
        self.visit(insert.args.get("with_"))
        kinds = self._targets(insert)
        source = insert.expression
        query = source.this if isinstance(source, exp.Subquery) else source
        if isinstance(query, exp.Values):
            for row in query.expressions:
                self._fill(row.expressions if isinstance(row, exp.Tuple) else [row], kinds)
        elif isinstance(query, exp.Select):
            self.columns(query, resolves=False)
            self._fill(query.expressions, kinds)
            for item in query.expressions:
                self._types.assign(item, int(Oid.TEXT))
        else:
            self.visit(query)
        for key in ("conflict", "returning"):
            self.visit(insert.args.get(key))

    def _fill(self, cells: Sequence[exp.Expr], kinds: Sequence[Kind]) -> None:
        for cell in cells:
            self._types.of(cell)
        for cell, kind in zip(cells, kinds, strict=False):
            self._types.assign(cell, kind)

    def _update(self, update: exp.Update) -> None:
        for key in ("with_", "from_", "where", "returning"):
            self.visit(update.args.get(key))
        changes = [change for change in update.expressions if isinstance(change, exp.EQ)]
        for change in changes:
            self._types.of(change.expression)
            self._types.assign(change.expression, self._types.of(change.this))

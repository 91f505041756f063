"""What stands before a column's name: `sales.customers.ssn` becomes `customers.ssn`.

Behind a derived table only an alias is left to qualify with. Two relations of one name from different schemas
may be read by one query, or by a query and one around it, as in PostgreSQL, where each column says which it
means; each then gets an alias of the planner's own. PostgreSQL docs, "Column References" and "Table and
Column Aliases".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from pgproxy.catalog.snapshot import CatalogSnapshot, SystemRelation
from pgproxy.sql.draft import RESERVED_PREFIX, USE_KEY, RelationUse, position_of, quoted
from pgproxy.sql.node_kinds import classes_below
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_QUERIES = classes_below(exp.Select, exp.Update, exp.Delete)


@dataclass(slots=True)
class _Scope:
    """What one query's FROM makes visible. plain: relations without an alias, by name; named: all else."""

    plain: dict[str, list[int]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)

    def sees(self, name: str) -> bool:
        return name in self.plain or name in self.named


def normalise_qualifiers(
    nodes: Iterable[exp.Expr], uses: Sequence[RelationUse], catalog: CatalogSnapshot
) -> tuple[RelationUse, ...]:
    """Leave an alias as each column's only qualifier. Gives the uses under the aliases that they now have.

    Raises:
        StatementError: 42712, a name given twice; 42P09, a qualifier that could mean two relations.
    """
    return _Qualifiers(nodes, list(uses), catalog).normalise()


@dataclass(slots=True)
class _Qualifiers:
    every: Iterable[exp.Expr]
    uses: list[RelationUse]
    catalog: CatalogSnapshot
    scopes: dict[int, _Scope] = field(default_factory=dict)
    nodes: dict[int, exp.Expr] = field(default_factory=dict)
    renamed: set[int] = field(default_factory=set)

    def normalise(self) -> tuple[RelationUse, ...]:
        columns = []
        for node in self.every:
            if type(node) is exp.Column:
                if node.args.get("table") is not None:
                    columns.append(node)
            elif type(node) in _QUERIES:
                self.scopes[id(node)] = self._scope(node)
        meant = [(column, self._meant(column)) for column in columns]
        for number in self.renamed:
            own = f"{RESERVED_PREFIX}named_{number}"
            self.nodes[number].set("alias", exp.TableAlias(this=quoted(own)))
            self.uses[number] = replace(self.uses[number], alias=own)
        for column, index in meant:
            if index is not None and (index in self.renamed or column.args.get("db") is not None):
                column.set("table", quoted(self.uses[index].alias))
                column.set("db", None)
                column.set("catalog", None)
        return tuple(self.uses)

    def _scope(self, query: exp.Expr) -> _Scope:
        scope = _Scope()
        for source in _direct_sources(query):
            index = source.meta.get(USE_KEY)
            name = source.alias_or_name.lower()
            if index is None or self.uses[index].has_alias:
                self._check_new(name, scope, None)
                scope.named.add(name)
                continue
            self._check_new(name, scope, index)
            self.nodes[index] = source
            scope.plain.setdefault(name, []).append(index)
        self.renamed |= {index for held in scope.plain.values() if len(held) > 1 for index in held}
        return scope

    def _check_new(self, name: str, scope: _Scope, index: int | None) -> None:
        if not name:
            return
        others = scope.plain.get(name, ())
        is_same = index is None or any(self.uses[other].name == self.uses[index].name for other in others)
        if name in scope.named or (others and is_same):
            raise StatementError(
                f'table name "{name}" specified more than once',
                sqlstate=SqlState.DUPLICATE_ALIAS,
                position=self.uses[index].position if index is not None else None,
            )

    def _meant(self, column: exp.Column) -> int | None:
        """The relation without an alias that a column's qualifier means."""
        name, is_hidden = column.table.lower(), False
        for scope in self._enclosing(column):
            held = scope.plain.get(name, [])
            if column.args.get("db") is not None:
                found = next((index for index in held if self._is_named(column, self.uses[index])), None)
                if found is not None:
                    self.renamed |= {found} if is_hidden else set()
                    return found
                is_hidden = is_hidden or scope.sees(name)
            elif len(held) > 1:
                raise StatementError(
                    f'table reference "{column.table}" is ambiguous',
                    sqlstate=SqlState.AMBIGUOUS_ALIAS,
                    position=position_of(column),
                )
            elif scope.sees(name):
                return held[0] if held else None
        return None

    def _is_named(self, column: exp.Column, use: RelationUse) -> bool:
        schema, catalog = column.args["db"].name.lower(), column.args.get("catalog")
        if ("public" if schema == "main" else schema) != self._shown_schema(use):
            return False
        is_system = isinstance(use.info, SystemRelation)
        return catalog is None or is_system or catalog.name.lower() == use.name.catalog.lower()

    def _shown_schema(self, use: RelationUse) -> str:
        """The schema that clients know the relation by; a system relation lies elsewhere in the engine."""
        if isinstance(use.info, SystemRelation):
            relations = self.catalog.system_relations
            return next(schema for (schema, _), relation in relations.items() if relation is use.info)
        return use.name.schema.lower()

    def _enclosing(self, column: exp.Column) -> Iterator[_Scope]:
        parent = column.parent
        while parent is not None:
            scope = self.scopes.get(id(parent))
            if scope is not None:
                yield scope
            parent = parent.parent


def _direct_sources(query: exp.Expr) -> Iterator[exp.Expr]:
    from_ = query.args.get("from_")
    sources = [from_.this] if isinstance(from_, exp.From) else []
    sources += list(query.args.get("using") or ())
    sources += [join.this for join in query.args.get("joins") or ()]
    if isinstance(query, (exp.Update, exp.Delete)):
        sources.insert(0, query.this)
    for source in sources:
        yield source
        yield from (join.this for join in source.args.get("joins") or ())

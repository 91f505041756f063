"""The seam to `pgproxy.sql.dialect`: PostgreSQL's meaning on DuckDB. It adds no relation and no privilege."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from pgproxy.catalog.snapshot import ColumnInfo, TableInfo
from pgproxy.sql.authorise import readable_columns
from pgproxy.sql.dialect.engine import change_to_engine, to_engine
from pgproxy.sql.dialect.names import output_names
from pgproxy.sql.dialect.places import point_at
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.draft import USE_KEY, Draft, RelationUse, Role, engine_table
from pgwire.errors import StatementError

__all__ = ["ResolvedTypes", "known_types", "output_names", "translate", "translate_fragment"]


def _shown_type(column: ColumnInfo) -> str:
    return column.shown_type


@dataclass(frozen=True, slots=True)
class ResolvedTypes:
    """Column types of the statement's resolved relations. type_of: what a column's type is called."""

    draft: Draft
    type_of: Callable[[ColumnInfo], str] = _shown_type
    held: dict[int, Mapping[str, str] | None] = field(default_factory=dict)

    def column_types(self, table: exp.Table) -> Mapping[str, str] | None:
        index = table.meta.get(USE_KEY)
        if index is None:
            return None
        if index not in self.held:  # every column of the statement asks
            self.held[index] = self._readable_types(self.draft.uses[index])
        return self.held[index]

    def _readable_types(self, use: RelationUse) -> Mapping[str, str] | None:
        """Of a source: an error that a hidden column's type explains would show that it is there."""
        if use.info is None:
            return None
        is_limited = use.role is Role.SOURCE and use.policy is not None
        names = readable_columns(use) if is_limited else None
        is_shown = self.type_of is _shown_type
        if is_shown and isinstance(use.info, TableInfo) and names in (None, use.info.column_names):
            return use.info.shown_types
        seen = frozenset(names) if names is not None else None
        columns = [column for column in use.info.columns if seen is None or column.name in seen]
        return {column.name.lower(): self.type_of(column) for column in columns}

    def readable_columns(self, table: exp.Table) -> Sequence[str] | None:
        index = table.meta.get(USE_KEY)
        if index is None:
            return None
        use = self.draft.uses[index]
        if use.policy is not None:
            return readable_columns(use)
        return [column.name for column in use.info.columns] if use.info else None


@dataclass(frozen=True, slots=True)
class _PolicyTypes:
    """Column types of one table, and of the relations that its policy's subqueries read."""

    table: TableInfo
    uses: Sequence[RelationUse]

    def column_types(self, table: exp.Table) -> Mapping[str, str] | None:
        index = table.meta.get(USE_KEY)
        info = self.uses[index].info if index is not None else self.table
        if isinstance(info, TableInfo):
            return info.shown_types
        return {column.name.lower(): column.shown_type for column in info.columns} if info else None

    def readable_columns(self, table: exp.Table) -> Sequence[str] | None:
        """None: a policy's expressions name columns, not rows."""
        return None


def known_types(draft: Draft) -> KnownTypes:
    """What is known of the types in a resolved and authorised statement."""
    return KnownTypes(ResolvedTypes(draft))


def translate(draft: Draft, known: KnownTypes) -> Draft:
    """Give the statement PostgreSQL's meaning. Text that only DuckDB's grammar accepts keeps DuckDB's.

    known: `known_types` of the tree as it is.
    """
    if draft.dialect != "postgres":
        return draft
    try:
        tree = change_to_engine(draft.tree, known)
    except StatementError as error:
        raise point_at(error, draft.text) from None
    return draft if tree is draft.tree else replace(draft, tree=tree)


def translate_fragment(expression: exp.Expr, table: TableInfo, uses: Sequence[RelationUse] = ()) -> exp.Expr:
    """Translate an expression over the columns of one table, which gives the translation its types.

    uses: the relations of the expression's own subqueries.
    """
    source = engine_table(table.name, table.name.name)
    select = exp.Select(expressions=[expression], from_=exp.From(this=source))
    try:
        translated: exp.Expr = to_engine(select, _PolicyTypes(table, uses)).expressions[0].unalias()
    except StatementError as error:
        error.position = None  # of the policy's text, not of the statement's
        raise
    return translated

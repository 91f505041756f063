"""The seam to `pgproxy.sql.dialect`: PostgreSQL's meaning on DuckDB. It adds no relation and no privilege."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from pgproxy.catalog.snapshot import TableInfo
from pgproxy.sql.dialect.engine import to_engine
from pgproxy.sql.dialect.names import output_names
from pgproxy.sql.draft import USE_KEY, Draft, engine_table
from pgproxy.sql.plan import PlanContext

__all__ = ["output_names", "translate", "translate_fragment"]


@dataclass(frozen=True, slots=True)
class _ResolvedTypes:
    """Column types of the statement's resolved relations."""

    draft: Draft

    def column_types(self, table: exp.Table) -> Mapping[str, str] | None:
        index = table.meta.get(USE_KEY)
        info = self.draft.uses[index].info if index is not None else None
        return (
            {column.name.lower(): column.engine_type for column in info.columns} if info is not None else None
        )


@dataclass(frozen=True, slots=True)
class _TableTypes:
    """Column types of one table."""

    table: TableInfo

    def column_types(self, table: exp.Table) -> Mapping[str, str] | None:
        return {column.name.lower(): column.engine_type for column in self.table.columns}


def translate(draft: Draft) -> Draft:
    """Give the statement PostgreSQL's meaning. Text that only DuckDB's grammar accepts keeps DuckDB's."""
    if draft.dialect != "postgres":
        return draft
    return replace(draft, tree=to_engine(draft.tree, _ResolvedTypes(draft)))


def translate_fragment(expression: exp.Expr, table: TableInfo, context: PlanContext) -> exp.Expr:
    """Translate an expression over the columns of one table, which gives the translation its types."""
    source = engine_table(table.name, table.name.name)
    select = exp.Select(expressions=[expression], from_=exp.From(this=source))
    translated: exp.Expr = to_engine(select, _TableTypes(table)).expressions[0].unalias()
    return translated

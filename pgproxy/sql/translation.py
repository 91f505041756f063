"""The seam to `pgproxy.sql.dialect`: PostgreSQL's meaning on DuckDB. It adds no relation and no privilege."""

from sqlglot import exp

from pgproxy.catalog.snapshot import TableInfo
from pgproxy.sql.draft import engine_table
from pgproxy.sql.plan import PlanContext

try:
    from pgproxy.sql.dialect import output_names, to_engine
except ImportError:  # being written

    def to_engine(expression: exp.Expr, context: PlanContext) -> exp.Expr:
        """Leave the tree as it is."""
        return expression

    def output_names(expression: exp.Expr) -> tuple[str, ...] | None:
        """Know no names."""
        return None


__all__ = ["output_names", "to_engine", "translate_fragment"]


def translate_fragment(expression: exp.Expr, table: TableInfo, context: PlanContext) -> exp.Expr:
    """Translate an expression over the columns of one table, which gives the translation its types."""
    source = engine_table(table.name, table.name.name)
    select = exp.Select(expressions=[expression], from_=exp.From(this=source))
    translated = to_engine(select, context)
    return translated.expressions[0].unalias()

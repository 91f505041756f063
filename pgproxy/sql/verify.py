"""The last look: DuckDB's own parser reads the rendered text, and everything in it must be what we put there.

This closes disagreements between sqlglot and DuckDB as a class: whatever the first parser misread, the second one
would have to find among the relations and functions that the planner itself placed.
"""

from pgproxy.sql.allowed_functions import ENGINE_NAMES
from pgproxy.sql.draft import RESERVED_PREFIX, Draft
from pgproxy.sql.plan import EngineTree, StatementKind
from pgwire.errors import InternalError

ENGINE_TYPES = {
    StatementKind.SELECT: frozenset({"SELECT"}),
    StatementKind.INSERT: frozenset({"INSERT"}),
    StatementKind.UPDATE: frozenset({"UPDATE"}),
    StatementKind.DELETE: frozenset({"DELETE"}),
    StatementKind.EXPLAIN: frozenset({"EXPLAIN"}),
    StatementKind.CREATE_TABLE: frozenset({"CREATE"}),
    StatementKind.CREATE_VIEW: frozenset({"CREATE"}),
    StatementKind.CREATE_SCHEMA: frozenset({"CREATE"}),
    StatementKind.DROP_TABLE: frozenset({"DROP"}),
    StatementKind.DROP_VIEW: frozenset({"DROP"}),
    StatementKind.DROP_SCHEMA: frozenset({"DROP"}),
    StatementKind.ALTER_TABLE: frozenset({"ALTER"}),
    StatementKind.TRUNCATE: frozenset({"DELETE", "TRUNCATE"}),
}
_ENGINE_SCHEMAS = frozenset({"", "main", "system", "pg_catalog"})


def verify(draft: Draft) -> Draft:
    """Check the rendered statement.

    Raises:
        InternalError: it is not what was planned; nothing runs.
    """
    tree = _read(draft, draft.sql)
    if len(tree.statement_types) != 1 or tree.statement_types[0] not in ENGINE_TYPES[draft.kind]:
        raise _disagreement()
    check_tree(draft, tree)
    return draft


def check_tree(draft: Draft, tree: EngineTree) -> None:
    """Relations and functions must be a subset of what was placed."""
    if tree.relations is not None:
        for relation in tree.relations:
            if relation not in draft.placed_relations and not _is_own_cte(relation):
                raise _disagreement()
    if tree.functions is not None:
        for _schema, name in tree.functions:
            if name.lower() not in ENGINE_NAMES and name.lower() not in draft.placed_functions:
                raise _disagreement()


def _is_own_cte(relation: tuple[str, str, str]) -> bool:
    catalog, schema, name = relation
    return not catalog and not schema and name.startswith(f"{RESERVED_PREFIX}cte_")


def _read(draft: Draft, sql: str) -> EngineTree:
    try:
        return draft.context.parse_engine_sql(sql)
    except ValueError:
        raise _disagreement() from None


def _disagreement() -> InternalError:
    return InternalError(
        "the rewritten statement could not be verified",
        hint="Write the statement in another way, or report it.",
    )

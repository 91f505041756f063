"""Which relation a name means, for one principal. What it may not see does not exist here.

PostgreSQL docs, "The Schema Search Path": pg_catalog comes first unless the path names it. A name that is a
file, a
URL or a variable of the engine's process simply is not in the catalog.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from pgproxy.catalog.snapshot import SYSTEM_CATALOG, TEMP_CATALOG, SystemRelation, TableInfo
from pgproxy.policy.model import TableName
from pgproxy.sql.plan import PlanContext
from pgproxy.sql.utility.scan import fold_identifier
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_PART = re.compile(r'"(?:[^"]|"")+"|[^\W\d][\w$]*')
_QUALIFIED = re.compile(rf"\s*(?:{_PART.pattern})\s*(?:\.\s*(?:{_PART.pattern})\s*){{0,2}}")
INVISIBLE_HINT = "There is no relation of that name, or you hold no privilege on it."


@dataclass(frozen=True, slots=True)
class Found:
    """A relation that the principal may know of."""

    name: TableName
    info: TableInfo | SystemRelation
    is_temporary: bool = False


def written_name(node: exp.Table) -> tuple[str | None, str | None, str]:
    """(catalog, schema, name) as the client meant them: unquoted parts folded to lower case."""
    return _folded(node.args.get("catalog")), _folded(node.args.get("db")), _folded(node.this) or ""


def find_relation(context: PlanContext, catalog: str | None, schema: str | None, name: str) -> Found | None:
    """Find what a name means, or None. Looks along the search path if no schema is given."""
    own_schema = context.private.temp_schema if context.private is not None else None
    if catalog is None and schema in (None, "pg_temp", TEMP_CATALOG, own_schema):
        temporary = context.temp_tables.get(name.lower())
        if temporary is not None:
            return Found(TableName(TEMP_CATALOG, "public", temporary.name.name), temporary, is_temporary=True)
    for candidate_catalog, candidate_schema in _candidates(context, catalog, schema):
        found = _in_schema(context, candidate_catalog, candidate_schema, name)
        if found is not None:
            return found
    return None


def undefined_table(
    catalog: str | None, schema: str | None, name: str, position: int | None
) -> StatementError:
    """One answer for absent and for invisible."""
    spelled = ".".join(part for part in (catalog, schema, name) if part is not None)
    return StatementError(
        f'relation "{spelled}" does not exist',
        sqlstate=SqlState.UNDEFINED_TABLE,
        hint=INVISIBLE_HINT,
        position=position,
    )


def split_qualified(text: str) -> tuple[str | None, str | None, str] | None:
    """Read `schema.name` as regclass does: quoted parts as they are, others folded. None: it is no name."""
    if _QUALIFIED.fullmatch(text) is None:
        return None
    parts = [_unquoted(part) for part in _PART.findall(text)]
    catalog, schema, name = (None, None, *parts)[-3:]
    return catalog, schema, name or ""


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else fold_identifier(part)


def _folded(part: object) -> str | None:
    if not isinstance(part, exp.Identifier):
        return None
    name = str(part.this)
    return name if part.args.get("quoted") else fold_identifier(name)


def _candidates(context: PlanContext, catalog: str | None, schema: str | None) -> Iterator[tuple[str, str]]:
    default = context.catalog_name
    if schema is not None:
        yield catalog or default, "public" if schema == "main" else schema
        if catalog is None:
            yield schema, "public"  # DuckDB's `catalog.table`
        return
    path = context.search_path
    if "pg_catalog" not in path:
        yield default, "pg_catalog"
    for entry in path:
        yield default, "public" if entry == "main" else entry


def _in_schema(context: PlanContext, catalog: str, schema: str, name: str) -> Found | None:
    snapshot, policy = context.catalog, context.policy
    if catalog in (context.catalog_name, snapshot.default_catalog):
        relation = snapshot.system_relations.get((schema, name.lower()))
        if relation is not None:
            return Found(TableName(SYSTEM_CATALOG, *relation.physical), relation)
    info = known_relation(context, TableName(catalog, schema, name))
    if info is None or (info.owner is not None and not context.trusts_owners):
        return None
    if not policy.table(info.name, info.owner).is_visible:
        return None
    if info.name in snapshot.replaced:
        raise StatementError(
            f'relation "{info.name.name}" has been replaced since the transaction began',
            sqlstate=SqlState.SERIALIZATION_FAILURE,
            hint="Roll back and begin again.",
        )
    return Found(info.name, info)


def known_relation(context: PlanContext, wanted: TableName) -> TableInfo | None:
    """What the engine finds under a name, whoever may know of it."""
    return context.catalog.find_table(wanted)

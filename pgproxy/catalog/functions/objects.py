"""pg_describe_object and pg_identify_object.

PostgreSQL docs, "Object Information and Addressing Functions".
"""

from collections.abc import Callable

from pgproxy.catalog.functions.macro import NAMES, PG, TEXT, Macro, visible
from pgproxy.catalog.functions.names import REGCLASS_TEXT, quoted
from pgproxy.catalog.visibility import column_predicate

_CLASS, _TYPE, _NAMESPACE, _CONSTRAINT, _AUTHID, _DATABASE = 1259, 1247, 2615, 2606, 1260, 1262
"""OIDs of the catalogs that objects are in."""


def _relation(text: str, oid: str = "p_oid") -> str:
    return f"(SELECT max({text}) FROM {PG}._relation AS m_r WHERE m_r.oid = {oid} AND {visible('m_r')})"


def _one(table: str, text: str) -> str:
    return f"(SELECT max({text}) FROM {PG}.{table} AS m_n WHERE m_n.oid = p_oid AND {visible('m_n')})"


_KIND = (
    "CASE m_r.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' ELSE 'table' END"
)
_COLUMN = (
    f"(SELECT max(m_a.attname) FROM {PG}.pg_attribute AS m_a WHERE m_a.attrelid = p_oid "
    f"AND m_a.attnum = p_part AND {column_predicate('p_viewer', 'p_database', prefix='m_a.')})"
)
_CONSTRAINED = _one("pg_constraint", "m_n.conrelid")
_FULL_NAME = f"{quoted('m_r._schema')} || '.' || {quoted('m_r.relname')}"


def _names(shown: Callable[[str], str]) -> str:
    return (
        f"WHEN {_TYPE} THEN {_one('pg_type', 'm_n._format')} "
        f"WHEN {_NAMESPACE} THEN {_one('pg_namespace', shown('m_n.nspname'))} "
        f"WHEN {_AUTHID} THEN {_one('pg_authid', shown('m_n.rolname'))} "
        f"WHEN {_DATABASE} THEN {_one('pg_database', shown('m_n.datname'))}"
    )


_WORDS = (
    f"WHEN {_TYPE} THEN 'type' WHEN {_NAMESPACE} THEN 'schema' WHEN {_AUTHID} THEN 'role' "
    f"WHEN {_DATABASE} THEN 'database'"
)
_DESCRIPTION = (
    f"CASE p_class WHEN {_CLASS} THEN CASE WHEN p_part = 0 THEN {_relation(_KIND)} || ' ' || {REGCLASS_TEXT} "
    f"ELSE 'column ' || {_COLUMN} || ' of ' || {_relation(_KIND)} || ' ' || {REGCLASS_TEXT} END "
    f"WHEN {_CONSTRAINT} THEN 'constraint ' || {_one('pg_constraint', 'm_n.conname')} || ' on ' "
    f"|| {_relation(_KIND, _CONSTRAINED)} || ' ' || {_relation(quoted('m_r.relname'), _CONSTRAINED)} "
    f"ELSE CASE p_class {_WORDS} END || ' ' || CASE p_class {_names(str)} END END"
)
"""NULL of what the viewer does not know, and of catalogs that hold no objects here."""
_IDENTITY = (
    "SELECT m_i.type AS type, CASE WHEN m_i.identity IS NOT NULL THEN m_i.schema END AS schema, "
    "CASE WHEN m_i.identity IS NOT NULL THEN m_i.name END AS name, m_i.identity AS identity FROM (SELECT "
    f"CASE p_class WHEN {_CLASS} THEN {_relation(_KIND)} || CASE WHEN p_part = 0 THEN '' ELSE ' column' END "
    f"{_WORDS} END AS m_type, "
    f"CASE p_class WHEN {_CLASS} THEN {_relation(quoted('m_r._schema'))} END AS m_schema, "
    f"CASE p_class WHEN {_CLASS} THEN {_relation(quoted('m_r.relname'))} {_names(quoted)} END AS m_name, "
    f"CASE p_class WHEN {_CLASS} THEN {_relation(_FULL_NAME)} || "
    f"CASE WHEN p_part = 0 THEN '' ELSE '.' || {quoted(_COLUMN)} END {_names(quoted)} END AS m_identity) "
    "AS m_i"
)

OBJECT_MACROS: tuple[Macro, ...] = (
    Macro("pg_describe_object", TEXT, {"p_class, p_oid, p_part": _DESCRIPTION}, NAMES),
    Macro("pg_identify_object", 2249, {"p_class, p_oid, p_part": _IDENTITY}, NAMES, is_table=True),
)

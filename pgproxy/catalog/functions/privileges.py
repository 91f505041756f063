"""has_*_privilege and pg_has_role: answered from what the viewer holds.

PostgreSQL docs, "Access Privilege Inquiry".
"""

from pgproxy.catalog.functions.macro import ACL, BOOL, NAMES, PG, VIEWER, Macro, constant, visible
from pgproxy.catalog.functions.names import name_parts, relation_oid
from pgproxy.catalog.visibility import Aspect, key

_WANTED = (
    "list_contains(string_split(replace(replace(upper(p_privilege), ' WITH GRANT OPTION', ''), ' ', ''), "
    "','), m_q.privilege)"
)
_HELD = f"SELECT 1 FROM {ACL}.privilege AS m_q WHERE m_q.viewer = p_viewer AND {_WANTED}"
_IS_SELF = (
    f"EXISTS (SELECT 1 FROM {ACL}.viewer AS m_w WHERE m_w.viewer = p_viewer AND (m_w.principal = "
    "CAST(p_user AS VARCHAR) OR "
    f"(SELECT max(CAST(m_a.oid AS VARCHAR)) FROM {PG}.pg_authid AS m_a WHERE m_a.rolname = m_w.principal) = "
    "CAST(p_user AS VARCHAR)))"
)
"""Another principal's privileges are nobody's business: the answer is false."""


def _both(name: str, parameters: str, answer: str, session: tuple[object, ...]) -> Macro:
    """The forms with and without a user as the first argument."""
    bodies = {parameters: answer, f"p_user, {parameters}": f"{_IS_SELF} AND ({answer})"}
    return Macro(name, BOOL, bodies, session)  # type: ignore[arg-type]  # a tuple of SystemValue


def _raise(sqlstate: str, message: str) -> str:
    """SQL: an error. message: SQL of its text."""
    return f"error(chr(2) || 'pgproxy:{sqlstate}:' || {message})"


def _known(given: str, found: str, absent: str, answer: str, words: str = "") -> str:
    """SQL: the answer, about an object that the viewer knows of; NULL for the number of none.

    absent: the error for a name of none. words: the privileges that there are; none: they are not looked at.
    """
    wanted = (
        "string_split(regexp_replace(replace(upper(p_privilege), ' WITH GRANT OPTION', ''), "
        "'\\s*,\\s*', ',', 'g'), ',')"
    )
    unknown = f"list_has_all(string_split('{words}', ' '), list_transform({wanted}, lambda m_x: trim(m_x)))"
    message = "'unrecognized privilege type: \"' || p_privilege || '\"'"
    check = f"WHEN NOT {unknown} THEN {_raise('22023', message)} = '' " if words else ""
    return (
        f"CASE WHEN {given} IS NULL OR p_privilege IS NULL OR TRY_CAST({given} AS BIGINT) = 0 THEN NULL "
        f"{check}"
        f"WHEN {found} IS NULL THEN CASE WHEN TRY_CAST({given} AS BIGINT) IS NULL THEN {absent} = '' END "
        f"ELSE ({answer}) END"
    )


def _absent(sqlstate: str, kind: str, name: str) -> str:
    return _raise(sqlstate, f"'{kind} \"' || CAST({name} AS VARCHAR) || '\" does not exist'")


_IS_ADMIN = f"EXISTS (SELECT 1 FROM {ACL}.viewer AS m_w WHERE m_w.viewer = p_viewer AND m_w.is_admin)"
_TABLE_OID = relation_oid("p_table")
_ON_TABLE = (
    f"(coalesce({_TABLE_OID} < 16384, false) AND upper(p_privilege) = 'SELECT') OR EXISTS ({_HELD} AND "
    "m_q.oid = "
    f"{_TABLE_OID} AND m_q.attnum = 0)"
)
_ON_ANY_COLUMN = (
    f"(coalesce({_TABLE_OID} < 16384, false) AND upper(p_privilege) = 'SELECT') OR EXISTS ({_HELD} AND "
    f"m_q.oid = {_TABLE_OID})"
)
_NO_TABLE = _absent("42P01", "relation", "p_table")
_TABLE_WORDS = "SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER"
_ON_SEQUENCE = (
    f"CASE WHEN (SELECT max(m_c.relkind) FROM {PG}.pg_class AS m_c WHERE m_c.oid = {_TABLE_OID} "
    f"AND {visible('m_c')}) <> 'S' THEN "
    + _raise("42809", "'\"' || CAST(p_table AS VARCHAR) || '\" is not a sequence'")
    + f" = '' ELSE {_IS_ADMIN} OR {_ON_TABLE} END"
)
_ATTNUM = (
    "coalesce(TRY_CAST(p_column AS BIGINT), (SELECT max(m_a.attnum) FROM "
    f"{PG}.pg_attribute AS m_a WHERE m_a.attrelid = {_TABLE_OID} AND m_a.attname = CAST(p_column AS "
    "VARCHAR)))"
)
_ON_COLUMN = (
    f"(coalesce({_TABLE_OID} < 16384, false) AND upper(p_privilege) = 'SELECT') OR "
    f"EXISTS ({_HELD} AND m_q.oid = {_TABLE_OID} AND (m_q.attnum = 0 OR m_q.attnum = {_ATTNUM}))"
)
_SCHEMA_OID = (
    f"coalesce(TRY_CAST(p_schema AS BIGINT), (SELECT max(m_n.oid) FROM {PG}.pg_namespace AS m_n "
    f"WHERE m_n.nspname = CAST(p_schema AS VARCHAR) AND {visible('m_n')}))"
)
_ON_SCHEMA = (
    f"(coalesce({_SCHEMA_OID} < 16384, false) AND upper(p_privilege) = 'USAGE') OR EXISTS ({_HELD} AND "
    "m_q.oid = "
    f"{_SCHEMA_OID})"
)
_DATABASE_OID = (
    f"coalesce(TRY_CAST(p_name AS BIGINT), (SELECT max(m_d.oid) FROM {PG}.pg_database AS m_d "
    f"WHERE m_d.datname = CAST(p_name AS VARCHAR) AND {visible('m_d')}))"
)
_ON_DATABASE = f"EXISTS ({_HELD} AND m_q.oid = {_DATABASE_OID})"
_FUNCTION_NAME = "regexp_replace(trim(CAST(p_object AS VARCHAR)), '\\s*\\(.*$', '')"
_FUNCTION_OIDS = (
    f"SELECT m_f.oid FROM {PG}.pg_proc AS m_f WHERE {visible('m_f')} AND "
    f"(m_f.oid = TRY_CAST(p_object AS BIGINT) OR m_f.proname = {name_parts(_FUNCTION_NAME)}[-1])"
)
"""By its name, whatever its arguments: a stored one has one meaning, PostgreSQL's own share their rights."""
_ON_FUNCTION = (
    "CASE WHEN p_object IS NULL OR p_privilege IS NULL THEN NULL ELSE "
    f"{_WANTED.replace('m_q.privilege', repr('EXECUTE'))} AND EXISTS (SELECT 1 FROM ({_FUNCTION_OIDS}) "
    f"AS m_o(m_oid) WHERE m_o.oid IN (SELECT m_k.oid FROM {ACL}.callable AS m_k) OR m_o.oid IN "
    f"({_HELD.replace('SELECT 1', 'SELECT m_q.oid', 1)})) END"
)
_TABLESPACE = (
    f"(SELECT max(m_t.oid) FROM {PG}.pg_tablespace AS m_t WHERE m_t.spcname = CAST(p_object AS VARCHAR) "
    "OR m_t.oid = TRY_CAST(p_object AS BIGINT))"
)
_IS_FILTERED = (
    f"EXISTS (SELECT 1 FROM {ACL}.visible AS m_v WHERE m_v.viewer = p_viewer "
    f"AND m_v.key = {_TABLE_OID} + {key(0, Aspect.NO_ROW_ESTIMATE)})"
)
"""Who may not know how many rows there are is whom a row filter applies to."""
_HAS_ROLE = (
    f"{_IS_ADMIN} OR "
    f"EXISTS (SELECT 1 FROM {PG}.pg_authid AS m_a WHERE m_a.oid >= 16384 AND {visible('m_a')} AND "
    "(m_a.rolname = CAST(p_role AS VARCHAR) OR CAST(m_a.oid AS VARCHAR) = CAST(p_role AS VARCHAR)))"
)

PRIVILEGE_MACROS: tuple[Macro, ...] = (
    _both(
        "has_table_privilege",
        "p_table, p_privilege",
        _known("p_table", _TABLE_OID, _NO_TABLE, _ON_TABLE, _TABLE_WORDS),
        NAMES,
    ),
    _both(
        "has_sequence_privilege",
        "p_table, p_privilege",
        _known("p_table", _TABLE_OID, _NO_TABLE, _ON_SEQUENCE, "USAGE SELECT UPDATE"),
        NAMES,
    ),
    _both(
        "has_any_column_privilege",
        "p_table, p_privilege",
        _known("p_table", _TABLE_OID, _NO_TABLE, _ON_ANY_COLUMN, "SELECT INSERT UPDATE REFERENCES"),
        NAMES,
    ),
    _both("has_column_privilege", "p_table, p_column, p_privilege", _ON_COLUMN, NAMES),
    _both(
        "has_schema_privilege",
        "p_schema, p_privilege",
        _known("p_schema", _SCHEMA_OID, _absent("3F000", "schema", "p_schema"), _ON_SCHEMA, "CREATE USAGE"),
        VIEWER,
    ),
    _both(
        "has_database_privilege",
        "p_name, p_privilege",
        _known(
            "p_name",
            _DATABASE_OID,
            _absent("3D000", "database", "p_name"),
            _ON_DATABASE,
            "CREATE TEMPORARY TEMP CONNECT",
        ),
        VIEWER,
    ),
    _both(
        "has_tablespace_privilege",
        "p_object, p_privilege",
        _known("p_object", _TABLESPACE, _absent("42704", "tablespace", "p_object"), _IS_ADMIN, "CREATE"),
        VIEWER,
    ),
    _both("pg_has_role", "p_role, p_privilege", _HAS_ROLE, VIEWER),
    _both("has_function_privilege", "p_object, p_privilege", _ON_FUNCTION, VIEWER),
    *constant(
        "has_type_privilege has_language_privilege",
        BOOL,
        "p_object IS NOT NULL AND p_privilege IS NOT NULL",
        "p_object, p_privilege",
        "p_user, p_object, p_privilege",
    ),
    *constant(
        "has_foreign_data_wrapper_privilege has_server_privilege has_parameter_privilege",
        BOOL,
        "false",
        "p_object, p_privilege",
        "p_user, p_object, p_privilege",
    ),
    Macro(
        "row_security_active",
        BOOL,
        {
            "p_table": f"CASE WHEN p_table IS NULL THEN NULL WHEN {_TABLE_OID} IS NULL "
            f"THEN {_NO_TABLE} = '' ELSE {_IS_FILTERED} END"
        },
        NAMES,
    ),
)

"""Texts of definitions and comments.

Pg_get_expr, pg_get_constraintdef, pg_get_indexdef, obj_description, …
"""

from pgproxy.catalog.functions.macro import (
    INT4,
    NAME,
    NAMES,
    OID,
    PG,
    TEXT,
    VIEWER,
    Macro,
    constant,
    visible,
)
from pgproxy.catalog.functions.names import IN_PATH, quoted, relation_oid
from pgproxy.catalog.visibility import column_predicate

_COLUMN_VISIBLE = column_predicate("p_viewer", "p_database", prefix="m_d.")


def _constraint(text: str) -> str:
    return f"(SELECT max({text}) FROM {PG}.pg_constraint AS m_c WHERE m_c.oid = p_oid AND {visible('m_c')})"


_INDEX = (
    f"(SELECT max(m_i._definition) FROM {PG}.pg_index AS m_i WHERE m_i.indexrelid = p_oid AND "
    f"{visible('m_i')})"
)
_INDEX_COLUMN = (
    f"CASE WHEN p_column = 0 THEN {_INDEX} ELSE (SELECT max({quoted('m_a.attname')}) FROM {PG}.pg_index "
    "AS m_i "
    f"JOIN {PG}.pg_attribute AS m_a ON m_a.attrelid = m_i.indrelid AND m_a.attnum = m_i.indkey[p_column] "
    f"WHERE m_i.indexrelid = p_oid AND {visible('m_i')}) END"
)
_VIEW = (
    f"(SELECT max(CASE WHEN {IN_PATH.format('public')} THEN m_w._definition ELSE m_w._qualified END) "
    f"FROM {PG}.pg_rewrite AS m_w WHERE m_w.ev_class = {relation_oid('p_view')} AND {visible('m_w')})"
)


def _serial(wanted: str, table: str) -> str:
    """Looked up in a map of all: DuckDB plans a subquery without correlation the cheapest."""
    return (
        f"(SELECT map(list(m_d.column), list(m_d.{wanted})) FROM {PG}._serial AS m_d WHERE {_COLUMN_VISIBLE})"
        f"[{table} || '.' || p_column]"
    )


def _comment(condition: str) -> str:
    return (
        f"(SELECT max(m_d.description) FROM {PG}.pg_description AS m_d "
        f"WHERE m_d.objoid = p_oid AND {condition} AND {_COLUMN_VISIBLE})"
    )


_OF_CATALOG = (
    f"m_d.classoid = (SELECT max(m_k.oid) FROM {PG}.pg_class AS m_k WHERE m_k.relname = p_catalog AND "
    "m_k.oid < 16384)"
)
_SHARED_COMMENT = (
    f"(SELECT max(m_d.description) FROM {PG}.pg_shdescription AS m_d "
    f"WHERE m_d.objoid = p_oid AND {visible('m_d')})"
)


def _proc(text: str, condition: str = "") -> str:
    return (
        f"(SELECT max({text}) FROM {PG}.pg_proc AS m_p WHERE m_p.oid = p_oid{condition} AND {visible('m_p')})"
    )


_LANGUAGE = f"(SELECT max(m_l.lanname) FROM {PG}.pg_language AS m_l WHERE m_l.oid = m_p.prolang)"
_SUPPORT = f"(SELECT max(m_s.proname) FROM {PG}.pg_proc AS m_s WHERE m_s.oid = m_p.prosupport)"
_PROPERTIES = (
    "concat_ws(' ', CASE m_p.prokind WHEN 'w' THEN 'WINDOW' END, "
    "CASE m_p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' END, "
    "CASE m_p.proparallel WHEN 's' THEN 'PARALLEL SAFE' WHEN 'r' THEN 'PARALLEL RESTRICTED' END, "
    "CASE WHEN m_p.proisstrict THEN 'STRICT' END, CASE WHEN m_p.prosecdef THEN 'SECURITY DEFINER' END, "
    "CASE WHEN m_p.proleakproof THEN 'LEAKPROOF' END, "
    "CASE WHEN m_p.procost <> CASE WHEN m_p.prolang IN (12, 13) THEN 1 ELSE 100 END "
    "THEN 'COST ' || regexp_replace(CAST(m_p.procost AS VARCHAR), '\\.0$', '') END, "
    "CASE WHEN m_p.proretset AND m_p.prorows NOT IN (0, 1000) "
    "THEN 'ROWS ' || regexp_replace(CAST(m_p.prorows AS VARCHAR), '\\.0$', '') END, "
    f"'SUPPORT ' || {_SUPPORT})"
)
_SCHEMA = f"(SELECT max(m_n.nspname) FROM {PG}.pg_namespace AS m_n WHERE m_n.oid = m_p.pronamespace)"
_FUNCTION = (
    f"'CREATE OR REPLACE FUNCTION ' || {quoted(_SCHEMA)} || '.' || {quoted('m_p.proname')} || "
    "'(' || coalesce(m_p._arguments, '') || ')' || chr(10) || ' RETURNS ' || m_p._result || chr(10) || "
    f"' LANGUAGE ' || {_LANGUAGE} || chr(10) || CASE WHEN {_PROPERTIES} <> '' THEN ' ' || {_PROPERTIES} || "
    "chr(10) ELSE '' END || 'AS $function$' || m_p.prosrc || '$function$' || chr(10)"
)
"""PostgreSQL source: ruleutils.c `pg_get_functiondef`."""


_ENCODINGS = dict(
    enumerate(
        """
        SQL_ASCII EUC_JP EUC_CN EUC_KR EUC_TW EUC_JIS_2004 UTF8 MULE_INTERNAL LATIN1 LATIN2 LATIN3 LATIN4
        LATIN5
        LATIN6 LATIN7 LATIN8 LATIN9 LATIN10 WIN1256 WIN1258 WIN866 WIN874 KOI8R WIN1251 WIN1252 ISO_8859_5
        ISO_8859_6 ISO_8859_7 ISO_8859_8 WIN1250 WIN1253 WIN1254 WIN1255 WIN1257 KOI8U SJIS BIG5 GBK UHC
        GB18030
        JOHAB SHIFT_JIS_2004
        """.split()  # noqa: SIM905 - a table of words reads better as words
    )
)
"""PostgreSQL source: `pg_enc`."""
_ENCODING_NAME = (
    "CASE p_encoding "
    + " ".join(f"WHEN {n} THEN '{name}'" for n, name in _ENCODINGS.items())
    + " ELSE '' END"
)
_ENCODING_NUMBER = (
    "CASE replace(upper(p_name), '-', '') "
    + " ".join(f"WHEN '{name}' THEN {n}" for n, name in _ENCODINGS.items())
    + " ELSE -1 END"
)

DEFINITION_MACROS: tuple[Macro, ...] = (
    Macro("pg_get_expr", TEXT, {"p_tree, p_relation": "p_tree", "p_tree, p_relation, p_pretty": "p_tree"}),
    Macro(
        "pg_get_constraintdef",
        TEXT,
        {
            "p_oid": _constraint("m_c._definition"),
            "p_oid, p_pretty": _constraint("CASE WHEN p_pretty THEN m_c._pretty ELSE m_c._definition END"),
        },
        VIEWER,
    ),
    Macro("pg_get_indexdef", TEXT, {"p_oid": _INDEX, "p_oid, p_column, p_pretty": _INDEX_COLUMN}, VIEWER),
    Macro("pg_get_viewdef", TEXT, {"p_view": _VIEW, "p_view, p_pretty": _VIEW}, NAMES),
    Macro(
        "obj_description",
        TEXT,
        {
            "p_oid": _comment("m_d.objsubid = 0"),
            "p_oid, p_catalog": _comment(f"m_d.objsubid = 0 AND {_OF_CATALOG}"),
        },
        VIEWER,
    ),
    Macro(
        "col_description",
        TEXT,
        {"p_oid, p_column": _comment("m_d.objsubid = p_column AND m_d.classoid = 1259")},
        VIEWER,
    ),
    Macro("shobj_description", TEXT, {"p_oid, p_catalog": _SHARED_COMMENT}, VIEWER),
    Macro("pg_get_function_arguments", TEXT, {"p_oid": _proc("m_p._arguments")}, VIEWER),
    Macro("pg_get_function_identity_arguments", TEXT, {"p_oid": _proc("m_p._arguments")}, VIEWER),
    Macro("pg_get_function_result", TEXT, {"p_oid": _proc("m_p._result")}, VIEWER),
    Macro("pg_get_functiondef", TEXT, {"p_oid": _proc(_FUNCTION, " AND m_p.prokind <> 'a'")}, VIEWER),
    Macro("pg_encoding_to_char", NAME, {"p_encoding": _ENCODING_NAME}),
    Macro("pg_char_to_encoding", INT4, {"p_name": _ENCODING_NUMBER}),
    *constant("getdatabaseencoding pg_client_encoding", NAME, "'UTF8'", ""),
    Macro(
        "pg_get_serial_sequence",
        TEXT,
        {"p_table, p_column": _serial("sequence", relation_oid("p_table"))},
        NAMES,
    ),
    Macro("serial_sequence_of", TEXT, {"p_oid, p_column": _serial("sequence", "p_oid")}, VIEWER),
    Macro("serial_sequence_oid_of", OID, {"p_oid, p_column": _serial("sequence_oid", "p_oid")}, VIEWER),
    *constant(
        "pg_get_function_sqlbody pg_get_ruledef pg_get_triggerdef pg_get_statisticsobjdef "
        "pg_get_statisticsobjdef_columns pg_get_statisticsobjdef_expressions pg_get_partkeydef "
        "pg_get_partition_constraintdef pg_collation_actual_version",
        TEXT,
        "CAST(NULL AS VARCHAR)",
        "p_oid",
        "p_oid, p_pretty",
    ),
    *constant("pg_tablespace_location", TEXT, "''", "p_oid"),
)

"""Sizes, statistics, locks and the server.

What has no counterpart in DuckDB answers as an idle PostgreSQL would.
"""

from datetime import UTC, datetime

from pgproxy.catalog.functions.macro import (
    BOOL,
    FLOAT8,
    INET,
    INT4,
    INT8,
    NAMES,
    OID,
    PG,
    REGCLASS,
    TEXT,
    TIMESTAMPTZ,
    VIEWER,
    VOID,
    Macro,
    constant,
    visible,
)
from pgproxy.catalog.functions.names import relation_oid
from pgproxy.catalog.snapshot import SystemValue
from pgproxy.catalog.visibility import held_keys

_STARTED = datetime.now(UTC).isoformat()
"""When this process began, near enough."""

# PostgreSQL's dbsize.c: a unit is left at 10 240 of it, and halves round away from zero.
_SIZE_UNITS = ("kB", "MB", "GB", "TB", "PB")


def _size_pretty() -> str:
    size = "CAST(p_size AS HUGEINT)"
    cases = [f"WHEN abs({size}) < 10240 THEN {size} || ' bytes'"]
    for power, unit in enumerate(_SIZE_UNITS, start=1):
        scaled = f"(sign({size}) * ((abs({size}) // {1024**power // 2} + 1) // 2))"
        value = f"CAST({scaled} AS BIGINT) || ' {unit}'"
        is_last = unit == _SIZE_UNITS[-1]
        cases.append(f"ELSE {value}" if is_last else f"WHEN abs({scaled}) < 10240 THEN {value}")
    return f"CASE {' '.join(cases)} END"


_SIZE_TEXT = r"(?i)\s*[-+]?(\d+\.?\d*|\.\d+)\s*(bytes|b|kb|mb|gb|tb|pb)?\s*"
_FACTORS = " ".join(
    f"WHEN '{unit.lower()}' THEN {1024**power}" for power, unit in enumerate(_SIZE_UNITS, start=1)
)
_SIZE_OF_TEXT = (
    "CASE WHEN p_text IS NULL THEN NULL "
    f"WHEN NOT regexp_full_match(p_text, '{_SIZE_TEXT}') THEN error(chr(2) || 'pgproxy:22023:invalid size') "
    "ELSE CAST(round(CAST(regexp_extract(p_text, '[-+.0-9]+') AS DECIMAL(38, 6)) * "
    f"CASE lower(regexp_extract(p_text, '[a-zA-Z]+')) {_FACTORS} ELSE 1 END) AS BIGINT) END"
)

_RELATION_SIZE = (
    f"(SELECT max(m_c._bytes) FROM {PG}.pg_class AS m_c WHERE m_c.oid = {relation_oid('p_object')} "
    f"AND {visible('m_c')})"
)
"""Of a relation whose number of rows the viewer may not know: 0."""
_DATABASE_SIZE = (
    f"(SELECT max(coalesce((SELECT CAST(sum(m_c._bytes) AS BIGINT) FROM {PG}.pg_class AS m_c "
    f"WHERE m_c._database = m_d.datname AND m_c._key IN ({held_keys('p_viewer')})), 0)) "
    f"FROM {PG}.pg_database AS m_d WHERE (m_d.datname = CAST(p_object AS VARCHAR) "
    f"OR CAST(m_d.oid AS VARCHAR) = CAST(p_object AS VARCHAR)) AND {visible('m_d')})"
)
"""The sum of what the viewer may know of."""

_COUNTERS = (
    "pg_stat_get_numscans pg_stat_get_tuples_returned pg_stat_get_tuples_fetched pg_stat_get_tuples_inserted "
    "pg_stat_get_tuples_updated pg_stat_get_tuples_deleted pg_stat_get_tuples_hot_updated "
    "pg_stat_get_live_tuples pg_stat_get_dead_tuples pg_stat_get_mod_since_analyze "
    "pg_stat_get_ins_since_vacuum "
    "pg_stat_get_blocks_fetched pg_stat_get_blocks_hit pg_stat_get_vacuum_count pg_stat_get_autovacuum_count "
    "pg_stat_get_analyze_count pg_stat_get_autoanalyze_count pg_stat_get_db_numbackends "
    "pg_stat_get_db_xact_commit pg_stat_get_db_xact_rollback pg_indexes_size"
)
_EXPANDED = (
    "unnest(list_transform(range(1, len(p_array) + 1), lambda i: {'x': p_array[i], 'n': CAST(i AS INTEGER)}))"
)

_BTREE_PROPERTIES = {
    "true": "asc nulls_last orderable returnable search_array search_nulls",
    "false": "desc nulls_first distance_orderable",
}
_INDEX_COLUMN_PROPERTY = (
    "(SELECT max(CASE "
    + " ".join(
        f"WHEN list_contains(string_split('{names}', ' '), lower(p_property)) THEN {value}"
        for value, names in _BTREE_PROPERTIES.items()
    )
    + f" END) FROM {PG}.pg_index AS m_i WHERE m_i.indexrelid = p_oid "
    f"AND p_column BETWEEN 1 AND m_i.indnatts AND {visible('m_i')})"
)
"""Every index here is what PostgreSQL's btree is by default."""

_INDEX_PROPERTY = (
    "(SELECT max(CASE lower(p_property) WHEN 'clusterable' THEN true WHEN 'index_scan' THEN true "
    "WHEN 'bitmap_scan' THEN true WHEN 'backward_scan' THEN true END) "
    f"FROM {PG}.pg_index AS m_i WHERE m_i.indexrelid = p_oid AND {visible('m_i')})"
)
_BTREE_PROPERTY = (
    "CASE WHEN p_oid = 403 AND lower(p_property) IN "
    "('can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include') THEN true END"
)
_SEED = (
    "CASE WHEN p_seed IS NULL THEN NULL WHEN p_seed BETWEEN -1 AND 1 THEN '' ELSE "
    "error(chr(2) || 'pgproxy:22023:setseed parameter ' || p_seed || ' is out of allowed range [-1,1]') END"
)
"""Statements run on whatever connection is free, so that random() goes on as it would have."""
_TRANSACTION_STATUS = (
    "CASE WHEN CAST(p_id AS BIGINT) = 1 THEN 'in progress' WHEN CAST(p_id AS BIGINT) IS NOT NULL THEN "
    "error(chr(2) || 'pgproxy:22023:transaction ID ' || p_id || ' is in the future') END"
)
"""There is one number, that of the present transaction (txid_current)."""
_COLUMN_SIZE = (
    "CASE WHEN p_value IS NULL THEN NULL ELSE CAST(CASE typeof(p_value) WHEN 'BOOLEAN' THEN 1 "
    "WHEN 'SMALLINT' THEN 2 WHEN 'INTEGER' THEN 4 WHEN 'UINTEGER' THEN 4 WHEN 'FLOAT' THEN 4 "
    "WHEN 'DATE' THEN 4 WHEN 'BIGINT' THEN 8 WHEN 'DOUBLE' THEN 8 WHEN 'TIMESTAMP' THEN 8 "
    "WHEN 'TIMESTAMP WITH TIME ZONE' THEN 8 WHEN 'TIME' THEN 8 WHEN 'TIME WITH TIME ZONE' THEN 12 "
    "WHEN 'INTERVAL' THEN 16 WHEN 'UUID' THEN 16 "
    "ELSE strlen(CAST(p_value AS VARCHAR)) + CASE WHEN strlen(CAST(p_value AS VARCHAR)) < 127 THEN 1 ELSE 4 "
    "END END AS INTEGER) END"
)
"""As PostgreSQL stores a value of the type; of what has no fixed length, that of its text and a header."""
_FILENODE = (
    f"(SELECT max(m_c.oid) FROM {PG}.pg_class AS m_c WHERE m_c.oid = {relation_oid('p_object')} "
    f"AND m_c.relkind IN ('r', 'i', 'S', 't', 'm') AND {visible('m_c')})"
)
_UPDATABLE = (
    "CAST((SELECT max(CASE m_c.relkind WHEN 'r' THEN 28 ELSE 0 END) "
    f"FROM {PG}.pg_class AS m_c WHERE m_c.oid = p_oid AND {visible('m_c')}) AS INTEGER)"
)
"""PostgreSQL docs, "System Catalog Information Functions": 4 UPDATE, 8 INSERT, 16 DELETE. No view here is."""
_SEQUENCE_PARAMETERS = (
    "SELECT m_s.seqstart AS start_value, m_s.seqmin AS minimum_value, m_s.seqmax AS maximum_value, "
    "m_s.seqincrement AS increment, m_s.seqcycle AS cycle_option, m_s.seqcache AS cache_size, "
    f"m_s.seqtypid AS data_type FROM {PG}.pg_sequence AS m_s WHERE m_s.seqrelid = p_oid AND {visible('m_s')}"
)

_KEYWORDS = (
    "SELECT m_k.word AS word, m_k.catcode AS catcode, m_k.barelabel AS barelabel, m_k.catdesc AS catdesc, "
    f"m_k.baredesc AS baredesc FROM {PG}._keyword AS m_k"
)

_TOKEN_TYPES = (
    ("asciiword", "Word, all ASCII"), ("word", "Word, all letters"), ("numword", "Word, letters and digits"),
    ("email", "Email address"), ("url", "URL"), ("host", "Host"), ("sfloat", "Scientific notation"),
    ("version", "Version number"), ("hword_numpart", "Hyphenated word part, letters and digits"),
    ("hword_part", "Hyphenated word part, all letters"),
    ("hword_asciipart", "Hyphenated word part, all ASCII"),
    ("blank", "Space symbols"), ("tag", "XML tag"), ("protocol", "Protocol head"),
    ("numhword", "Hyphenated word, letters and digits"), ("asciihword", "Hyphenated word, all ASCII"),
    ("hword", "Hyphenated word, all letters"), ("url_path", "URL path"), ("file", "File or path name"),
    ("float", "Decimal notation"), ("int", "Signed integer"), ("uint", "Unsigned integer"),
    ("entity", "XML entity"),
)  # fmt: skip
"""PostgreSQL docs, "Parsers": what the default parser makes of a text, numbered from 1."""
_DEFAULT_PARSER = 3722
_TOKEN_ROWS = (
    "SELECT m_t.tokid AS tokid, m_t.alias AS alias, m_t.description AS description FROM (VALUES "
    + ", ".join(
        f"({number}, '{alias}', '{text}')" for number, (alias, text) in enumerate(_TOKEN_TYPES, start=1)
    )
    + ") AS m_t(m_tokid, m_alias, m_description) "
    f"WHERE CAST(p_parser AS VARCHAR) IN ('{_DEFAULT_PARSER}', 'default')"
)

SERVER_MACROS: tuple[Macro, ...] = (
    Macro("pg_size_pretty", TEXT, {"p_size": _size_pretty()}),
    Macro("pg_size_bytes", INT8, {"p_text": _SIZE_OF_TEXT}),
    *constant(_COUNTERS, INT8, "CAST(0 AS BIGINT)", "p_oid"),
    *(
        Macro(name, INT8, dict.fromkeys(parameters, _RELATION_SIZE), NAMES)
        for name, parameters in {
            "pg_table_size": ("p_object",),
            "pg_total_relation_size": ("p_object",),
            "pg_relation_size": ("p_object", "p_object, p_fork"),
        }.items()
    ),
    Macro("pg_database_size", INT8, {"p_object": _DATABASE_SIZE}, VIEWER),
    *constant(
        "pg_tablespace_size",
        INT8,
        "CASE WHEN p_object IS NULL THEN NULL ELSE CAST(0 AS BIGINT) END",
        "p_object",
    ),
    *constant("pg_my_temp_schema", OID, "CAST(0 AS BIGINT)", ""),
    *constant("pg_is_other_temp_schema", BOOL, "false", "p_oid"),
    *constant("pg_relation_is_publishable", BOOL, "true", "p_oid"),
    *constant("pg_partition_ancestors", REGCLASS, "unnest(CAST([] AS BIGINT[]))", "p_oid"),
    *constant("pg_is_in_recovery pg_is_wal_replay_paused pg_jit_available", BOOL, "false", ""),
    *constant(
        "pg_postmaster_start_time pg_conf_load_time", TIMESTAMPTZ, f"CAST('{_STARTED}' AS TIMESTAMPTZ)", ""
    ),
    *constant("pg_trigger_depth", INT4, "0", ""),
    *constant("pg_notification_queue_usage", FLOAT8, "CAST(0 AS DOUBLE)", ""),
    *constant(
        "pg_encoding_max_length", INT4, "CASE p_encoding WHEN 0 THEN 1 WHEN 6 THEN 4 END", "p_encoding"
    ),
    Macro(
        "pg_index_column_has_property", BOOL, {"p_oid, p_column, p_property": _INDEX_COLUMN_PROPERTY}, VIEWER
    ),
    *constant("txid_current pg_current_xact_id", INT8, "CAST(1 AS BIGINT)", ""),
    *constant("txid_current_if_assigned", INT8, "CAST(NULL AS BIGINT)", ""),
    *constant(
        "pg_advisory_lock pg_advisory_xact_lock pg_advisory_lock_shared pg_advisory_xact_lock_shared",
        VOID,
        "''",
        "p_key",
        "p_key, p_second",
    ),
    *constant(
        "pg_try_advisory_lock pg_try_advisory_xact_lock pg_advisory_unlock pg_advisory_unlock_shared "
        "pg_try_advisory_lock_shared",
        BOOL,
        "true",
        "p_key",
        "p_key, p_second",
    ),
    *constant("pg_advisory_unlock_all", VOID, "''", ""),
    *(
        Macro(f"inet_{value.value}", oid, {"": f"p_{value.value}"}, (value,))
        for value, oid in (
            (SystemValue.CLIENT_ADDR, INET),
            (SystemValue.CLIENT_PORT, INT4),
            (SystemValue.SERVER_ADDR, INET),
            (SystemValue.SERVER_PORT, INT4),
        )
    ),
    Macro("setseed", VOID, {"p_seed": _SEED}),
    *(Macro(name, TEXT, {"p_id": _TRANSACTION_STATUS}) for name in ("txid_status", "pg_xact_status")),
    Macro("pg_column_size", INT4, {"p_value": _COLUMN_SIZE}),
    Macro("pg_relation_filenode", OID, {"p_object": _FILENODE}, NAMES),
    Macro("pg_relation_is_updatable", INT4, {"p_oid, p_triggers": _UPDATABLE}, VIEWER),
    Macro("pg_column_is_updatable", BOOL, {"p_oid, p_column, p_triggers": f"{_UPDATABLE} <> 0"}, VIEWER),
    Macro("pg_index_has_property", BOOL, {"p_oid, p_property": _INDEX_PROPERTY}, VIEWER),
    Macro("pg_indexam_has_property", BOOL, {"p_oid, p_property": _BTREE_PROPERTY}),
    Macro("pg_sequence_parameters", 2249, {"p_oid": _SEQUENCE_PARAMETERS}, VIEWER, is_table=True),
    *constant("pg_blocking_pids", 1007, "CAST([] AS INTEGER[])", "p_pid"),
    Macro("ts_token_type", 2249, {"p_parser": _TOKEN_ROWS}, is_table=True),
    Macro("pg_get_keywords", 2249, {"": _KEYWORDS}, is_table=True),
    Macro(
        "pg_options_to_table",
        2249,
        {
            "p_options": "SELECT CAST(NULL AS VARCHAR) AS option_name, "
            "CAST(NULL AS VARCHAR) AS option_value WHERE false"
        },
        is_table=True,
    ),
    Macro("_pg_expandarray", 2249, {"p_array": _EXPANDED}),
)

TABLE_TWINS: tuple[Macro, ...] = (
    # DuckDB ignores WITH ORDINALITY behind a table macro, so the ordinality is a column of its own.
    Macro(
        "pg_partition_ancestors",
        REGCLASS,
        {"p_oid": "SELECT CAST(p_oid AS BIGINT) AS relid, CAST(0 AS BIGINT) AS ordinality WHERE false"},
        is_table=True,
    ),
)
"""The same functions where they stand in FROM: DuckDB keeps table macros and scalar macros apart."""

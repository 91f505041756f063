"""Names and OIDs: format_type, the text and input of reg* types, to_reg*, pg_*_is_visible, quote_ident."""

from pgproxy.catalog.functions.macro import (
    BOOL,
    NAME,
    NAMES,
    OID,
    PG,
    REGCLASS,
    REGNAMESPACE,
    REGPROC,
    REGROLE,
    REGTYPE,
    TEXT,
    VIEWER,
    Macro,
    constant,
    visible,
)
from pgproxy.catalog.snapshot import IN_ONE_SCHEMA, TEMP_SCHEMA

_PATH = "list_prepend('pg_catalog', string_split(p_search_path, chr(31)))"

IN_PATH = f"list_contains({_PATH}, '{{}}')"
"""SQL: whether the session looks for names in a schema."""


def quoted(name: str) -> str:
    """SQL: an identifier as PostgreSQL prints it."""
    return (
        f"CASE WHEN regexp_full_match({name}, '[a-z_][a-z0-9_$]*') THEN {name} "
        f"ELSE '\"' || replace({name}, '\"', '\"\"') || '\"' END"
    )


def _oid_text(oid: str, found: str) -> str:
    """SQL: the text of a reg* value: `-` for 0, the digits where there is no such object."""
    return f"CASE WHEN {oid} = 0 THEN '-' ELSE coalesce({found}, CAST({oid} AS VARCHAR)) END"


_TYPMOD = (
    "CASE WHEN p_mod IS NULL OR p_mod < 0 THEN '' "
    "WHEN p_oid IN (1014, 1015, 1042, 1043) THEN '(' || (p_mod - 4) || ')' "
    "WHEN p_oid IN (1083, 1114, 1184, 1266, 1560, 1562) THEN '(' || p_mod || ')' "
    "WHEN p_oid IN (1231, 1700) THEN '(' || ((p_mod - 4) >> 16) || ',' || ((p_mod - 4) & 65535) || ')' "
    "ELSE '' END"
)
_FORMAT = f"(SELECT max(m_t._format) FROM {PG}.pg_type AS m_t WHERE m_t.oid = p_oid AND {visible('m_t')})"
_FORMAT_TYPE = (
    "CASE WHEN p_oid IS NULL THEN NULL WHEN p_oid = 0 THEN '-' WHEN p_oid = 1042 AND p_mod < 0 THEN 'bpchar' "
    f"ELSE coalesce(regexp_replace({_FORMAT}, '^(timestamp|time|[^\\[]*)', '\\1' || {_TYPMOD}), '???') END"
)
"""The modifier goes before what follows the name: `timestamp(3) without time zone`, `numeric(9,2)[]`."""

_REGTYPE_TEXT = _oid_text("p_oid", _FORMAT)

_REGTYPE_TEXTS = (
    "CASE WHEN p_oids IS NULL THEN NULL ELSE coalesce((SELECT list(CASE WHEN m_u.oid = 0 THEN '-' "
    "ELSE coalesce(m_t._format, CAST(m_u.oid AS VARCHAR)) END ORDER BY m_u.place) FROM "
    "(SELECT unnest(p_oids) AS m_oid, generate_subscripts(p_oids, 1) AS m_place) AS m_u "
    f"LEFT JOIN {PG}.pg_type AS m_t ON m_t.oid = m_u.oid AND {visible('m_t')}), []) END"
)
"""regtype[] as texts."""

_FIRST_IN_PATH = (
    "SELECT m_q.oid FROM (SELECT m_c.oid, row_number() OVER (PARTITION BY m_c.relname "
    f"ORDER BY list_position({_PATH}, m_c._schema), m_c.oid) AS m_place FROM {PG}._relation AS m_c "
    f"WHERE list_contains({_PATH}, m_c._schema) AND {visible('m_c')}) AS m_q WHERE m_q.place = 1"
)
"""The relations that a bare name finds: the first of its name along the search path."""

REGCLASS_TEXT = _oid_text(
    "p_oid",
    f"(SELECT max(CASE WHEN m_c.oid IN ({_FIRST_IN_PATH}) THEN {quoted('m_c.relname')} "
    f"ELSE {quoted('m_c._schema')} || '.' || {quoted('m_c.relname')} END) "
    f"FROM {PG}._relation AS m_c WHERE m_c.oid = p_oid AND {visible('m_c')})",
)


_IN_ONE = "(m_c._schema = 'pg_catalog' OR (m_c._schema = p_search_path AND m_c._is_hidden IS NULL))"
"""What a bare name finds where the search path is pg_catalog and one schema: cheaper to plan."""
_REGCLASS_TEXT_IN_ONE = _oid_text(
    "p_oid",
    f"(SELECT max(CASE WHEN {_IN_ONE} THEN {quoted('m_c.relname')} "
    f"ELSE {quoted('m_c._schema')} || '.' || {quoted('m_c.relname')} END) "
    f"FROM {PG}._relation AS m_c WHERE m_c.oid = p_oid AND {visible('m_c')})",
)
_TABLE_IS_VISIBLE_IN_ONE = (
    f"p_oid IN (SELECT m_c.oid FROM {PG}._relation AS m_c WHERE {_IN_ONE} AND {visible('m_c')})"
)


def name_parts(text: str) -> str:
    """SQL: the parts of a qualified name, unquoted ones in lower case."""
    return (
        f'list_transform(regexp_extract_all(CAST({text} AS VARCHAR), \'"(?:[^"]|"")*"|[^.]+\'), '
        "lambda part: CASE WHEN starts_with(part, '\"') "
        "THEN replace(part[2:-2], '\"\"', '\"') ELSE lower(trim(part)) END)"
    )


def relation_oid(text: str) -> str:
    """SQL: the OID behind a relation's name, or behind the digits of an OID; NULL where there is none."""
    parts = name_parts(text)
    return (
        f"coalesce(TRY_CAST({text} AS BIGINT), (SELECT arg_min(m_c.oid, "
        f"CASE WHEN len({parts}) > 1 THEN 0 ELSE list_position({_PATH}, m_c._schema) END) "
        f"FROM {PG}._relation AS m_c WHERE m_c.relname = {parts}[-1] AND {visible('m_c')} AND "
        f"CASE WHEN {parts}[-2] = 'pg_temp' THEN starts_with(m_c._schema, '{TEMP_SCHEMA}') "
        f"WHEN len({parts}) > 1 THEN m_c._schema = {parts}[-2] ELSE list_contains({_PATH}, "
        "m_c._schema) END))"
    )


def _type_oid(text: str) -> str:
    bare = f"regexp_replace(lower(trim(CAST({text} AS VARCHAR))), '^pg_catalog\\.|\\(.*\\)', '', 'g')"
    return (
        f"coalesce(TRY_CAST({text} AS BIGINT), (SELECT min(m_t.oid) FROM {PG}.pg_type AS m_t WHERE "
        f"{visible('m_t')} AND "
        f"(m_t._format = {bare} OR m_t.typname = trim({bare}, '\"') OR "
        f"m_t.typname = CASE {bare} WHEN 'int' THEN 'int4' WHEN 'decimal' THEN 'numeric' WHEN 'float' "
        "THEN 'float8' "
        f"WHEN 'char' THEN 'bpchar' WHEN 'time' THEN 'time' ELSE '' END) "
        f"AND NOT ({bare} = 'char' AND m_t.typname = 'char')))"
    )


def _named_oid(table: str, column: str, guarded: bool = True) -> str:
    guard = f" AND {visible('m_n')}" if guarded else ""
    return (
        f"coalesce(TRY_CAST(p_text AS BIGINT), (SELECT min(m_n.oid) FROM {PG}.{table} AS m_n "
        f"WHERE m_n.{column} = {name_parts('p_text')}[-1]{guard}))"
    )


def _named_text(table: str, column: str, guarded: bool = True) -> str:
    guard = f" AND {visible('m_n')}" if guarded else ""
    shown = quoted(f"m_n.{column}")
    return _oid_text("p_oid", f"(SELECT max({shown}) FROM {PG}.{table} AS m_n WHERE m_n.oid = p_oid{guard})")


def _must_be(found: str, sqlstate: str, kind: str) -> str:
    """SQL: the OID of what a text names; an error where nothing that the viewer knows has this name."""
    message = f"'pgproxy:{sqlstate}:{kind} \"' || CAST(p_text AS VARCHAR) || '\" does not exist'"
    return f"CASE WHEN p_text IS NOT NULL THEN coalesce({found}, error(chr(2) || {message})) END"


_FUNCTION_OID = (
    "CASE WHEN contains(CAST(p_text AS VARCHAR), '(') THEN "
    "error(chr(2) || 'pgproxy:0A000:functions by their arguments are not supported' || left(p_text, 0)) "
    f"ELSE coalesce({_named_oid('pg_proc', 'proname')}, "
    "error(chr(2) || 'pgproxy:42883:function \"' || p_text || '\" does not exist')) END"
)
_REGOPER_TEXT = (
    "CASE WHEN p_oid = 0 THEN '0' ELSE coalesce((SELECT max(CASE WHEN (SELECT count(*) FROM "
    f"{PG}.pg_operator AS m_q WHERE m_q.oprname = m_o.oprname) > 1 THEN 'pg_catalog.' ELSE '' END "
    f"|| m_o.oprname) FROM {PG}.pg_operator AS m_o WHERE m_o.oid = p_oid), CAST(p_oid AS VARCHAR)) END"
)
"""An operator's name, qualified where it has several meanings."""

_TABLE_IS_VISIBLE = f"p_oid IN ({_FIRST_IN_PATH})"
_TYPE_IS_VISIBLE = (
    f"(SELECT bool_or(m_t._schema IS NULL OR list_contains({_PATH}, m_t._schema)) FROM {PG}.pg_type AS m_t "
    f"WHERE m_t.oid = p_oid AND {visible('m_t')})"
)
OWNER_NAME = (
    f"coalesce((SELECT max(m_a.rolname) FROM {PG}.pg_authid AS m_a WHERE m_a.oid = p_oid AND "
    f"{visible('m_a')}), "
    "'unknown (OID=' || p_oid || ')')"
)
"""The role whose OID is p_oid."""

NAME_MACROS: tuple[Macro, ...] = (
    Macro("format_type", TEXT, {"p_oid, p_mod": _FORMAT_TYPE}, VIEWER),
    Macro("regtype_text", TEXT, {"p_oid": _REGTYPE_TEXT}, VIEWER),
    Macro("regtype_array_text", 1009, {"p_oids": _REGTYPE_TEXTS}, VIEWER),
    Macro("regclass_text", TEXT, {"p_oid": REGCLASS_TEXT}, NAMES),
    Macro(f"regclass_text{IN_ONE_SCHEMA}", TEXT, {"p_oid": _REGCLASS_TEXT_IN_ONE}, NAMES),
    Macro("regproc_text", TEXT, {"p_oid": _named_text("pg_proc", "proname")}, VIEWER),
    Macro("regnamespace_text", TEXT, {"p_oid": _named_text("pg_namespace", "nspname")}, VIEWER),
    Macro("regrole_text", TEXT, {"p_oid": _named_text("pg_authid", "rolname")}, VIEWER),
    Macro("regcollation_text", TEXT, {"p_oid": _named_text("pg_collation", "collname", guarded=False)}),
    Macro("regdictionary_text", TEXT, {"p_oid": _named_text("pg_ts_dict", "dictname", guarded=False)}),
    Macro("regdictionary_oid", OID, {"p_text": _named_oid("pg_ts_dict", "dictname", guarded=False)}),
    Macro("regoper_text", TEXT, {"p_oid": _REGOPER_TEXT}),
    Macro("regclass_oid", REGCLASS, {"p_text": _must_be(relation_oid("p_text"), "42P01", "relation")}, NAMES),
    Macro("regtype_oid", REGTYPE, {"p_text": _must_be(_type_oid("p_text"), "42704", "type")}, VIEWER),
    Macro("regproc_oid", REGPROC, {"p_text": _FUNCTION_OID}, VIEWER),
    Macro(
        "regnamespace_oid",
        REGNAMESPACE,
        {"p_text": _must_be(_named_oid("pg_namespace", "nspname"), "3F000", "schema")},
        VIEWER,
    ),
    Macro(
        "regrole_oid",
        REGROLE,
        {"p_text": _must_be(_named_oid("pg_authid", "rolname"), "42704", "role")},
        VIEWER,
    ),
    Macro("regcollation_oid", OID, {"p_text": _named_oid("pg_collation", "collname", guarded=False)}),
    Macro("to_regclass", REGCLASS, {"p_text": relation_oid("p_text")}, NAMES),
    Macro("to_regtype", REGTYPE, {"p_text": _type_oid("p_text")}, VIEWER),
    Macro("to_regproc", REGPROC, {"p_text": _named_oid("pg_proc", "proname")}, VIEWER),
    Macro("to_regnamespace", REGNAMESPACE, {"p_text": _named_oid("pg_namespace", "nspname")}, VIEWER),
    Macro("to_regrole", REGROLE, {"p_text": _named_oid("pg_authid", "rolname")}, VIEWER),
    Macro("pg_get_userbyid", NAME, {"p_oid": OWNER_NAME}, VIEWER),
    Macro("pg_table_is_visible", BOOL, {"p_oid": _TABLE_IS_VISIBLE}, NAMES),
    Macro(f"pg_table_is_visible{IN_ONE_SCHEMA}", BOOL, {"p_oid": _TABLE_IS_VISIBLE_IN_ONE}, NAMES),
    Macro("pg_type_is_visible", BOOL, {"p_oid": _TYPE_IS_VISIBLE}, NAMES),
    *constant(
        "pg_function_is_visible pg_collation_is_visible pg_operator_is_visible pg_opclass_is_visible "
        "pg_opfamily_is_visible pg_conversion_is_visible pg_ts_config_is_visible pg_ts_dict_is_visible "
        "pg_ts_parser_is_visible pg_ts_template_is_visible pg_statistics_obj_is_visible",
        BOOL,
        "p_oid IS NOT NULL",
        "p_oid",
    ),
    Macro(
        "current_schemas",
        1003,
        {
            "p_implicit": (
                f"coalesce((SELECT list(m_s.name ORDER BY m_s.place) FROM (SELECT unnest({_PATH}) AS m_name, "
                f"generate_subscripts({_PATH}, 1) AS m_place) AS m_s WHERE (m_s.place > 1 OR p_implicit) "
                f"AND EXISTS (SELECT 1 FROM {PG}.pg_namespace AS m_n WHERE m_n.nspname = m_s.name "
                f"AND {visible('m_n')})), "
                "CAST([] AS VARCHAR[]))"
            )
        },
        NAMES,
    ),
)

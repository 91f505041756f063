"""System relations that are views over others in PostgreSQL are views here too.

PostgreSQL docs, "System Views".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pgproxy.catalog.builtin import RelationDefinition
from pgproxy.catalog.relations.table import Rule
from pgproxy.catalog.snapshot import SYSTEM_CATALOG
from pgproxy.catalog.visibility import private_key

PG = f"{SYSTEM_CATALOG}.pg"


@dataclass(frozen=True, slots=True)
class DerivedRelation:
    """A view: which columns have content, from what. The other columns are NULL.

    columns: column → SQL. source: what follows FROM. hidden: SQL of the rule's hidden columns, where they
    are not simply those of the relation that goes by `r`. visibility: in place of the rule's predicate.
    """

    rule: Rule
    columns: Mapping[str, str]
    source: str
    hidden: Mapping[str, str] | None = None
    visibility: str | None = None


RELATION_VIEW = (
    f"CREATE OR REPLACE VIEW {PG}._relation AS SELECT oid, relname, relnamespace, relowner, relkind, "
    "relhasindex, relhasrules, relhastriggers, relpersistence, _schema, _is_hidden, _database, "
    f"CASE WHEN _key = 0 OR _key >= {private_key(0)} THEN _key ELSE oid END AS _key "
    f"FROM {PG}.pg_class WHERE _key >> 32 <> 2"
)
"""pg_class with one row a relation: without the twin that carries the row estimate."""


def view_statement(
    definition: RelationDefinition, physical: tuple[str, str], derived: DerivedRelation
) -> str:
    """CREATE VIEW with exactly PostgreSQL's columns, types and order, and the hidden columns after them."""
    return (
        f'CREATE OR REPLACE VIEW {SYSTEM_CATALOG}.{physical[0]}."{physical[1]}" AS '
        f"SELECT {', '.join(_columns(definition, derived))} FROM {derived.source}"
    )


def _columns(definition: RelationDefinition, derived: DerivedRelation) -> Iterator[str]:
    for column in definition.columns:
        yield f'CAST({derived.columns.get(column.name, "NULL")} AS {column.engine_type}) AS "{column.name}"'
    hidden = derived.hidden or {}
    for name in derived.rule.value:
        yield f"{hidden.get(name, f'r.{name}')} AS {name}"
    yield from (f"{sql} AS {name}" for name, sql in hidden.items() if name not in derived.rule.value)


def owner_name(oid: str) -> str:
    """SQL: the name of the role that owns something, for whoever sees that. oid: SQL."""
    known = f"SELECT any_value(o.rolname) FROM {PG}.pg_authid AS o WHERE o.oid = {oid}"
    return f"coalesce(({known}), 'unknown (OID=' || {oid} || ')')"


def _role_columns(*names: str) -> dict[str, str]:
    return {name: f"r.{name}" for name in names}


_TABLE_COLUMNS = {
    "schemaname": "r._schema",
    "tablename": "r.relname",
    "tableowner": owner_name("r.relowner"),
    "hasindexes": "r.relhasindex",
    "hasrules": "r.relhasrules",
    "hastriggers": "r.relhastriggers",
    "rowsecurity": "false",
}
_STATISTICS = {"relid": "r.oid", "schemaname": "r._schema", "relname": "r.relname"}
_COUNTERS = ("seq_scan", "seq_tup_read", "n_tup_ins", "n_tup_upd", "n_tup_del", "n_tup_hot_upd", "n_live_tup")
_TABLES_ONLY = f"{PG}._relation AS r WHERE r.relkind = 'r'"
_USER_TABLES = f"{_TABLES_ONLY} AND r.oid >= 16384"
_ROLE_FLAGS = (
    "rolname",
    "rolsuper",
    "rolinherit",
    "rolcreaterole",
    "rolcreatedb",
    "rolcanlogin",
    "rolreplication",
)


def _table_statistics(source: str) -> DerivedRelation:
    return DerivedRelation(Rule.ROW, _STATISTICS | dict.fromkeys(_COUNTERS, "0"), source)


PG_VIEWS: Mapping[str, DerivedRelation] = {
    "pg_tables": DerivedRelation(Rule.ROW, _TABLE_COLUMNS, _TABLES_ONLY),
    "pg_views": DerivedRelation(
        Rule.ROW,
        {
            "schemaname": "r._schema",
            "viewname": "r.relname",
            "viewowner": owner_name("r.relowner"),
            "definition": "w._definition",
        },
        f"{PG}._relation AS r LEFT JOIN {PG}.pg_rewrite AS w ON w.ev_class = r.oid WHERE r.relkind = 'v'",
        hidden={"_key": "coalesce(w._key, r._key)"},
    ),
    "pg_indexes": DerivedRelation(
        Rule.ROW,
        {
            "schemaname": "t._schema",
            "tablename": "t.relname",
            "indexname": "c.relname",
            "indexdef": "r._definition",
        },
        f"{PG}.pg_index AS r JOIN {PG}._relation AS c ON c.oid = r.indexrelid "
        f"JOIN {PG}._relation AS t ON t.oid = r.indrelid",
    ),
    "pg_sequences": DerivedRelation(
        Rule.ROW,
        {
            "schemaname": "c._schema",
            "sequencename": "c.relname",
            "sequenceowner": owner_name("c.relowner"),
            "data_type": "r.seqtypid",
            "start_value": "r.seqstart",
            "min_value": "r.seqmin",
            "max_value": "r.seqmax",
            "increment_by": "r.seqincrement",
            "cycle": "r.seqcycle",
            "cache_size": "r.seqcache",
        },
        f"{PG}.pg_sequence AS r JOIN {PG}._relation AS c ON c.oid = r.seqrelid",
    ),
    "pg_roles": DerivedRelation(
        Rule.ROW,
        _role_columns(*_ROLE_FLAGS, "rolconnlimit", "rolvaliduntil", "rolbypassrls", "oid")
        | {"rolpassword": "'********'"},
        f"{PG}.pg_authid AS r",
    ),
    "pg_user": DerivedRelation(
        Rule.ROW,
        {
            "usename": "r.rolname",
            "usesysid": "r.oid",
            "usecreatedb": "r.rolcreatedb",
            "usesuper": "r.rolsuper",
            "userepl": "r.rolreplication",
            "usebypassrls": "r.rolbypassrls",
            "passwd": "'********'",
        },
        f"{PG}.pg_authid AS r WHERE r.rolcanlogin",
    ),
    "pg_group": DerivedRelation(
        Rule.ROW,
        {
            "groname": "r.rolname",
            "grosysid": "r.oid",
            "grolist": "[]",
        },
        f"{PG}.pg_authid AS r WHERE NOT r.rolcanlogin",
    ),
    "pg_policies": DerivedRelation(
        Rule.ROW,
        {
            "schemaname": "c._schema",
            "tablename": "c.relname",
            "policyname": "r.polname",
            "permissive": "CASE WHEN r.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END",
            "roles": (
                "CASE WHEN r.polroles = [0] THEN ['public'] ELSE list_sort((SELECT list(a.rolname) "
                f"FROM {PG}.pg_authid AS a WHERE list_contains(r.polroles, a.oid))) END"
            ),
            "cmd": (
                "CASE r.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' "
                "WHEN 'd' THEN 'DELETE' ELSE 'ALL' END"
            ),
            "qual": "r.polqual",
            "with_check": "r.polwithcheck",
        },
        f"{PG}.pg_policy AS r JOIN {PG}._relation AS c ON c.oid = r.polrelid",
    ),
    "pg_stat_all_tables": _table_statistics(_TABLES_ONLY),
    "pg_stat_sys_tables": _table_statistics(f"{_TABLES_ONLY} AND r.oid < 16384"),
    "pg_stat_user_tables": _table_statistics(_USER_TABLES),
    "pg_statio_all_tables": DerivedRelation(Rule.ROW, _STATISTICS, _TABLES_ONLY),
    "pg_statio_user_tables": DerivedRelation(Rule.ROW, _STATISTICS, _USER_TABLES),
    "pg_timezone_names": DerivedRelation(
        Rule.OPEN,
        {"name": "r.name", "abbrev": "r.abbrev", "utc_offset": "r.utc_offset", "is_dst": "r.is_dst"},
        "pg_timezone_names() AS r",
    ),
}

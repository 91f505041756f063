"""information_schema, as views over pg_catalog's tables. PostgreSQL docs, "The Information Schema"."""

from collections.abc import Mapping

from pgproxy.catalog.relations.derived import PG, DerivedRelation, owner_name
from pgproxy.catalog.relations.table import Rule
from pgproxy.catalog.snapshot import SYSTEM_CATALOG
from pgproxy.catalog.visibility import held_keys

_ACL = f"{SYSTEM_CATALOG}.acl"
_EVERY_DATABASE = f"JOIN {PG}.pg_database AS d ON r._database IS NULL OR r._database = d.datname"
"""What is in every database is listed under the name of each."""

_HERE = {"_database": "d.datname"}
_RELATION_NAME = {"table_catalog": "d.datname", "table_schema": "c._schema", "table_name": "c.relname"}

_IS_ARRAY = "t.typelem <> 0 AND t.typlen = -1"
_DATA_TYPE = (
    f"CASE WHEN {_IS_ARRAY} THEN 'ARRAY' WHEN t.typtype = 'd' THEN b._format "
    "WHEN t.typnamespace <> 11 THEN 'USER-DEFINED' ELSE t._format END"
)
_BASE = "CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END"
_PRECISION = (
    f"CASE {_BASE} WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53 "
    "WHEN 1700 THEN CASE WHEN r.atttypmod = -1 THEN NULL ELSE ((r.atttypmod - 4) >> 16) & 65535 END END"
)
_SCALE = (
    f"CASE WHEN {_BASE} IN (20, 21, 23) THEN 0 "
    f"WHEN {_BASE} = 1700 AND r.atttypmod <> -1 THEN (r.atttypmod - 4) & 65535 END"
)

_LENGTH = f"(CASE WHEN {_BASE} IN (1042, 1043) AND r.atttypmod >= 4 THEN r.atttypmod - 4 END)"

_COLUMNS = DerivedRelation(
    Rule.COLUMN,
    _RELATION_NAME
    | {
        "column_name": "r.attname",
        "ordinal_position": "r.attnum",
        "column_default": "f.adbin",
        "is_nullable": "CASE WHEN r.attnotnull THEN 'NO' ELSE 'YES' END",
        "data_type": _DATA_TYPE,
        "character_maximum_length": _LENGTH,
        "character_octet_length": (
            f"CASE WHEN {_BASE} IN (25, 1042, 1043) THEN coalesce(4 * {_LENGTH}, 1073741824) END"
        ),
        "numeric_precision": _PRECISION,
        "numeric_precision_radix": (
            f"CASE WHEN {_BASE} IN (20, 21, 23, 700, 701) THEN 2 WHEN {_BASE} = 1700 THEN 10 END"
        ),
        "numeric_scale": _SCALE,
        "datetime_precision": (
            f"CASE WHEN {_BASE} = 1082 THEN 0 WHEN {_BASE} IN (1083, 1114, 1184, 1186, 1266) THEN 6 END"
        ),
        "domain_catalog": "CASE WHEN t.typtype = 'd' THEN d.datname END",
        "domain_schema": "CASE WHEN t.typtype = 'd' THEN 'information_schema' END",
        "domain_name": "CASE WHEN t.typtype = 'd' THEN t.typname END",
        "udt_catalog": "d.datname",
        "udt_schema": "coalesce(t._schema, 'pg_catalog')",
        "udt_name": "CASE WHEN t.typtype = 'd' THEN b.typname ELSE t.typname END",
        "dtd_identifier": "r.attnum",
        "is_self_referencing": "'NO'",
        "is_identity": "CASE WHEN r.attidentity <> '' THEN 'YES' ELSE 'NO' END",
        "identity_generation": "CASE r.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END",
        "identity_cycle": "'NO'",
        "is_generated": "'NEVER'",
        "is_updatable": "CASE WHEN c.relkind = 'r' THEN 'YES' ELSE 'NO' END",
    },
    f"{PG}.pg_attribute AS r JOIN {PG}._relation AS c ON c.oid = r.attrelid {_EVERY_DATABASE} "
    f"JOIN {PG}.pg_type AS t ON t.oid = r.atttypid LEFT JOIN {PG}.pg_type AS b ON b.oid = t.typbasetype "
    f"LEFT JOIN {PG}.pg_attrdef AS f ON f.adrelid = r.attrelid AND f.adnum = r.attnum "
    "WHERE c.relkind IN ('r', 'v')",
    hidden=_HERE,
)

_TABLES = DerivedRelation(
    Rule.ROW,
    {
        "table_catalog": "d.datname",
        "table_schema": "r._schema",
        "table_name": "r.relname",
        "table_type": "CASE WHEN r.relpersistence = 't' THEN 'LOCAL TEMPORARY' "
        "WHEN r.relkind = 'r' THEN 'BASE TABLE' ELSE 'VIEW' END",
        "is_insertable_into": "CASE WHEN r.relkind = 'r' THEN 'YES' ELSE 'NO' END",
        "is_typed": "'NO'",
    },
    f"{PG}._relation AS r {_EVERY_DATABASE} WHERE r.relkind IN ('r', 'v')",
    hidden=_HERE,
)

_VIEWS = DerivedRelation(
    Rule.ROW,
    {
        "table_catalog": "d.datname",
        "table_schema": "r._schema",
        "table_name": "r.relname",
        "view_definition": "w._definition",
        "check_option": "'NONE'",
        "is_updatable": "'NO'",
        "is_insertable_into": "'NO'",
        "is_trigger_updatable": "'NO'",
        "is_trigger_deletable": "'NO'",
        "is_trigger_insertable_into": "'NO'",
    },
    f"{PG}._relation AS r {_EVERY_DATABASE} LEFT JOIN {PG}.pg_rewrite AS w ON w.ev_class = r.oid "
    "WHERE r.relkind = 'v'",
    hidden=_HERE | {"_key": "coalesce(w._key, r._key)"},
)

_SCHEMATA = DerivedRelation(
    Rule.ROW,
    {"catalog_name": "d.datname", "schema_name": "r.nspname", "schema_owner": owner_name("r.nspowner")},
    f"{PG}.pg_namespace AS r {_EVERY_DATABASE}",
    hidden=_HERE,
)

_CONSTRAINT_NAME = {
    "constraint_catalog": "r._database",
    "constraint_schema": "c._schema",
    "constraint_name": "r.conname",
}
_CONSTRAINED = f"{PG}.pg_constraint AS r JOIN {PG}._relation AS c ON c.oid = r.conrelid"
_CONSTRAINED_TABLE = {"table_catalog": "r._database", "table_schema": "c._schema", "table_name": "c.relname"}

_TABLE_CONSTRAINTS = DerivedRelation(
    Rule.ROW,
    _CONSTRAINT_NAME
    | _CONSTRAINED_TABLE
    | {
        "constraint_type": (
            "CASE r.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' "
            "WHEN 'u' THEN 'UNIQUE' END"
        ),
        "is_deferrable": "'NO'",
        "initially_deferred": "'NO'",
        "enforced": "'YES'",
        "nulls_distinct": "CASE WHEN r.contype = 'u' THEN 'YES' END",
    },
    _CONSTRAINED,
)

_KEY_COLUMN_USAGE = DerivedRelation(
    Rule.ROW,
    _CONSTRAINT_NAME
    | _CONSTRAINED_TABLE
    | {
        "column_name": "a.attname",
        "ordinal_position": "r.position",
        "position_in_unique_constraint": (
            "CASE WHEN r.contype = 'f' THEN list_position(k.conkey, r.confkey[r.position]) END"
        ),
    },
    f"(SELECT *, unnest(range(1, len(conkey) + 1)) AS position FROM {PG}.pg_constraint "
    "WHERE contype IN ('p', 'u', 'f')) AS r "
    f"JOIN {PG}._relation AS c ON c.oid = r.conrelid "
    f"JOIN {PG}.pg_attribute AS a ON a.attrelid = r.conrelid AND a.attnum = r.conkey[r.position] "
    f"LEFT JOIN {PG}.pg_constraint AS k "
    "ON r.contype = 'f' AND k.conindid = r.conindid AND k.contype IN ('p', 'u')",
)

_REFERENTIAL_CONSTRAINTS = DerivedRelation(
    Rule.ROW,
    _CONSTRAINT_NAME
    | {
        "unique_constraint_catalog": "k._database",
        "unique_constraint_schema": "u._schema",
        "unique_constraint_name": "k.conname",
        "match_option": "'NONE'",
        "update_rule": "'NO ACTION'",
        "delete_rule": "'NO ACTION'",
    },
    f"{_CONSTRAINED} LEFT JOIN {PG}.pg_constraint AS k ON k.conindid = r.conindid AND k.contype IN ('p', "
    "'u') "
    f"LEFT JOIN {PG}._relation AS u ON u.oid = k.conrelid WHERE r.contype = 'f'",
)

_CONSTRAINT_COLUMN_USAGE = DerivedRelation(
    Rule.ROW,
    _CONSTRAINT_NAME
    | _CONSTRAINED_TABLE
    | {"table_schema": "x._schema", "table_name": "x.relname"}
    | {"column_name": "a.attname"},
    "(SELECT *, unnest(CASE WHEN contype = 'f' THEN confkey ELSE conkey END) AS attnum FROM "
    f"{PG}.pg_constraint) "
    f"AS r JOIN {PG}._relation AS c ON c.oid = r.conrelid "
    f"JOIN {PG}._relation AS x ON x.oid = CASE WHEN r.contype = 'f' THEN r.confrelid ELSE r.conrelid END "
    f"JOIN {PG}.pg_attribute AS a ON a.attrelid = x.oid AND a.attnum = r.attnum",
)

_CONSTRAINT_TABLE_USAGE = DerivedRelation(
    Rule.ROW,
    _CONSTRAINT_NAME | _CONSTRAINED_TABLE | {"table_schema": "x._schema", "table_name": "x.relname"},
    f"{_CONSTRAINED} JOIN {PG}._relation AS x "
    "ON x.oid = CASE WHEN r.contype = 'f' THEN r.confrelid ELSE r.conrelid END",
)

_CHECK_CONSTRAINTS = DerivedRelation(
    Rule.ROW,
    _CONSTRAINT_NAME | {"check_clause": "regexp_replace(r._pretty, '^CHECK \\((.*)\\)$', '\\1', 's')"},
    f"{_CONSTRAINED} WHERE r.contype = 'c'",
)

_SEQUENCES = DerivedRelation(
    Rule.ROW,
    {
        "sequence_catalog": "r._database",
        "sequence_schema": "c._schema",
        "sequence_name": "c.relname",
        "data_type": "CASE r.seqtypid WHEN 21 THEN 'smallint' WHEN 23 THEN 'integer' ELSE 'bigint' END",
        "numeric_precision": "CASE r.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 ELSE 64 END",
        "numeric_precision_radix": "2",
        "numeric_scale": "0",
        "start_value": "r.seqstart",
        "minimum_value": "r.seqmin",
        "maximum_value": "r.seqmax",
        "increment": "r.seqincrement",
        "cycle_option": "CASE WHEN r.seqcycle THEN 'YES' ELSE 'NO' END",
    },
    f"{PG}.pg_sequence AS r JOIN {PG}._relation AS c ON c.oid = r.seqrelid",
)

_GRANTED = {
    "grantor": "'pgproxy'",
    "grantee": "r.grantee",
    "table_catalog": "c._database",
    "table_schema": "c._schema",
    "table_name": "c.relname",
    "privilege_type": "r.privilege",
    "is_grantable": "'NO'",
}
_HELD = held_keys()
_KNOWN_GRANTEE = f"_database = $database AND _grantee IN ({_HELD})"
"""The viewer may know of who was granted something; of what, the relation's own keys say."""

_TABLE_PRIVILEGES = DerivedRelation(
    Rule.OPEN,
    _GRANTED | {"with_hierarchy": "CASE WHEN r.privilege = 'SELECT' THEN 'YES' ELSE 'NO' END"},
    f"{_ACL}.held AS r JOIN {PG}._relation AS c ON c.oid = r.oid WHERE r.attnum = 0",
    hidden={"_database": "c._database", "_grantee": "r._key", "_key": "c._key"},
    visibility=f"{_KNOWN_GRANTEE} AND _key IN ({_HELD})",
)

_COLUMN_PRIVILEGES = DerivedRelation(
    Rule.OPEN,
    _GRANTED | {"column_name": "a.attname"},
    f"(SELECT DISTINCT h.oid, b.attnum, h.privilege, h.grantee, h._key FROM {_ACL}.held AS h "
    f"JOIN {PG}.pg_attribute AS b ON b.attrelid = h.oid AND (h.attnum = 0 OR b.attnum = h.attnum) "
    "WHERE h.privilege IN ('SELECT', 'INSERT', 'UPDATE')) AS r "
    f"JOIN {PG}._relation AS c ON c.oid = r.oid JOIN {PG}.pg_attribute AS a "
    "ON a.attrelid = r.oid AND a.attnum = r.attnum",
    hidden={"_database": "c._database", "_grantee": "r._key", "_key": "a._key", "_part": "a._part"},
    visibility=f"{_KNOWN_GRANTEE} AND (_key IN ({_HELD}) OR _part IN ({_HELD}))",
)

_APPLICABLE_ROLES = DerivedRelation(
    Rule.ROW,
    {"grantee": "m.rolname", "role_name": "g.rolname", "is_grantable": "'NO'"},
    f"{PG}.pg_auth_members AS r JOIN {PG}.pg_authid AS g ON g.oid = r.roleid "
    f"JOIN {PG}.pg_authid AS m ON m.oid = r.member",
)

STANDARD_VIEWS: Mapping[str, DerivedRelation] = {
    "columns": _COLUMNS,
    "tables": _TABLES,
    "views": _VIEWS,
    "schemata": _SCHEMATA,
    "table_constraints": _TABLE_CONSTRAINTS,
    "key_column_usage": _KEY_COLUMN_USAGE,
    "referential_constraints": _REFERENTIAL_CONSTRAINTS,
    "constraint_column_usage": _CONSTRAINT_COLUMN_USAGE,
    "constraint_table_usage": _CONSTRAINT_TABLE_USAGE,
    "check_constraints": _CHECK_CONSTRAINTS,
    "sequences": _SEQUENCES,
    "table_privileges": _TABLE_PRIVILEGES,
    "role_table_grants": _TABLE_PRIVILEGES,
    "column_privileges": _COLUMN_PRIVILEGES,
    "role_column_grants": _COLUMN_PRIVILEGES,
    "applicable_roles": _APPLICABLE_ROLES,
    "administrable_role_authorizations": DerivedRelation(
        Rule.ROW, {}, f"{PG}.pg_auth_members AS r WHERE r.admin_option"
    ),
    "enabled_roles": DerivedRelation(
        Rule.ROW, {"role_name": "r.rolname"}, f"{PG}.pg_authid AS r WHERE r.oid <> 10"
    ),
    "information_schema_catalog_name": DerivedRelation(
        Rule.ROW,
        {"catalog_name": "r.datname"},
        f"{PG}.pg_database AS r",
        hidden={"_database": "r.datname"},
    ),
    "character_sets": DerivedRelation(
        Rule.ROW,
        {
            "character_set_name": "'UTF8'",
            "character_repertoire": "'UCS'",
            "form_of_use": "'UTF8'",
            "default_collate_catalog": "r.datname",
            "default_collate_schema": "'pg_catalog'",
            "default_collate_name": "'C'",
        },
        f"{PG}.pg_database AS r",
        hidden={"_database": "r.datname"},
    ),
    "collations": DerivedRelation(
        Rule.ROW,
        {
            "collation_catalog": "d.datname",
            "collation_schema": "'pg_catalog'",
            "collation_name": "r.collname",
            "pad_attribute": "'NO PAD'",
        },
        f"{PG}.pg_collation AS r CROSS JOIN {PG}.pg_database AS d WHERE r.collname <> 'default'",
        hidden={"_database": "d.datname", "_key": "d._key"},
    ),
}

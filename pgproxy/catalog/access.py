"""Access privileges as PostgreSQL prints them: aclitem in relacl, attacl, nspacl and datacl.

PostgreSQL docs, "Privileges". The grants stand in `acl.granted`, each beside its securable and with the key
of its grantee; `acl.item` spreads them over the objects that they reach. A viewer reads those whose grantee's
key it holds: administrators, officers and auditors all, others their own and their groups'.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from pgproxy.catalog.model import CatalogModel
from pgproxy.catalog.oids import OWNER_OID
from pgproxy.catalog.relations.functions import function_oids
from pgproxy.catalog.relations.principals import OWNER_NAME, role_oids
from pgproxy.catalog.snapshot import SYSTEM_CATALOG
from pgproxy.catalog.visibility import EVERYBODY, held_keys, key
from pgproxy.policy.model import Grant, PolicySet, Privilege, TableName

_ACL, _PG = f"{SYSTEM_CATALOG}.acl", f"{SYSTEM_CATALOG}.pg"

_LETTERS: Mapping[Privilege, str] = {
    Privilege.INSERT: "a",
    Privilege.SELECT: "r",
    Privilege.UPDATE: "w",
    Privilege.DELETE: "d",
    Privilege.TRUNCATE: "D",
    Privilege.EXECUTE: "X",
    Privilege.USAGE: "U",
    Privilege.CREATE: "C",
    Privilege.CONNECT: "c",
}
_PRINTED_ORDER = "arwdDXUCTc"
_PUBLIC_ON_DATABASES = (("T", "TEMPORARY"), ("c", "CONNECT"))
"""The second only where the database is open."""

_ON_TABLES = "arwdD"
_ON_SCHEMAS = "UC"
_ON_DATABASES = "Cc"
_ON_FUNCTIONS = "X"
_OWNERS = {"relation": "arwdDxt", "schema": "UC", "database": "CTc"}

_GRANTED_TYPES = {
    "oid": pa.int64(),
    "attnum": pa.int32(),
    "position": pa.int32(),
    "letter": pa.string(),
    "privilege": pa.string(),
    "grantee": pa.string(),
    "printed": pa.string(),
    "_key": pa.int64(),
}


def granted_rows(policy_set: PolicySet, model: CatalogModel) -> pa.Table:
    """acl.granted: every grant on something that exists, one row a column where it is on columns."""
    roles, functions = role_oids(policy_set), function_oids(policy_set)
    rows: list[dict[str, Any]] = [
        {
            "oid": oid,
            "attnum": attnum,
            "position": _PRINTED_ORDER.index(_LETTERS[grant.privilege]),
            "letter": _LETTERS[grant.privilege],
            "privilege": grant.privilege.value,
            "grantee": grant.principal,
            "printed": _printed(grant.principal),
            "_key": key(roles[grant.principal]),
        }
        for grant in policy_set.grants
        if grant.principal in roles
        for oid, attnum in _securables(grant, model, functions)
    ]
    rows += _of_public(policy_set, model, rows)
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in _GRANTED_TYPES.items()}
    return pa.table(columns)


def _of_public(
    policy_set: PolicySet, model: CatalogModel, granted: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """What everybody holds on databases.

    A viewer who knows of no other grant on one that is open reads the default: NULL.
    """
    for name, oid in model.databases.items():
        is_closed = name in policy_set.closed_databases
        keys = {row["_key"] for row in granted if row["oid"] == oid and row["letter"] in _ON_DATABASES}
        for letter, privilege in _PUBLIC_ON_DATABASES[: 1 if is_closed else 2]:
            for seen_by in {EVERYBODY} if is_closed else keys:
                yield {
                    "oid": oid,
                    "attnum": 0,
                    "position": _PRINTED_ORDER.index(letter),
                    "letter": letter,
                    "privilege": privilege,
                    "grantee": "PUBLIC",
                    "printed": "",
                    "_key": seen_by,
                }


def _securables(
    grant: Grant, model: CatalogModel, functions: Mapping[TableName, int]
) -> Iterator[tuple[int, int]]:
    """The OID that a grant is on, and the numbers of its columns; 0: all."""
    if grant.schema is None:
        oid = model.databases.get(grant.catalog)
    elif grant.table is None:
        oid = model.schemas.get((grant.catalog, grant.schema))
    elif grant.privilege is Privilege.EXECUTE:
        oid = functions.get(TableName(grant.catalog, grant.schema, grant.table))
    elif grant.privilege is Privilege.USAGE:
        sequence = TableName(grant.catalog, grant.schema, grant.table)
        oid = next((oid for info, oid in model.sequences if info.name == sequence), None)
    else:
        relation = model.relations.get(TableName(grant.catalog, grant.schema, grant.table))
        oid = None if relation is None else relation.oid
        if relation is not None and grant.columns is not None:
            names = enumerate(relation.table.columns, start=1)
            yield from ((relation.oid, attnum) for attnum, c in names if c.name in grant.columns)
            return
    if oid is not None and grant.columns is None:
        yield oid, 0


def _printed(role: str) -> str:
    """A role's name as aclitemout writes it."""
    is_plain = role.isascii() and role.replace("_", "").isalnum()
    return role if is_plain else '"' + role.replace('"', '""') + '"'


_REACHED = (
    f"SELECT c.oid, c.oid AS securable FROM {_PG}._relation AS c WHERE c.oid >= 16384 "
    f"UNION ALL SELECT c.oid, c.relnamespace FROM {_PG}._relation AS c "
    "WHERE c.oid >= 16384 AND c.relkind IN ('r', 'v') "
    f"UNION ALL SELECT c.oid, d.oid FROM {_PG}._relation AS c JOIN {_PG}.pg_database AS d "
    "ON d.datname = c._database WHERE c.oid >= 16384 AND c.relkind IN ('r', 'v')"
)


def _letters(letters: str) -> str:
    return ", ".join(f"'{letter}'" for letter in letters)


ACCESS_VIEWS = (
    # What each grantee holds on each relation and column, from grants on it, its schema or its database.
    f"CREATE VIEW {_ACL}.held AS SELECT DISTINCT o.oid, g.attnum, g.position, g.letter, g.privilege, "
    f"g.grantee, g.printed, g._key FROM {_ACL}.granted AS g JOIN ({_REACHED}) AS o ON o.securable = g.oid "
    f"WHERE g.letter IN ({_letters(_ON_TABLES)})",
    # A schema inherits from its database, as a relation does from both.
    f"CREATE VIEW {_ACL}.held_container AS SELECT DISTINCT o.oid, g.attnum, g.position, g.letter, "
    "g.privilege, g.grantee, g.printed, g._key "
    f"FROM {_ACL}.granted AS g JOIN (SELECT n.oid, n.oid AS securable, 'U' AS first FROM {_PG}.pg_namespace "
    f"AS n UNION ALL SELECT n.oid, d.oid, 'U' FROM {_PG}.pg_namespace AS n JOIN {_PG}.pg_database AS d "
    f"ON d.datname = n._database UNION ALL SELECT d.oid, d.oid, 'c' FROM {_PG}.pg_database AS d) AS o "
    "ON o.securable = g.oid WHERE g.letter IN ('C', o.first) OR (g.letter = 'T' AND o.first = 'c')",
    # Functions inherit from their schema and their database, too.
    f"CREATE VIEW {_ACL}.held_function AS SELECT DISTINCT o.oid, g.attnum, g.position, g.letter, "
    f"g.privilege, g.grantee, g.printed, g._key FROM {_ACL}.granted AS g "
    "JOIN (SELECT f.oid, f.oid AS securable FROM "
    f"{_PG}.pg_proc AS f WHERE f.oid >= 16384 UNION ALL SELECT f.oid, f.pronamespace FROM {_PG}.pg_proc AS f "
    f"WHERE f.oid >= 16384 UNION ALL SELECT f.oid, d.oid FROM {_PG}.pg_proc AS f JOIN {_PG}.pg_database AS d "
    "ON d.datname = f._database WHERE f.oid >= 16384) AS o ON o.securable = g.oid "
    f"WHERE g.letter IN ({_letters(_ON_FUNCTIONS)})",
    f"CREATE VIEW {_ACL}.item AS SELECT oid, attnum, _key, "
    f"printed || '=' || string_agg(letter, '' ORDER BY position) || '/{OWNER_NAME}' AS item "
    f"FROM (FROM {_ACL}.held UNION ALL FROM {_ACL}.held_container "
    f"UNION ALL FROM {_ACL}.held_function) GROUP BY oid, attnum, _key, printed",
)
"""Over the relations that `pgproxy.catalog.store` makes."""


def _items(
    object_oid: str, attnum: str = "0", owner: str | None = None, owner_oid: str = str(OWNER_OID)
) -> str:
    """SQL: the aclitem[] of an object; NULL where the viewer knows of no grant."""
    mine = (
        f"SELECT list(DISTINCT m_i.item ORDER BY m_i.item) FROM {_ACL}.item AS m_i "
        f"WHERE m_i.oid = {object_oid} AND m_i.attnum = {attnum} "
        f"AND (m_i._key = {EVERYBODY} OR m_i._key IN ({held_keys()}))"
    )
    if owner is None:
        return f"({mine})"
    name = """'"' || replace(m_r.rolname, '"', '""') || '"'"""
    name = f"CASE WHEN regexp_full_match(m_r.rolname, '[A-Za-z0-9_]+') THEN m_r.rolname ELSE {name} END"
    role = f"SELECT coalesce(any_value({name}), '{OWNER_NAME}') FROM {_PG}.pg_authid AS m_r"
    own = f"(SELECT m_n || '={owner}/' || m_n FROM ({role} WHERE m_r.oid = {owner_oid}) AS m_p(m_n))"
    return f"(SELECT list_prepend({own}, m_a) FROM ({mine}) AS m_o(m_a) WHERE m_a IS NOT NULL)"


_ON_STORED_FUNCTIONS = (
    f"CASE WHEN $base.oid >= 16384 THEN list_prepend('{OWNER_NAME}=X/{OWNER_NAME}', "
    f"coalesce({_items('$base.oid')}, [])) END"
)
"""NULL means that PUBLIC holds EXECUTE: so it is for PostgreSQL's own functions, never for stored ones."""

VIEWER_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "pg_class": {"relacl": _items("$base.oid", owner=_OWNERS["relation"], owner_oid="$base.relowner")},
    "pg_attribute": {"attacl": _items("$base.attrelid", "$base.attnum")},
    "pg_namespace": {"nspacl": _items("$base.oid", owner=_OWNERS["schema"], owner_oid="$base.nspowner")},
    "pg_proc": {"proacl": _ON_STORED_FUNCTIONS},
    "pg_database": {"datacl": _items("$base.oid", owner=_OWNERS["database"])},
}
"""Columns of pg_catalog whose value depends on who asks. `$base` is the row's relation."""

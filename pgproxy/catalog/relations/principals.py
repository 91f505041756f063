"""pg_authid, pg_auth_members and pg_policy: who exists and what filters there are, from the policy set."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from pgproxy.catalog.builtin import relation_definitions
from pgproxy.catalog.model import CatalogModel
from pgproxy.catalog.oids import OWNER_OID, PUBLIC_ROLE_OID, ObjectKey, ObjectKind, assign_oids
from pgproxy.catalog.relations.table import Rule, build_rows
from pgproxy.catalog.visibility import EVERYBODY, Aspect, key
from pgproxy.policy.model import PolicyCommand, PolicySet, PrincipalKind, RowFilter

OWNER_NAME = "pgproxy"
"""The owner of everything, as PostgreSQL's bootstrap superuser is; nobody logs in as it."""


def role_oids(policy_set: PolicySet) -> dict[str, int]:
    """The OID of each principal."""
    keys = [ObjectKey(ObjectKind.ROLE, (name,)) for name in policy_set.principals]
    return {object_key.path[0]: oid for object_key, oid in assign_oids(keys).items()}


def policy_oids(policy_set: PolicySet) -> dict[ObjectKey, int]:
    """The OID of each row filter, by `policy_key`."""
    return assign_oids(policy_key(row_filter) for row_filter in policy_set.row_filters)


def policy_key(row_filter: RowFilter) -> ObjectKey:
    """What names a row filter: its table and its name."""
    return ObjectKey(ObjectKind.POLICY, (*row_filter.table, row_filter.name))


def authid_rows(policy_set: PolicySet) -> pa.Table:
    """pg_authid; a principal sees itself, its groups and the owner.

    Verifiers are not here: rolpassword is NULL.
    """
    oids = role_oids(policy_set)
    rows: list[dict[str, Any]] = [
        {
            "oid": OWNER_OID,
            "rolname": OWNER_NAME,
            "rolsuper": True,
            "rolcreaterole": True,
            "rolcanlogin": False,
            "rolconnlimit": -1,
            "rolvaliduntil": None,
            "_key": EVERYBODY,
        }
    ]
    rows += [
        {
            "oid": oids[name],
            "rolname": name,
            "rolsuper": principal.is_admin,
            "rolcreaterole": principal.is_admin or principal.is_security_officer,
            "rolcanlogin": principal.can_login and principal.kind is PrincipalKind.USER,
            "rolconnlimit": principal.connection_limit,
            "rolvaliduntil": principal.valid_until,
            "_key": key(oids[name]),
        }
        for name, principal in sorted(policy_set.principals.items())
    ]
    supers = [row["rolsuper"] for row in rows]
    privileges = dict.fromkeys(("rolcreatedb", "rolreplication", "rolbypassrls"), supers)
    return _table("pg_authid", rows, {"rolinherit": True}, privileges)


def auth_members_rows(policy_set: PolicySet) -> pa.Table:
    """pg_auth_members: direct memberships; seen with the member."""
    oids = role_oids(policy_set)
    rows = [
        {"roleid": oids[group], "member": oids[name], "_key": key(oids[name])}
        for name, principal in sorted(policy_set.principals.items())
        for group in sorted(principal.member_of)
        if group in oids
    ]
    return _table("pg_auth_members", rows, {"grantor": OWNER_OID, "admin_option": False})


_COMMANDS = {
    PolicyCommand.ALL: "*",
    PolicyCommand.SELECT: "r",
    PolicyCommand.INSERT: "a",
    PolicyCommand.UPDATE: "w",
    PolicyCommand.DELETE: "d",
}
"""pg_policy.polcmd."""


def policy_rows(policy_set: PolicySet, model: CatalogModel) -> pa.Table:
    """pg_policy: an admin reads the predicates and for whom they are; others only that theirs exist."""
    oids, roles = policy_oids(policy_set), role_oids(policy_set)
    rows: list[dict[str, Any]] = []
    for row_filter in policy_set.row_filters:
        relation = model.relations.get(row_filter.table)
        if relation is None:
            continue
        oid = oids[policy_key(row_filter)]
        shown = {
            "oid": oid,
            "polname": row_filter.name,
            "polrelid": relation.oid,
            "polpermissive": not row_filter.is_restrictive,
            "polcmd": _COMMANDS[row_filter.command],
            "_database": row_filter.table.catalog,
        }
        bound = sorted(roles[name] for name in row_filter.principals if name in roles) or [PUBLIC_ROLE_OID]
        using = None if row_filter.command is PolicyCommand.INSERT else row_filter.using
        predicates = {"polqual": using, "polwithcheck": row_filter.check, "polroles": bound}
        rows.append(shown | predicates | {"_key": key(oid, Aspect.DEFINITION)})
        hidden = {"polqual": None, "polwithcheck": None, "polroles": [PUBLIC_ROLE_OID]}
        rows.append(shown | hidden | {"_key": key(oid, Aspect.NO_DEFINITION)})
    return _table("pg_policy", rows, {})


def _table(
    name: str,
    rows: Iterable[dict[str, Any]],
    constants: dict[str, Any],
    lists: dict[str, list[Any]] | None = None,
) -> pa.Table:
    given = list(rows)
    columns = {column: [row[column] for row in given] for column in (given[0] if given else ())}
    definition = relation_definitions()["pg_catalog", name]
    return build_rows(definition, Rule.ROW, len(given), {**columns, **(lists or {})}, constants)

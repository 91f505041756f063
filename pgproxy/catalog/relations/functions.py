"""pg_proc: PostgreSQL's own functions, and the stored ones, each seen by who may execute it."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import pyarrow as pa

from pgproxy.catalog.builtin import builtin_rows, relation_definitions
from pgproxy.catalog.model import CatalogModel
from pgproxy.catalog.oids import OWNER_OID, ObjectKey, ObjectKind, assign_oids
from pgproxy.catalog.relations.table import Rule, build_rows, builtin_table
from pgproxy.catalog.visibility import key
from pgproxy.policy.model import PolicySet, StoredFunction, TableName
from pgproxy.sql.function_names import is_callable
from pgproxy.sql.stored_functions import type_oids
from pgwire.types.typmod import format_type

_SQL_LANGUAGE = 14
_COST = 100.0


def function_oids(policy_set: PolicySet) -> Mapping[TableName, int]:
    """The OID of each stored function."""
    keys = {name: ObjectKey(ObjectKind.FUNCTION, tuple(name)) for name in policy_set.functions}
    oids = assign_oids(keys.values())
    return {name: oids[key] for name, key in keys.items()}


def proc_rows(policy_set: PolicySet, model: CatalogModel) -> pa.Table:
    """pg_proc. PostgreSQL docs, "pg_proc"."""
    oids = function_oids(policy_set)
    rows = [
        _row(function, oids[name], model.schemas[name[:2]])
        for name, function in sorted(policy_set.functions.items())
        if name[:2] in model.schemas
    ]
    if not rows:
        return _builtin()
    columns = {column: [row[column] for row in rows] for column in rows[0]}
    definition = relation_definitions()["pg_catalog", "pg_proc"]
    constants = {
        "proowner": OWNER_OID,
        "prolang": _SQL_LANGUAGE,
        "procost": _COST,
        "prokind": "f",
        "proparallel": "u",
    }
    return pa.concat_tables([_builtin(), build_rows(definition, Rule.ROW, len(rows), columns, constants)])


@cache
def _builtin() -> pa.Table:
    definition = relation_definitions()["pg_catalog", "pg_proc"]
    return builtin_table(definition, Rule.ROW, builtin_rows("pg_proc"))


def callable_oids(of_the_catalog: Collection[str]) -> tuple[int, ...]:
    """PostgreSQL's own functions that clients may call. of_the_catalog: those that the catalog answers."""
    rows = builtin_rows("pg_proc").columns
    return tuple(
        oid
        for oid, name in zip(rows["oid"], rows["proname"], strict=True)
        if is_callable(name) or name in of_the_catalog
    )


def _row(function: StoredFunction, oid: int, schema_oid: int) -> dict[str, Any]:
    *parameters, result = type_oids(function)
    names = [name for name, _ in function.parameters]
    shown = [f"{name} {format_type(kind)}".strip() for name, kind in zip(names, parameters, strict=True)]
    return {
        "oid": oid,
        "proname": function.name.name,
        "pronamespace": schema_oid,
        "proisstrict": function.is_strict,
        "provolatile": function.volatility,
        "pronargs": len(parameters),
        "prorettype": result,
        "proargtypes": parameters,
        "proargnames": names if any(names) else None,
        "prosrc": f"SELECT {function.body}",
        "_arguments": ", ".join(shown),
        "_result": format_type(result),
        "_database": function.name.catalog,
        "_key": key(oid),
    }

"""`ControlState` as rows of tables and back: the relational form that every metastore database shares.

Pure. A change is written as the difference of two row sets, so that no change can forget a table.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from pgproxy.control.credential_rows import (
    CREDENTIAL_TABLES,
    api_keys_of,
    credentials_to_rows,
    hba_rules_of,
)
from pgproxy.control.fleet_rows import (
    FLEET_TABLES,
    assignments_of,
    catalogs_of,
    endpoints_of,
    flags_of,
    fleet_to_rows,
)
from pgproxy.control.metastore import MetastoreError
from pgproxy.control.rollout_rows import ROLLOUT_TABLES, rollouts_of, rollouts_to_rows
from pgproxy.control.state import BoundName, ColumnName, ControlState, TagMask, merge_grants
from pgproxy.control.table import Row, RowSet, Table, Value, as_number, as_text
from pgproxy.policy.model import (
    ColumnMask,
    Grant,
    PolicyCommand,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    StoredFunction,
    TableName,
)

_COLUMN = ("catalog_name", "schema_name", "table_name", "column_name")
_BOUND = ("catalog_name", "schema_name", "table_name", "name")

TABLES = (
    Table(
        "principals",
        ("name",),
        (
            *("kind", "is_admin", "can_login", "verifier", "valid_until", "connection_limit"),
            *("is_security_officer", "is_auditor"),
        ),
    ),
    Table("memberships", ("member", "group_name")),
    Table("attributes", ("principal", "name"), ("value",)),
    Table("grants", ("principal", "privilege", "catalog_name", "schema_name", "table_name", "column_name")),
    Table("row_filters", _BOUND, ("using_sql", "check_sql", "is_restrictive", "is_for_everyone", "command")),
    Table("row_filter_principals", (*_BOUND, "principal")),
    Table("column_masks", _BOUND, ("column_name", "expression", "strictness", "is_for_everyone")),
    Table("column_mask_principals", (*_BOUND, "principal", "is_exempt")),
    Table("row_security", ("catalog_name", "schema_name", "table_name")),
    Table("closed_databases", ("name",)),
    Table("functions", _BOUND[:2] + _BOUND[3:], ("parameters", "returns", "body", "is_strict", "volatility")),
    Table("column_tags", (*_COLUMN, "tag")),
    Table("tag_masks", ("tag", "name"), ("expression", "strictness", "is_for_everyone")),
    Table("tag_mask_principals", ("tag", "name", "principal", "is_exempt")),
    *FLEET_TABLES,
    *ROLLOUT_TABLES,
    *CREDENTIAL_TABLES,
)
"""Referenced tables first: insert in this order, delete in the reverse one."""

NOT_POLICY_TABLES = frozenset(table.name for table in (*FLEET_TABLES, *ROLLOUT_TABLES, *CREDENTIAL_TABLES))
"""Changes here say where a statement runs or how one logs in, not who may see what: they leave the policy
epoch alone."""


def state_to_rows(state: ControlState) -> RowSet:
    """Give every row that stands for `state`."""
    rows: dict[str, dict[Row, Row]] = {table.name: {} for table in TABLES}
    for principal in state.principals.values():
        _add_principal(rows, principal, state.verifiers.get(principal.name))
    for grant in state.grants:
        for column in sorted(grant.columns) if grant.columns is not None else ("",):
            key = (
                grant.principal,
                grant.privilege.value,
                grant.catalog,
                grant.schema or "",
                grant.table or "",
            )
            rows["grants"][*key, column] = ()
    for row_filter in state.row_filters.values():
        bound = (*row_filter.table, row_filter.name)
        values = (row_filter.using, row_filter.check, int(row_filter.is_restrictive))
        rows["row_filters"][bound] = (*values, int(not row_filter.principals), row_filter.command.value)
        rows["row_filter_principals"].update({(*bound, name): () for name in row_filter.principals})
    for mask in state.column_masks.values():
        bound = (*mask.table, mask.name)
        rows["column_masks"][bound] = (
            mask.column,
            mask.expression,
            mask.strictness,
            int(not mask.principals),
        )
        rows["column_mask_principals"].update({(*bound, name, 0): () for name in mask.principals})
        rows["column_mask_principals"].update({(*bound, name, 1): () for name in mask.exempt})
    rows["row_security"].update({tuple(table): () for table in state.row_security})
    for function in state.functions.values():
        rows["functions"][tuple(function.name)] = (
            json.dumps(function.parameters, ensure_ascii=False),
            function.returns,
            function.body,
            int(function.is_strict),
            function.volatility,
        )
    rows["closed_databases"].update({(name,): () for name in state.closed_databases})
    for (table_name, column), tags in state.column_tags.items():
        rows["column_tags"].update({(*table_name, column, tag): () for tag in tags})
    for tag_mask in state.tag_masks.values():
        tagged = (tag_mask.tag, tag_mask.name)
        is_for_everyone = int(not tag_mask.principals)
        rows["tag_masks"][tagged] = (tag_mask.expression, tag_mask.strictness, is_for_everyone)
        rows["tag_mask_principals"].update({(*tagged, name, 0): () for name in tag_mask.principals})
        rows["tag_mask_principals"].update({(*tagged, name, 1): () for name in tag_mask.exempt})
    fleet_to_rows(rows, state.endpoints, state.assignments, state.catalogs, state.flags)
    rollouts_to_rows(rows, state.rollouts)
    credentials_to_rows(rows, state.api_keys, state.hba_rules)
    return rows


def _add_principal(rows: dict[str, dict[Row, Row]], principal: Principal, verifier: str | None) -> None:
    name = principal.name
    until = principal.valid_until
    rows["principals"][name,] = (
        principal.kind.value,
        int(principal.is_admin),
        int(principal.can_login),
        verifier,
        until.astimezone(UTC).isoformat() if until is not None else None,
        principal.connection_limit,
        int(principal.is_security_officer),
        int(principal.is_auditor),
    )
    rows["memberships"].update({(name, group): () for group in principal.member_of})
    rows["attributes"].update({(name, key): (value,) for key, value in principal.attributes.items()})


def rows_to_state(rows: RowSet) -> ControlState:
    """Rebuild the state.

    Raises:
        MetastoreError: a row makes no sense. Guessing could widen what somebody sees.
    """
    try:
        return ControlState(
            principals=_principals(rows),
            verifiers={
                as_text(key[0]): as_text(row[3])
                for key, row in rows["principals"].items()
                if row[3] is not None
            },
            grants=merge_grants(_grant(key) for key in rows["grants"]),
            row_filters=_row_filters(rows),
            column_masks=_column_masks(rows),
            row_security=frozenset(TableName(*map(as_text, key)) for key in rows["row_security"]),
            functions=_functions(rows),
            closed_databases=frozenset(as_text(name) for (name,) in rows["closed_databases"]),
            column_tags=_column_tags(rows),
            tag_masks=_tag_masks(rows),
            endpoints=endpoints_of(rows),
            assignments=assignments_of(rows),
            catalogs=catalogs_of(rows),
            flags=flags_of(rows),
            rollouts=rollouts_of(rows),
            api_keys=api_keys_of(rows),
            hba_rules=hba_rules_of(rows),
        )
    except (ValueError, TypeError) as error:
        raise MetastoreError("the metastore holds a row that this program does not understand") from error


def _principals(rows: RowSet) -> dict[str, Principal]:
    groups, attributes = defaultdict[str, set[str]](set), defaultdict[str, dict[str, str]](dict)
    for member, group in rows["memberships"]:
        groups[as_text(member)].add(as_text(group))
    for (principal, name), (value,) in rows["attributes"].items():
        attributes[as_text(principal)][as_text(name)] = as_text(value)
    return {
        as_text(name): Principal(
            name=as_text(name),
            kind=PrincipalKind(as_text(kind)),
            is_admin=bool(is_admin),
            can_login=bool(can_login),
            member_of=frozenset(groups[as_text(name)]),
            attributes=attributes[as_text(name)],
            valid_until=None if until is None else datetime.fromisoformat(as_text(until)),
            connection_limit=as_number(limit),
            is_security_officer=bool(is_officer),
            is_auditor=bool(is_auditor),
        )
        for (name,), (kind, is_admin, can_login, _, until, limit, is_officer, is_auditor) in (
            rows["principals"].items()
        )
    }


def _grant(key: Row) -> Grant:
    principal, privilege, catalog, schema, table, column = map(as_text, key)
    columns = frozenset({column}) if column else None
    return Grant(principal, Privilege(privilege), catalog, schema or None, table or None, columns)


def _row_filters(rows: RowSet) -> dict[BoundName, RowFilter]:
    principals = _bindings((key[:4], key[4]) for key in rows["row_filter_principals"])
    found: dict[BoundName, RowFilter] = {}
    for key, (using, check, is_restrictive, is_for_everyone, command) in rows["row_filters"].items():
        table, name = _bound(key)
        found[table, name] = RowFilter(
            name=name,
            table=table,
            using=as_text(using),
            principals=_checked_principals(principals[key], is_for_everyone),
            is_restrictive=bool(is_restrictive),
            check=None if check is None else as_text(check),
            command=PolicyCommand(as_text(command)),
        )
    return found


def _column_masks(rows: RowSet) -> dict[BoundName, ColumnMask]:
    bindings = rows["column_mask_principals"]
    principals = _bindings((key[:4], key[4]) for key in bindings if not key[5])
    exempt = _bindings((key[:4], key[4]) for key in bindings if key[5])
    found: dict[BoundName, ColumnMask] = {}
    for key, (column, expression, strictness, is_for_everyone) in rows["column_masks"].items():
        table, name = _bound(key)
        found[table, name] = ColumnMask(
            name=name,
            table=table,
            column=as_text(column),
            expression=as_text(expression),
            principals=_checked_principals(principals[key], is_for_everyone),
            exempt=frozenset(exempt[key]),
            strictness=as_number(strictness),
        )
    return found


def _functions(rows: RowSet) -> dict[TableName, StoredFunction]:
    found = {}
    for key, (parameters, returns, body, is_strict, volatility) in rows["functions"].items():
        name = TableName(*map(as_text, key))
        pairs = tuple((str(parameter), str(kind)) for parameter, kind in json.loads(as_text(parameters)))
        found[name] = StoredFunction(
            name, pairs, as_text(returns), as_text(body), bool(is_strict), as_text(volatility)
        )
    return found


def _column_tags(rows: RowSet) -> dict[ColumnName, frozenset[str]]:
    found: dict[ColumnName, frozenset[str]] = {}
    for key in rows["column_tags"]:
        (table, column), tag = _bound(key[:4]), as_text(key[4])
        found[table, column] = found.get((table, column), frozenset()) | {tag}
    return found


def _tag_masks(rows: RowSet) -> dict[tuple[str, str], TagMask]:
    bindings = rows["tag_mask_principals"]
    principals = _bindings((key[:2], key[2]) for key in bindings if not key[3])
    exempt = _bindings((key[:2], key[2]) for key in bindings if key[3])
    found: dict[tuple[str, str], TagMask] = {}
    for key, (expression, strictness, is_for_everyone) in rows["tag_masks"].items():
        tag, name = map(as_text, key)
        found[tag, name] = TagMask(
            name,
            tag,
            as_text(expression),
            _checked_principals(principals[key], is_for_everyone),
            frozenset(exempt[key]),
            as_number(strictness),
        )
    return found


def _bindings(pairs: Iterable[tuple[Row, Value]]) -> defaultdict[Row, set[str]]:
    found = defaultdict[Row, set[str]](set)
    for key, principal in pairs:
        found[key].add(as_text(principal))
    return found


def _checked_principals(principals: set[str], is_for_everyone: Value) -> frozenset[str]:
    """An empty set means everybody, so it must have been meant."""
    if bool(is_for_everyone) is bool(principals):
        raise ValueError("bindings and is_for_everyone disagree")
    return frozenset(principals)


def _bound(key: Row) -> BoundName:
    catalog, schema, table, name = map(as_text, key)
    return TableName(catalog, schema, table), name

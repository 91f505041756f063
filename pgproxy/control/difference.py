"""What differs between two states of the control plane, said so that a person can read it.

The same differences are the plan of `pgproxy policy diff` and the before/after of the history. Secrets take
part in the comparison and are never shown.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC

from pgproxy.control.state import ControlState
from pgproxy.policy.model import ColumnMask, Grant, Principal, PrincipalKind, RowFilter, TableName

Facts = Mapping[str, object]

KINDS = (
    *("user", "group", "grant", "row filter", "row security", "database", "function"),
    *("column mask", "tags", "tag mask"),
    *("endpoint", "assignment", "catalog", "flag", "rollout", "API key", "hba rule"),
)
"""Of differences, in words."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A secret that can be compared but not read."""

    value: str

    def __repr__(self) -> str:
        return "<redacted>"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was added (before is None), removed (after is None) or changed.

    kind: one of KINDS. key: its name in that kind.
    """

    kind: str
    key: str
    before: Facts | None
    after: Facts | None

    @property
    def action(self) -> str:
        """add, remove or change."""
        if self.before is None:
            return "add"
        return "remove" if self.after is None else "change"

    @property
    def changed_facts(self) -> tuple[str, ...]:
        """The names of the facts that are not as before."""
        before, after = self.before or {}, self.after or {}
        return tuple(name for name in sorted({*before, *after}) if before.get(name) != after.get(name))


def compute_differences(before: ControlState, after: ControlState) -> tuple[Difference, ...]:
    """List what differs, by kind and key."""
    old, new = describe_state(before), describe_state(after)
    return tuple(
        Difference(*key, old.get(key), new.get(key))
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    )


def facts_as_json(differences: Iterable[Difference], side: str) -> str:
    """Render one side, `before` or `after`, as a JSON object keyed by `kind key`; absent things are null."""
    sides = {f"{d.kind} {d.key}": d.before if side == "before" else d.after for d in differences}
    return json.dumps(sides, default=_json_default, sort_keys=True, ensure_ascii=False)


def describe_state(state: ControlState) -> dict[tuple[str, str], Facts]:
    """Everything in `state` by (kind, key)."""
    described: dict[tuple[str, str], Facts] = dict(_describe_principals(state))
    for grant in state.grants:
        described["grant", _grant_text(grant)] = {
            "columns": None if grant.columns is None else sorted(grant.columns)
        }
    for row_filter in state.row_filters.values():
        described["row filter", _bound_text(row_filter)] = {
            "using": row_filter.using,
            "check": row_filter.check,
            "to": sorted(row_filter.principals),
            "restrictive": row_filter.is_restrictive,
            "for": row_filter.command.value.lower(),
        }
    for mask in state.column_masks.values():
        described["column mask", _bound_text(mask)] = {
            "column": mask.column,
            "using": mask.expression,
            "to": sorted(mask.principals),
            "exempt": sorted(mask.exempt),
            "strictness": mask.strictness,
        }
    for table in state.row_security:
        described["row security", table_text(table)] = {"enabled": True}
    for function in state.functions.values():
        described["function", table_text(function.name)] = {
            "parameters": [f"{name} {kind}".strip() for name, kind in function.parameters],
            "returns": function.returns,
            "body": function.body,
            "strict": function.is_strict,
            "volatility": function.volatility,
        }
    for name in state.closed_databases:
        described["database", quote_name(name)] = {"public_may_connect": False}
    for (table, column), tags in state.column_tags.items():
        described["tags", f"{table_text(table)}.{quote_name(column)}"] = {"tags": sorted(tags)}
    for tag_mask in state.tag_masks.values():
        described["tag mask", f"{tag_mask.name} on {tag_mask.tag}"] = {
            "using": tag_mask.expression,
            "to": sorted(tag_mask.principals),
            "exempt": sorted(tag_mask.exempt),
            "strictness": tag_mask.strictness,
        }
    described.update(_describe_fleet(state))
    described.update(_describe_credentials(state))
    return described


def _describe_fleet(state: ControlState) -> Iterable[tuple[tuple[str, str], Facts]]:
    for endpoint in state.endpoints.values():
        yield (
            ("endpoint", endpoint.name),
            {
                "url": endpoint.url,
                "token": Redacted(endpoint.token),
                "state": endpoint.state.value,
                "labels": dict(sorted(endpoint.labels.items())),
                "size": endpoint.size,
                "capacity": endpoint.capacity,
            },
        )
    for a in state.assignments.values():
        facts = {
            "priority": a.priority,
            "fallback": a.fallback.value,
            "weight": a.weight,
            "shadow": a.shadow_percent,
        }
        yield ("assignment", f"{a.principal} → {a.endpoint}"), facts
    for c in state.catalogs.values():
        yield (
            ("catalog", c.name),
            {
                "kind": c.kind.value,
                "location": c.location,
                "read_only": c.is_read_only,
                "options": dict(sorted(c.options.items())),
                "credentials": {name: Redacted(value) for name, value in sorted(c.credentials.items())},
            },
        )
    for name, value in state.flags.items():
        yield ("flag", name), {"value": value}
    for r in state.rollouts.values():
        plan: Facts = {"target": r.target, "stages": r.stages, "unit": r.unit.value, "hold_s": r.hold_s}
        place: Facts = {"stage": r.stage + 1, "percent": f"{r.percent:g}", "since": r.since}
        standing: Facts = {"status": r.status.value, "reason": r.reason}
        yield ("rollout", r.name), {**plan, **asdict(r.limits), **place, **standing}


def _describe_credentials(state: ControlState) -> Iterable[tuple[tuple[str, str], Facts]]:
    for key in state.api_keys.values():
        catalogs, until = key.scope.catalogs, key.valid_until
        yield (
            ("API key", key.key_id),
            {
                "role": key.principal,
                "label": key.label,
                "valid_until": None if until is None else until.astimezone(UTC).isoformat(),
                "read_only": key.scope.is_read_only,
                "catalogs": None if catalogs is None else sorted(catalogs),
                "interfaces": sorted(key.interfaces),
                "key": Redacted(key.digest),
            },
        )
    for place, rule in enumerate(state.hba_rules, 1):
        yield ("hba rule", f"{place:04}"), {"rule": str(rule)}


def _describe_principals(state: ControlState) -> Iterable[tuple[tuple[str, str], Facts]]:
    for principal in state.principals.values():
        verifier = state.verifiers.get(principal.name)
        facts: dict[str, object] = {
            "groups": sorted(principal.member_of),
            "attributes": dict(sorted(principal.attributes.items())),
            "admin": principal.is_admin,
            "security_officer": principal.is_security_officer,
            "auditor": principal.is_auditor,
        }
        if principal.kind is PrincipalKind.USER:
            facts["login"] = principal.can_login
            facts["valid_until"] = valid_until_text(principal)
            facts["connection_limit"] = principal.connection_limit
            facts["password"] = None if verifier is None else Redacted(verifier)
        yield (principal.kind.value, principal.name), facts


def valid_until_text(principal: Principal) -> str | None:
    """The moment in UTC, ISO 8601; None: for ever."""
    until = principal.valid_until
    return None if until is None else until.astimezone(UTC).isoformat()


def securable_text(catalog: str, schema: str | None, table: str | None) -> str:
    """Write a securable as policy files do: `demo.sales.customers`, `demo.sales.*`, `demo.*`."""
    parts = [quote_name(part) for part in (catalog, schema, table) if part is not None]
    return ".".join(parts if table is not None else [*parts, "*"])


def table_text(table: TableName) -> str:
    """Write a table's full name, quoted where PostgreSQL needs it."""
    return securable_text(table.catalog, table.schema, table.name)


def quote_name(name: str) -> str:
    """Quote an identifier unless it reads the same without quotes.

    PostgreSQL docs, "Identifiers and Key Words".
    """
    if name.isascii() and name.isidentifier() and name == name.lower():
        return name
    return '"' + name.replace('"', '""') + '"'


def _grant_text(grant: Grant) -> str:
    columns = "" if grant.columns is None else " (columns)"
    on = securable_text(grant.catalog, grant.schema, grant.table)
    return f"{grant.principal}: {grant.privilege.value}{columns} on {on}"


def _bound_text(bound: RowFilter | ColumnMask) -> str:
    return f"{bound.name} on {table_text(bound.table)}"


def _json_default(value: object) -> str:
    if isinstance(value, Redacted):
        return repr(value)
    raise TypeError(f"no JSON for {type(value).__name__}")

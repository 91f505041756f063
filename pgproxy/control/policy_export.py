"""The control plane as a policy file.

Applied again, it changes nothing. Verifiers, never passwords or tokens.
"""

from collections import defaultdict

import yaml

from pgproxy.control.difference import quote_name, securable_text, table_text, valid_until_text
from pgproxy.control.fleet import EndpointState
from pgproxy.control.state import ControlState
from pgproxy.policy.model import Grant, PolicyCommand, Principal, PrincipalKind, Privilege, RowFilter

VOLATILITIES = {"i": "immutable", "s": "stable", "v": "volatile"}
_CONTAINER_PRIVILEGES = frozenset({Privilege.USAGE, Privilege.CREATE, Privilege.CONNECT})


def export_policy(state: ControlState) -> str:
    """Give YAML in a stable order.

    An endpoint has no token: its stored one stays when the file is applied.
    """
    document = {
        "users": {
            p.name: _principal(p, state.verifiers.get(p.name)) for p in _sorted(state, PrincipalKind.USER)
        },
        "groups": {p.name: _principal(p, None) for p in _sorted(state, PrincipalKind.GROUP)},
        "grants": _grants(state),
        "row_filters": _row_filters(state),
        "row_security": [table_text(table) for table in sorted(state.row_security)],
        **_without_defaults(closed_databases=list(map(quote_name, sorted(state.closed_databases)))),
        **_without_defaults(functions=_functions(state)),
        "column_masks": _column_masks(state),
        "tags": {
            f"{table_text(table)}.{quote_name(column)}": sorted(tags)
            for (table, column), tags in sorted(state.column_tags.items())
        },
        "tag_masks": [
            _without_defaults(
                name=mask.name,
                tag=mask.tag,
                using=mask.expression,
                to=sorted(mask.principals),
                exempt=sorted(mask.exempt),
                strictness=mask.strictness,
            )
            for _, mask in sorted(state.tag_masks.items())
        ],
        **_fleet(state),
        "hba_rules": [str(rule) for rule in state.hba_rules],
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _fleet(state: ControlState) -> dict[str, object]:
    """Endpoints, assignments and catalogs; the last only where there are some."""
    endpoints = {
        e.name: {
            "url": e.url,
            **({} if e.state is EndpointState.ACTIVE else {"state": e.state.value}),
            **_without_defaults(labels=dict(sorted(e.labels.items())), size=e.size, capacity=e.capacity),
        }
        for e in sorted(state.endpoints.values(), key=lambda e: e.name)
    }
    assignments = [
        {
            state.principals[a.principal].kind.value: a.principal,
            **({"endpoint": a.endpoint} if a.selector is None else {"pool": dict(a.selector)}),
            "priority": a.priority,
            "fallback": a.fallback.value,
            **({} if a.weight == 1 else {"weight": a.weight}),
            **_without_defaults(shadow=a.shadow_percent),
        }
        for _, a in sorted(state.assignments.items())
    ]
    catalogs = {
        c.name: {
            "kind": c.kind.value,
            "location": c.location,
            **({} if c.is_read_only else {"read_only": False}),
            **_without_defaults(options=dict(sorted(c.options.items()))),
        }
        for c in sorted(state.catalogs.values(), key=lambda c: c.name)
    }
    return {
        "endpoints": endpoints,
        "assignments": assignments,
        **({"catalogs": catalogs} if catalogs else {}),
    }


def _sorted(state: ControlState, kind: PrincipalKind) -> list[Principal]:
    return sorted((p for p in state.principals.values() if p.kind is kind), key=lambda p: p.name)


def _principal(principal: Principal, verifier: str | None) -> dict[str, object]:
    is_locked = principal.kind is PrincipalKind.USER and not principal.can_login
    entry = _without_defaults(
        verifier=verifier,
        groups=sorted(principal.member_of),
        attributes=dict(sorted(principal.attributes.items())),
        admin=principal.is_admin,
        security_officer=principal.is_security_officer,
        auditor=principal.is_auditor,
        valid_until=valid_until_text(principal),
    )
    if principal.connection_limit >= 0:
        entry["connection_limit"] = principal.connection_limit
    return entry | ({"login": False} if is_locked else {})


def _grants(state: ControlState) -> list[dict[str, object]]:
    """One entry for the privileges that share principal, securable and columns."""
    shared = defaultdict[tuple[str, str, tuple[str, ...]], list[str]](list)
    for grant in state.grants:
        columns = tuple(sorted(map(quote_name, grant.columns or ())))
        shared[grant.principal, _securable(grant), columns].append(grant.privilege.value)
    return [
        _without_defaults(to=to, privileges=sorted(privileges), on=on, columns=list(columns))
        for (to, on, columns), privileges in sorted(shared.items())
    ]


def _securable(grant: Grant) -> str:
    text = securable_text(grant.catalog, grant.schema, grant.table)
    return text.removesuffix(".*") if grant.privilege in _CONTAINER_PRIVILEGES else text


def _row_filters(state: ControlState) -> list[dict[str, object]]:
    return [
        _without_defaults(
            name=row_filter.name,
            on=table_text(row_filter.table),
            using=None if row_filter.command is PolicyCommand.INSERT else row_filter.using,
            to=sorted(row_filter.principals),
            restrictive=row_filter.is_restrictive,
            check=row_filter.check,
            **_for_command(row_filter),
        )
        for _, row_filter in sorted(state.row_filters.items())
    ]


def _functions(state: ControlState) -> dict[str, dict[str, object]]:
    return {
        table_text(name): _without_defaults(
            parameters=[[parameter, kind] for parameter, kind in function.parameters],
            returns=function.returns,
            body=function.body,
            strict=function.is_strict,
            **({} if function.volatility == "v" else {"volatility": VOLATILITIES[function.volatility]}),
        )
        for name, function in sorted(state.functions.items())
    }


def _for_command(row_filter: RowFilter) -> dict[str, object]:
    """What of a row filter depends on its command: one for INSERT has nothing to see by."""
    if row_filter.command is PolicyCommand.ALL:
        return {}
    return {"for": row_filter.command.value.lower()}


def _column_masks(state: ControlState) -> list[dict[str, object]]:
    return [
        _without_defaults(
            name=mask.name,
            on=table_text(mask.table),
            column=quote_name(mask.column),
            using=mask.expression,
            to=sorted(mask.principals),
            exempt=sorted(mask.exempt),
            strictness=mask.strictness,
        )
        for _, mask in sorted(state.column_masks.items())
    ]


def _without_defaults(**entry: object) -> dict[str, object]:
    """Leave out what says nothing: no names, false, zero."""
    return {key: value for key, value in entry.items() if value}

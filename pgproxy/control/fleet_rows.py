"""The fleet as rows of tables and back: endpoints, assignments, catalogs, flags. Pure."""

import json
from collections import defaultdict
from collections.abc import Mapping

from pgproxy.control.fleet import Assignment, CatalogKind, CatalogSource, Endpoint, EndpointState, Fallback
from pgproxy.control.table import Row, RowSet, Table, as_number, as_text

FLEET_TABLES = (
    Table("endpoints", ("name",), ("url", "token", "state", "size", "capacity"), sealed="token"),
    Table("endpoint_labels", ("endpoint", "name"), ("value",)),
    Table("assignments", ("principal", "endpoint"), ("priority", "fallback", "weight", "shadow_percent")),
    Table("catalogs", ("name",), ("kind", "location", "is_read_only", "credentials"), sealed="credentials"),
    Table("catalog_options", ("catalog", "name"), ("value",)),
    Table("flags", ("name",), ("value",)),
)
"""Referenced tables first. Changes here say where a statement runs, not who may see what."""


def fleet_to_rows(
    rows: Mapping[str, dict[Row, Row]],
    endpoints: Mapping[str, Endpoint],
    assignments: Mapping[tuple[str, str], Assignment],
    catalogs: Mapping[str, CatalogSource],
    flags: Mapping[str, str],
) -> None:
    """Add every row of the fleet to `rows`."""
    for e in endpoints.values():
        rows["endpoints"][e.name,] = (e.url, e.token, e.state.value, e.size, e.capacity)
        rows["endpoint_labels"].update({(e.name, key): (value,) for key, value in e.labels.items()})
    for a in assignments.values():
        rows["assignments"][a.principal, a.endpoint] = (
            a.priority,
            a.fallback.value,
            a.weight,
            a.shadow_percent,
        )
    for c in catalogs.values():
        credentials = json.dumps(dict(c.credentials), sort_keys=True)
        rows["catalogs"][c.name,] = (c.kind.value, c.location, int(c.is_read_only), credentials)
        rows["catalog_options"].update({(c.name, key): (value,) for key, value in c.options.items()})
    rows["flags"].update({(name,): (value,) for name, value in flags.items()})


def endpoints_of(rows: RowSet) -> dict[str, Endpoint]:
    """Rebuild the endpoints. Raises: ValueError, TypeError, a row makes no sense."""
    labels = _named_values(rows["endpoint_labels"])
    return {
        as_text(name): Endpoint(
            as_text(name),
            as_text(url),
            as_text(token),
            EndpointState(as_text(state)),
            labels[as_text(name)],
            as_text(size),
            as_number(capacity),
        )
        for (name,), (url, token, state, size, capacity) in rows["endpoints"].items()
    }


def assignments_of(rows: RowSet) -> dict[tuple[str, str], Assignment]:
    """Rebuild the assignments. Raises: ValueError, TypeError."""
    return {
        (as_text(principal), as_text(endpoint)): Assignment(
            as_text(principal),
            as_text(endpoint),
            as_number(priority),
            Fallback(as_text(fallback)),
            as_number(weight),
            as_number(shadow),
        )
        for (principal, endpoint), (priority, fallback, weight, shadow) in rows["assignments"].items()
    }


def catalogs_of(rows: RowSet) -> dict[str, CatalogSource]:
    """Rebuild the catalogs. Raises: ValueError, TypeError."""
    options = _named_values(rows["catalog_options"])
    return {
        as_text(name): CatalogSource(
            as_text(name),
            CatalogKind(as_text(kind)),
            as_text(location),
            bool(is_read_only),
            options[as_text(name)],
            json.loads(as_text(credentials)),
        )
        for (name,), (kind, location, is_read_only, credentials) in rows["catalogs"].items()
    }


def flags_of(rows: RowSet) -> dict[str, str]:
    """Rebuild the flags. Raises: TypeError."""
    return {as_text(name): as_text(value) for (name,), (value,) in rows["flags"].items()}


def _named_values(rows: Mapping[Row, Row]) -> defaultdict[str, dict[str, str]]:
    found = defaultdict[str, dict[str, str]](dict)
    for (owner, name), (value,) in rows.items():
        found[as_text(owner)][as_text(name)] = as_text(value)
    return found

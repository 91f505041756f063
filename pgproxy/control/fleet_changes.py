"""Changes of the fleet as pure functions from one `ControlState` to the next, and what must hold of each."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from pgproxy.control.changes import endpoint_named, undefined
from pgproxy.control.flags import FLAG_PARSERS
from pgproxy.control.fleet import (
    ENDPOINT_TRANSITIONS,
    Assignment,
    CatalogKind,
    CatalogSource,
    Endpoint,
    EndpointState,
    parse_selector,
    selector_text,
)
from pgproxy.control.state import ControlState
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_MAX_NAME_BYTES = 63
_LARGEST = 2**31 - 1
"""PostgreSQL's integer, which the metastore keeps numbers in."""

_EMBEDDED = "local"
"""What routes, logs and metrics call the embedded engine."""

_TOKEN = re.compile(r"[!-+\--~]([ -+\--~]*[!-+\--~])?")  # AGENT_TOKEN has a comma between two
_PASSWORD = re.compile(r"password\s*=|://[^/@]*:[^/@]*@", re.I)
_RESERVED_CATALOGS = frozenset({"system", "temp", "memory", "pg_catalog", "information_schema", "pgproxy"})
_CATALOG_OPTIONS: Mapping[CatalogKind, frozenset[str]] = {
    CatalogKind.DUCKDB: frozenset(),
    CatalogKind.PARQUET: frozenset({"s3_endpoint", "s3_region", "s3_url_style", "s3_use_ssl"}),
    CatalogKind.DUCKLAKE: frozenset(
        {"data_path", "metadata_schema", "s3_endpoint", "s3_region", "s3_url_style", "s3_use_ssl"}
    ),
}
_CREDENTIALS: Mapping[CatalogKind, frozenset[str]] = {
    CatalogKind.DUCKDB: frozenset(),
    CatalogKind.PARQUET: frozenset({"s3_key_id", "s3_secret", "s3_session_token"}),
    CatalogKind.DUCKLAKE: frozenset({"password", "s3_key_id", "s3_secret", "s3_session_token"}),
}


def set_endpoint_state(state: ControlState, name: str, to: EndpointState) -> ControlState:
    """Activate, drain or retire an endpoint; it has that state: no change.

    A retired one keeps its assignments: they say whether its principals may run elsewhere.
    Raises: 42704; 55000, the table of moves has no such move.
    """
    known = endpoint_named(state, name)
    if known.state is to:
        return state
    if to not in ENDPOINT_TRANSITIONS[known.state]:
        raise StatementError(
            f'endpoint "{name}" is {known.state.value} and cannot become {to.value}',
            sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
        )
    return replace(state, endpoints={**state.endpoints, name: replace(known, state=to)})


def activate_registered(state: ControlState, name: str) -> ControlState:
    """A gateway has found the endpoint well: REGISTERED becomes ACTIVE, anything else stays."""
    known = state.endpoints.get(name)
    if known is None or known.state is not EndpointState.REGISTERED:
        return state
    return set_endpoint_state(state, name, EndpointState.ACTIVE)


def add_catalog(state: ControlState, source: CatalogSource) -> ControlState:
    """Add a catalog. Raises: 42P04 when the name is taken."""
    if source.name in state.catalogs:
        raise StatementError(f'catalog "{source.name}" already exists', sqlstate=SqlState.DUPLICATE_DATABASE)
    return replace(state, catalogs={**state.catalogs, source.name: source})


def drop_catalog(state: ControlState, name: str) -> ControlState:
    """Remove a catalog; its data and the policies on it stay. Raises: 3D000."""
    if name not in state.catalogs:
        raise StatementError(f'catalog "{name}" does not exist', sqlstate=SqlState.INVALID_CATALOG_NAME)
    return replace(state, catalogs={other: c for other, c in state.catalogs.items() if other != name})


def set_flags(state: ControlState, values: Mapping[str, str]) -> ControlState:
    """Set flags. Raises: 42704 unknown; 22023 a value that does not parse."""
    return replace(state, flags={**state.flags, **values})


def unset_flag(state: ControlState, name: str) -> ControlState:
    """Let the environment decide a flag again; not set: no change. Raises: 42704."""
    _check_flag_name(name)
    return replace(state, flags={other: value for other, value in state.flags.items() if other != name})


def check_fleet(before: ControlState, after: ControlState) -> None:
    """Refuse a fleet that dangles or does not parse. Raises: GatewayError."""
    for name, endpoint in after.endpoints.items():
        if before.endpoints.get(name) != endpoint:
            _check_endpoint(endpoint)
    for key, assignment in after.assignments.items():
        if before.assignments.get(key) != assignment:
            _check_numbers(assignment)
        if not 0 <= assignment.shadow_percent <= 100:
            raise _bad_value("a shadow is a percent from 0 to 100")
        check_target(after, assignment.endpoint)
    for name, source in after.catalogs.items():
        if before.catalogs.get(name) != source:
            _check_catalog(source)
    for name, value in after.flags.items():
        if before.flags.get(name) != value:
            _check_flag(name, value)


def _check_numbers(assignment: Assignment) -> None:
    if not 1 <= assignment.weight <= _LARGEST:
        raise _bad_value(f"a weight is a number from 1 to {_LARGEST}")
    if abs(assignment.priority) > _LARGEST:
        raise _bad_value(f"a priority is a number from -{_LARGEST} to {_LARGEST}")


def _check_endpoint(endpoint: Endpoint) -> None:
    if not _is_name(endpoint.name) or "=" in endpoint.name or not endpoint.name.isprintable():
        raise StatementError(
            f"an endpoint name has 1 to {_MAX_NAME_BYTES} bytes, all printable, and no =",
            sqlstate=SqlState.INVALID_NAME,
        )
    if endpoint.name == _EMBEDDED:
        raise StatementError(
            f'endpoint name "{_EMBEDDED}" is reserved: it means the embedded engine',
            sqlstate=SqlState.RESERVED_NAME,
        )
    if not endpoint.token:
        raise _bad_value("an endpoint needs a token")
    if not _TOKEN.fullmatch(endpoint.token):
        raise _bad_value("a token is printable ASCII, without a comma, and blank at neither end")
    if not _is_node_url(endpoint.url):
        raise _bad_value("an endpoint's URL is grpc://HOST:PORT or grpcs://HOST:PORT")
    if not 0 <= endpoint.capacity <= _LARGEST:
        raise _bad_value(f"a capacity is a number from 0 to {_LARGEST}")
    try:
        labels = dict(endpoint.all_labels)
        if labels:
            parse_selector(selector_text(labels))
    except ValueError as error:
        raise _bad_value(str(error)) from None


def _is_node_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"grpc", "grpcs"}
            and bool(parts.hostname)
            and bool(parts.port)
            and "@" not in parts.netloc
            and not (parts.path or parts.query or parts.fragment)
        )
    except ValueError:
        return False


def check_target(state: ControlState, target: str) -> None:
    """Refuse what is neither an endpoint nor a pool. Raises: 42704, 22023."""
    if "=" not in target:
        if target not in state.endpoints:
            raise undefined(f'endpoint "{target}" does not exist')
        return
    try:
        is_canonical = selector_text(parse_selector(target)) == target
    except ValueError as error:
        raise _bad_value(str(error)) from None
    if not is_canonical:
        raise _bad_value("a pool's labels are in the order of their keys")


def _check_catalog(source: CatalogSource) -> None:
    if not _is_name(source.name) or source.name in _RESERVED_CATALOGS or source.name.startswith("__"):
        raise StatementError(
            f'catalog name "{source.name}" is reserved or not a name', sqlstate=SqlState.INVALID_NAME
        )
    if not source.location or "\0" in source.location:
        raise _bad_value("a catalog needs a location")
    if _PASSWORD.search(source.location):
        raise _bad_value("a password is a credential, not part of a location")
    for given, allowed, what in (
        (source.options, _CATALOG_OPTIONS[source.kind], "option"),
        (source.credentials, _CREDENTIALS[source.kind], "credential"),
    ):
        for name in sorted(given.keys() - allowed):
            raise _bad_value(f'a catalog of kind {source.kind.value} has no {what} "{name}"')
    if source.kind is CatalogKind.DUCKLAKE and "data_path" not in source.options:
        raise _bad_value("a DuckLake needs the option data_path")
    if source.kind is not CatalogKind.DUCKLAKE and not source.is_read_only:
        raise _bad_value(f"a catalog of kind {source.kind.value} is read-only: several processes open it")


def _check_flag(name: str, value: str) -> None:
    _check_flag_name(name)
    try:
        FLAG_PARSERS[name](value)
    except ValueError as error:
        raise _bad_value(f"{name}: {error}") from None


def _check_flag_name(name: str) -> None:
    if name not in FLAG_PARSERS:
        raise undefined(f'there is no flag "{name}"')


def check_name(name: str, what: str) -> None:
    """Refuse what is no name of at most 63 bytes. Raises: 42602."""
    if not _is_name(name):
        raise StatementError(
            f"{what} has a name of 1 to {_MAX_NAME_BYTES} bytes", sqlstate=SqlState.INVALID_NAME
        )


def _is_name(name: str) -> bool:
    return bool(name) and "\0" not in name and len(name.encode()) <= _MAX_NAME_BYTES


def _bad_value(message: str) -> StatementError:
    return StatementError(message, sqlstate=SqlState.INVALID_PARAMETER_VALUE)

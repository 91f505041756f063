"""The fleet as it is administered: endpoints and their life, who runs where, catalogs. Pure values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class EndpointState(StrEnum):
    """The life of an exec node as the administrator and the health checks see it."""

    REGISTERED = "REGISTERED"
    ACTIVE = "ACTIVE"
    DRAINING = "DRAINING"
    UNHEALTHY = "UNHEALTHY"
    RETIRED = "RETIRED"


ENDPOINT_TRANSITIONS: Mapping[EndpointState, frozenset[EndpointState]] = MappingProxyType(
    {
        EndpointState.REGISTERED: frozenset(
            {EndpointState.ACTIVE, EndpointState.DRAINING, EndpointState.UNHEALTHY, EndpointState.RETIRED}
        ),
        EndpointState.ACTIVE: frozenset(
            {EndpointState.DRAINING, EndpointState.UNHEALTHY, EndpointState.RETIRED}
        ),
        EndpointState.DRAINING: frozenset({EndpointState.ACTIVE, EndpointState.RETIRED}),
        EndpointState.UNHEALTHY: frozenset(
            {EndpointState.ACTIVE, EndpointState.DRAINING, EndpointState.RETIRED}
        ),
        EndpointState.RETIRED: frozenset(),
    }
)
"""The whole table of moves. A retired endpoint comes back only by being registered again."""


class Fallback(StrEnum):
    """What an assignment wants when its endpoint cannot run a statement."""

    AUTOMATIC = "automatic"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An exec node. url: grpc://HOST:PORT or grpcs://HOST:PORT. token: its AGENT_TOKEN; encrypted at rest.

    labels: what pools select by. size: a word for people, such as `large`; also the label `size`.
    capacity: statements that it runs well at once, as declared; 0: what the node says of itself.
    """

    name: str
    url: str
    token: str = field(repr=False)
    state: EndpointState = EndpointState.ACTIVE
    labels: Mapping[str, str] = field(default_factory=dict)
    size: str = ""
    capacity: int = 0

    @property
    def all_labels(self) -> Mapping[str, str]:
        """The labels, and `size` where there is one."""
        return {**({"size": self.size} if self.size else {}), **self.labels}


@dataclass(frozen=True, slots=True)
class Assignment:
    """The binding of a principal, user or group, to an endpoint or to a pool. Lower `priority` comes first.

    endpoint: a name, or a pool as a label selector such as `size=large,zone=eu`; an endpoint's name has no
    `=`. weight: its share of the work among targets of one priority. shadow_percent: 0 for one that moves its
    principal; else the share of statements, served here, that is also run there and compared.
    """

    principal: str
    endpoint: str
    priority: int = 100
    fallback: Fallback = Fallback.DISABLED
    weight: int = 1
    shadow_percent: int = 0

    @property
    def is_shadow(self) -> bool:
        """Whether it moves nobody: that share of what is served here is run there, too, and compared."""
        return self.shadow_percent > 0

    @property
    def selector(self) -> Mapping[str, str] | None:
        """The labels that an endpoint of the pool has; None: it is bound to one endpoint."""
        return parse_selector(self.endpoint) if "=" in self.endpoint else None


class CatalogKind(StrEnum):
    """What a catalog is stored as."""

    DUCKDB = "duckdb"
    PARQUET = "parquet"
    DUCKLAKE = "ducklake"


@dataclass(frozen=True, slots=True)
class CatalogSource:
    """A catalog that the gateway and every node attach.

    location: a DuckDB file; a directory of Parquet files; a DuckLake's catalog (`postgres:dbname=… host=…`).
    options: what is no secret (data_path, …). credentials: encrypted at rest, in a node's memory only.
    """

    name: str
    kind: CatalogKind
    location: str
    is_read_only: bool = True
    options: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)


_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.\-/]{0,61}[A-Za-z0-9])?", re.ASCII)


def parse_selector(text: str) -> Mapping[str, str]:
    """Parse `key=value,…` into labels.

    Raises:
        ValueError: it is no such list, or names a key twice.
    """
    labels: dict[str, str] = {}
    for part in text.split(","):
        key, separator, value = (word.strip() for word in part.partition("="))
        if not separator or not _LABEL.fullmatch(key) or not _LABEL.fullmatch(value) or key in labels:
            raise ValueError("labels are KEY=VALUE with commas between, each key once")
        labels[key] = value
    return labels


def selector_text(labels: Mapping[str, str]) -> str:
    """Write labels in their one form, keys in order."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


def matches(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    """Whether an endpoint of these labels is in the pool."""
    return all(labels.get(key) == value for key, value in selector.items())

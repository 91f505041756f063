"""Catalogs as the control plane names them, attached here and on every node, by numbered generations.

A catalog that cannot be attached (a lake's PostgreSQL is away, a password is wrong) is left out, and tried
again. What is attached already stays until all of it can be attached anew.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from execnode.engine.errors import EngineFault
from execnode.statement import CatalogDefinition, CatalogGeneration
from pgproxy.catalog.service import CatalogService
from pgproxy.control.fleet import CatalogKind, CatalogSource
from pgproxy.engines.embedded import EmbeddedEngine
from pgproxy.routing.registry import EndpointRegistry
from pgwire.errors import GatewayError

log = structlog.get_logger(__name__)

_RETRY_S = 5.0
_PARTS = 16
"""Generations are numbered by epochs so many apart: between two there is room for those with less in them.

So a node that has the whole of one is never given less of it by a gateway that reaches less, and everything
that is attached later has a higher number.
"""

_WATCH_S = 2.0
"""How soon a table that another gateway or program made in a lake is seen here."""


@dataclass(frozen=True, slots=True)
class BaseCatalogs:
    """What the settings say. default_catalog: the one that statements mean. database: None: in memory."""

    default_catalog: str
    database: CatalogDefinition | None

    def generation(self, number: int, sources: Iterable[CatalogSource]) -> CatalogGeneration:
        """Give everything to attach; a catalog of the metastore cannot take the database's name."""
        base = () if self.database is None else (self.database,)
        taken = {self.default_catalog}
        more = (_definition(s) for s in sorted(sources, key=lambda s: s.name) if s.name not in taken)
        return CatalogGeneration(number, (*base, *more))


class CatalogPublisher:
    """Keeps the embedded engine, the catalog service and the nodes at the wanted generation."""

    def __init__(
        self,
        base: BaseCatalogs,
        local: EmbeddedEngine,
        catalogs: CatalogService,
        registry: EndpointRegistry,
    ) -> None:
        self._base = base
        self._local = local
        self._catalogs = catalogs
        self._registry = registry
        self._wanted = CatalogGeneration(0, ())
        self._published = CatalogGeneration(0, ())
        self._has_published = False
        self._has_changed = asyncio.Event()
        self._lake_versions: tuple[int, ...] = ()
        self.shared_writable: frozenset[str] = frozenset()

    @property
    def left_out(self) -> int:
        """How many catalogs of the control plane are not attached here."""
        attached = {catalog.name for catalog in self._published.catalogs}
        return sum(catalog.name not in attached for catalog in self._wanted.catalogs)

    @property
    def is_current(self) -> bool:
        """Whether what the control plane names is attached here."""
        return self._wanted.catalogs == self._published.catalogs

    def want(self, epoch: int, sources: Mapping[str, CatalogSource]) -> None:
        """Ask for these catalogs; `follow` attaches them. epoch: numbers the generation, should it be new."""
        wanted = self._base.generation(max(epoch, 1) * _PARTS, sources.values())
        if wanted.catalogs != self._wanted.catalogs:
            self._wanted = wanted
            self._has_changed.set()

    async def start(self, epoch: int, sources: Mapping[str, CatalogSource]) -> None:
        """Attach for the first time. What the settings name must be there; the rest may come later.

        Raises:
            GatewayError: the database cannot be attached.
        """
        self.want(epoch, sources)
        self._has_changed.clear()
        try:
            await self._publish(self._wanted)
        except GatewayError as error:
            log.warning("catalogs.not_attached", problem=error.message)
            self._has_changed.set()
            await self._publish(self._base.generation(self._wanted.number - _PARTS + 1, ()))

    async def follow(self) -> None:
        """Attach what is wanted, and watch lakes for what others define, for as long as the gateway runs."""
        while True:
            pause_s = _RETRY_S if not self.is_current else _WATCH_S
            try:
                async with asyncio.timeout(pause_s * random.uniform(0.8, 1.2)):  # noqa: S311  # jitter
                    await self._has_changed.wait()
                self._has_changed.clear()
            except TimeoutError:
                pass
            try:
                if not self.is_current:
                    await self._publish(self._wanted)
                await self._watch_lakes()
            except GatewayError as error:
                log.warning("catalogs.not_attached", generation=self._wanted.number, problem=error.message)

    async def _publish(self, wanted: CatalogGeneration) -> None:
        """Attach it here, without catalogs that cannot be, and tell nodes where that changes anything.

        Raises:
            GatewayError: the database cannot be attached, or something that is attached now.
        """
        generation, left_out = wanted, list[str]()
        while not (self._has_published and generation.catalogs == self._published.catalogs):
            try:
                await self._attach(generation)
            except EngineFault as error:
                refused = self._dispensable(generation, error.catalog)
                if refused is None:
                    raise
                left_out.append(refused.name)
                rest = tuple(c for c in generation.catalogs if c is not refused)
                generation = CatalogGeneration(wanted.number - min(len(left_out), _PARTS - 1), rest)
            else:
                self._announce(generation)
        if left_out:
            log.warning("catalogs.left_out", generation=generation.number, catalogs=left_out)

    def _dispensable(self, generation: CatalogGeneration, name: str) -> CatalogDefinition | None:
        """The catalog of that name, if it can be left out; None: it is what must be there, or is now."""
        refused = next((c for c in generation.catalogs if c.name == name), None)
        must_stay = (*self._published.catalogs, self._base.database)
        return None if refused in must_stay else refused

    def _announce(self, generation: CatalogGeneration) -> None:
        """Let nodes attach what is attached here."""
        self._has_published = True
        self.shared_writable = frozenset(
            c.name for c in generation.catalogs if c.kind == CatalogKind.DUCKLAKE and not c.is_read_only
        )
        self._registry.publish(generation)
        log.info("catalogs.published", generation=generation.number, catalogs=len(generation.catalogs))

    async def _attach(self, generation: CatalogGeneration) -> None:
        """Attach here. Nodes learn of a generation only once it is attached here."""
        before = self._published
        self._name(generation)
        try:
            await self._local.attach_catalogs(generation)
            if not self._catalogs.snapshot.generation:  # later instances are filled when they are made
                await self._catalogs.refresh()
        except BaseException:
            self._name(before)
            raise
        self._published = generation
        self._lake_versions = await self._read_lake_versions()

    def _name(self, generation: CatalogGeneration) -> None:
        names = [c.name for c in generation.catalogs] or [self._base.default_catalog]
        of_files = [c.name for c in generation.catalogs if c.kind == CatalogKind.PARQUET]
        self._catalogs.set_catalogs(self._base.default_catalog, names, of_files)

    async def _watch_lakes(self) -> None:
        versions = await self._read_lake_versions()
        if versions != self._lake_versions:
            await self._catalogs.refresh()
            self._lake_versions = versions

    async def _read_lake_versions(self) -> tuple[int, ...]:
        lakes = [c for c in self._published.catalogs if c.kind == CatalogKind.DUCKLAKE]
        if not lakes:
            return ()
        queries = [
            f"SELECT coalesce(max(schema_version), 0) FROM {_metadata(lake)}.ducklake_snapshot"
            for lake in lakes
        ]
        rows = await self._local.duck.run(
            lambda connection: [connection.execute(query).fetchone() for query in queries]
        )
        return tuple(int(row[0]) for row in rows if row is not None)


def _definition(source: CatalogSource) -> CatalogDefinition:
    return CatalogDefinition(
        source.name,
        source.kind.value,
        source.location,
        source.is_read_only,
        dict(source.options),
        dict(source.credentials),
    )


def _metadata(lake: CatalogDefinition) -> str:
    """The name of a lake's own catalog, which the gateway alone may read."""
    schema = lake.options.get("metadata_schema")
    parts = [f"__ducklake_metadata_{lake.name}", *([schema] if schema else [])]
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)

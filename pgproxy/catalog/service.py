"""The catalog service: keeps pg_catalog and information_schema true in the embedded engine's SYSTEM_CATALOG.

Everything here that touches DuckDB runs on the service's one thread, so writers never meet; readers are other
connections of the same instance and see either all of a refresh or nothing of it.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import NamedTuple, TypeVar
from weakref import WeakSet

import duckdb
import pyarrow as pa

from pgproxy.catalog import store
from pgproxy.catalog.builtin import RelationKey, relation_definitions
from pgproxy.catalog.functions import system_functions
from pgproxy.catalog.functions.signals import BackendSignal, nobody_is_there
from pgproxy.catalog.introspect import CatalogContents, index_tables, introspect
from pgproxy.catalog.model import CatalogModel, build_model
from pgproxy.catalog.private import PrivateObjects
from pgproxy.catalog.relations.principals import role_oids
from pgproxy.catalog.relations.registry import physical_name, system_relations
from pgproxy.catalog.snapshot import SYSTEM_CATALOG, CatalogSnapshot
from pgproxy.catalog.types import SYSTEM_TYPES
from pgproxy.catalog.viewers import Viewer, forget_private, viewer_name, write_viewer
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import PolicySet, TableName

MAX_VIEWERS = 256
"""Viewers whose keys are kept; the least recently used goes first.

One of a thousand tables costs about 100 kB.
"""

_INSTANCE_WAIT_S = 60.0

_Result = TypeVar("_Result")


class _Publication(NamedTuple):
    """One writing of a viewer's keys. version: of what it was for. number: no other one has it."""

    version: tuple[int, int]
    number: int


class CatalogService:
    """Builds snapshots and fills SYSTEM_CATALOG.

    `prepare_instance` is called for every instance, blocking, before it is locked down; `refresh` after every
    change of the catalogs (DDL, attach); `publish_policy_set` after every change of policy;
    `publish_viewer` before a statement that reads a system relation runs for that principal.
    """

    def __init__(
        self, default_catalog: str, catalogs: Sequence[str], signal: BackendSignal = nobody_is_there
    ) -> None:
        """catalogs: names of the attached catalogs, as `ATTACH … AS` has them."""
        self.replacing: WeakSet[object] = WeakSet()
        """Whoever now gives names to something else, until `refresh` has told it."""
        self._signal = signal
        self._default_catalog = default_catalog
        self._catalogs = tuple(catalogs)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catalog")
        self._of_files: frozenset[str] = frozenset()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._in_use = threading.RLock()  # the connection, against being replaced meanwhile
        self._is_settled = threading.Event()  # no instance is taking another's place
        self._is_settled.set()
        self._model: CatalogModel = build_model(CatalogContents())
        self._policy_set = PolicySet(epoch=0)
        self._viewers: OrderedDict[str, _Publication] = OrderedDict()
        self._publications = count(1)
        self._private_sessions: set[int] = set()
        """Those of which something stands in the relations."""
        self._snapshot = _snapshot(0, default_catalog, self._model)
        self._published: store.Published = {}

    @property
    def snapshot(self) -> CatalogSnapshot:
        """What exists, as of the last refresh."""
        return self._snapshot

    @property
    def catalogs_of_files(self) -> frozenset[str]:
        """Those whose views are shown as tables."""
        return self._of_files

    def prepare_instance(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create SYSTEM_CATALOG, its relations and functions in the embedded engine's instance. Blocking.

        Must run before `lock_configuration`: it attaches an in-memory database. A later instance is filled
        before anybody can use it.
        """
        with self._in_use:
            self.release_instance()
            self._connection = connection.cursor()
            store.install_signal(self._connection, self._signal)
            store.install(self._connection)
            self._published.clear()
            self._viewers.clear()
            self._private_sessions.clear()
            if self._snapshot.generation:
                self._refresh()
            self._is_settled.set()

    def release_instance(self) -> None:
        """Let the instance go, so that it can be closed: what comes waits for the next. Blocking."""
        with self._in_use:
            old, self._connection = self._connection, None
            if old is not None:
                self._is_settled.clear()
                old.close()

    def set_catalogs(
        self, default_catalog: str, catalogs: Sequence[str], of_files: Iterable[str] = ()
    ) -> None:
        """Name other catalogs; they count from the next `refresh` or instance.

        of_files: those whose views are shown as tables.
        """
        self._default_catalog = default_catalog
        self._catalogs = tuple(catalogs)
        self._of_files = frozenset(of_files)

    async def refresh(self) -> CatalogSnapshot:
        """Read the catalogs again and publish what exists; every viewer is published anew when it next asks.

        Raises:
            duckdb.Error: the engine could not read a catalog; what was published before stays.
        """
        return await self._run(self._refresh)

    async def publish_policy_set(self, policy_set: PolicySet) -> None:
        """Publish principals, memberships and policies."""
        await self._run(lambda: self._publish_policy_set(policy_set))

    async def publish_viewer(self, policy: EffectivePolicy, private: PrivateObjects | None = None) -> int:
        """Make sure that the principal's keys are published for the present generation.

        Cheap when they are. private: what exists for the session that asks alone. Gives the publication's
        number: while it stays, this viewer finds the same rows in all relations but the live ones.
        """
        number = self.published(policy, private)
        if number is not None:
            return number
        return await self._run(lambda: self._publish_viewer(policy, private))

    def published(self, policy: EffectivePolicy, private: PrivateObjects | None = None) -> int | None:
        """The number of the publication that stands; None: none does."""
        viewer = viewer_name(policy, private)
        found = self._viewers.get(viewer)
        if found is None or found.version != self._version_for(private):
            return None
        with suppress(KeyError):  # it has just gone, in the service's thread
            self._viewers.move_to_end(viewer)
        return found.number

    async def forget_private(self, session: int) -> None:
        """Take out what exists for one session alone, if anything was published."""
        if session in self._private_sessions:
            await self._run(lambda: self._forget_private(session))

    async def publish_rows(self, relation: RelationKey, rows: pa.Table, *, is_more: bool = False) -> None:
        """Let a live relation have these rows, or these besides those that it has."""
        await self._run(lambda: store.write_rows(self._ready(), relation, rows, is_more=is_more))

    async def forget_rows(self, relation: RelationKey, before: int) -> None:
        """Take the rows with a lower number out of a journal."""
        await self._run(lambda: store.forget_rows(self._ready(), relation, before))

    @property
    def database_oids(self) -> Mapping[str, int]:
        """The OID of each catalog."""
        return self._model.databases

    @property
    def role_oids(self) -> Mapping[str, int]:
        """The OID of each principal."""
        return role_oids(self._policy_set)

    async def close(self) -> None:
        """Release the connection and the thread."""
        await self._run(self._close)
        self._executor.shutdown(wait=False)

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        """Run blocking work on the service's thread.

        A cancelled caller does not stop work that others need. While one instance takes another's place, work
        waits for it.
        """

        def run() -> _Result:
            self._is_settled.wait(_INSTANCE_WAIT_S)
            with self._in_use:
                return work()

        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._executor, run))

    def _refresh(self) -> CatalogSnapshot:
        connection = self._ready()
        model = build_model(introspect(connection, self._catalogs, self._of_files))
        self._viewers.clear()  # first: nobody may take them for published once they are not
        store.write_catalog(connection, model, self._policy_set, self._published)
        self._model = model
        self._snapshot = _snapshot(self._snapshot.generation + 1, self._default_catalog, model)
        return self._snapshot

    def _publish_policy_set(self, policy_set: PolicySet) -> None:
        self._viewers.clear()
        store.write_policies(self._ready(), self._model, policy_set, self._published)
        self._policy_set = policy_set

    def _version_for(self, private: PrivateObjects | None) -> tuple[int, int]:
        return self._snapshot.generation, private.version if private is not None else 0

    def _publish_viewer(self, policy: EffectivePolicy, private: PrivateObjects | None) -> int:
        number = self.published(policy, private)
        if number is not None:
            return number
        viewer, version = viewer_name(policy, private), self._version_for(private)
        stale = []
        while len(self._viewers) >= MAX_VIEWERS:
            stale.append(self._viewers.popitem(last=False)[0])
        if private is not None:
            self._private_sessions.add(private.number)
        write_viewer(self._ready(), self._model, Viewer(policy, self._policy_set, private), stale)
        published = self._viewers[viewer] = _Publication(version, next(self._publications))
        return published.number

    def _forget_private(self, session: int) -> None:
        forget_private(self._ready(), session)
        self._private_sessions.discard(session)
        for viewer in [name for name in self._viewers if name.endswith(f"/{session}")]:
            del self._viewers[viewer]

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ready(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise RuntimeError(f"{SYSTEM_CATALOG} is not installed: prepare_instance was not called")
        return self._connection


def _snapshot(generation: int, default_catalog: str, model: CatalogModel) -> CatalogSnapshot:
    oids = {
        TableName(SYSTEM_CATALOG, *physical_name(name)): definition.oid
        for name, definition in relation_definitions().items()
    }
    oids |= {name: relation.oid for name, relation in model.relations.items()}
    for info, oid in model.sequences:
        oids[info.name] = oid
    return CatalogSnapshot(
        generation=generation,
        default_catalog=default_catalog,
        tables=model.contents.tables,
        schemas=model.contents.schemas,
        system_relations=system_relations(),
        system_functions=system_functions(),
        system_types=SYSTEM_TYPES,
        oids=oids,
        sequences={info.name: info for info, _ in model.sequences},
        indexes=index_tables(model.contents),
        schema_owners=model.contents.schema_owners,
    )

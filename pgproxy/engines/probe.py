"""An engine that is far away: it can be asked how it is, and told beforehand what statements will need."""

from dataclasses import dataclass
from typing import Protocol

from execnode.statement import CatalogGeneration
from pgproxy.engines.base import Engine


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a node said of itself.

    load: statements running or queued there. capacity: how many it runs at once; 0: it did not say.
    clock_skew_s: its clock against ours; None: it did not say.
    """

    is_draining: bool
    load: int
    catalog_generation: int
    capacity: int = 0
    queued: int = 0
    memory_used_bytes: int = 0
    memory_limit_bytes: int = 0
    spool_bytes: int = 0
    open_cursors: int = 0
    open_sessions: int = 0
    engine_version: str = ""
    contract_version: int = 1
    clock_skew_s: float | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody has anything there: no statement, session or result to fetch."""
        return not (self.load or self.open_cursors or self.open_sessions)


class ProbedEngine(Engine, Protocol):
    """An engine on a node."""

    def expect_catalogs(self, generation: CatalogGeneration) -> None:
        """Make later statements need `generation`; where the node lacks it, it is attached first."""
        ...

    async def probe(self) -> ProbeReport:
        """Ask the node, within a deadline.

        Raises:
            EngineUnavailable: no good answer in time.
        """
        ...

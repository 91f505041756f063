"""An engine that is far away: it can be asked how it is, and told beforehand what statements will need."""

from dataclasses import dataclass
from typing import Protocol

from execnode.statement import CatalogGeneration
from pgproxy.engines.base import Engine


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a node said of itself. load: statements running or queued there."""

    is_draining: bool
    load: int
    catalog_generation: int


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

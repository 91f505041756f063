"""The last quarter of an hour of this gateway in slices of five seconds, for the charts. Bounded."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pgproxy.rollout.figures import Latencies, is_failure
from pgproxy.routing.resolve import Arm
from pgproxy.session.telemetry import Outcome, StatementRecord

SLICE_S = 5
_SLICES = 180
_MOST_NAMES = 24
_OTHERS = "others"
_NO_ARM = Arm.NONE.value
_OK = Outcome.OK


@dataclass(slots=True)
class Slice:
    """What ended within one slice. began_at: Unix seconds. queue: by route. completion: by arm."""

    began_at: int
    routes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    queue: dict[str, Latencies] = field(default_factory=dict)
    completion: dict[str, Latencies] = field(default_factory=dict)

    def add(self, record: StatementRecord) -> None:
        """Count one statement."""
        route = record.route or "not run"
        if route not in self.routes:
            route = _name(self.routes, route)
        self.routes[route] += 1
        queue_ms = record.queue_ms
        if queue_ms is not None:
            _add(self.queue, route, queue_ms)
        if record.arm != _NO_ARM:
            _add(self.completion, record.arm, record.total_ms)
        if record.outcome is not _OK or record.fallback_reason:
            self.failures[_name(self.failures, _failure(record))] += 1


class History:
    """Takes all statements' records; never blocks. clock: Unix time."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._slices: deque[Slice] = deque(maxlen=_SLICES)

    def statements_ended(self, records: Iterable[StatementRecord]) -> None:
        """Count statements in the present slice."""
        began_at = self._present()
        if not self._slices or self._slices[-1].began_at != began_at:
            self._slices.append(Slice(began_at))
        add = self._slices[-1].add
        for record in records:
            add(record)

    def charts(self) -> dict[str, object]:
        """Give the series that the page draws: one value a slice, null where there is none."""
        end = self._present()
        starts = range(end - (_SLICES - 1) * SLICE_S, end + 1, SLICE_S)
        known = {piece.began_at: piece for piece in self._slices}
        slices = [known.get(start) for start in starts]
        return {
            "end": end,
            "step": SLICE_S,
            "statements": _counts(slices, lambda piece: piece.routes),
            "failures": _counts(slices, lambda piece: piece.failures),
            "queue": _quantiles(slices, lambda piece: piece.queue),
            "arms": _quantiles(slices, lambda piece: piece.completion),
        }

    def _present(self) -> int:
        return int(self._clock()) // SLICE_S * SLICE_S


def _name(known: Counter[str], name: str) -> str:
    return name if name in known or len(known) < _MOST_NAMES else _OTHERS


def _add(latencies: dict[str, Latencies], name: str, duration_ms: float) -> None:
    found = latencies.get(name)
    if found is None:
        found = latencies[name] = Latencies()
    found.add(duration_ms)


def _failure(record: StatementRecord) -> str:
    """Say why a statement failed, or ran elsewhere, in a word of a closed list."""
    if record.fallback_reason:
        return record.fallback_reason
    return record.sqlstate if is_failure(record.sqlstate, "") else record.outcome.value


def _counts(slices: list[Slice | None], read: Callable[[Slice], Counter[str]]) -> dict[str, list[float]]:
    names = sorted({name for piece in slices if piece is not None for name in read(piece)})
    return {
        name: [0.0 if piece is None else read(piece)[name] / SLICE_S for piece in slices] for name in names
    }


def _quantiles(
    slices: list[Slice | None], read: Callable[[Slice], dict[str, Latencies]]
) -> dict[str, list[float | None]]:
    names = sorted({name for piece in slices if piece is not None for name in read(piece)})
    return {name: [_p95(piece, read, name) for piece in slices] for name in names}


def _p95(piece: Slice | None, read: Callable[[Slice], dict[str, Latencies]], name: str) -> float | None:
    found = None if piece is None else read(piece).get(name)
    value = None if found is None else found.quantile_ms(0.95)
    return None if value is None else round(value, 2)

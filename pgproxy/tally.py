"""What finished statements add up to: plain numbers while they run, Prometheus's families when asked.

prometheus_client's own counters take a lock and several calls for each number; here a statement costs a
look-up and a few additions. Used from one event loop.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from pgproxy.audit.ended import EndedStatement, StatementShape
from pgproxy.session.telemetry import StatementRecord

_MS_PER_S = 1000
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_BUCKETS_MS = tuple(bound * _MS_PER_S for bound in _BUCKETS_S)
_KEPT = 2048
_BOUNDS = (*map(floatToGoString, _BUCKETS_S), "+Inf")


@dataclass(slots=True)
class _Latencies:
    """One histogram. counts: by bucket, the last one being all that is above the others."""

    counts: list[int] = field(default_factory=lambda: [0] * len(_BOUNDS))
    total_ms: float = 0.0

    def add(self, duration_ms: float) -> None:
        self.counts[bisect_left(_BUCKETS_MS, duration_ms)] += 1
        self.total_ms += duration_ms

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Upper bounds and how many were not above them."""
        below = 0
        for bound, count in zip(_BOUNDS, self.counts, strict=True):
            below += count
            yield bound, below


@dataclass(slots=True)
class _Place:
    """What one route gave to one arm."""

    queue: _Latencies = field(default_factory=_Latencies)
    first_row: _Latencies = field(default_factory=_Latencies)
    total: _Latencies = field(default_factory=_Latencies)
    rows: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Counts:
    """How many statements had one set of labels, and where their latencies are."""

    place: _Place
    ended: int = 0


class StatementTally(Collector):
    """Counts statements that have ended."""

    def __init__(self) -> None:
        self._ended: dict[tuple[str, ...], _Counts] = {}
        self._counts: dict[StatementShape, _Counts] = {}
        self._places: dict[tuple[str, str], _Place] = {}
        self._gather: Callable[[], None] = _nothing_waits

    def gathers_by(self, gather: Callable[[], None]) -> None:
        """Call this before the numbers are told: it adds what has ended and was not counted yet."""
        self._gather = gather

    def add(self, statements: Iterable[EndedStatement]) -> None:
        """Count statements."""
        counts_of, find = self._counts_of, self._counts.get
        for record, shape, _, _, _, _, _ in statements:
            counts = find(shape) or counts_of(shape, record)
            counts.ended += 1
            place = counts.place
            place.total.add(record.total_ms)
            if record.queue_ms is not None:
                place.queue.add(record.queue_ms)
            if record.first_row_ms is not None:
                place.first_row.add(record.first_row_ms)
            place.rows += record.rows
            place.bytes += record.bytes

    def _counts_of(self, shape: StatementShape, record: StatementRecord) -> _Counts:
        """Give where statements of a shape are counted; several shapes share it. Kept, within bounds."""
        key = (record.kind, record.route, record.route_reason, record.arm, record.outcome, record.sqlstate)
        counts = self._ended.get(key)
        if counts is None:
            place = self._places.setdefault((record.route, record.arm), _Place())
            counts = self._ended[key] = _Counts(place)
        if len(self._counts) >= _KEPT:
            self._counts.clear()
        self._counts[shape] = counts
        return counts

    def describe(self) -> Sequence[Metric]:
        """The families, empty."""
        return (*_Counters().families, *_Histograms().families)

    def collect(self) -> Iterable[Metric]:
        """The families as of now."""
        self._gather()
        counters, histograms = _Counters(), _Histograms()
        for key, counts in self._ended.items():
            counters.statements.add_metric(list(map(str, key)), counts.ended)
        sums: dict[str, tuple[int, int]] = {}
        for (route, arm), place in self._places.items():
            rows, size = sums.get(route, (0, 0))
            sums[route] = rows + place.rows, size + place.bytes
            for family, latencies in zip(
                histograms.families, (place.queue, place.first_row, place.total), strict=True
            ):
                family.add_metric([route, arm], list(latencies.buckets()), latencies.total_ms / _MS_PER_S)
        for route, (rows, size) in sums.items():
            counters.rows.add_metric([route], rows)
            counters.bytes.add_metric([route], size)
        return (*counters.families, *histograms.families)


class _Counters:
    """The families of counts."""

    def __init__(self) -> None:
        labels = ("kind", "route", "reason", "arm", "outcome", "sqlstate")
        self.statements = CounterMetricFamily("pgproxy_statements", "Finished statements.", labels=labels)
        self.rows = CounterMetricFamily("pgproxy_rows", "Rows given to clients.", labels=("route",))
        self.bytes = CounterMetricFamily(
            "pgproxy_result_bytes", "Bytes of encoded rows given to clients.", labels=("route",)
        )
        self.families = (self.statements, self.rows, self.bytes)


class _Histograms:
    """The families of latencies, in the order of a place's."""

    def __init__(self) -> None:
        self.families = (
            _latency("queue", "Time until an engine had started the statement."),
            _latency("first_row", "Time to the first rows, where there were any."),
            _latency("completion", "Time to the end of the statement."),
        )


def _latency(name: str, text: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(f"pgproxy_statement_{name}_seconds", text, labels=("route", "arm"))


def _nothing_waits() -> None:
    """Nothing to gather."""

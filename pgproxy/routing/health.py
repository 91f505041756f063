"""What is believed of one endpoint: hysteresis over probes and failed statements. Pure, without a clock.

A probe that fails once makes an endpoint suspect; only several in a row make it unhealthy, and only several
good ones bring it back, so one lost packet neither empties nor floods a node.
"""

from dataclasses import dataclass

from pgproxy.engines.probe import ProbeReport
from pgproxy.routing.resolve import EndpointHealth


@dataclass(frozen=True, slots=True)
class HealthThresholds:
    """How many failures in a row open the circuit, and how many good probes in a row close it again."""

    failures_to_unhealthy: int = 3
    successes_to_active: int = 2


class EndpointMonitor:
    """The state machine of one endpoint. A new endpoint is unhealthy until its first good probe."""

    def __init__(self, thresholds: HealthThresholds) -> None:
        self._thresholds = thresholds
        self._health = EndpointHealth.UNHEALTHY
        self._is_new = True
        self._failures = 0
        self._successes = 0
        self.report: ProbeReport | None = None

    @property
    def health(self) -> EndpointHealth:
        """The present belief."""
        return self._health

    def record_success(self, report: ProbeReport) -> None:
        """A probe was answered."""
        self.report = report
        self._failures = 0
        if report.is_draining:
            self._successes = 0
            self._health = EndpointHealth.DRAINING
            return
        self._successes += 1
        if self._closes_circuit():
            self._health = EndpointHealth.ACTIVE
            self._is_new = False

    def _closes_circuit(self) -> bool:
        """One good probe clears a suspect; an open circuit asks for more; a new endpoint has no past."""
        if self._is_new or self._health is not EndpointHealth.UNHEALTHY:
            return True
        return self._successes >= self._thresholds.successes_to_active

    def record_incompatible(self) -> None:
        """The node speaks another contract: nothing may be sent there, from now on."""
        self._successes = 0
        self._failures += 1
        self._health = EndpointHealth.UNHEALTHY

    def record_failure(self) -> None:
        """A probe was not answered, or a statement found the node gone."""
        self._successes = 0
        self._failures += 1
        if self._health is EndpointHealth.UNHEALTHY:
            return
        if self._failures >= self._thresholds.failures_to_unhealthy:
            self._health = EndpointHealth.UNHEALTHY
        else:
            self._health = EndpointHealth.SUSPECT

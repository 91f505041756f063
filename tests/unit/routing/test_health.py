"""What is believed of an endpoint after each thing that happened to it."""

import pytest

from pgproxy.engines.probe import ProbeReport
from pgproxy.routing.health import EndpointMonitor, HealthThresholds
from pgproxy.routing.resolve import EndpointHealth

GOOD = ProbeReport(is_draining=False, load=2, catalog_generation=1)
DRAINING = ProbeReport(is_draining=True, load=0, catalog_generation=1)


def after(events: str) -> EndpointHealth:
    """+: good probe, -: failure, d: a probe that says draining."""
    monitor = EndpointMonitor(HealthThresholds(failures_to_unhealthy=3, successes_to_active=2))
    for event in events:
        if event == "-":
            monitor.record_failure()
        else:
            monitor.record_success(GOOD if event == "+" else DRAINING)
    return monitor.health


@pytest.mark.parametrize(
    ("events", "health"),
    [
        ("", EndpointHealth.UNHEALTHY),
        ("+", EndpointHealth.ACTIVE),
        ("-", EndpointHealth.UNHEALTHY),
        ("-+", EndpointHealth.ACTIVE),
        ("+-", EndpointHealth.SUSPECT),
        ("+--", EndpointHealth.SUSPECT),
        ("+-+", EndpointHealth.ACTIVE),
        ("+---", EndpointHealth.UNHEALTHY),
        ("+---+", EndpointHealth.UNHEALTHY),
        ("+---+-+", EndpointHealth.UNHEALTHY),
        ("+---++", EndpointHealth.ACTIVE),
        ("+d", EndpointHealth.DRAINING),
        ("d", EndpointHealth.DRAINING),
        ("+d+", EndpointHealth.ACTIVE),
        ("+-+--", EndpointHealth.SUSPECT),
    ],
)
def test_health_follows_events_with_hysteresis(events: str, health: EndpointHealth) -> None:
    assert after(events) is health


def test_the_reported_load_is_that_of_the_last_good_probe() -> None:
    monitor = EndpointMonitor(HealthThresholds())
    monitor.record_success(GOOD)
    monitor.record_failure()
    assert monitor.report == GOOD


def test_another_contract_opens_the_circuit_at_once() -> None:
    monitor = EndpointMonitor(HealthThresholds())
    monitor.record_success(GOOD)
    monitor.record_incompatible()
    assert monitor.health is EndpointHealth.UNHEALTHY

"""Suites: one module per benchmark. A new one is listed here."""

from benchmarks.suites.base import Suite
from benchmarks.suites.clickbench import SUITE as CLICKBENCH
from benchmarks.suites.connections import SUITE as CONNECTIONS
from benchmarks.suites.copyin import SUITE as COPYIN
from benchmarks.suites.drivers import SUITE as DRIVERS
from benchmarks.suites.fleet import SUITE as FLEET
from benchmarks.suites.plan import SUITE as PLAN
from benchmarks.suites.point import SUITE as POINT
from benchmarks.suites.policy import SUITE as POLICY
from benchmarks.suites.scale import SUITE as SCALE
from benchmarks.suites.stream import SUITE as STREAM
from benchmarks.suites.tpch import SUITE as TPCH

SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (STREAM, DRIVERS, POINT, TPCH, CLICKBENCH, COPYIN, CONNECTIONS, SCALE, FLEET, PLAN, POLICY)
}

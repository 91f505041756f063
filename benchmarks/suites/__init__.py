"""Suites: one module per benchmark. A new one is listed here."""

from benchmarks.suites.base import Suite
from benchmarks.suites.point import SUITE as POINT
from benchmarks.suites.stream import SUITE as STREAM

SUITES: dict[str, Suite] = {suite.name: suite for suite in (STREAM, POINT)}

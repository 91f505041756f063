"""Ports for servers that run beside each other on this machine."""

import random
import socket

_RANGE = range(20_000, 32_000)
"""Below what the kernel gives outgoing connections (from 32768), so that none of those takes it first."""

_chance = random.SystemRandom()
"""Not the seeded generator: test processes that run beside each other would all draw the same ports."""


def free_port() -> int:
    """Give a port of the loopback interface that is free now."""
    for port in _chance.sample(_RANGE, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")

"""Ports for servers that run beside each other on this machine."""

import random
import socket
import sys

_RANGE = range(20_000, 32_000)
"""Below what the kernel gives outgoing connections (from 32768), so that none of those takes it first."""

_chance = random.SystemRandom()
"""Not the seeded generator: test processes that run beside each other would all draw the same ports."""

_claims: list[socket.socket] = []
"""Held until this process ends: a server takes seconds to bind, and another process may draw the port."""


def free_port() -> int:
    """Give a port of the loopback interface that is free now, and that no other process was given."""
    for port in _chance.sample(_RANGE, 100):
        if _is_free(port) and _claim(port):
            return port
    raise RuntimeError("no free port")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _claim(port: int) -> bool:
    """Take a name that only one process can have. Linux only: unix(7), "Abstract sockets"."""
    if sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0pgproxy-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True

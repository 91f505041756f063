"""Ports for servers that run beside each other."""

import socket


def free_port() -> int:
    """Give a port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

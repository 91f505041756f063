"""DuckDB's own remote protocol: one DuckDB serves a file to others. TLS is off, as it is for every target.

python quack_server.py FILE PORT TOKEN. It serves until it is stopped.
"""

import signal
import sys

import duckdb

from execnode.engine.instance import extension_path

_NEEDED = ("httpfs", "quack")


def serve(path: str, port: int, token: str) -> None:
    """Serve the file until SIGTERM."""
    with duckdb.connect(path, read_only=True) as connection:
        for extension in _NEEDED:
            connection.execute(f"LOAD '{extension_path(extension)}'")
        url = f"quack:127.0.0.1:{port}"
        connection.execute("CALL quack_serve(?, token = ?, disable_ssl = true)", [url, token])
        print("serving", flush=True)
        signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])

"""What a logged exception shows."""

import json
import subprocess
import sys

PROGRAM = """
import structlog
from pgproxy.logs import configure_logging
configure_logging("info", is_json=True)
try:
    try:
        int("hidden-cell-4711")
    except ValueError as error:
        raise RuntimeError("SELECT secret FROM t") from error
except RuntimeError:
    structlog.get_logger().exception("connection.bug")
"""


def test_a_logged_exception_shows_frames_and_types_but_not_its_message() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    line = json.loads(done.stderr)
    assert line["event"] == "connection.bug"
    assert line["exception"].count("Traceback") == 2
    assert "builtins.ValueError" in line["exception"]
    assert line["exception"].endswith("builtins.RuntimeError\n")
    assert "4711" not in done.stderr
    assert "secret" not in done.stderr

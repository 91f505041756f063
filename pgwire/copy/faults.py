"""Where in its input a COPY failed: the CONTEXT of its errors. PostgreSQL source, `CopyFromErrorCallback`."""

from pgwire.copy.targets import CopyTarget
from pgwire.errors import GatewayError

_MAX_SHOWN = 100


def in_line(error: GatewayError, target: CopyTarget, line: int, data: bytes | None) -> GatewayError:
    """Name the line, and show it where it could be read."""
    shown = "" if data is None else f': "{_shortened(data.decode("utf-8", "replace"))}"'
    return _with_context(error, f"COPY {target.table}, line {line}{shown}")


def in_column(
    error: GatewayError, target: CopyTarget, line: int, column: str, value: str | None
) -> GatewayError:
    """Name the line and the column, and show its value."""
    shown = ": null input" if value is None else f': "{_shortened(value)}"'
    return _with_context(error, f"COPY {target.table}, line {line}, column {column}{shown}")


def in_binary_column(error: GatewayError, target: CopyTarget, line: int, column: str | None) -> GatewayError:
    """Name the row and the column; binary values are not shown."""
    where = f"COPY {target.table}, line {line}"
    return _with_context(error, where if column is None else f"{where}, column {column}")


def _with_context(error: GatewayError, where: str) -> GatewayError:
    error.where = where
    return error


def _shortened(text: str) -> str:
    """Cut as PostgreSQL does, which counts bytes and keeps characters whole."""
    data = text.encode()
    if len(data) <= _MAX_SHOWN:
        return text
    return data[:_MAX_SHOWN].decode("utf-8", "ignore") + "..."

"""DuckDB behind one class: sandboxed instances, sessions, describe, execute, interrupt."""

from execnode.engine.engine import DuckEngine
from execnode.engine.errors import ENGINE_ERROR_MARKER, EngineFault, engine_error
from execnode.engine.instance import PrepareInstance
from execnode.engine.parser import ParsedStatement, serialized_tree
from execnode.engine.sandbox import EngineLimits
from execnode.engine.session import DuckSession
from execnode.engine.stream import StatementStream

__all__ = [
    "ENGINE_ERROR_MARKER",
    "DuckEngine",
    "DuckSession",
    "EngineFault",
    "EngineLimits",
    "ParsedStatement",
    "PrepareInstance",
    "StatementStream",
    "engine_error",
    "serialized_tree",
]

"""The catalog functions, as macros of SYSTEM_CATALOG."""

from pgproxy.catalog.functions.catalogue import macro_sources, macro_statements, system_functions

__all__ = ["macro_sources", "macro_statements", "system_functions"]

"""What PostgreSQL can compute and DuckDB cannot, as macros in a catalog of their own on every instance.

The gateway calls them by their qualified names, so nothing that a client creates can stand before them; no
client can name the catalog.
"""

from execnode.engine.functions.catalogue import FUNCTION_CATALOG, install_functions, macros

__all__ = ["FUNCTION_CATALOG", "install_functions", "macros"]

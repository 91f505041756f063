"""All macros, and how an instance gets them."""

from collections.abc import Iterator

import duckdb

from execnode.engine.functions.documents import DOCUMENT_MACROS
from execnode.engine.functions.formatting import FORMATTING_MACROS
from execnode.engine.functions.macro import Macro
from execnode.engine.functions.numeric import NUMERIC_MACROS
from execnode.engine.functions.roots import ROOT_MACROS
from execnode.engine.functions.values import VALUE_MACROS

FUNCTION_CATALOG = "pgproxy_functions"


def macros() -> Iterator[Macro]:
    """Every macro, in the order in which they are created."""
    yield from NUMERIC_MACROS
    yield from FORMATTING_MACROS
    yield from ROOT_MACROS
    yield from VALUE_MACROS
    yield from DOCUMENT_MACROS


def install_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Create all macros in an instance that has none and is not locked yet. Blocking.

    Raises:
        duckdb.Error: it has the catalog already, or may attach nothing any more.
    """
    connection.execute(f"ATTACH ':memory:' AS {FUNCTION_CATALOG}")
    for macro in macros():
        connection.execute(
            f"CREATE MACRO {FUNCTION_CATALOG}.main.{macro.name}({macro.parameters}) AS {macro.body}"
        )

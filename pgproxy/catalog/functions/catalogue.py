"""All catalog functions together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from pgproxy.catalog.functions.default_acls import DEFAULT_ACL_MACROS
from pgproxy.catalog.functions.definitions import DEFINITION_MACROS
from pgproxy.catalog.functions.macro import Macro, sources
from pgproxy.catalog.functions.names import NAME_MACROS
from pgproxy.catalog.functions.objects import OBJECT_MACROS
from pgproxy.catalog.functions.privileges import PRIVILEGE_MACROS
from pgproxy.catalog.functions.server import SERVER_MACROS, TABLE_TWINS
from pgproxy.catalog.functions.signals import SIGNAL_MACROS
from pgproxy.catalog.snapshot import SystemFunction

_STEADY: tuple[Macro, ...] = (
    *NAME_MACROS,
    *DEFINITION_MACROS,
    *OBJECT_MACROS,
    *PRIVILEGE_MACROS,
    *DEFAULT_ACL_MACROS,
    *SERVER_MACROS,
)
MACROS: tuple[Macro, ...] = (*_STEADY, *SIGNAL_MACROS)


@cache
def system_functions() -> Mapping[str, SystemFunction]:
    """Every catalog function, by name."""
    steady = {macro.name: replace(macro.function, is_steady=True) for macro in _STEADY}
    return {**steady, **{macro.name: macro.function for macro in SIGNAL_MACROS}}


def macro_statements() -> Iterator[str]:
    """CREATE MACRO for each; SYSTEM_CATALOG's relations must exist."""
    yield from (macro.statement for macro in (*MACROS, *TABLE_TWINS))


def macro_sources() -> frozenset[tuple[str, str]]:
    """The (schema, relation) that macros read; each needs its twin `m_…` in the function schema."""
    return frozenset(source for macro in MACROS for body in macro.bodies.values() for source in sources(body))

"""Quoted constants that a function takes as something else than text: `age('2024-02-29', '2024-01-01')`.

PostgreSQL docs, "Function Type Resolution": a constant without a type becomes what the chosen function takes
there. The engine's own choice is another, or none.
"""

from functools import lru_cache

from sqlglot import exp

from pgproxy.sql.dialect.build import cast, constant_text
from pgproxy.sql.dialect.calls import call_of
from pgproxy.sql.dialect.type_names import ENGINE_NAMES
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.typing.choice import Ambiguous, Undetermined, choose_function
from pgproxy.sql.typing.names import name_of, oid_of
from pgproxy.sql.typing.types import UNKNOWN
from pgwire.types import Oid

_MADE = frozenset({Oid.FLOAT8, Oid.DATE, Oid.TIMESTAMP, Oid.TIMESTAMPTZ, Oid.INTERVAL})
"""What a constant is made here; arrays, documents and texts have rules of their own."""


def typed_arguments(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Cast the untyped constants of a call to what PostgreSQL's function takes."""
    if not any(isinstance(value, exp.Literal) and value.is_string for value in node.iter_expressions()):
        return node
    call = call_of(node)
    if call is None:
        return node
    given = [_kind(argument, types) for argument in call[1]]
    taken = _taken(call[0], tuple(kind for kind in given if kind is not None))
    if taken is None or len(taken) != len(given):
        return node
    for argument, kind, wanted in zip(call[1], given, taken, strict=True):
        if kind == UNKNOWN and wanted in _MADE and constant_text(argument) is not None:
            name = name_of(wanted) or ""
            made = cast(argument.copy(), ENGINE_NAMES.get(name, name))
            types.know(made, name)
            argument.replace(made)
    return node


def _kind(argument: exp.Expr, types: KnownTypes) -> int | None:
    is_open = isinstance(argument, exp.Null) or constant_text(argument) is not None
    return UNKNOWN if is_open else oid_of(types.of(argument))


@lru_cache(maxsize=4096)
def _taken(name: str, given: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        chosen = choose_function(name, given)
    except (Ambiguous, Undetermined):
        return None
    return chosen.arguments if chosen is not None else None

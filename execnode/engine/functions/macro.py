"""How a macro is written down. Its arguments are bound where they are written, as often as it names them."""

import re
from dataclasses import dataclass

_FIELD = re.compile(r"\bp\.([a-z]+)")


@dataclass(frozen=True, slots=True)
class Macro:
    """A scalar function. parameters: comma-separated. body: SQL over them and the macros before it."""

    name: str
    parameters: str
    body: str


def let(first: str, *steps: str) -> str:
    """SQL that computes `first`, then each step over the one before, which it calls `p`: each of them once.

    Macro arguments are copied wherever the body names them; a lambda's parameter is a value.

    `p.name` becomes `p['name']`: HAVING would take the first for a column that is not grouped, and it binds
    faster.
    """
    value = f"[{first}]"
    for step in steps:
        by_key = _FIELD.sub(r"p['\1']", step)
        value = f"list_transform({value}, lambda p: {by_key})"
    return f"{value}[1]"


def fields(*same: str, **new: str) -> str:
    """SQL of a struct: the fields of `p` that stay, and new ones."""
    kept = [f"'{name}': p.{name}" for name in same]
    return "{" + ", ".join([*kept, *(f"'{name}': {value}" for name, value in new.items())]) + "}"


def failure(sqlstate: str, message: str) -> str:
    """SQL that raises, in the form that `execnode.engine.errors` reads."""
    escaped = message.replace("'", "''")
    return f"error('\x02pgproxy:{sqlstate}:{escaped}')"

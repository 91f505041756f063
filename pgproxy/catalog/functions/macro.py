"""What a catalog function is made of. PostgreSQL docs, "System Information Functions and Operators"."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pgproxy.catalog.snapshot import FUNCTION_SCHEMA, SYSTEM_CATALOG, SystemFunction, SystemValue
from pgproxy.catalog.visibility import row_predicate

PG = f"{SYSTEM_CATALOG}.pg"
ACL = f"{SYSTEM_CATALOG}.acl"

VIEWER = (SystemValue.VIEWER, SystemValue.DATABASE)
"""What a function needs that reads guarded rows."""
NAMES = (SystemValue.VIEWER, SystemValue.DATABASE, SystemValue.SEARCH_PATH)
"""What a function needs that resolves or shortens names."""

TEXT, NAME, BOOL, INT4, INT8, OID, VOID, FLOAT8, TIMESTAMPTZ = 25, 19, 16, 23, 20, 26, 2278, 701, 1184
REGCLASS, REGTYPE, REGPROC, REGNAMESPACE, REGROLE, INET = 2205, 2206, 24, 4089, 4096, 869

_SOURCE = re.compile(rf"{SYSTEM_CATALOG}\.(pg|acl)\.(\w+) AS (m_\w+)")
_COLUMN = re.compile(r"\b(m_[a-z])\.(?!m_)(\w+)")


def shielded(sql: str) -> str:
    """Read every relation through its twin in the function schema, whose columns all begin with `m_`.

    A macro's argument is bound where it is written: a client's `oid` in `pg_get_constraintdef(oid)` would
    otherwise be captured by the `oid` of the relation that the macro itself reads.
    """
    return _COLUMN.sub(r"\1.m_\2", _SOURCE.sub(rf"{SYSTEM_CATALOG}.{FUNCTION_SCHEMA}.m_\2 AS \3", sql))


def sources(sql: str) -> set[tuple[str, str]]:
    """The (schema, relation) of SYSTEM_CATALOG that a macro's body reads."""
    return {(schema, relation) for schema, relation, _ in _SOURCE.findall(sql)}


def visible(alias: str) -> str:
    """The guard of a row of `alias` inside a macro."""
    return row_predicate("p_viewer", "p_database", prefix=f"{alias}.")


@dataclass(frozen=True, slots=True)
class Macro:
    """A catalog function as a DuckDB macro. Inside, every relation goes by an alias `m_…`; see `shielded`.

    bodies: by the client's parameters (`"p_oid, p_mod"`), the SQL of each overload; the session's values
    follow as p_viewer, p_database, p_search_path, p_session_user.
    """

    name: str
    result_type_oid: int
    bodies: Mapping[str, str]
    session_values: tuple[SystemValue, ...] = ()
    is_table: bool = False

    @property
    def function(self) -> SystemFunction:
        """The function as the planner sees it."""
        arity = frozenset(len([name for name in parameters.split(",") if name]) for parameters in self.bodies)
        macro = (FUNCTION_SCHEMA, self.name)
        return SystemFunction(macro, arity, self.result_type_oid, self.session_values, self.is_table)

    @property
    def statement(self) -> str:
        """CREATE MACRO, with all overloads."""
        overloads = ", ".join(self._overloads())
        return f'CREATE OR REPLACE MACRO {SYSTEM_CATALOG}.{FUNCTION_SCHEMA}."{self.name}" {overloads}'

    def _overloads(self) -> Iterator[str]:
        session = [f"p_{value.value}" for value in self.session_values]
        for parameters, body in self.bodies.items():
            given = [name.strip() for name in parameters.split(",") if name]
            kind = "TABLE " if self.is_table else ""
            yield f"({', '.join([*given, *session])}) AS {kind}({shielded(body)})"


def constant(names: str, result_type_oid: int, value: str, *parameters: str) -> tuple[Macro, ...]:
    """Functions that answer the same whatever they are asked, one per name in `names`."""
    return tuple(Macro(name, result_type_oid, dict.fromkeys(parameters, value)) for name in names.split())

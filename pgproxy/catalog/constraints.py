"""Constraints under PostgreSQL's own names and in its own words. Pure.

PostgreSQL docs, "Constraints": ChooseConstraintName's defaults are `t_pkey`, `t_a_b_key`, `t_a_fkey`,
`t_a_check`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pgproxy.catalog.ownership import NO_NAMES
from pgproxy.catalog.snapshot import ConstraintInfo
from pgproxy.policy.model import TableName


@dataclass(frozen=True, slots=True)
class RawConstraint:
    """A row of duckdb_constraints(). kind: `PRIMARY KEY`, `UNIQUE`, `FOREIGN KEY`, `CHECK`, `NOT NULL`."""

    kind: str
    columns: tuple[str, ...]
    expression: str | None = None
    referenced_table: str | None = None
    referenced_columns: tuple[str, ...] = ()


_CONTYPES = {"PRIMARY KEY": "p", "UNIQUE": "u", "FOREIGN KEY": "f", "CHECK": "c"}
_PLAIN = re.compile(r"^[a-z_][a-z0-9_$]*$")


def quote_identifier(name: str) -> str:
    """As PostgreSQL's quote_ident does it, but for reserved words, which a catalog text may show bare."""
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


def name_constraints(
    table: TableName, raw: Iterable[RawConstraint], given: Mapping[str, str] = NO_NAMES
) -> tuple[ConstraintInfo, ...]:
    """Name and word a table's constraints; NOT NULL is no constraint in PostgreSQL 15.

    given: see `pgproxy.catalog.ownership.TableMark`.
    """
    taken: set[str] = set(given.values())
    named: list[ConstraintInfo] = []
    counts: Counter[str] = Counter()
    for constraint in raw:
        kind = _CONTYPES.get(constraint.kind)
        if kind is None:
            continue
        own = given.get(f"{kind}{counts[kind]}")
        counts[kind] += 1
        base = own or _default_name(table.name, kind, constraint.columns)
        name, attempt = base, 0
        while own is None and name in taken:
            attempt += 1
            name = f"{base}{attempt}"
        taken.add(name)
        referenced = (
            TableName(table.catalog, table.schema, constraint.referenced_table)
            if kind == "f" and constraint.referenced_table
            else None
        )
        named.append(
            ConstraintInfo(
                name,
                kind,
                constraint.columns,
                _definition(kind, constraint, referenced),
                referenced,
                constraint.referenced_columns if kind == "f" else (),
            )
        )
    return tuple(named)


def pretty_definition(definition: str) -> str:
    """pg_get_constraintdef(oid, true): the outermost parentheses of a CHECK's expression go."""
    inner = definition.removeprefix("CHECK (").removesuffix(")")
    if not definition.startswith("CHECK ((") or not _is_wrapped(inner):
        return definition
    return f"CHECK ({inner[1:-1]})"


def _is_wrapped(expression: str) -> bool:
    """Whether the first parenthesis closes only at the very end; quoted text may hold parentheses."""
    depth = 0
    bare = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", lambda match: "x" * len(match[0]), expression)
    for index, character in enumerate(bare):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return index == len(bare) - 1 and bare.startswith("(")
    return False


def _default_name(table: str, kind: str, columns: tuple[str, ...]) -> str:
    if kind == "p":
        return f"{table}_pkey"
    if kind == "c":
        return f"{table}_{columns[0]}_check" if len(columns) == 1 else f"{table}_check"
    suffix = "key" if kind == "u" else "fkey"
    return "_".join((table, *columns, suffix))


def _definition(kind: str, constraint: RawConstraint, referenced: TableName | None) -> str:
    columns = ", ".join(map(quote_identifier, constraint.columns))
    if kind == "c":
        return f"CHECK ({constraint.expression or ''})"
    if kind == "f" and referenced is not None:
        target = ", ".join(map(quote_identifier, constraint.referenced_columns))
        schema = f"{quote_identifier(referenced.schema)}." if referenced.schema != "public" else ""
        return f"FOREIGN KEY ({columns}) REFERENCES {schema}{quote_identifier(referenced.name)}({target})"
    return f"{constraint.kind} ({columns})"

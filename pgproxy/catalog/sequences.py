"""Sequences and the columns that take their values from them. Pure.

A sequence that a column was made with (serial, GENERATED … AS IDENTITY) belongs to it: it goes with the
table. Whose a sequence is, and of which kind of column, stands in its comment in the engine's own catalog, as
a table's owner does (`pgproxy.catalog.ownership`); clients cannot comment on sequences. PostgreSQL docs,
"CREATE SEQUENCE", "Serial Types".
"""

import json
from dataclasses import dataclass
from typing import NamedTuple

import sqlglot
from sqlglot import exp

from pgproxy.policy.model import TableName

_MARK = "pgproxy_sequence:"

SERIAL, ALWAYS, BY_DEFAULT = "serial", "a", "d"
"""Kinds of columns that own a sequence; the last two are pg_attribute.attidentity."""

_TYPE_LIMITS = {2**15 - 1: 21, 2**31 - 1: 23}


@dataclass(frozen=True, slots=True)
class SequenceInfo:
    """A sequence, as CREATE SEQUENCE made it.

    owner: who made it, if no administrator did. column: the kind of column that it belongs to; None: to none.
    """

    name: TableName
    start: int
    minimum: int
    maximum: int
    increment: int
    is_cycled: bool
    comment: str | None = None
    owner: str | None = None
    column: str | None = None

    @property
    def type_oid(self) -> int:
        """int2, int4 or int8: DuckDB counts in 64 bits, and the limit says what was asked for."""
        return _TYPE_LIMITS.get(self.maximum, 20)


class SequenceMark(NamedTuple):
    """What the engine's comment on a sequence tells. start: what it was made with, if it began anew since."""

    comment: str | None = None
    owner: str | None = None
    column: str | None = None
    start: int | None = None


def sequence_comment(owner: str | None, column: str | None, start: int | None = None) -> str:
    """The comment that the engine keeps."""
    return _MARK + json.dumps([owner, column] if start is None else [owner, column, start])


def read_sequence_comment(kept: str | None) -> SequenceMark:
    """What a comment tells. A mark that cannot be read says nothing."""
    if kept is None or not kept.startswith(_MARK):
        return SequenceMark(kept)
    try:
        owner, column, *rest = json.loads(kept.removeprefix(_MARK))
    except ValueError:
        return SequenceMark()
    start = rest[0] if rest and isinstance(rest[0], int) else None
    return SequenceMark(None, owner, column if column in (SERIAL, ALWAYS, BY_DEFAULT) else None, start)


def sequence_text(name: tuple[str, str, str]) -> str:
    """How the engine's nextval() is told a sequence. name: the engine's."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name)


def sequence_of_default(default: str | None, table: TableName) -> TableName | None:
    """The sequence whose next value a column's default is; None: it is something else."""
    if default is None or "nextval" not in default.lower():
        return None
    try:
        call = sqlglot.parse_one(default, dialect="duckdb")
        if not isinstance(call, exp.Anonymous) or len(call.expressions) != 1:
            return None
        named = exp.to_table(call.expressions[0].name, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        return None
    schema = named.db or table.schema
    return TableName(named.catalog or table.catalog, "public" if schema == "main" else schema, named.name)

"""What a result looks like: its columns, and the session settings that shape values as text."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """The session settings that decide how values look as text.

    PostgreSQL docs, "Client Connection Defaults".
    """

    time_zone: str = "UTC"
    interval_style: str = "postgres"
    extra_float_digits: int = 1
    bytea_output: str = "hex"


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column of a result.

    typmod: PostgreSQL's type modifier, -1 for none. engine_type: DuckDB's name of the type, `DECIMAL(15,2)`.
    table_oid, column_number: of the table column that it is; zeros: an expression. No part of the shape: two
    results that differ in them alone are equal. shown_typmod: what a client is told instead of `typmod`, by
    which the values are written.
    """

    name: str
    type_oid: int
    typmod: int
    engine_type: str
    table_oid: int = field(default=0, compare=False)
    column_number: int = field(default=0, compare=False)
    shown_typmod: int | None = field(default=None, compare=False)

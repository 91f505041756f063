"""A table of the metastore, and its rows as plain values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

Value = str | int | None
Row = tuple[Value, ...]
RowSet = Mapping[str, Mapping[Row, Row]]
"""By table name: each row's values by its key."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the metastore.

    key, values: column names, in the order of a row. sealed: the value column that is encrypted at rest.
    """

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...] = ()
    sealed: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Key columns, then value columns."""
        return (*self.key, *self.values)


def as_text(value: Value) -> str:
    """Give a text. Raises: TypeError, it is none."""
    if not isinstance(value, str):
        raise TypeError("expected text")
    return value


def as_number(value: Value) -> int:
    """Give a number. Raises: TypeError, it is none."""
    if not isinstance(value, int):
        raise TypeError("expected a number")
    return value


def timestamp(moment: datetime) -> str:
    """UTC in ISO 8601 with microseconds, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")

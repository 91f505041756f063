"""The names of securables in policy files: `demo.sales.customers`, `demo.sales.*`, `demo."Mixed Case".t`."""

import re
from dataclasses import dataclass

from pgproxy.policy.model import TableName

_PART = re.compile(r'"((?:[^"]|"")+)"|([^\s".*]+)|(\*)')


@dataclass(frozen=True, slots=True)
class Securable:
    """A table, a schema or a catalog. has_star: written with `.*`, so it means every table inside."""

    catalog: str
    schema: str | None = None
    table: str | None = None
    has_star: bool = False


def parse_securable(text: str) -> Securable:
    """Parse a dotted name; parts without quotes fold to lower case, as in PostgreSQL.

    Raises:
        ValueError: it is none; the text says what is expected.
    """
    parts = _split(text)
    has_star = parts[-1] is None
    names = [part for part in parts if part is not None]
    if len(names) < len(parts) - has_star or not names or len(parts) > 3:
        raise ValueError("expected catalog.schema.table, catalog.schema.* or catalog.*")
    return Securable(
        names[0], names[1] if len(names) > 1 else None, names[2] if len(names) > 2 else None, has_star
    )


def parse_table_name(text: str) -> TableName:
    """Parse `catalog.schema.table`.

    Raises:
        ValueError: it is not a table's full name.
    """
    securable = parse_securable(text)
    if securable.schema is None or securable.table is None:
        raise ValueError("expected a table's full name, catalog.schema.table")
    return TableName(securable.catalog, securable.schema, securable.table)


def parse_column_name(text: str) -> tuple[TableName, str]:
    """Parse `catalog.schema.table.column`.

    Raises:
        ValueError: it is not a column's full name.
    """
    catalog, schema, table, column = (*_split(text), None, None, None, None)[:4]
    if catalog is None or schema is None or table is None or column is None or len(_split(text)) != 4:
        raise ValueError("expected a column's full name, catalog.schema.table.column")
    return TableName(catalog, schema, table), column


def fold_name(text: str) -> str:
    """Read one identifier: quoted as it is, else folded to lower case.

    Raises:
        ValueError: it is not one identifier.
    """
    parts = _split(text)
    if len(parts) != 1 or parts[0] is None:
        raise ValueError("expected one name")
    return parts[0]


def _split(text: str) -> list[str | None]:
    """Give the parts of a dotted name, None for `*`."""
    parts: list[str | None] = []
    position = 0
    while match := _PART.match(text, position):
        quoted, plain, _ = match.groups()
        parts.append(quoted.replace('""', '"') if quoted is not None else _lower(plain))
        position = match.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            break
        position += 1
    raise ValueError("expected names with dots between them, quoted where they hold other characters")


def _lower(name: str | None) -> str | None:
    return None if name is None else "".join(c.lower() if c.isascii() else c for c in name)

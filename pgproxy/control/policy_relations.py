"""The tables and columns that a policy file names, looked up in a catalog. Pure."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from pgproxy.catalog.snapshot import CatalogSnapshot
from pgproxy.control.difference import table_text
from pgproxy.control.policy_schema import PolicyFile
from pgproxy.control.securables import fold_name, parse_column_name, parse_securable, parse_table_name
from pgproxy.control.yaml_lines import Document, Path
from pgproxy.policy.model import Privilege, TableName


def missing_relations(file: PolicyFile, document: Document, catalog: CatalogSnapshot) -> Iterator[str]:
    """Say, with its line, each table or column that is not there; bad names are told elsewhere."""
    for path, table, columns in _named(file):
        info = catalog.tables.get(table)
        if info is None:
            yield f'line {document.line_of(path)}: table "{".".join(table)}" does not exist'
            continue
        known = {column.name.lower() for column in info.columns}
        for column in columns:
            if column.lower() not in known:
                text = f'column "{column}" of table "{".".join(table)}" does not exist'
                yield f"line {document.line_of(path)}: {text}"


def _named(file: PolicyFile) -> Iterator[tuple[Path, TableName, Sequence[str]]]:
    for path, text, columns in _written(file):
        table = _granted(text) if path[0] == "grants" else _table(text)
        if table is not None:
            yield path, table, columns


def _written(file: PolicyFile) -> Iterator[tuple[Path, str, Sequence[str]]]:
    for index, grant in enumerate(file.grants or ()):
        if all(word.value in (Privilege.EXECUTE, Privilege.USAGE) for word in grant.privileges):
            continue  # on a function, a sequence or a schema
        yield ("grants", index, "on"), grant.on, [_folded(name) for name in grant.columns or ()]
    for index, row_filter in enumerate(file.row_filters or ()):
        yield ("row_filters", index, "on"), row_filter.on, ()
    for index, mask in enumerate(file.column_masks or ()):
        yield ("column_masks", index, "on"), mask.on, [_folded(mask.column)]
    for index, name in enumerate(file.row_security or ()):
        yield ("row_security", index), name, ()
    for text in file.tags or {}:
        with suppress(ValueError):
            table, column = parse_column_name(text)
            yield ("tags", text), table_text(table), [column]


def _granted(text: str) -> TableName | None:
    try:
        on = parse_securable(text)
    except ValueError:
        return None
    if on.schema is None or on.table is None or on.has_star:
        return None
    return TableName(on.catalog, on.schema, on.table)


def _table(text: str) -> TableName | None:
    try:
        return parse_table_name(text)
    except ValueError:
        return None


def _folded(text: str) -> str:
    try:
        return fold_name(text)
    except ValueError:
        return text

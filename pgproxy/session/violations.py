"""Violated constraints in PostgreSQL's words, with the fields that drivers read.

The engine says which kind of constraint a row violates and by which columns; the catalog, whose names they
are. A constraint is named to who may know all of its columns, and its key's values are shown to who may read
them; everybody else gets the fixed sentence. PostgreSQL docs, "Error and Notice Message Fields";
nbtinsert.c, execMain.c and ri_triggers.c word them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from execnode.engine import EngineFault
from pgproxy.catalog.constraints import quote_identifier
from pgproxy.catalog.snapshot import TEMP_CATALOG, CatalogSnapshot, ConstraintInfo, TableInfo
from pgproxy.policy.effective import EffectivePolicy, TablePolicy
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.plan import Plan
from pgwire.errors import ErrorObject
from pgwire.sqlstate import SqlState

_KEY = re.compile(r'^Duplicate key "(?P<key>.*)" violates (?P<kind>primary key|unique) constraint', re.DOTALL)
_NOT_NULL = re.compile(r"^NOT NULL constraint failed: (?P<table>.+)\.(?P<column>[^.]+)$")
_CHECK = re.compile(r"^CHECK constraint failed on table .+ expression CHECK(?P<text>\(.*\))$", re.DOTALL)
_REFERENCE = re.compile(
    r'^Violates foreign key constraint because key "(?P<key>.*)" does not exist', re.DOTALL
)
_REFERRED = re.compile(
    r'^Violates foreign key constraint because key "(?P<key>.*)" is still referenced', re.DOTALL
)
_KNOWING = (Privilege.SELECT, Privilege.INSERT, Privilege.UPDATE)
_LONGEST_KEY = 2_000
_TEMP_SCHEMA = "pg_temp"
_NO_WORDS = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is told, and what there is. temporary: the session's own tables."""

    policy: EffectivePolicy
    catalog: CatalogSnapshot
    temporary: Iterable[TableInfo] = ()


@dataclass(frozen=True, slots=True)
class _Violation:
    """What is known of one. shows_values: nothing that the statement touches is hidden in part."""

    viewer: Viewer
    table: TableInfo
    rights: TablePolicy
    shows_values: bool

    def knows(self, columns: Iterable[str]) -> bool:
        """Whether the client may know that there are these columns."""
        return all(any(self.rights.allows(one, column) for one in _KNOWING) for column in columns)

    def reads(self, columns: Iterable[str]) -> bool:
        """Whether it may read what they hold."""
        return self.shows_values and all(self.rights.allows(Privilege.SELECT, column) for column in columns)


def name_violation(error: EngineFault, plan: Plan | None, viewer: Viewer) -> bool:
    """Word a violated constraint as PostgreSQL does. False: it is none, or the client may not know which."""
    written = plan.written_table if plan is not None else None
    table = _find(viewer, written) if written is not None else None
    if plan is None or table is None:
        return False
    rights = viewer.policy.table(table.name, table.owner)
    found = _Violation(viewer, table, rights, shows_values=not plan.is_governed)
    sentence = error.engine_sentence
    match error.sqlstate:
        case SqlState.UNIQUE_VIOLATION:
            return _name_key(error, sentence, found)
        case SqlState.NOT_NULL_VIOLATION:
            return _name_column(error, sentence, found)
        case SqlState.CHECK_VIOLATION:
            return _name_check(error, sentence, found)
        case SqlState.FOREIGN_KEY_VIOLATION:
            return _name_foreign_key(error, sentence, found)
        case _:
            return False


def _find(viewer: Viewer, name: TableName) -> TableInfo | None:
    own = next((info for info in viewer.temporary if info.name == name), None)
    return own or viewer.catalog.find_table(name)


def _name_key(error: EngineFault, sentence: str, found: _Violation) -> bool:
    quoted = _KEY.match(sentence)
    keys = [one for one in found.table.constraints if one.kind in "pu"]
    keys += [ConstraintInfo(name, "u", columns, "") for name, columns in found.table.unique_indexes]
    if quoted is not None:
        kind = "p" if quoted["kind"] == "primary key" else "u"
        keys = [one for one in keys if one.kind == kind and _values(one.columns, quoted["key"])]
    if len(keys) != 1 or not found.knows(keys[0].columns):
        return False
    (key,) = keys
    _word(error, found.table, f'duplicate key value violates unique constraint "{key.name}"', key)
    values = _values(key.columns, quoted["key"]) if quoted is not None else None
    if values is not None and found.reads(key.columns):
        error.detail = f"{_shown_key(map(quote_identifier, key.columns), values)} already exists."
    return True


def _name_column(error: EngineFault, sentence: str, found: _Violation) -> bool:
    quoted = _NOT_NULL.match(sentence)
    if quoted is None or not found.knows((quoted["column"],)):
        return False
    table, column = found.table, quoted["column"]
    message = f'null value in column "{column}" of relation "{table.name.name}" violates not-null constraint'
    _word(error, table, message, column=column)
    return True


def _name_check(error: EngineFault, sentence: str, found: _Violation) -> bool:
    quoted = _CHECK.match(sentence)
    checks = [one for one in found.table.constraints if one.kind == "c"]
    if quoted is not None and len(checks) > 1:
        checks = [one for one in checks if _bare(one.text.removeprefix("CHECK")) == _bare(quoted["text"])]
    if len(checks) != 1 or not found.knows(checks[0].columns):
        return False
    table, check = found.table, checks[0]
    message = f'new row for relation "{table.name.name}" violates check constraint "{check.name}"'
    _word(error, table, message, check)
    return True


def _name_foreign_key(error: EngineFault, sentence: str, found: _Violation) -> bool:
    quoted = _REFERENCE.match(sentence)
    if quoted is None:
        return _name_referring(error, sentence, found)
    candidates = [
        one
        for one in found.table.constraints
        if one.kind == "f" and _values(one.referenced_columns, quoted["key"])
    ]
    if len({(one.columns, one.referenced_columns) for one in candidates}) != 1:
        return False
    key = candidates[0]
    if not found.knows(key.columns):
        return False
    table = found.table.name.name
    message = f'insert or update on table "{table}" violates foreign key constraint "{key.name}"'
    _word(error, found.table, message, key)
    values = _values(key.referenced_columns, quoted["key"])
    if values is not None and found.reads(key.columns) and _reads_referenced(found.viewer, key):
        referred = key.referenced_table.name if key.referenced_table is not None else ""
        error.detail = f'{_shown_key(key.columns, values)} is not present in table "{referred}".'
    return True


def _name_referring(error: EngineFault, sentence: str, found: _Violation) -> bool:
    """A row that another one refers to: named to who may know of the columns that refer to it."""
    quoted = _REFERRED.match(sentence)
    if quoted is None:
        return False
    referring = [
        (table, one)
        for table in found.viewer.catalog.tables.values()
        for one in table.constraints
        if one.referenced_table == found.table.name and _values(one.columns, quoted["key"])
    ]
    if len(referring) != 1:
        return False
    ((table, key),) = referring
    rights = found.viewer.policy.table(table.name, table.owner)
    if not _Violation(found.viewer, table, rights, shows_values=False).knows(key.columns):
        return False
    name = table.name.name
    message = (
        f'update or delete on table "{found.table.name.name}" violates foreign key constraint "{key.name}" '
        f'on table "{name}"'
    )
    _word(error, table, message, key)
    values = _values(key.columns, quoted["key"])
    if values is not None and found.reads(key.referenced_columns):
        error.detail = (
            f'{_shown_key(key.referenced_columns, values)} is still referenced from table "{name}".'
        )
    return True


def _reads_referenced(viewer: Viewer, key: ConstraintInfo) -> bool:
    table = _find(viewer, key.referenced_table) if key.referenced_table is not None else None
    if table is None:
        return False
    rights = viewer.policy.table(table.name, table.owner)
    readable = all(rights.allows(Privilege.SELECT, column) for column in key.referenced_columns)
    return readable and not rights.is_filtered and not rights.masks


def _word(
    error: EngineFault,
    table: TableInfo,
    message: str,
    constraint: ConstraintInfo | None = None,
    column: str | None = None,
) -> None:
    error.message = message
    name = constraint.name if constraint is not None else None
    schema = table.name.schema if table.name.catalog != TEMP_CATALOG else _TEMP_SCHEMA
    error.about = ErrorObject(schema, table.name.name, column, name)


def _shown_key(columns: Iterable[str], values: Iterable[str]) -> str:
    return f"Key ({', '.join(columns)})=({', '.join(values)})"


def _values(columns: Iterable[str], key: str) -> list[str] | None:
    """Read `a: 1, b: x` for these columns; None: it is of others, or can be read in two ways."""
    if len(key) > _LONGEST_KEY:
        return None
    pattern = ", ".join(f"{re.escape(column)}: (.*)" for column in columns)
    patterns = (pattern, pattern.replace("(.*)", "(.*?)"))
    greedy, lazy = (re.fullmatch(text, key, re.DOTALL) for text in patterns)
    if greedy is None or lazy is None or greedy.groups() != lazy.groups():
        return None
    return list(greedy.groups())


def _bare(expression: str) -> str:
    """The words of an expression, without parentheses and spelling of operators."""
    return _NO_WORDS.sub(" ", expression).strip().lower()

"""Errors as a client may see them: PostgreSQL's words, and a position in the text that it sent.

The engine speaks of the SQL that it was given; what it says is shown only as far as the client's own text
holds it, and nothing about hidden data.
"""

import re
from collections.abc import Iterator

from execnode.engine import ENGINE_ERROR_MARKER, EngineFault
from pgproxy.session.conversions import conversion_message
from pgproxy.session.undefined_functions import find_undefined
from pgproxy.session.violations import Viewer, name_violation
from pgproxy.sql.plan import Plan
from pgproxy.sql.utility.scan import TokenKind, scan
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

_REFERENCE = re.compile(r'"((?:[^"]|"")*)"(?:\s*\.\s*"((?:[^"]|"")*)")?(?:\s*\.\s*"((?:[^"]|"")*)")?')
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_UNGROUPED = re.compile(r"^column (\S+) must appear in the GROUP BY clause")
_OBJECT = re.compile(
    r'^(?P<kind>Table|View|Index|Sequence|Schema) with name "?(?P<name>[^"\n]+?)"? '
    r"(?P<what>already exists|does not exist)!"
)
_NO_TARGET = re.compile(r'^(Referenced update column |Table ".+" does not have a column with name )')
_UPDATED_COLUMN = re.compile(r"^Referenced update column (.+) not found in table!")


_WORDED = frozenset(
    {SqlState.CARDINALITY_VIOLATION, SqlState.UNIQUE_VIOLATION, SqlState.FOREIGN_KEY_VIOLATION}
)
"""What the fixed sentence says better than the engine's own."""

_OF_THE_MACHINE = ("08", "53", "57", "58", "XX")
"""Classes of SQLSTATE that are no statement's fault: of these the engine's words hold paths and addresses."""


def present_error(
    error: GatewayError,
    plan: Plan | None,
    text: str = "",
    sql: str | None = None,
    viewer: Viewer | None = None,
) -> GatewayError:
    """Make an engine's error presentable. text: what the client sent.

    sql: what the engine was given; None: the plan's. viewer: None: no constraint is named.

    The engine's own first sentence is shown only where the statement touched no governed relation, and is to
    blame: it can quote cells and the rewritten SQL, and of the machine paths and addresses.
    """
    if not isinstance(error, EngineFault) or ENGINE_ERROR_MARKER in error.engine_text:
        return error
    if sql is None:
        sql = plan.sql if plan is not None else ""
    if _name_function(error, text) or _name_object(error, text) or _name_reference(error, plan, text, sql):
        return error
    if viewer is not None and name_violation(error, plan, viewer):
        return error
    shows_value = plan is not None and not plan.is_governed
    worded = conversion_message(error.sqlstate, error.engine_text, shows_value=shows_value)
    if worded is not None:
        error.message = worded
    elif shows_value and error.engine_text and _speaks_of_the_statement(error.sqlstate):
        sentence = error.engine_sentence.split("\n", 1)[0].strip()
        error.message = sentence or error.message
    return error


def _speaks_of_the_statement(sqlstate: SqlState) -> bool:
    is_elsewhere = sqlstate is SqlState.INSUFFICIENT_PRIVILEGE or sqlstate.value.startswith(_OF_THE_MACHINE)
    return not is_elsewhere and sqlstate not in _WORDED


def shift_position(error: GatewayError, offset: int) -> GatewayError:
    """Move a position inside one statement to where that statement stands in the query string."""
    if error.position is not None:
        error.position += offset
    return error


def _name_function(error: EngineFault, text: str) -> bool:
    """Name the client's function or operator that takes no such arguments."""
    if error.sqlstate is not SqlState.UNDEFINED_FUNCTION:
        return False
    found = find_undefined(error.engine_text, text)
    if found is None:
        return False
    error.message, error.hint, error.position = found.message, found.hint, found.position
    return True


def _name_object(error: EngineFault, text: str) -> bool:
    """Name the client's relation or schema that is there already, or is not."""
    found = _OBJECT.match(error.engine_sentence)
    if found is None or found["name"].lower() not in text.lower():
        return False
    kind = "schema" if found["kind"] == "Schema" else "relation"
    error.message = f'{kind} "{found["name"]}" {found["what"]}'
    return True


def _name_reference(error: EngineFault, plan: Plan | None, text: str, sql: str) -> bool:
    """Name which of the client's references is meant, with its position, where that is clear."""
    parts = _reference_at(error, sql)
    if not parts:
        return False
    start = _find_name(text, parts)
    message = _written_column(error, plan, parts) or _message(error.sqlstate, parts)
    if start is None or message is None:
        return False
    error.message = message
    error.position = start + 1
    return True


def _written_column(error: EngineFault, plan: Plan | None, parts: tuple[str, ...]) -> str | None:
    """Say that what INSERT or UPDATE writes to has no such column."""
    written = plan.written_table if plan is not None else None
    if written is None or not _NO_TARGET.match(error.engine_sentence):
        return None
    return f'column "{parts[-1]}" of relation "{written.name}" does not exist'


def _message(sqlstate: SqlState, parts: tuple[str, ...]) -> str | None:
    match sqlstate:
        case SqlState.UNDEFINED_COLUMN if len(parts) > 1:
            return f"column {'.'.join(parts[-2:])} does not exist"
        case SqlState.UNDEFINED_COLUMN:
            return f'column "{parts[0]}" does not exist'
        case SqlState.AMBIGUOUS_COLUMN:
            return f'column reference "{parts[-1]}" is ambiguous'
        case SqlState.UNDEFINED_TABLE if len(parts) > 1:
            return f'missing FROM-clause entry for table "{parts[-2]}"'
        case SqlState.GROUPING_ERROR:
            what = ".".join(parts[-2:])
            return f'column "{what}" must appear in the GROUP BY clause or be used in an aggregate function'
        case _:
            return None


def _reference_at(error: EngineFault, sql: str) -> tuple[str, ...]:
    """The column reference that the engine points at, or that it names where it does not point."""
    if error.engine_position is None:
        sentence = error.engine_text.split("\n", 1)[0]
        named = _QUOTED.findall(sentence) or _UPDATED_COLUMN.findall(sentence) or _UNGROUPED.findall(sentence)
        return (named[-1].replace('""', '"'),) if named else ()
    found = _REFERENCE.match(sql.encode()[error.engine_position :].decode(errors="replace"))
    if found is None:
        return ()
    return tuple(part.replace('""', '"') for part in found.groups() if part is not None)


def _find_name(text: str, parts: tuple[str, ...]) -> int | None:
    """Where the client wrote the reference: its whole dotted chain first, else its last name alone."""
    names = list(_identifiers(text))
    for length in range(len(parts), 0, -1):
        wanted = parts[-length:]
        for index in range(len(names) - length + 1):
            if tuple(name for name, _ in names[index : index + length]) == wanted:
                return names[index][1]
    return None


def _identifiers(text: str) -> Iterator[tuple[str, int]]:
    """The identifiers of a text, folded, with their offsets."""
    for token in scan(text):
        if token.kind in (TokenKind.WORD, TokenKind.QUOTED_NAME):
            yield token.value, token.start

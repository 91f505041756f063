"""What the engine says of a value that does not fit a type, in PostgreSQL's words.

PostgreSQL docs, Appendix A, Class 22. The value itself is named only where the statement may show it.
"""

import re

from pgproxy.sql.dialect.type_names import sql_name, type_of_engine_type
from pgwire.sqlstate import SqlState

_OVERFLOW = re.compile(
    r"out of range for the destination type (?P<type>\w+)|(?P<decimal>to (?:type )?DECIMAL\()"
)
_UNREADABLE = (
    re.compile(r"^Could not convert string '(?P<value>.*)' to (?P<type>[A-Z0-9]+)", re.DOTALL),
    re.compile(r'^invalid (?P<type>date|timestamp|time) field format: "(?P<value>.*?)", expected', re.DOTALL),
    re.compile(
        r"^Type VARCHAR with value '(?P<value>.*)' can't be cast to the destination type (?P<type>.+)",
        re.DOTALL,
    ),
)
_OUT_OF_RANGE = re.compile(r'^(?:date|timestamp|time) field value out of range: "(?P<value>.*?)"', re.DOTALL)
_PHYSICAL = {
    "INT16": "SMALLINT",
    "INT32": "INTEGER",
    "INT64": "BIGINT",
    "INT8": "SMALLINT",
    "UINT8": "SMALLINT",
    "UINT16": "INTEGER",
    "UINT32": "UINTEGER",
    "UINT64": "HUGEINT",
    "BOOL": "BOOLEAN",
}
"""The engine names how a number is held. INT128 holds hugeints, uuids and wide decimals alike."""


def conversion_message(sqlstate: SqlState, engine_text: str, *, shows_value: bool) -> str | None:
    """PostgreSQL's sentence; None: the engine said something else."""
    sentence = engine_text.split("Error: ", 1)[-1]
    match sqlstate:
        case SqlState.NUMERIC_VALUE_OUT_OF_RANGE:
            return _overflow(sentence)
        case SqlState.INVALID_TEXT_REPRESENTATION | SqlState.INVALID_DATETIME_FORMAT if shows_value:
            found = next((found for one in _UNREADABLE if (found := one.search(sentence))), None)
            name = _type_name(found["type"]) if found is not None else None
            return f'invalid input syntax for type {name}: "{found["value"]}"' if found and name else None
        case SqlState.DATETIME_FIELD_OVERFLOW if shows_value:
            found = _OUT_OF_RANGE.search(sentence)
            return f'date/time field value out of range: "{found["value"]}"' if found else None
        case _:
            return None


def _overflow(sentence: str) -> str | None:
    found = _OVERFLOW.search(sentence)
    if found is None:
        return None
    if found["decimal"]:
        return "numeric field overflow"
    name = _type_name(found["type"])
    return f"{name} out of range" if name else None


def _type_name(engine_type: str) -> str | None:
    kind = type_of_engine_type(_PHYSICAL.get(engine_type, engine_type))
    return sql_name(kind) if kind else None

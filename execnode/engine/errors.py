"""DuckDB's exceptions, translated once into the errors that a client may see.

The exception's type decides, never a reading of its prose. Instances run with `errors_as_json`, so the engine
itself names the type (also where pyarrow wraps it in an OSError) and, for a missing or doubled name, the kind
of object. The one exception is a violated constraint: DuckDB has one type for all kinds and no subtype, and
clients rely on 23505; the fixed openings of its four sentences tell them apart, a test pins them to the
DuckDB version in pyproject.toml, and an unknown opening falls back to 23000.

The engine's own text quotes cell values and the rewritten SQL: it travels beside the error in `engine_text`,
for the audit log only, and is never part of `message`. PostgreSQL docs, Appendix A, "PostgreSQL Error Codes".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import duckdb
import pyarrow as pa

from pgwire.errors import (
    AccessDenied,
    FailedTransaction,
    FeatureNotSupported,
    GatewayError,
    InternalError,
    OutOfMemory,
    QueryCanceled,
    StatementError,
)
from pgwire.sqlstate import SqlState

ENGINE_EXCEPTIONS = (duckdb.Error, pa.ArrowException, OSError)
"""What DuckDB, and pyarrow reading its stream, raise."""

ENGINE_ERROR_MARKER = "\x02pgproxy:"
"""How SQL rendered by the gateway raises a chosen error: `error(chr(2) || 'pgproxy:22012:division by zero')`.

The text is ours, not DuckDB's: marker, SQLSTATE, colon, message. User SQL cannot call `error` (not on the
allow-list).
"""

ENGINE_RULE = "engine"
"""The rule of what the engine refuses, beside those of `pgproxy.policy.denial`."""

_MARKED = re.compile(re.escape(ENGINE_ERROR_MARKER) + r"([0-9A-Z]{5}):([ -~]{0,200})\Z")
_KNOWN_STATES = frozenset(state.value for state in SqlState)


class EngineFault(GatewayError):
    """What every translated engine error carries besides.

    engine_text: DuckDB's own words, for the audit log only. engine_class: the name of its exception type.
    engine_position: where in the engine's SQL, from 0, in bytes; None where DuckDB does not say.
    catalog: the one that cannot be attached, where that is what failed.
    """

    engine_text: str = ""
    engine_class: str = ""
    engine_position: int | None = None
    catalog: str = ""

    @property
    def engine_sentence(self) -> str:
        """The engine's words without the name of its exception type."""
        return self.engine_text.split("Error: ", 1)[-1]


class EngineStatementError(EngineFault, StatementError):
    """The engine refused the statement or a value in it."""


class EngineAccessDenied(EngineFault, AccessDenied):
    """The sandbox refused, or SQL of the gateway's own: it is what signals to others' sessions raise."""

    def __init__(self, message: str, *, sqlstate: SqlState = SqlState.INSUFFICIENT_PRIVILEGE) -> None:
        super().__init__(message, rule=ENGINE_RULE)
        self.sqlstate = sqlstate


class EngineNotSupported(EngineFault, FeatureNotSupported):
    """The engine cannot do it."""


class EngineFailedTransaction(EngineFault, FailedTransaction):
    """The engine's transaction is aborted; only ROLLBACK is accepted."""


class EngineQueryCanceled(EngineFault, QueryCanceled):
    """The statement was interrupted."""


class EngineOutOfMemory(EngineFault, OutOfMemory):
    """The engine hit its memory cap."""


class EngineInternalError(EngineFault, InternalError):
    """The engine failed in a way that is no statement's fault."""


_CLASSES: Mapping[SqlState, type[EngineFault]] = MappingProxyType(
    {
        SqlState.INSUFFICIENT_PRIVILEGE: EngineAccessDenied,
        SqlState.FEATURE_NOT_SUPPORTED: EngineNotSupported,
        SqlState.IN_FAILED_SQL_TRANSACTION: EngineFailedTransaction,
        SqlState.QUERY_CANCELED: EngineQueryCanceled,
        SqlState.OUT_OF_MEMORY: EngineOutOfMemory,
        SqlState.INTERNAL_ERROR: EngineInternalError,
        SqlState.IO_ERROR: EngineInternalError,
    }
)

_MESSAGES: Mapping[SqlState, str] = MappingProxyType(
    {
        SqlState.SYNTAX_ERROR: "syntax error",
        SqlState.SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION: "the engine refused the statement",
        SqlState.UNDEFINED_TABLE: "relation does not exist",
        SqlState.UNDEFINED_COLUMN: "column does not exist",
        SqlState.UNDEFINED_FUNCTION: "function does not exist",
        SqlState.UNDEFINED_OBJECT: "object does not exist",
        SqlState.INVALID_SCHEMA_NAME: "schema does not exist",
        SqlState.DUPLICATE_TABLE: "relation already exists",
        SqlState.DUPLICATE_SCHEMA: "schema already exists",
        SqlState.DUPLICATE_OBJECT: "object already exists",
        SqlState.DEPENDENT_OBJECTS_STILL_EXIST: "other objects depend on the object",
        SqlState.DATATYPE_MISMATCH: "types do not match",
        SqlState.CARDINALITY_VIOLATION: "more than one row returned by a subquery used as an expression",
        SqlState.DATA_EXCEPTION: "invalid value",
        SqlState.INVALID_PARAMETER_VALUE: "invalid argument",
        SqlState.INVALID_DATETIME_FORMAT: "invalid input syntax for the type",
        SqlState.DATETIME_FIELD_OVERFLOW: "date/time field value out of range",
        SqlState.INVALID_TEXT_REPRESENTATION: "invalid input syntax for the type",
        SqlState.NUMERIC_VALUE_OUT_OF_RANGE: "value out of range",
        SqlState.DIVISION_BY_ZERO: "division by zero",
        SqlState.SEQUENCE_GENERATOR_LIMIT_EXCEEDED: "sequence reached its limit",
        SqlState.INTEGRITY_CONSTRAINT_VIOLATION: "integrity constraint violated",
        SqlState.NOT_NULL_VIOLATION: "null value violates a not-null constraint",
        SqlState.FOREIGN_KEY_VIOLATION: "value violates a foreign key constraint",
        SqlState.UNIQUE_VIOLATION: "duplicate key value violates a unique constraint",
        SqlState.CHECK_VIOLATION: "new row violates a check constraint",
        SqlState.SERIALIZATION_FAILURE: "could not serialize access due to concurrent update",
        SqlState.INVALID_TRANSACTION_STATE: "the command is not allowed in this transaction state",
        SqlState.IN_FAILED_SQL_TRANSACTION: (
            "current transaction is aborted, commands ignored until end of transaction block"
        ),
        SqlState.INSUFFICIENT_PRIVILEGE: "permission denied",
        SqlState.FEATURE_NOT_SUPPORTED: "the engine does not support this",
        SqlState.OUT_OF_MEMORY: "out of memory",
        SqlState.QUERY_CANCELED: "canceling statement due to user request",
        SqlState.IO_ERROR: "the engine could not read or write its storage",
        SqlState.INTERNAL_ERROR: "internal error",
    }
)

_STATES: Mapping[str, SqlState] = MappingProxyType(
    {
        "Parser": SqlState.SYNTAX_ERROR,
        "Syntax": SqlState.SYNTAX_ERROR,
        "Binder": SqlState.SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
        "Catalog": SqlState.UNDEFINED_OBJECT,
        "Conversion": SqlState.INVALID_TEXT_REPRESENTATION,
        "Out of Range": SqlState.NUMERIC_VALUE_OUT_OF_RANGE,
        "Divide by Zero": SqlState.DIVISION_BY_ZERO,
        "Invalid Input": SqlState.INVALID_PARAMETER_VALUE,
        "Invalid type": SqlState.DATATYPE_MISMATCH,
        "Invalid Type": SqlState.DATATYPE_MISMATCH,
        "Mismatch Type": SqlState.DATATYPE_MISMATCH,
        "Constraint": SqlState.INTEGRITY_CONSTRAINT_VIOLATION,
        "Dependency": SqlState.DEPENDENT_OBJECTS_STILL_EXIST,
        "Sequence": SqlState.SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
        "Not implemented": SqlState.FEATURE_NOT_SUPPORTED,
        "Out of Memory": SqlState.OUT_OF_MEMORY,
        "INTERRUPT": SqlState.QUERY_CANCELED,
        "Permission": SqlState.INSUFFICIENT_PRIVILEGE,
        "IO": SqlState.IO_ERROR,
        "HTTP": SqlState.IO_ERROR,
        "Connection": SqlState.INTERNAL_ERROR,
        "TransactionContext": SqlState.SERIALIZATION_FAILURE,
    }
)
"""DuckDB's names of its exception types (ExceptionTypeToString), as `errors_as_json` gives them."""

_TYPE_OF_CLASS: Mapping[type[BaseException], str] = MappingProxyType(
    {
        duckdb.ParserException: "Parser",
        duckdb.SyntaxException: "Syntax",
        duckdb.BinderException: "Binder",
        duckdb.CatalogException: "Catalog",
        duckdb.ConversionException: "Conversion",
        duckdb.OutOfRangeException: "Out of Range",
        duckdb.InvalidInputException: "Invalid Input",
        duckdb.InvalidTypeException: "Invalid Type",
        duckdb.TypeMismatchException: "Mismatch Type",
        duckdb.ConstraintException: "Constraint",
        duckdb.DependencyException: "Dependency",
        duckdb.SequenceException: "Sequence",
        duckdb.NotImplementedException: "Not implemented",
        duckdb.OutOfMemoryException: "Out of Memory",
        duckdb.InterruptException: "INTERRUPT",
        duckdb.PermissionException: "Permission",
        duckdb.HTTPException: "HTTP",
        duckdb.IOException: "IO",
        duckdb.ConnectionException: "Connection",
        duckdb.TransactionException: "TransactionContext",
    }
)

_SUBTYPES: Mapping[tuple[str, str], SqlState] = MappingProxyType(
    {
        ("MISSING_ENTRY", "Table"): SqlState.UNDEFINED_TABLE,
        ("MISSING_ENTRY", "View"): SqlState.UNDEFINED_TABLE,
        ("MISSING_ENTRY", "Schema"): SqlState.INVALID_SCHEMA_NAME,
        ("MISSING_ENTRY", "Scalar Function"): SqlState.UNDEFINED_FUNCTION,
        ("MISSING_ENTRY", "Aggregate Function"): SqlState.UNDEFINED_FUNCTION,
        ("MISSING_ENTRY", "Table Function"): SqlState.UNDEFINED_FUNCTION,
        ("MISSING_ENTRY", "Type"): SqlState.UNDEFINED_OBJECT,
        ("ENTRY_ALREADY_EXISTS", "Table"): SqlState.DUPLICATE_TABLE,
        ("ENTRY_ALREADY_EXISTS", "View"): SqlState.DUPLICATE_TABLE,
        ("ENTRY_ALREADY_EXISTS", "Schema"): SqlState.DUPLICATE_SCHEMA,
    }
)
_SUBTYPE_DEFAULTS: Mapping[str, SqlState] = MappingProxyType(
    {
        "ENTRY_ALREADY_EXISTS": SqlState.DUPLICATE_OBJECT,
        "COLUMN_NOT_FOUND": SqlState.UNDEFINED_COLUMN,
        "NO_MATCHING_FUNCTION": SqlState.UNDEFINED_FUNCTION,
        "SYNTAX_ERROR": SqlState.SYNTAX_ERROR,
    }
)

_CONSTRAINTS: tuple[tuple[str, SqlState], ...] = (
    ("Duplicate key ", SqlState.UNIQUE_VIOLATION),
    ("Data contains duplicates on indexed column", SqlState.UNIQUE_VIOLATION),
    ("PRIMARY KEY or UNIQUE constraint violat", SqlState.UNIQUE_VIOLATION),
    ("NOT NULL constraint failed", SqlState.NOT_NULL_VIOLATION),
    ("CHECK constraint failed", SqlState.CHECK_VIOLATION),
    ("Violates foreign key constraint", SqlState.FOREIGN_KEY_VIOLATION),
)

_OPENINGS: Mapping[str, tuple[tuple[str, SqlState], ...]] = MappingProxyType(
    {
        "Invalid Input": (("More than one row returned by a subquery", SqlState.CARDINALITY_VIOLATION),),
        "Binder": (
            ("Referenced column ", SqlState.UNDEFINED_COLUMN),
            ("Referenced update column ", SqlState.UNDEFINED_COLUMN),
            ("Ambiguous reference to column name ", SqlState.AMBIGUOUS_COLUMN),
            ("Referenced table ", SqlState.UNDEFINED_TABLE),
            ("column ", SqlState.GROUPING_ERROR),
            ("WHERE clause cannot contain aggregates", SqlState.GROUPING_ERROR),
            ("aggregate function calls cannot be nested", SqlState.GROUPING_ERROR),
            ("WHERE clause cannot contain window functions", SqlState.WINDOWING_ERROR),
            ("Set operations can only apply to expressions with the same number", SqlState.SYNTAX_ERROR),
            ("No function matches the given name", SqlState.UNDEFINED_FUNCTION),
            ("table ", SqlState.INVALID_COLUMN_REFERENCE),
            ("The specified columns as conflict target", SqlState.INVALID_COLUMN_REFERENCE),
            ("UNNEST() can only be applied to", SqlState.UNDEFINED_FUNCTION),
            ("Subquery returns ", SqlState.SYNTAX_ERROR),
            ("Table ", SqlState.UNDEFINED_COLUMN),
            ("Values list ", SqlState.UNDEFINED_COLUMN),
            ("ORDER term out of range", SqlState.INVALID_COLUMN_REFERENCE),
            ("Cannot compare values of type", SqlState.UNDEFINED_FUNCTION),
            ("Could not choose a best candidate function", SqlState.AMBIGUOUS_FUNCTION),
            ("Unimplemented type for cast", SqlState.CANNOT_COERCE),
        ),
        "TransactionContext": (
            ("Failed to commit: could not allocate block", SqlState.OUT_OF_MEMORY),
            ("Failed to commit: Could not write file", SqlState.IO_ERROR),
            ("Failed to commit: PRIMARY KEY or UNIQUE constraint violation", SqlState.UNIQUE_VIOLATION),
        ),
    }
)
"""DuckDB gives most binder errors no subtype, and whatever fails in COMMIT one type: these are the opening
words, pinned by tests to 1.5.5."""


_CONVERSIONS: tuple[tuple[re.Pattern[str], SqlState], ...] = (
    (re.compile("out of range for the destination type"), SqlState.NUMERIC_VALUE_OUT_OF_RANGE),
    (re.compile("failed: value is out of range!$"), SqlState.NUMERIC_VALUE_OUT_OF_RANGE),
    (re.compile(r"^Could not cast value .* to DECIMAL\("), SqlState.NUMERIC_VALUE_OUT_OF_RANGE),
    (re.compile(r"^Could not convert string '\s*[+-]?\d+\s*' to U?INT"), SqlState.NUMERIC_VALUE_OUT_OF_RANGE),
    (re.compile("^invalid (date|timestamp|time) field format"), SqlState.INVALID_DATETIME_FORMAT),
    (re.compile("^(date|timestamp|time) field value out of range"), SqlState.DATETIME_FIELD_OVERFLOW),
    (re.compile("^Date out of range"), SqlState.DATETIME_FIELD_OVERFLOW),
)
"""DuckDB has one type for values that cannot be read and values that do not fit: its words tell which."""


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What DuckDB said. type_name: its exception type. text: its words. facts: what `errors_as_json` adds."""

    type_name: str
    text: str
    facts: Mapping[str, str] = field(default_factory=dict)


def engine_error(
    sqlstate: SqlState, *, engine_text: str = "", engine_class: str = "", message: str | None = None
) -> EngineFault:
    """Build the error of one SQLSTATE with its fixed message; a client rebuilds it so from ErrorDetail."""
    family = _CLASSES.get(sqlstate, EngineStatementError)
    error = family(message if message is not None else fixed_message(sqlstate), sqlstate=sqlstate)
    error.engine_text = engine_text
    error.engine_class = engine_class
    return error


def fixed_message(sqlstate: SqlState) -> str:
    """The one sentence that a client reads for this SQLSTATE."""
    return _MESSAGES.get(sqlstate, "the engine refused the statement")


def translate_error(error: Exception, *, in_failed_transaction: bool = False) -> GatewayError:
    """Translate what DuckDB, or pyarrow reading from DuckDB, raised. A GatewayError passes through.

    in_failed_transaction: an earlier error of the block explains a TransactionException, not a lost race.
    """
    if isinstance(error, GatewayError):
        return error
    report = read_report(error)
    engine_class = type(error).__name__
    marked = _MARKED.match(report.text) if report.type_name == "Invalid Input" else None
    if marked is not None and marked[1] in _KNOWN_STATES:
        return engine_error(
            SqlState(marked[1]),
            engine_text=report.text,
            engine_class=engine_class,
            message=marked[2] or None,
        )
    state = sqlstate_of(report)
    if state is SqlState.SERIALIZATION_FAILURE and in_failed_transaction:
        state = SqlState.IN_FAILED_SQL_TRANSACTION
    fault = engine_error(state, engine_text=report.text, engine_class=engine_class)
    position = report.facts.get("position", "")
    fault.engine_position = int(position) if position.isdigit() else None
    return fault


def as_gateway_error(error: BaseException) -> GatewayError:
    """Give a GatewayError as it is; anything else is a bug: XX000, with its text kept for the log."""
    if isinstance(error, GatewayError):
        return error
    return engine_error(SqlState.INTERNAL_ERROR, engine_text=str(error), engine_class=type(error).__name__)


def read_report(error: Exception) -> EngineReport:
    """Read DuckDB's exception, or the OSError that pyarrow's stream makes of one."""
    type_name = next((name for cls, name in _TYPE_OF_CLASS.items() if type(error) is cls), "")
    text = str(error)
    start = text.find('{"exception_type":')
    if start < 0:
        return EngineReport(type_name, text.removeprefix(f"{type_name} Error: "))
    try:
        facts = json.loads(text[start:])
    except json.JSONDecodeError:
        return EngineReport(type_name, text)
    return EngineReport(
        type_name or facts["exception_type"],
        facts.get("exception_message", ""),
        {key: value for key, value in facts.items() if isinstance(value, str)},
    )


def sqlstate_of(report: EngineReport) -> SqlState:
    """The SQLSTATE of one report, by its type and subtype."""
    if report.type_name == "Constraint":
        return next(
            (state for opening, state in _CONSTRAINTS if report.text.startswith(opening)),
            SqlState.INTEGRITY_CONSTRAINT_VIOLATION,
        )
    subtype = report.facts.get("error_subtype")
    if subtype is not None:
        state = _SUBTYPES.get((subtype, report.facts.get("type", ""))) or _SUBTYPE_DEFAULTS.get(subtype)
        if state is not None:
            return state
    if report.type_name == "Conversion":
        return next(
            (state for pattern, state in _CONVERSIONS if pattern.search(report.text)),
            SqlState.INVALID_TEXT_REPRESENTATION,
        )
    for opening, state in _OPENINGS.get(report.type_name, ()):
        if report.text.startswith(opening):
            return state
    return _STATES.get(report.type_name, SqlState.INTERNAL_ERROR)

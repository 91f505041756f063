"""PostgreSQL's utility statements as values: what never reaches an engine as text.

Offsets and error positions count characters in the text that was parsed; offsets from 0, positions from 1.
PostgreSQL docs, Part VI, "SQL Commands".
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from pgproxy.sql.utility.admin_statements import AdminStatement
from pgproxy.sql.utility.owners import AlterOwner, ReassignOwned

INTERVAL_MARK = "interval "
"""Begins the value of `SET TIME ZONE INTERVAL '…'`: hours east, which the same text alone would not be."""


@dataclass(frozen=True, slots=True)
class StatementText:
    """One statement of a query string, from first token to last. offset: where it starts, in characters."""

    text: str
    offset: int


class IsolationLevel(StrEnum):
    """As `SHOW transaction_isolation` gives it."""

    READ_UNCOMMITTED = "read uncommitted"
    READ_COMMITTED = "read committed"
    REPEATABLE_READ = "repeatable read"
    SERIALIZABLE = "serializable"


@dataclass(frozen=True, slots=True)
class TransactionModes:
    """What a list of transaction modes says; None: not said."""

    isolation: IsolationLevel | None = None
    read_only: bool | None = None
    deferrable: bool | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """BEGIN or START TRANSACTION (is_start: the tag differs)."""

    modes: TransactionModes = TransactionModes()
    is_start: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """COMMIT or END."""

    chain: bool = False


@dataclass(frozen=True, slots=True)
class Rollback:
    """ROLLBACK or ABORT."""

    chain: bool = False


@dataclass(frozen=True, slots=True)
class Savepoint:
    """SAVEPOINT name."""

    name: str


@dataclass(frozen=True, slots=True)
class ReleaseSavepoint:
    """RELEASE [SAVEPOINT] name."""

    name: str


@dataclass(frozen=True, slots=True)
class RollbackTo:
    """ROLLBACK TO [SAVEPOINT] name."""

    name: str


class SettingScope(StrEnum):
    """How long a SET lasts."""

    SESSION = "session"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class SetVariable:
    """SET name, and forms in words: TIME ZONE, NAMES, SCHEMA, ROLE, SESSION AUTHORIZATION, XML OPTION.

    name: lower case; `timezone`, `client_encoding`, `search_path`, `role`, `session_authorization` and
    `xmloption` for those forms. values: as text, identifiers folded, one a list element; none for DEFAULT.
    """

    name: str
    values: tuple[str, ...]
    scope: SettingScope = SettingScope.SESSION
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class SetTransaction:
    """SET TRANSACTION, or SET SESSION CHARACTERISTICS AS TRANSACTION where is_session."""

    modes: TransactionModes
    is_session: bool = False


@dataclass(frozen=True, slots=True)
class ResetVariable:
    """RESET name; None for ALL."""

    name: str | None


@dataclass(frozen=True, slots=True)
class ShowVariable:
    """SHOW name; None for ALL. The forms in words give the setting that they mean, as `timezone`."""

    name: str | None


class DiscardTarget(StrEnum):
    """What DISCARD drops."""

    ALL = "ALL"
    PLANS = "PLANS"
    SEQUENCES = "SEQUENCES"
    TEMP = "TEMP"


@dataclass(frozen=True, slots=True)
class Discard:
    """DISCARD target."""

    target: DiscardTarget


@dataclass(frozen=True, slots=True)
class PrepareStatement:
    """PREPARE name (types) AS query. type_names: as written, spaces kept.

    source: the whole statement, for pg_prepared_statements.
    """

    name: str
    type_names: tuple[str, ...]
    query: str
    offset: int
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ExecuteStatement:
    """EXECUTE name (arguments). arguments: the text of each expression."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deallocate:
    """DEALLOCATE name; None for ALL."""

    name: str | None


@dataclass(frozen=True, slots=True)
class DeclareCursor:
    """DECLARE name CURSOR FOR query. scroll: None where neither SCROLL nor NO SCROLL was said.

    source: the whole statement, for pg_cursors.
    """

    name: str
    query: str
    offset: int
    is_binary: bool = False
    scroll: bool | None = None
    hold: bool = False
    source: str = field(default="", compare=False)


class FetchDirection(StrEnum):
    """The four directions that PostgreSQL reduces every FETCH to."""

    FORWARD = "forward"
    BACKWARD = "backward"
    ABSOLUTE = "absolute"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class FetchCursor:
    """FETCH. count: rows for forward and backward (None: all), a position or a distance for the other two.

    NEXT is forward 1, PRIOR backward 1, FIRST absolute 1, LAST absolute -1.
    """

    direction: FetchDirection
    count: int | None
    name: str


@dataclass(frozen=True, slots=True)
class MoveCursor:
    """MOVE: a FETCH that returns only the count."""

    direction: FetchDirection
    count: int | None
    name: str


@dataclass(frozen=True, slots=True)
class CloseCursor:
    """CLOSE name; None for ALL."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Listen:
    """LISTEN channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class Notify:
    """NOTIFY channel [, payload]."""

    channel: str
    payload: str = ""


@dataclass(frozen=True, slots=True)
class Unlisten:
    """UNLISTEN channel; None for *."""

    channel: str | None


@dataclass(frozen=True, slots=True)
class StatementOption:
    """An option of EXPLAIN or COPY. value: text, a tuple for a list, None where none was given."""

    name: str
    value: str | tuple[str, ...] | None
    position: int


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN (options) statement; the old ANALYZE and VERBOSE words are options too."""

    options: tuple[StatementOption, ...]
    query: str
    offset: int

    @property
    def format(self) -> str:
        """In lower case; the last one counts."""
        named = [str(option.value).lower() for option in self.options if option.name == "format"]
        return named[-1] if named else "text"


@dataclass(frozen=True, slots=True)
class CopyTo:
    """COPY … TO STDOUT. Either relation (a dotted name's parts) with columns, or query with its offset."""

    relation: tuple[str, ...] | None
    columns: tuple[str, ...]
    query: str | None
    offset: int
    options: tuple[StatementOption, ...]


@dataclass(frozen=True, slots=True)
class CopyFrom:
    """COPY relation (columns) FROM STDIN. where: the text of the condition, if any."""

    relation: tuple[str, ...]
    columns: tuple[str, ...]
    options: tuple[StatementOption, ...]
    where: str | None = None


@dataclass(frozen=True, slots=True)
class NoOp:
    """Accepted and without effect here: LOCK, SET CONSTRAINTS, VACUUM, ANALYZE, CHECKPOINT, CLUSTER, REINDEX.

    tag: the command tag. needs_admin: PostgreSQL asks for ownership or superuser.
    """

    tag: str
    needs_admin: bool = True


UtilityStatement: TypeAlias = (
    Begin
    | Commit
    | Rollback
    | Savepoint
    | ReleaseSavepoint
    | RollbackTo
    | SetVariable
    | SetTransaction
    | ResetVariable
    | ShowVariable
    | Discard
    | PrepareStatement
    | ExecuteStatement
    | Deallocate
    | DeclareCursor
    | FetchCursor
    | MoveCursor
    | CloseCursor
    | Listen
    | Notify
    | Unlisten
    | Explain
    | CopyTo
    | CopyFrom
    | NoOp
    | AlterOwner
    | ReassignOwned
    | AdminStatement
)

"""Prepared statements and portals: what they hold, and the rules of their names.

Statements of PREPARE and of Parse share one name space in PostgreSQL (drivers DEALLOCATE what they parsed);
so do portals and cursors of DECLARE; the shell reaches them by `Session.statements` and `Session.portals`.
PostgreSQL docs, "Extended Query Overview".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from pgwire.backend import FieldDescription
from pgwire.errors import OutOfMemory, StatementError, UnknownPortal, UnknownStatement
from pgwire.sqlstate import SqlState

DEFAULT_HELD_BYTES = 64 * 1024 * 1024
_STATEMENT_BYTES = 8 * 1024
_PORTAL_BYTES = 2 * 1024


class HeldMemory:
    """What a connection's statements and portals hold, and how much that may be.

    It counts what the client sent (query texts, bound values) and a round sum for what is made of it.
    """

    __slots__ = ("_limit_bytes", "held_bytes")

    def __init__(self, limit_bytes: int = DEFAULT_HELD_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self.held_bytes = 0

    def check(self, more_bytes: int) -> None:
        """Refuse what would not fit.

        Raises:
            OutOfMemory: 53200.
        """
        if self.held_bytes + more_bytes > self._limit_bytes:
            raise OutOfMemory(
                "out of memory for prepared statements and bound parameters",
                detail="The limit of memory for one connection is reached.",
                hint="Close statements and portals that are no longer needed.",
            )


@dataclass(frozen=True, slots=True, eq=False)
class PreparedStatement:
    """The result of Parse or PREPARE.

    columns: None where the statement returns no rows. handle: the shell's own. text_bytes: of the query.
    """

    name: str
    parameter_oids: tuple[int, ...]
    columns: tuple[FieldDescription, ...] | None
    handle: object
    text_bytes: int = 0

    @property
    def held_bytes(self) -> int:
        """Its share of the connection's memory."""
        return _STATEMENT_BYTES + self.text_bytes


class PortalState(Enum):
    """How far a portal got."""

    READY = auto()
    SUSPENDED = auto()
    COMPLETED = auto()
    FAILED = auto()


@dataclass(slots=True, eq=False)
class Portal:
    """The result of Bind; it may outlive its statement.

    columns: with Bind's formats; None where no rows come back. handle: the shell's own.
    command_tag: that of the completed run; None for an empty query. value_bytes: of the bound parameters.
    is_held: a WITH HOLD cursor whose transaction has committed; it outlives the following ones.
    """

    name: str
    statement: PreparedStatement
    columns: tuple[FieldDescription, ...] | None
    handle: object
    state: PortalState = PortalState.READY
    command_tag: str | None = None
    value_bytes: int = 0
    is_held: bool = False

    @property
    def held_bytes(self) -> int:
        """Its share of the connection's memory."""
        return _PORTAL_BYTES + self.value_bytes

    @property
    def is_suspended(self) -> bool:
        """Stopped at a row limit, with the stream still open."""
        return self.state is PortalState.SUSPENDED


class PreparedStatements:
    """The connection's prepared statements by name; the unnamed one is ''."""

    __slots__ = ("_by_name", "_memory")

    def __init__(self, memory: HeldMemory | None = None) -> None:
        self._by_name: dict[str, PreparedStatement] = {}
        self._memory = memory or HeldMemory()

    def __iter__(self) -> Iterator[PreparedStatement]:
        return iter(tuple(self._by_name.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def resolve(self, name: str) -> PreparedStatement:
        """Find a statement.

        Raises:
            UnknownStatement: 26000.
        """
        statement = self._by_name.get(name)
        if statement is None:
            what = f'prepared statement "{name}"' if name else "unnamed prepared statement"
            raise UnknownStatement(f"{what} does not exist")
        return statement

    def check_free(self, name: str) -> None:
        """Refuse a name that is in use.

        Raises:
            StatementError: 42P05.
        """
        if name in self._by_name:
            raise StatementError(
                f'prepared statement "{name}" already exists', sqlstate=SqlState.DUPLICATE_PREPARED_STATEMENT
            )

    def add(self, statement: PreparedStatement) -> None:
        """Keep a new statement.

        Raises:
            StatementError: 42P05. OutOfMemory: 53200.
        """
        self.check_free(statement.name)
        self._memory.check(statement.held_bytes)
        self._memory.held_bytes += statement.held_bytes
        self._by_name[statement.name] = statement

    def remove(self, name: str) -> PreparedStatement | None:
        """Forget a statement; the caller releases what it holds."""
        removed = self._by_name.pop(name, None)
        if removed is not None:
            self._memory.held_bytes -= removed.held_bytes
        return removed

    def clear(self) -> tuple[PreparedStatement, ...]:
        """Forget all, for DEALLOCATE ALL; the caller releases what they hold."""
        removed = tuple(self._by_name.values())
        self._by_name.clear()
        self._memory.held_bytes -= sum(one.held_bytes for one in removed)
        return removed


class Portals:
    """The connection's open portals by name; the unnamed one is ''."""

    __slots__ = ("_by_name", "_memory")

    def __init__(self, memory: HeldMemory | None = None) -> None:
        self._by_name: dict[str, Portal] = {}
        self._memory = memory or HeldMemory()

    def __iter__(self) -> Iterator[Portal]:
        return iter(tuple(self._by_name.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def resolve(self, name: str) -> Portal:
        """Find a portal.

        Raises:
            UnknownPortal: 34000.
        """
        portal = self._by_name.get(name)
        if portal is None:
            raise UnknownPortal(f'portal "{name}" does not exist')
        return portal

    def check_free(self, name: str) -> None:
        """Refuse a name that is in use.

        Raises:
            StatementError: 42P03.
        """
        if name in self._by_name:
            raise StatementError(f'cursor "{name}" already exists', sqlstate=SqlState.DUPLICATE_CURSOR)

    def add(self, portal: Portal) -> None:
        """Keep a new portal.

        Raises:
            StatementError: 42P03. OutOfMemory: 53200.
        """
        self.check_free(portal.name)
        size = portal.held_bytes
        self._memory.check(size)
        self._memory.held_bytes += size
        self._by_name[portal.name] = portal

    def remove(self, name: str) -> Portal | None:
        """Forget a portal; the caller releases what it holds."""
        removed = self._by_name.pop(name, None)
        if removed is not None:
            self._memory.held_bytes -= removed.held_bytes
        return removed

    def clear(self) -> tuple[Portal, ...]:
        """Forget all, for CLOSE ALL; the caller releases what they hold."""
        return self._forget(tuple(self._by_name.values()))

    def end_transaction(self) -> tuple[Portal, ...]:
        """Forget all but held cursors; the caller releases what they hold."""
        return self._forget(tuple([portal for portal in self._by_name.values() if not portal.is_held]))

    def _forget(self, portals: tuple[Portal, ...]) -> tuple[Portal, ...]:
        for portal in portals:
            del self._by_name[portal.name]
            self._memory.held_bytes -= portal.held_bytes
        return portals

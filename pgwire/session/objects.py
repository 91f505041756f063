"""Prepared statements and portals: what they hold, and the rules of their names.

Statements of PREPARE and of Parse share one name space in PostgreSQL (drivers DEALLOCATE what they parsed);
so do portals and cursors of DECLARE; the shell reaches them by `Session.statements` and `Session.portals`.
PostgreSQL docs, "Extended Query Overview".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from pgwire.backend import FieldDescription
from pgwire.errors import StatementError, UnknownPortal, UnknownStatement
from pgwire.sqlstate import SqlState


@dataclass(frozen=True, slots=True, eq=False)
class PreparedStatement:
    """The result of Parse or PREPARE.

    columns: None where the statement returns no rows. handle: the shell's own.
    """

    name: str
    parameter_oids: tuple[int, ...]
    columns: tuple[FieldDescription, ...] | None
    handle: object


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
    command_tag: that of the completed run; None for an empty query.
    """

    name: str
    statement: PreparedStatement
    columns: tuple[FieldDescription, ...] | None
    handle: object
    state: PortalState = PortalState.READY
    command_tag: str | None = None

    @property
    def is_suspended(self) -> bool:
        """Stopped at a row limit, with the stream still open."""
        return self.state is PortalState.SUSPENDED


class PreparedStatements:
    """The connection's prepared statements by name; the unnamed one is ''."""

    __slots__ = ("_by_name",)

    def __init__(self) -> None:
        self._by_name: dict[str, PreparedStatement] = {}

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
            StatementError: 42P05.
        """
        self.check_free(statement.name)
        self._by_name[statement.name] = statement

    def remove(self, name: str) -> PreparedStatement | None:
        """Forget a statement; the caller releases what it holds."""
        return self._by_name.pop(name, None)

    def clear(self) -> tuple[PreparedStatement, ...]:
        """Forget all, for DEALLOCATE ALL; the caller releases what they hold."""
        removed = tuple(self._by_name.values())
        self._by_name.clear()
        return removed


class Portals:
    """The connection's open portals by name; the unnamed one is ''."""

    __slots__ = ("_by_name",)

    def __init__(self) -> None:
        self._by_name: dict[str, Portal] = {}

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
            StatementError: 42P03.
        """
        self.check_free(portal.name)
        self._by_name[portal.name] = portal

    def remove(self, name: str) -> Portal | None:
        """Forget a portal; the caller releases what it holds."""
        return self._by_name.pop(name, None)

    def clear(self) -> tuple[Portal, ...]:
        """Forget all, at the end of their transaction; the caller releases what they hold."""
        removed = tuple(self._by_name.values())
        self._by_name.clear()
        return removed

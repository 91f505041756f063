"""SQL PREPARE, EXECUTE and DEALLOCATE.

They share one name space with Parse, so drivers may DEALLOCATE what they parsed.
PostgreSQL docs, "PREPARE". EXECUTE's arguments are expressions; they are planned and run like any other
statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from execnode.statement import Parameter
from pgproxy.session.kept_rows import KeptRows
from pgproxy.session.planning import StatementPlanner, field_descriptions
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.sink import Sink
from pgproxy.session.utilities import UtilityResult
from pgproxy.sql.plan import BoundValue
from pgproxy.sql.utility import statements as u
from pgwire.backend import FieldDescription
from pgwire.errors import GatewayError, InternalError, StatementError, UnknownStatement
from pgwire.session.objects import PreparedStatement, PreparedStatements
from pgwire.sqlstate import SqlState
from pgwire.types import type_by_name, type_by_oid


class SqlPrepared:
    """The SQL-level prepared statements of one session."""

    def __init__(
        self,
        planner: StatementPlanner,
        driver: PortalDriver,
        statements: PreparedStatements,
        values: Mapping[str, BoundValue],
    ) -> None:
        self._planner = planner
        self._driver = driver
        self._statements = statements
        self._values = values

    def columns(
        self, statement: u.UtilityStatement, formats: Sequence[int]
    ) -> tuple[FieldDescription, ...] | None:
        """Give the shape of what EXECUTE returns: that of the statement it names."""
        if not isinstance(statement, u.ExecuteStatement):
            return None
        prepared = self._query_of(statement.name)
        return field_descriptions(prepared.columns, formats) if prepared.columns is not None else None

    async def run(
        self, statement: u.UtilityStatement, sink: Sink, formats: Sequence[int] = (), *, describe: bool
    ) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind. formats: of EXECUTE's rows, as in Bind."""
        match statement:
            case u.PrepareStatement():
                await self._prepare(statement)
                return UtilityResult("PREPARE")
            case u.ExecuteStatement():
                return UtilityResult(await self._execute(statement, sink, formats, describe=describe))
            case u.Deallocate(name=None):
                self._statements.clear()
                return UtilityResult("DEALLOCATE ALL")
            case u.Deallocate(name=str(name)):
                if self._statements.remove(name) is None:
                    raise UnknownStatement(f'prepared statement "{name}" does not exist')
                return UtilityResult("DEALLOCATE")
            case _:
                return None

    async def _prepare(self, statement: u.PrepareStatement) -> None:
        self._statements.check_free(statement.name)
        oids = tuple(_oid_of(name) for name in statement.type_names)
        try:
            prepared = await self._planner.prepare(statement.query, oids)
        except GatewayError as error:
            if error.position is not None:
                error.position += statement.offset
            raise
        prepared = replace(prepared, source=statement.source)
        columns = field_descriptions(prepared.columns) if prepared.columns is not None else None
        self._statements.add(PreparedStatement(statement.name, prepared.parameter_oids, columns, prepared))

    async def _execute(
        self, statement: u.ExecuteStatement, sink: Sink, formats: Sequence[int], *, describe: bool
    ) -> str:
        prepared = self._query_of(statement.name)
        oids = prepared.parameter_oids
        if len(oids) != len(statement.arguments):
            raise StatementError(
                f'wrong number of parameters for prepared statement "{statement.name}"',
                detail=f"Expected {len(oids)} parameters but got {len(statement.arguments)}.",
            )
        values = await self._evaluate(statement.arguments, oids)
        parameters = tuple(Parameter(oid, 0, value) for oid, value in zip(oids, values, strict=True))
        completion = await self._driver.run(
            Portal(prepared, parameters, tuple(formats)), sink, 0, describe=describe, in_block=True
        )
        return completion.tag or ""

    async def _evaluate(self, arguments: Sequence[str], oids: Sequence[int]) -> tuple[bytes | None, ...]:
        """Run `SELECT argument::type, …` and take its one row's text values."""
        if not arguments:
            return ()
        casts = ", ".join(f"CAST(({a}) AS {_sql_name(o)})" for a, o in zip(arguments, oids, strict=True))
        prepared = await self._planner.prepare(f"SELECT {casts}")
        row = KeptRows()
        await self._driver.run(Portal(prepared), row, 0, describe=False, in_block=False)
        return row.rows()[0]

    def _query_of(self, name: str) -> PreparedQuery:
        handle = self._statements.resolve(name).handle
        if not isinstance(handle, PreparedQuery):
            raise InternalError("a prepared statement holds no query")
        return handle


def _oid_of(type_name: str) -> int:
    found = type_by_name(type_name)
    if found is None:
        raise StatementError(f'type "{type_name}" does not exist', sqlstate=SqlState.UNDEFINED_OBJECT)
    return found.oid


def _sql_name(oid: int) -> str:
    found = type_by_oid(oid)
    if found is None:
        raise InternalError("a parameter has an unknown type")
    return found.name

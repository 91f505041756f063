"""COPY … TO STDOUT.

A query like any other: planned, secured, and encoded where the data is; never by the engine's own COPY.
PostgreSQL docs, "COPY" and "COPY Operations".
"""

import json
from collections.abc import Mapping

from execnode.statement import RowEncoding
from pgproxy.catalog.snapshot import RelationKind
from pgproxy.session.copy_options import copy_options, quoted_list, quoted_name
from pgproxy.session.copy_target import check_columns
from pgproxy.session.planning import StatementPlanner
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.presenting import present_error, shift_position
from pgproxy.session.running import OutputShape
from pgproxy.session.sink import Sink
from pgproxy.session.utilities import UtilityResult
from pgproxy.sql.utility import statements as u
from pgwire.backend import CopyDone, CopyOutResponse
from pgwire.copy import CopyFormat, CopyOptions, HeaderLine
from pgwire.errors import FeatureNotSupported, GatewayError, StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import ResultColumn

_ENCODINGS = {
    CopyFormat.TEXT: RowEncoding.COPY_TEXT,
    CopyFormat.CSV: RowEncoding.COPY_CSV,
    CopyFormat.BINARY: RowEncoding.COPY_BINARY,
}


class CopyOut:
    """Runs COPY TO for one session."""

    def __init__(self, planner: StatementPlanner, driver: PortalDriver) -> None:
        self._planner = planner
        self._driver = driver

    async def run(self, statement: u.UtilityStatement, sink: Sink, *, describe: bool) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind.

        Raises:
            GatewayError: as the client may see it.
        """
        if not isinstance(statement, u.CopyTo):
            return None
        options = copy_options(statement)
        prepared = await self._prepare(statement)
        _check_force_quote(options, statement, prepared.columns or ())
        rows = await self._send(Portal(prepared, result_formats=_formats(options)), options, sink)
        return UtilityResult(f"COPY {rows}")

    async def _send(self, portal: Portal, options: CopyOptions, sink: Sink) -> int:
        columns = portal.prepared.columns or ()
        shape = OutputShape(encoding=_ENCODINGS[options.format], copy_options=_engine_options(options))
        try:
            await self._driver.start(portal, in_block=True, shape=shape)
            code = _format_code(options)
            sink.send(CopyOutResponse(code, (code,) * len(columns)))
            run = await self._driver.forward(portal, sink, 0)
            sink.send(CopyDone())
            await self._driver.finish(portal)
        except GatewayError as error:
            shown = present_error(error, portal.prepared.plan, portal.prepared.text)
            await self._driver.fail(portal)
            raise shown from error
        return run.rows

    async def _prepare(self, statement: u.CopyTo) -> PreparedQuery:
        if statement.relation is not None:
            return await self._planner.prepare(self._relation_query(statement.relation, statement.columns))
        query = statement.query or ""
        try:
            prepared = await self._planner.prepare(query)
        except GatewayError as error:
            raise shift_position(error, statement.offset) from error
        if prepared.plan is None:
            raise StatementError("syntax error in the query of COPY")
        if not prepared.plan.returns_rows:
            raise FeatureNotSupported("COPY query must have a RETURNING clause")
        if prepared.parameter_oids:
            raise StatementError("there is no parameter $1", sqlstate=SqlState.UNDEFINED_PARAMETER)
        return prepared

    def _relation_query(self, relation: tuple[str, ...], columns: tuple[str, ...]) -> str:
        info = self._planner.find_table(relation)
        if info is not None and info.kind is RelationKind.VIEW:
            raise StatementError(
                f'cannot copy from view "{info.name.name}"',
                sqlstate=SqlState.WRONG_OBJECT_TYPE,
                hint="Try the COPY (SELECT ...) TO variant.",
            )
        if info is not None:
            check_columns(columns)
        return f"SELECT {quoted_list(columns) or '*'} FROM {quoted_name(relation)}"  # quoted names


def _formats(options: CopyOptions) -> tuple[int, ...]:
    return (_format_code(options),)


def _format_code(options: CopyOptions) -> int:
    return int(options.format is CopyFormat.BINARY)


def _check_force_quote(options: CopyOptions, statement: u.CopyTo, columns: tuple[ResultColumn, ...]) -> None:
    names = {column.name for column in columns}
    for name in options.force_quote:
        if name != "*" and name not in names:
            of = f' of relation "{statement.relation[-1]}"' if statement.relation is not None else ""
            raise StatementError(f'column "{name}"{of} does not exist', sqlstate=SqlState.UNDEFINED_COLUMN)


def _engine_options(options: CopyOptions) -> Mapping[str, str]:
    """Name what the encoders need; see `execnode.engine.encoding`."""
    if options.format is CopyFormat.BINARY:
        return {}
    is_named = options.header is HeaderLine.NAMES
    shared = {
        "delimiter": options.delimiter,
        "null": options.null,
        "header": "true" if is_named else "false",
    }
    if options.format is CopyFormat.TEXT:
        return shared
    return {
        **shared,
        "quote": options.quote,
        "escape": options.escape,
        "force_quote": json.dumps(options.force_quote),
    }

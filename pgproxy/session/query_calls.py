"""Statements of the gateway that look like queries: calls of pgproxy.submit, pgproxy.cancel, pgproxy.result.

They become prepared statements with a plan that no engine is given, so that portals, cursors and COPY serve
them like any other.
"""

from dataclasses import replace

from execnode.statement import EngineStatement, Parameter
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.services import AsyncQueries, BoundCall, Identity, PortalStreamContext
from pgproxy.session.settings import SessionSettings
from pgproxy.sql.plan import Plan, StatementKind
from pgproxy.sql.utility.query_calls import QueryCall, QueryFunction, parse_query_call
from pgwire.errors import FeatureNotSupported
from pgwire.types import Oid, ResultColumn
from pgwire.values import decode_parameter

_CARRIED = ("search_path", "TimeZone", "pgproxy.dialect")
"""Settings of the session that a submitted statement keeps."""


class QueryCalls:
    """Prepares and opens such calls for one session."""

    def __init__(self, identity: Identity, queries: AsyncQueries | None, settings: SessionSettings) -> None:
        self._identity = identity
        self._queries = queries
        self._settings = settings

    async def prepare(self, text: str, declared_oids: tuple[int, ...]) -> PreparedQuery | None:
        """Prepare a statement; None where it is no such call.

        Raises:
            FeatureNotSupported: the queue is switched off.
            GatewayError: it is wrong, or there is no such result for this principal.
        """
        call = parse_query_call(text)
        if call is None:
            return None
        oids = declared_oids + (int(Oid.TEXT),) * (call.parameter_count - len(declared_oids))
        oids = tuple(oid or int(Oid.TEXT) for oid in oids)
        prepared = PreparedQuery(text, declared_oids, plan=_plan_of(call, oids), call=call)
        if call.function is QueryFunction.RESULT and call.parameter_count:
            self._required()
            return prepared  # its columns are known once it is bound
        return replace(prepared, columns=await self._columns(call, ()))

    async def bound(self, prepared: PreparedQuery, parameters: tuple[Parameter, ...]) -> PreparedQuery:
        """Learn the columns of a result whose id is a parameter."""
        if prepared.call is None or prepared.columns is not None:
            return prepared
        return replace(prepared, columns=await self._columns(prepared.call, parameters))

    def open(
        self, call: QueryCall, parameters: tuple[Parameter, ...], statement: EngineStatement
    ) -> PortalStreamContext:
        """Do what the call asks for and give its rows."""
        return self._required().open(self._identity, self._bound(call, parameters), statement)

    async def _columns(self, call: QueryCall, parameters: tuple[Parameter, ...]) -> tuple[ResultColumn, ...]:
        return await self._required().columns(self._identity, self._bound(call, parameters))

    def _required(self) -> AsyncQueries:
        if self._queries is None:
            raise FeatureNotSupported("async queries are switched off", hint="Set FEATURE_ASYNC_QUEUE.")
        return self._queries

    def _bound(self, call: QueryCall, parameters: tuple[Parameter, ...]) -> BoundCall:
        texts = tuple(_text(parameter) for parameter in parameters)
        texts += (None,) * (call.parameter_count - len(texts))
        options = {name: value for name, a in call.options.items() if (value := a.value(texts)) is not None}
        settings = {name: self._settings.show(name) for name in _CARRIED}
        return BoundCall(call.function, call.argument.value(texts), options, settings)


def _text(parameter: Parameter) -> str | None:
    if parameter.value is None:
        return None
    return str(decode_parameter(parameter.type_oid, parameter.format, parameter.value))


def _plan_of(call: QueryCall, oids: tuple[int, ...]) -> Plan:
    """A plan without SQL: nothing may send it to an engine."""
    return Plan(
        kind=StatementKind.SELECT,
        sql="",
        describe_sql="",
        parameter_oids=oids,
        bound_values=(),
        returns_rows=True,
        is_read_only=True,
        is_catalog=False,
        is_governed=True,
        accesses=(),
        policy_epoch=0,
        catalog_generation=0,
        fingerprint=f"pgproxy.{call.function.value}",
    )

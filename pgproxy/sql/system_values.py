"""What system relations and functions are told of the session that asks."""

from sqlglot import exp

from pgproxy.catalog.snapshot import SEARCH_PATH_SEPARATOR, SystemValue
from pgproxy.sql.draft import BoundValues
from pgproxy.sql.plan import BoundValue, PlanContext

_OF_ONE_SESSION = {
    SystemValue.BACKEND_PID: ("pg_backend_pid", True),
    SystemValue.CLIENT_ADDR: ("inet_client_addr", False),
    SystemValue.CLIENT_PORT: ("inet_client_port", True),
    SystemValue.SERVER_ADDR: ("inet_server_addr", False),
    SystemValue.SERVER_PORT: ("inet_server_port", True),
}
"""Its key in PlanContext.session_values, and whether it is a number."""


def place_system_value(context: PlanContext, bound: BoundValues, value: SystemValue) -> exp.Expr:
    """Give what a system relation or function needs to know of the session.

    What the plan is kept by stands in it as a constant: DuckDB binds and optimises a statement with
    parameters once to prepare it and again to run it, which doubles what a catalog query costs.
    """
    if value in _OF_ONE_SESSION:  # sessions share plans, so it is looked up at each run
        key, is_number = _OF_ONE_SESSION[value]
        oid, held_as = (23, "INTEGER") if is_number else (25, "VARCHAR")
        return bound.place(BoundValue(oid, None, session_key=key), held_as)
    if value is SystemValue.SESSION_USER:
        return bound.place(BoundValue(25, context.session_user), "VARCHAR")
    text = {
        SystemValue.VIEWER: context.viewer,
        SystemValue.DATABASE: context.catalog_name,
        SystemValue.SEARCH_PATH: SEARCH_PATH_SEPARATOR.join(context.visible_schemas),
    }[value]
    return system_constant(text)


def system_constant(text: str) -> exp.Expr:
    """A session's value that a plan is kept by."""
    return exp.Cast(this=exp.Literal.string(text), to=exp.DataType(this=exp.DType.VARCHAR))

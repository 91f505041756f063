"""current_setting() and set_config(): the engine is told the values of settings, which are the session's.

PostgreSQL docs, "Configuration Settings Functions".
"""

from dataclasses import replace

from sqlglot import exp

from pgproxy.sql.admit import undefined_function
from pgproxy.sql.dialect.build import raise_error
from pgproxy.sql.draft import BoundValues, position_of
from pgproxy.sql.plan import BoundValue, PlanContext, SettingChange
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

SETTING_KEY = "current_setting."
"""Before a setting's lower-case name: its key in PlanContext.session_values."""


def read_setting(node: exp.Anonymous, context: PlanContext, bound: BoundValues) -> exp.Expr:
    """Give the value of `current_setting(name)`.

    Raises:
        StatementError: 42704. FeatureNotSupported: a computed name that may be missing.
    """
    arguments = node.expressions
    if len(arguments) == 1 and not isinstance(arguments[0], exp.Literal):
        return _chosen_setting(arguments[0], context, bound)
    if not arguments or not isinstance(arguments[0], exp.Literal):
        raise FeatureNotSupported("current_setting with a second argument needs a constant name")
    name = arguments[0].name.lower()
    key = f"{SETTING_KEY}{name}"
    value = context.session_values.get(key)
    if len(arguments) > 1 and isinstance(arguments[1], exp.Boolean) and arguments[1].this:
        held = value or BoundValue(25, None, session_key=key)
        return bound.place(replace(held, may_be_missing=True), "VARCHAR")
    if value is None:
        raise unknown_setting(arguments[0].name)
    return bound.place(value, "VARCHAR")


def _chosen_setting(name: exp.Expr, context: PlanContext, bound: BoundValues) -> exp.Expr:
    """The setting whose name is a value of the statement, as SQLAlchemy asks: one of all."""
    chosen = exp.Case(default=raise_error("42704", "unrecognized configuration parameter"))
    for key, value in context.session_values.items():
        setting = key.removeprefix(SETTING_KEY)
        if setting != key:
            is_meant = exp.EQ(this=exp.Lower(this=name.copy()), expression=exp.Literal.string(setting))
            chosen.append("ifs", exp.If(this=is_meant, true=bound.place(value, "VARCHAR")))
    return chosen


def change_setting(node: exp.Anonymous, bound: BoundValues) -> tuple[SettingChange, exp.Expr]:
    """Make `set_config(name, value, is_local)` an order to the session, and its result a bound value.

    Only where it runs exactly once: in the select list of a query without FROM.

    Raises:
        StatementError: 42883. FeatureNotSupported: elsewhere, or arguments that are not constant.
    """
    if not _runs_once(node):
        raise FeatureNotSupported("set_config is supported in a plain select list only", hint="Use SET.")
    if len(node.expressions) != 3:
        raise undefined_function("set_config", position_of(node))
    name, value, is_local = node.expressions
    held = value.this if isinstance(value, exp.Cast) else value
    is_constant = isinstance(held, (exp.Literal, exp.Null))
    if not (
        isinstance(name, exp.Literal)
        and (is_constant or isinstance(held, exp.Parameter))
        and isinstance(is_local, exp.Boolean)
    ):
        raise FeatureNotSupported("set_config needs a constant name and a constant or parameter as value")
    change = SettingChange(
        name=name.name,
        value=held.name if isinstance(held, exp.Literal) else None,
        parameter=int(held.name) if isinstance(held, exp.Parameter) else None,
        is_local=bool(is_local.this),
    )
    key = f"{SETTING_KEY}{name.name.lower()}"
    result = bound.place(BoundValue(25, None, session_key=key, follows_changes=True), "VARCHAR")
    if not isinstance(held, exp.Parameter):
        return change, result
    # The engine takes no parameter that its text does not name. The session's value is never NULL.
    return change, exp.Coalesce(this=result, expressions=[value.copy()])


def unknown_setting(name: str) -> StatementError:
    """PostgreSQL's words."""
    return StatementError(
        f'unrecognized configuration parameter "{name}"', sqlstate=SqlState.UNDEFINED_OBJECT
    )


def _runs_once(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, (exp.Paren, exp.Alias, exp.Cast, exp.Dot)):
        parent = parent.parent
    if not isinstance(parent, exp.Select) or parent.parent is not None:
        return False
    return not any(parent.args.get(part) for part in ("from_", "where", "limit", "offset", "having"))

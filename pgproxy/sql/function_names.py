"""Which of PostgreSQL's function names a client may call here; only whether, not with which arguments."""

from functools import cache

from sqlglot import exp

from pgproxy.sql.allowed_functions import CLIENT_NAMES, FUNCTION_CLASSES, SESSION_NAMES

_OF_THE_PLANNER = frozenset({"current_setting", "set_config"})


def is_callable(name: str) -> bool:
    """Whether the allow-lists know the name. Functions of the catalog are known to it."""
    return name in _known()


@cache
def _known() -> frozenset[str]:
    classes = (getattr(exp, kind, None) for kind in FUNCTION_CLASSES)
    spelled = {
        name.lower()
        for kind in classes
        if kind is not None and issubclass(kind, exp.Func)
        for name in kind.sql_names()
    }
    return CLIENT_NAMES | frozenset(SESSION_NAMES) | frozenset(spelled) | _OF_THE_PLANNER

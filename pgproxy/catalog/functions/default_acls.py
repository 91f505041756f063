"""acldefault: what a new object's privileges are before anybody grants one. PostgreSQL docs, "Privileges"."""

from pgproxy.catalog.functions.macro import VIEWER, Macro
from pgproxy.catalog.functions.names import OWNER_NAME

_DEFAULTS = {
    "r": ("", "arwdDxt"),
    "S": ("", "rwU"),
    "d": ("Tc", "CTc"),
    "n": ("", "UC"),
    "f": ("X", "X"),
    "l": ("U", "U"),
    "T": ("U", "U"),
    "L": ("", "rw"),
    "t": ("", "C"),
    "F": ("", "U"),
    "s": ("", "U"),
    "p": ("", "sA"),
    "c": ("", ""),
}
"""By the type of object, what everybody and what the owner holds. PostgreSQL source: acldefault."""


def _default_items(everybody: str, owner: str) -> str:
    items = [f"'={everybody}/' || {OWNER_NAME}"] if everybody else []
    items += [f"{OWNER_NAME} || '={owner}/' || {OWNER_NAME}"] if owner else []
    return f"CAST([{', '.join(items)}] AS VARCHAR[])"


_ACL_DEFAULT = (
    "CASE CAST(p_type AS VARCHAR) "
    + " ".join(f"WHEN '{kind}' THEN {_default_items(*held)}" for kind, held in _DEFAULTS.items())
    + " END"
)
_ACLITEMS = 1034

DEFAULT_ACL_MACROS = (Macro("acldefault", _ACLITEMS, {"p_type, p_oid": _ACL_DEFAULT}, VIEWER),)

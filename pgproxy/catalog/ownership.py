"""Whose a table is, and what its constraints are called: in front of its comment, in the engine. Pure.

So an owner comes, stays and goes with its table, in the same transaction: a rename or a rollback takes it
along, and a table dropped and made again by somebody else is not the first one's. Clients never see or write
the mark.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_MARK = "pgproxy_owner:"
NO_NAMES: Mapping[str, str] = MappingProxyType({})

SCHEMA_MARK = "pgproxy_schema"
"""The view in a schema that names the schema's owner: DuckDB has no comments on schemas."""


class TableMark(NamedTuple):
    """What the engine's comment on a table tells.

    constraints: the names that were given to constraints, by `p0`, `u0`, `u1` …: their kind, and which one of
    it, as the engine keeps none.
    """

    owner: str | None = None
    comment: str | None = None
    constraints: Mapping[str, str] = NO_NAMES


def owned_comment(
    owner: str | None, comment: str | None, constraints: Mapping[str, str] = NO_NAMES
) -> str | None:
    """The comment that the engine keeps; None: none."""
    if owner is None and not constraints:
        return comment
    told = json.dumps([owner, dict(constraints)] if constraints else owner)
    return f"{_MARK}{told}\n{comment or ''}"


def split_comment(kept: str | None) -> TableMark:
    """Read what the engine keeps. A mark that cannot be read names nobody."""
    if kept is None or not kept.startswith(_MARK):
        return TableMark(comment=kept)
    told, _, comment = kept.removeprefix(_MARK).partition("\n")
    try:
        found = json.loads(told)
    except ValueError:
        return TableMark(comment=comment or None)
    owner, names = found if isinstance(found, list) and len(found) == 2 else (found, {})
    return TableMark(
        owner if isinstance(owner, str) and owner else None,
        comment or None,
        {str(key): str(name) for key, name in names.items()} if isinstance(names, dict) else NO_NAMES,
    )


def is_mark(comment: str) -> bool:
    """Whether a comment would be taken for the gateway's own."""
    return comment.startswith(_MARK)

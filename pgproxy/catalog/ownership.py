"""Whose a table is: written in front of its comment, in the engine's own catalog. Pure.

So an owner comes, stays and goes with its table, in the same transaction: a rename or a rollback takes it
along, and a table dropped and made again by somebody else is not the first one's. Clients never see or write
the mark.
"""

import json

_MARK = "pgproxy_owner:"

SCHEMA_MARK = "pgproxy_schema"
"""The view in a schema that names the schema's owner: DuckDB has no comments on schemas."""


def owned_comment(owner: str | None, comment: str | None) -> str | None:
    """The comment that the engine keeps; None: none."""
    if owner is None:
        return comment
    return f"{_MARK}{json.dumps(owner)}\n{comment or ''}"


def split_comment(kept: str | None) -> tuple[str | None, str | None]:
    """The owner and the comment of what the engine keeps. A mark that cannot be read names nobody."""
    if kept is None or not kept.startswith(_MARK):
        return None, kept
    owner, _, comment = kept.removeprefix(_MARK).partition("\n")
    try:
        name = json.loads(owner)
    except ValueError:
        return None, comment or None
    return (name if isinstance(name, str) and name else None), comment or None


def is_mark(comment: str) -> bool:
    """Whether a comment would be taken for the gateway's own."""
    return comment.startswith(_MARK)

"""The types that columns were declared with and the engine does not have: varchar(n), char(n), jsonb. Pure.

The engine keeps text and JSON; what was declared stands in front of the column's comment, in the engine's
own catalog, as a table's owner does (`pgproxy.catalog.ownership`). So it comes, stays and goes with its
column, in the same transaction. Clients never see or write the mark. A table that the gateway did not make
has none.
"""

import re

_MARK = "pgproxy_type:"
_KNOWN = re.compile(r"(varchar|bpchar)(\((\d{1,8})\))?|jsonb")
_ENGINE_TYPES = {"varchar": "VARCHAR", "bpchar": "VARCHAR", "jsonb": "JSON"}


def declared_comment(declared: str | None, comment: str | None) -> str | None:
    """The comment that the engine keeps of a column; None: none."""
    if declared is None:
        return comment
    return f"{_MARK}{declared}\n{comment or ''}"


def split_declared(kept: str | None, engine_type: str) -> tuple[str | None, str | None]:
    """The declared type and the comment of what the engine keeps.

    A mark that cannot be read, or is of another type than the engine's column has by now, says nothing.
    """
    if kept is None or not kept.startswith(_MARK):
        return None, kept
    declared, _, comment = kept.removeprefix(_MARK).partition("\n")
    known = _KNOWN.fullmatch(declared)
    is_held = known is not None and _ENGINE_TYPES[known[1] or "jsonb"] == engine_type
    return (declared if is_held else None), comment or None


def is_declared_mark(comment: str) -> bool:
    """Whether a comment would be taken for the gateway's own."""
    return comment.startswith(_MARK)


def length_limit(declared: str | None) -> int | None:
    """The n of varchar(n) and char(n)."""
    known = _KNOWN.fullmatch(declared) if declared is not None else None
    return int(known[3]) if known is not None and known[3] is not None else None


def is_padded(declared: str) -> bool:
    """Whether blanks at the end mean nothing: of char(n)."""
    return declared.startswith("bpchar")

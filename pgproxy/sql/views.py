"""Views: whose privileges they use, what lies beneath them, and how the engine keeps it.

A view of an administrator gives its reader what its text reads, as in PostgreSQL, but not freedom from the
reader's own filters and masks. A view `WITH (security_invoker)`, and every view of somebody else, reads as
its reader. DuckDB keeps a view as the text of its query and nothing else, so the text itself says whose it
is, and what the client wrote (`pgproxy.catalog.view_marks`).
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from sqlglot import exp

from pgproxy.catalog.snapshot import RelationKind, TableInfo
from pgproxy.catalog.view_marks import ViewMark, set_view_mark, take_view_mark
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import Privilege
from pgproxy.sql.admit import admit_stored
from pgproxy.sql.draft import Draft, RelationUse, Role
from pgproxy.sql.parse import parse_fragment
from pgwire.errors import AccessDenied, FeatureNotSupported, GatewayError

MAX_VIEW_DEPTH = 32
_OPTIONS = frozenset({"security_invoker", "security_barrier"})
_TRUE = frozenset({"true", "on", "1", "yes"})
_FALSE = frozenset({"false", "off", "0", "no"})


def view_body(view: TableInfo, depth: int) -> exp.Expr | None:
    """The view's query as a tree of its own; None: its text is not known or not understood."""
    text = view.engine_sql or view.view_sql
    body = _parsed(text) if text is not None and depth <= MAX_VIEW_DEPTH else None
    return body.copy() if body is not None else None


@lru_cache(maxsize=512)
def _parsed(text: str) -> exp.Expr | None:
    try:
        tree = parse_fragment(text.strip().rstrip(";"), "duckdb")
        body = tree.expression if isinstance(tree, exp.Create) else tree
        if not isinstance(body, exp.Query):
            return None
        take_view_mark(body)
        admit_stored(body)
    except GatewayError:
        return None
    return body


def unreadable(view: TableInfo) -> FeatureNotSupported:
    """For a view that hides what its reader's policies should be applied to."""
    return FeatureNotSupported(f"view {view.name.name} cannot be read under a row filter or mask")


def has_policies(reader: EffectivePolicy) -> bool:
    """Whether a policy of the reader could lie beneath a view."""
    return bool(reader.row_filters or reader.column_masks or reader.row_security)


def meets_policy(beneath: Iterable[RelationUse], reader: EffectivePolicy) -> bool:
    """Whether a filter or mask of the reader is on one of the relations, or columns of one are hidden."""
    policies = ((use, reader.table(use.name, use.owner)) for use in beneath)
    return any(
        policy.is_filtered
        or policy.masks
        or (use.role is Role.SOURCE and not policy.allows(Privilege.SELECT))
        for use, policy in policies
    )


def hides_rows(beneath: Iterable[RelationUse], reader: EffectivePolicy) -> bool:
    """Whether the reader may not read all of what the view reads: then its own WHERE keeps secrets, too."""
    return any(
        isinstance(use.info, TableInfo)
        and use.info.kind is RelationKind.TABLE
        and not reader.table(use.name, use.owner).allows(Privilege.SELECT)
        for use in beneath
    )


def check_invoker(view: TableInfo, beneath: Iterable[RelationUse], reader: EffectivePolicy) -> None:
    """A view that reads as its reader needs the reader's SELECT on each relation that it names.

    Raises:
        AccessDenied: without the name of what may not be read.
    """
    for use in beneath:
        if use.role is Role.SOURCE and isinstance(use.info, TableInfo):
            policy = reader.table(use.name, use.owner)
            columns = policy.column_privileges.values()
            if not policy.allows(Privilege.SELECT) and not any(Privilege.SELECT in held for held in columns):
                message = f"permission denied for a relation of view {view.name.name}"
                raise AccessDenied(message, rule=DenialRule.TABLE_PRIVILEGE)


def mark_view(draft: Draft, tree: exp.Create) -> None:
    """Take the view's options away, and write into its query its text, and whose it is, where that counts.

    Raises:
        FeatureNotSupported: another option; a form of query that cannot carry the mark.
    """
    is_owned = _is_invoker(tree) or not draft.context.policy.is_admin
    query = tree.expression
    if isinstance(query, (exp.Select, exp.SetOperation)):
        owner = draft.context.session_user if is_owned else None
        set_view_mark(query, ViewMark(owner, *(draft.view_texts or ())))
    elif is_owned:
        raise FeatureNotSupported("this form of query is not supported in a view")


def mark_query(query: exp.Query, owner: str) -> None:
    """Write into a view's query whose it is, in the place of what it says of that."""
    set_view_mark(query, replace(take_view_mark(query), owner=owner))


def _is_invoker(tree: exp.Create) -> bool:
    """Read `WITH (security_invoker = …)`. security_barrier: every view that hides something is one."""
    properties = tree.args.get("properties")
    options = [p for p in properties.expressions if type(p) is exp.Property] if properties is not None else []
    chosen: dict[str, str] = {}
    for option in options:
        value = option.args["value"]
        chosen[option.name.lower()] = (value.name or value.sql()).lower()
        option.pop()
    if chosen.keys() - _OPTIONS or set(chosen.values()) - _TRUE - _FALSE:
        raise FeatureNotSupported("this option of a view is not supported")
    return chosen.get("security_invoker") in _TRUE


def check_view_source(use: RelationUse) -> None:
    """What a view of somebody who is no administrator may read: named relations, all of their columns.

    Its text is bound on the relations as they are: a name would tell which columns exist.

    Raises:
        FeatureNotSupported: a temporary or system relation, or one with columns that may not be read.
    """
    if use.is_temporary or not isinstance(use.info, TableInfo):
        raise FeatureNotSupported("a view over a temporary or system relation is not supported")
    if use.policy is None or not use.policy.allows(Privilege.SELECT):
        raise FeatureNotSupported(
            "a view over a relation with columns that you may not read is not supported"
        )

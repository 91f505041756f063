"""PostgreSQL's meaning on DuckDB: the rules on one tree after the other."""

from sqlglot import exp

from pgproxy.sql.dialect import (
    assignments,
    checks,
    constants,
    outputs,
    query_checks,
    records,
    result_types,
    row_functions,
    shapes,
    typmods,
)
from pgproxy.sql.dialect.build import put
from pgproxy.sql.dialect.places import blame
from pgproxy.sql.dialect.rules import MEANING_RULES, SHAPE_RULES, Rule
from pgproxy.sql.dialect.types import KnownTypes, TypeSource
from pgwire.errors import StatementError

MAX_GROWN = 10_000
"""Nodes of all that the rules of one statement give, each counted as often as a rule stands around it."""
MAX_GROWN_PER_NODE = 40
"""Of a long statement."""
_BY_KIND: tuple[dict[str, tuple[Rule, ...]], dict[str, tuple[Rule, ...]]] = ({}, {})
"""The rules of shape and of meaning by `Expr.key`, found when a kind of node is first seen."""
_IS_RULED: dict[str, bool] = {}
"""Whether there is any, by the same."""


def _is_of(node: exp.Expr, kinds: tuple[type[exp.Expr], ...]) -> bool:
    """TRY_CAST is a cast to sqlglot, but only the engine has it, and it must not raise."""
    return isinstance(node, kinds) and not (isinstance(node, exp.TryCast) and exp.Cast in kinds)


def _rules_for(node: exp.Expr, group: int) -> tuple[Rule, ...]:
    """The rules that look at this kind of node: none for most of every tree."""
    held = _BY_KIND[group].get(node.key)
    if held is None:
        rules = MEANING_RULES if group else SHAPE_RULES
        held = _BY_KIND[group][node.key] = tuple(rule for rule, kinds in rules if _is_of(node, kinds))
    return held


def _has_rules(node: exp.Expr) -> bool:
    held = _IS_RULED.get(node.key)
    if held is None:
        held = _IS_RULED[node.key] = bool(_rules_for(node, 0) or _rules_for(node, 1))
    return held


def to_engine(expression: exp.Expr, types: TypeSource | None = None) -> exp.Expr:
    """Give a copy of a source tree that means on DuckDB what the source means on PostgreSQL.

    Raises:
        FeatureNotSupported: the meaning cannot be kept.
        StatementError: a constant is malformed (22P02, 22007, 22012).
    """
    return change_to_engine(expression.copy(), types)


def change_to_engine(root: exp.Expr, types: TypeSource | None = None) -> exp.Expr:
    """`to_engine` in place: copying costs as much as half of the rules. Gives the root, perhaps a new one.

    Raises:
        FeatureNotSupported: the meaning cannot be kept.
        StatementError: a constant is malformed (22P02, 22007, 22012).
    """
    shapes.arrows_are_operators(root)
    row_functions.name_element_columns(root)
    shapes.name_inner_columns(root)
    known = KnownTypes(types)
    assignments.read_stored_constants(root, known)
    nodes = list(root.dfs())
    if constants.read_constants(nodes, known):
        nodes, known = list(root.dfs()), KnownTypes(types)  # whose parents are of other types now
    known.room = max(MAX_GROWN, MAX_GROWN_PER_NODE * len(nodes))
    known.learn(nodes)
    if not _reads_catalog(nodes):
        query_checks.check_queries(nodes)
        checks.check_types(nodes, known)
        assignments.check_assignments(root, known)
    records.check_rows(nodes, known)
    kinds, shown = result_types.output_types(root, known), typmods.output_typmods(root, known)
    lengths = result_types.output_lengths(kinds, shown)
    query = root.expression if isinstance(root, exp.Create) else None
    if isinstance(query, exp.Query):
        made = result_types.output_types(query, known), typmods.output_typmods(query, known)
        root.meta[result_types.MADE_TYPES_KEY] = result_types.made_types(*made)
    for node in reversed(nodes):
        if type(node) is exp.Identifier:
            shapes.fold_identifier(node, known)  # in place, and no other rule looks at names
            continue
        if not _has_rules(node):
            continue
        replaced = _apply(node, known)
        if node is root:
            root = replaced
    result_types.show_outputs(root, kinds, lengths)
    root, written = outputs.write_numbers(root, kinds, known)
    if (oids := result_types.result_oids(kinds, written)) is not None:
        root.meta[result_types.RESULT_OIDS_KEY] = oids
    if shown is not None:
        root.meta[result_types.RESULT_TYPMODS_KEY] = shown
    return root


def _reads_catalog(nodes: list[exp.Expr]) -> bool:
    """The catalog's columns have the engine's types, which are wider than PostgreSQL's: nothing to check."""
    tables = (node for node in nodes if isinstance(node, exp.Table))
    return any(
        table.name.lower().startswith("pg_") or table.db.lower() in ("pg_catalog", "information_schema")
        for table in tables
    )


def _apply(node: exp.Expr, known: KnownTypes) -> exp.Expr:
    node = _shaped(node, known)
    for rule in _rules_for(node, 1):
        new = _replaced(node, rule, known)
        if new is not node:
            return new
    return node


def _shaped(node: exp.Expr, known: KnownTypes) -> exp.Expr:
    for rule in _rules_for(node, 0):
        new = _replaced(node, rule, known)
        if new is not node:
            return _shaped(new, known)
    return node


def _replaced(node: exp.Expr, rule: Rule, known: KnownTypes) -> exp.Expr:
    """Run one rule and put its result where the node was."""
    # Taken before: the rule may have moved the node into what it gives.
    parent, key, index = node.parent, node.arg_key, node.index
    try:
        new = rule(node, known)
    except StatementError as error:
        raise blame(error, node) from None
    if new is node:
        return node
    known.make_room(new)
    known.replace(node, new)
    if parent is not None and key is not None:
        put(parent, key, index, new)
    else:
        new.parent = None
    return new

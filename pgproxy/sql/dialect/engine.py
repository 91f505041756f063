"""PostgreSQL's meaning on DuckDB: the rules on one tree after the other."""

from functools import cache

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
from pgproxy.sql.dialect.rules import COMPARED_APART, COMPARISONS, MEANING_RULES, SHAPE_RULES, Rule
from pgproxy.sql.dialect.types import KnownTypes, TypeSource
from pgwire.errors import StatementError

MAX_GROWN = 10_000
"""Nodes of all that the rules of one statement give, each counted as often as a rule stands around it."""
MAX_GROWN_PER_NODE = 40
"""Of a long statement."""
_PLAIN = frozenset({exp.Column, exp.Literal})
_Rules = tuple[tuple[Rule, ...], tuple[Rule, ...]]


def _is_of(kind: type[exp.Expr], kinds: tuple[type, ...]) -> bool:
    """TRY_CAST is a cast to sqlglot, but only the engine has it, and it must not raise; AND is a function."""
    is_other = (issubclass(kind, exp.TryCast) and exp.Cast in kinds) or (
        issubclass(kind, exp.Connector) and exp.Func in kinds
    )
    return issubclass(kind, kinds) and not is_other


@cache
def _rules_for(kind: type[exp.Expr]) -> _Rules | None:
    """The rules of shape and of meaning that look at this kind of node: None for most of every tree."""
    shape, meaning = (
        tuple(rule for rule, kinds in rules if _is_of(kind, kinds)) for rules in (SHAPE_RULES, MEANING_RULES)
    )
    return (shape, meaning) if shape or meaning else None


def to_engine(expression: exp.Expr, types: TypeSource | None = None) -> exp.Expr:
    """Give a copy of a source tree that means on DuckDB what the source means on PostgreSQL.

    Raises:
        FeatureNotSupported: the meaning cannot be kept.
        StatementError: a constant is malformed (22P02, 22007, 22012).
    """
    return change_to_engine(expression.copy(), KnownTypes(types))


def change_to_engine(root: exp.Expr, known: KnownTypes) -> exp.Expr:
    """`to_engine` in place: copying costs as much as half of the rules. Gives the root, perhaps a new one.

    known: of this tree; it may have been asked already.

    Raises:
        FeatureNotSupported: the meaning cannot be kept.
        StatementError: a constant is malformed (22P02, 22007, 22012).
    """
    nodes, is_changed = _prepared(root, known)
    known = KnownTypes(known.source) if is_changed else known
    if constants.read_constants(nodes, known):
        nodes, known = list(root.dfs()), KnownTypes(known.source)  # whose parents are of other types now
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
    root = _ruled(root, nodes, known)
    result_types.show_outputs(root, kinds, lengths)
    root, written = outputs.write_numbers(root, kinds, known)
    if (oids := result_types.result_oids(kinds, written)) is not None:
        root.meta[result_types.RESULT_OIDS_KEY] = oids
    if shown is not None:
        root.meta[result_types.RESULT_TYPMODS_KEY] = shown
    return root


_PREPARATIONS = (shapes.arrows_are_operators, row_functions.name_element_columns, shapes.name_inner_columns)


def _prepared(root: exp.Expr, known: KnownTypes) -> tuple[list[exp.Expr], bool]:
    """Say in place what the rules need to see. Gives all nodes, and whether they are not as they were."""
    nodes, is_changed = list(root.dfs()), False
    for prepare in _PREPARATIONS:
        if prepare(nodes):
            nodes, is_changed = list(root.dfs()), True
    if assignments.read_stored_constants(root, known):
        return list(root.dfs()), True
    return nodes, is_changed


def _reads_catalog(nodes: list[exp.Expr]) -> bool:
    """The catalog's columns have the engine's types, which are wider than PostgreSQL's: nothing to check."""
    tables = [node for node in nodes if type(node) is exp.Table]
    return any(
        table.name.lower().startswith("pg_") or table.db.lower() in ("pg_catalog", "information_schema")
        for table in tables
    )


def _ruled(root: exp.Expr, nodes: list[exp.Expr], known: KnownTypes) -> exp.Expr:
    """Apply the rules to each node whose children have been seen to; gives the root."""
    for node in reversed(nodes):
        kind = type(node)
        if kind is exp.Identifier:
            if not node.args.get("quoted"):
                shapes.fold_identifier(node, known)  # in place, and no other rule looks at names
            continue
        if kind is exp.Column and known.of(node) != "record":
            continue  # the one rule of columns is about whole rows
        rules = _rules_for(kind)  # type: ignore[arg-type]  # classes hash, whatever instances do
        if rules is None or (kind in COMPARISONS and _is_plain(node, known)):
            continue
        replaced = _apply(node, known, rules)
        if node is root:
            root = replaced
    return root


def _is_plain(comparison: exp.Expr, known: KnownTypes) -> bool:
    """Whether two names or constants are compared that no rule of comparisons looks at: most are."""
    sides = (comparison.this, comparison.expression)
    return all(type(side) in _PLAIN and known.of(side) not in COMPARED_APART for side in sides)


def _apply(node: exp.Expr, known: KnownTypes, rules: _Rules) -> exp.Expr:
    shaped = _shaped(node, known, rules[0]) if rules[0] else node
    if shaped is not node:
        node, rules = shaped, _rules_for(type(shaped)) or ((), ())  # type: ignore[arg-type]  # as above
    return _replaced(node, known, rules[1])


def _shaped(node: exp.Expr, known: KnownTypes, rules: tuple[Rule, ...]) -> exp.Expr:
    new = _replaced(node, known, rules)
    if new is node:
        return node
    found = _rules_for(type(new))  # type: ignore[arg-type]  # as above
    return _shaped(new, known, found[0]) if found is not None else new


def _replaced(node: exp.Expr, known: KnownTypes, rules: tuple[Rule, ...]) -> exp.Expr:
    """Run the rules until one gives something else, and put that where the node was."""
    # Taken before: the rule may have moved the node into what it gives.
    parent, key, index = node.parent, node.arg_key, node.index
    new = node
    try:
        for rule in rules:
            new = rule(node, known)
            if new is not node:
                break
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

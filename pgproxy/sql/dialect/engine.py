"""The rules in order: PostgreSQL's meaning on DuckDB, one tree after the other."""

from collections.abc import Callable

from sqlglot import exp

from pgproxy.sql.dialect import (
    aggregates,
    arithmetic,
    arrays,
    casts,
    checks,
    dates,
    document_aggregates,
    documents,
    patterns,
    query_checks,
    result_types,
    row_functions,
    shapes,
    strings,
)
from pgproxy.sql.dialect.types import KnownTypes, TypeSource

Rule = Callable[[exp.Expr, KnownTypes], exp.Expr]
"""Takes one node whose children are rewritten already; gives it back, or what stands for it in the engine."""

SHAPE_RULES: tuple[Rule, ...] = (
    shapes.fold_identifier,
    shapes.plain_operator,
    shapes.unqualified_builtin,
    row_functions.rows_in_from,
    shapes.function_alias,
    shapes.values_columns,
    shapes.untyped_null,
    casts.exponent_constant,
    shapes.escape_string,
)
"""What changes only how something is said; the result is still PostgreSQL, so the other rules see it."""

MEANING_RULES: tuple[Rule, ...] = (
    row_functions.rows_in_select,
    shapes.row_equality,
    shapes.row_is_null,
    arrays.compared_with_each,
    dates.overlaps,
    arithmetic.divide,
    arithmetic.remainder,
    arithmetic.whole_quotient,
    arithmetic.round_half_even,
    arithmetic.sign_keeps_type,
    arithmetic.power_of_numeric,
    arithmetic.common_divisor,
    arithmetic.days_between,
    aggregates.exact_sum,
    aggregates.numeric_average,
    aggregates.integer_ranks,
    aggregates.every,
    aggregates.string_agg_null_delimiter,
    aggregates.distinct_in_order,
    document_aggregates.document_aggregates,
    documents.document_constant,
    casts.literal_cast,
    casts.text_to_integer,
    casts.bare_numeric,
    casts.cast_to_text,
    casts.limited_text,
    casts.plain_interval,
    dates.extract_field,
    dates.truncate,
    dates.clock,
    dates.format_date,
    dates.parse_date,
    dates.build_interval,
    strings.integer_results,
    strings.substring,
    strings.overlay,
    strings.quoting,
    strings.split,
    strings.encodings,
    strings.initcap,
    strings.format_call,
    patterns.like_escape,
    patterns.regular_expression,
    patterns.regular_expression_call,
    patterns.similar_to,
    arrays.sizes,
    arrays.list_calls,
    documents.change,
    arrays.concatenate,
    arrays.subscript,
    arrays.contains,
    documents.extract_path,
    documents.constructors,
    documents.inspection,
    documents.has_key,
    documents.refused_calls,
    shapes.missing_call,
    result_types.name_of_type,
)
"""What turns PostgreSQL into DuckDB. The first to replace a node is the last: its result is the engine's."""


_INERT = (
    exp.Alias,
    exp.Column,
    exp.DataType,
    exp.From,
    exp.Identifier,
    exp.Literal,
    exp.Ordered,
    exp.Paren,
    exp.Table,
    exp.TableAlias,
    exp.Var,
)
"""Nodes that no rule of meaning looks at: most of every tree, so asking first halves the time."""


def to_engine(expression: exp.Expr, types: TypeSource | None = None) -> exp.Expr:
    """Give a copy of a source tree that means on DuckDB what the source means on PostgreSQL.

    Raises:
        FeatureNotSupported: the meaning cannot be kept.
        StatementError: a constant is malformed (22P02, 22007, 22012).
    """
    root = expression.copy()
    shapes.arrows_are_operators(root)
    row_functions.name_element_columns(root)
    shapes.name_inner_columns(root)
    known = KnownTypes(types)
    nodes = list(root.dfs())
    for node in nodes:
        known.of(node)
    if not _reads_catalog(nodes):
        query_checks.check_queries(nodes)
        checks.check_types(nodes, known)
    kinds, lengths = result_types.output_types(root, known), result_types.output_lengths(root)
    for node in reversed(nodes):
        replaced = _apply(node, known)
        if node is root:
            root = replaced
    if (oids := result_types.result_oids(kinds)) is not None:
        root.meta[result_types.RESULT_OIDS_KEY] = oids
    result_types.show_outputs(root, kinds, lengths)
    return root


def _reads_catalog(nodes: list[exp.Expr]) -> bool:
    """The catalog's columns have the engine's types, which are wider than PostgreSQL's: nothing to check."""
    tables = (node for node in nodes if isinstance(node, exp.Table))
    return any(
        table.name.lower().startswith("pg_") or table.db.lower() in ("pg_catalog", "information_schema")
        for table in tables
    )


def _apply(node: exp.Expr, known: KnownTypes) -> exp.Expr:
    for rule in SHAPE_RULES:
        node = _replaced(node, rule, known)
    if isinstance(node, _INERT):
        return node
    for rule in MEANING_RULES:
        new = _replaced(node, rule, known)
        if new is not node:
            return new
    return node


def _replaced(node: exp.Expr, rule: Rule, known: KnownTypes) -> exp.Expr:
    """Run one rule and put its result where the node was."""
    # Taken before: the rule may have moved the node into what it gives.
    parent, key, index = node.parent, node.arg_key, node.index
    new = rule(node, known)
    if new is node:
        return node
    known.replace(node, new)
    if parent is not None and key is not None:
        parent.set(key, new, index)
    else:
        new.parent = None
    return new

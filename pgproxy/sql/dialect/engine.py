"""The rules in order: PostgreSQL's meaning on DuckDB, one tree after the other."""

from collections.abc import Callable

from sqlglot import exp

from pgproxy.sql.dialect import (
    aggregates,
    arithmetic,
    arrays,
    assignments,
    casts,
    checks,
    common_scales,
    constants,
    date_formats,
    dates,
    document_aggregates,
    document_changes,
    documents,
    function_calls,
    moments,
    number_formats,
    outputs,
    patterns,
    query_checks,
    records,
    result_types,
    roots,
    row_functions,
    scales,
    shapes,
    strings,
    text_forms,
    typmods,
)
from pgproxy.sql.dialect.build import put
from pgproxy.sql.dialect.places import blame
from pgproxy.sql.dialect.types import KnownTypes, TypeSource
from pgwire.errors import StatementError

Rule = Callable[[exp.Expr, KnownTypes], exp.Expr]
"""Takes one node whose children are rewritten already; gives it back, or what stands for it in the engine."""

SHAPE_RULES: tuple[tuple[Rule, tuple[type, ...]], ...] = (
    (shapes.fold_identifier, (exp.Identifier,)),
    (
        shapes.plain_operator,
        (
            exp.Collate,
            exp.Operator,
        ),
    ),
    (shapes.unqualified_builtin, (exp.Dot,)),
    (
        row_functions.rows_in_from,
        (
            exp.Table,
            exp.Lateral,
            exp.Unnest,
        ),
    ),
    (
        shapes.function_alias,
        (
            exp.Table,
            exp.Unnest,
        ),
    ),
    (shapes.values_columns, (exp.Values,)),
    (shapes.untyped_null, (exp.Null,)),
    (casts.exponent_constant, (exp.Literal,)),
    (
        shapes.escape_string,
        (
            exp.ByteString,
            exp.BitString,
            exp.HexString,
        ),
    ),
)
"""What changes, in these nodes, only how something is said.

The result is still PostgreSQL, so the other rules see it.
"""

MEANING_RULES: tuple[tuple[Rule, tuple[type, ...]], ...] = (
    (
        row_functions.rows_in_select,
        (
            exp.GenerateSeries,
            exp.ExplodingGenerateSeries,
            exp.Anonymous,
        ),
    ),
    (
        shapes.row_comparison,
        (
            exp.EQ,
            exp.NEQ,
            exp.LT,
            exp.LTE,
            exp.GT,
            exp.GTE,
        ),
    ),
    (shapes.row_is_null, (exp.Is,)),
    (
        records.written_row,
        (
            exp.Tuple,
            exp.Anonymous,
            exp.Column,
        ),
    ),
    (records.field_of, (exp.Dot,)),
    (common_scales.common_scale, common_scales.COMBINING),
    (shapes.with_ties, (exp.Select,)),
    (shapes.null_concatenation, (exp.DPipe,)),
    (
        arrays.compared_with_each,
        (
            exp.EQ,
            exp.NEQ,
            exp.GT,
            exp.GTE,
            exp.LT,
            exp.LTE,
        ),
    ),
    (dates.overlaps, (exp.Overlaps,)),
    (arithmetic.divide, (exp.Div,)),
    (scales.product, (exp.Mul,)),
    (
        roots.root,
        (
            exp.Sqrt,
            exp.Exp,
            exp.Ln,
            exp.Log,
        ),
    ),
    (
        arithmetic.small_integers,
        (
            exp.Add,
            exp.Sub,
            exp.Mul,
        ),
    ),
    (moments.difference_of_times, (exp.Sub,)),
    (moments.difference_of_instants, (exp.Sub,)),
    (moments.interval_beside_instant, (exp.Add, exp.Sub)),
    (moments.time_of_day, (exp.Add,)),
    (aggregates.percentile, (exp.WithinGroup,)),
    (
        moments.interval_total,
        (
            exp.Sum,
            exp.Avg,
            exp.Filter,
            exp.Window,
        ),
    ),
    (moments.precision, (exp.Cast,)),
    (casts.limited_numeric, (exp.Cast,)),
    (arithmetic.remainder, (exp.Mod,)),
    (arithmetic.whole_quotient, (exp.Anonymous,)),
    (arithmetic.round_half_even, (exp.Round,)),
    (
        arithmetic.sign_keeps_type,
        (
            exp.Sign,
            exp.Ceil,
            exp.Floor,
            exp.Trunc,
        ),
    ),
    (arithmetic.power_of_numeric, (exp.Pow,)),
    (arithmetic.common_divisor, (exp.Anonymous,)),
    (arithmetic.days_between, (exp.Sub,)),
    (
        aggregates.exact_sum,
        (
            exp.Sum,
            exp.Filter,
            exp.Window,
        ),
    ),
    (
        aggregates.exact_average,
        (
            exp.Avg,
            exp.Filter,
            exp.Window,
        ),
    ),
    (
        aggregates.numeric_spread,
        (
            exp.AggFunc,
            exp.Filter,
            exp.Window,
        ),
    ),
    (
        aggregates.integer_ranks,
        (
            exp.Ntile,
            exp.Grouping,
            exp.Filter,
            exp.Window,
        ),
    ),
    (aggregates.every, (exp.Anonymous,)),
    (aggregates.string_agg_null_delimiter, (exp.GroupConcat,)),
    (aggregates.distinct_in_order, (exp.ArrayAgg,)),
    (
        document_aggregates.document_aggregates,
        (
            exp.Anonymous,
            exp.Filter,
            exp.Window,
        ),
    ),
    (
        documents.document_constant,
        (
            exp.ParseJSON,
            exp.Cast,
        ),
    ),
    (casts.literal_cast, (exp.Cast,)),
    (moments.between_times_and_zones, (exp.Cast,)),
    (casts.text_to_integer, (exp.Cast,)),
    (casts.text_to_bytes, (exp.Cast,)),
    (casts.bare_numeric, (exp.Cast,)),
    (text_forms.cast_to_text, (exp.Cast,)),
    (
        text_forms.concatenated,
        (
            exp.Concat,
            exp.ConcatWs,
        ),
    ),
    (casts.limited_text, (exp.Cast,)),
    (casts.plain_interval, (exp.Interval,)),
    (
        dates.extract_field,
        (
            exp.Extract,
            exp.Anonymous,
        ),
    ),
    (function_calls.macro_call, (exp.Func,)),
    (dates.truncate, (exp.Anonymous,)),
    (
        dates.clock,
        (
            exp.Anonymous,
            exp.CurrentTimestamp,
            exp.Localtimestamp,
            exp.Localtime,
            exp.CurrentDate,
        ),
    ),
    (date_formats.format_moment, (exp.Anonymous,)),
    (number_formats.format_number, (exp.Anonymous,)),
    (number_formats.parse_number, (exp.Anonymous,)),
    (date_formats.parse_moment, (exp.Anonymous,)),
    (dates.build_interval, (exp.Anonymous,)),
    (
        strings.integer_results,
        (
            exp.Length,
            exp.BitLength,
            exp.Ascii,
            exp.StrPosition,
            exp.Anonymous,
        ),
    ),
    (strings.substring, (exp.Substring,)),
    (strings.overlay, (exp.Overlay,)),
    (strings.quoting, (exp.Anonymous,)),
    (strings.split, (exp.Anonymous,)),
    (strings.encodings, (exp.Anonymous,)),
    (strings.initcap, (exp.Anonymous,)),
    (strings.format_call, (exp.Anonymous,)),
    (
        patterns.like_escape,
        (
            exp.Escape,
            exp.Like,
            exp.ILike,
        ),
    ),
    (
        patterns.regular_expression,
        (
            exp.RegexpLike,
            exp.RegexpILike,
        ),
    ),
    (patterns.regular_expression_call, (exp.Anonymous,)),
    (
        patterns.similar_to,
        (
            exp.Escape,
            exp.SimilarTo,
        ),
    ),
    (
        arrays.sizes,
        (
            exp.ArraySize,
            exp.Anonymous,
        ),
    ),
    (arrays.list_calls, (exp.Anonymous,)),
    (
        documents.change,
        (
            exp.DPipe,
            exp.Sub,
        ),
    ),
    (arrays.concatenate, (exp.DPipe,)),
    (arrays.subscript, (exp.Bracket,)),
    (
        arrays.contains,
        (
            exp.ArrayContainsAll,
            exp.ArrayContainedBy,
        ),
    ),
    (
        documents.extract_path,
        (
            exp.JSONExtract,
            exp.JSONExtractScalar,
            exp.JSONBExtract,
            exp.JSONBExtractScalar,
            exp.Anonymous,
        ),
    ),
    (
        documents.constructors,
        (
            exp.Anonymous,
            exp.JSONFormat,
        ),
    ),
    (
        document_changes.rebuilt,
        (
            exp.Anonymous,
            exp.JSONBDeleteAtPath,
        ),
    ),
    (document_changes.pretty, (exp.Anonymous,)),
    (documents.inspection, (exp.Anonymous,)),
    (
        documents.has_key,
        (
            exp.JSONBContainsTopKey,
            exp.JSONBContainsAnyTopKeys,
            exp.JSONBContainsAllTopKeys,
            exp.Anonymous,
        ),
    ),
    (
        documents.refused_calls,
        (exp.Anonymous,),
    ),
    (shapes.missing_call, (exp.Func,)),
    (result_types.name_of_type, (exp.Anonymous,)),
)
"""What turns PostgreSQL into DuckDB, with the nodes that each rule looks at.

The first to replace a node is the last: its result is the engine's.
"""


_BY_KIND: tuple[dict[str, tuple[Rule, ...]], dict[str, tuple[Rule, ...]]] = ({}, {})
"""The rules of shape and of meaning by `Expr.key`, found when a kind of node is first seen."""


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
    assignments.read_constants(root, known)
    nodes = list(root.dfs())
    if constants.read_constants(nodes, known):
        nodes, known = list(root.dfs()), KnownTypes(types)  # whose parents are of other types now
    for node in nodes:
        known.of(node)
    if not _reads_catalog(nodes):
        query_checks.check_queries(nodes)
        checks.check_types(nodes, known)
        assignments.check_assignments(root, known)
    records.check_rows(nodes, known)
    kinds, lengths = result_types.output_types(root, known), result_types.output_lengths(root)
    shown = typmods.output_typmods(root, known)
    for node in reversed(nodes):
        if type(node) is exp.Identifier:
            shapes.fold_identifier(node, known)  # in place, and no other rule looks at names
            continue
        if not (_rules_for(node, 0) or _rules_for(node, 1)):
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
    known.replace(node, new)
    if parent is not None and key is not None:
        put(parent, key, index, new)
    else:
        new.parent = None
    return new

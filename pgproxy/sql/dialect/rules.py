"""The rules that turn PostgreSQL's meaning into DuckDB's, in the order in which they look at a node."""

from collections.abc import Callable

from sqlglot import exp

from pgproxy.sql.dialect import (
    aggregates,
    arithmetic,
    arrays,
    casts,
    common_scales,
    date_formats,
    dates,
    document_aggregates,
    document_changes,
    documents,
    floats,
    function_calls,
    moments,
    number_formats,
    patterns,
    records,
    result_types,
    roots,
    row_functions,
    row_membership,
    scales,
    shapes,
    strings,
    text_forms,
    unknown_constants,
)
from pgproxy.sql.dialect.types import KnownTypes

Rule = Callable[[exp.Expr, KnownTypes], exp.Expr]
"""Takes one node whose children are rewritten already; gives it back, or what stands for it in the engine."""

COMPARISONS = frozenset({exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE})
COMPARED_APART = frozenset({"bpchar", "json", "jsonb", "record"})
"""The types of names and constants that a rule of COMPARISONS looks at; the other rules of these are about
rows, arrays and queries. Two plain operands of other types are shown to none."""

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
    (arrays.unnest_of_nested, (exp.Unnest, exp.Explode)),
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
        casts.blank_padded,
        (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between),
    ),
    (
        documents.compared_document,
        (exp.EQ, exp.NEQ, exp.In, exp.NullSafeEQ, exp.NullSafeNEQ),
    ),
    (unknown_constants.typed_arguments, (exp.Func, exp.AtTimeZone)),
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
    (row_membership.row_in, (exp.In,)),
    (row_membership.row_equals_query, (exp.EQ,)),
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
    (arithmetic.smallest_integer, (exp.Neg,)),
    (
        arithmetic.small_integers,
        (
            exp.Add,
            exp.Sub,
            exp.Mul,
        ),
    ),
    (floats.in_range, (exp.Add, exp.Sub, exp.Mul)),
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
    (arithmetic.rounded_null, (exp.Round, exp.Trunc, exp.Ceil, exp.Floor)),
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
    (casts.text_to_double, (exp.Cast,)),
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
    (dates.fixed_offset_zone, (exp.AtTimeZone,)),
    (dates.bin_moments, (exp.Anonymous,)),
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
    (text_forms.joined_to_text, (exp.DPipe,)),
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
    (documents.refused_objects, (exp.JSONObject,)),
    (shapes.missing_call, (exp.Func,)),
    (result_types.name_of_type, (exp.Anonymous,)),
)
"""What turns PostgreSQL into DuckDB, with the nodes that each rule looks at.

The first to replace a node is the last: its result is the engine's.
"""

"""Types of functions' results. PostgreSQL docs, "Functions and Operators"."""

from collections.abc import Mapping
from types import MappingProxyType

_BY_RESULT = {
    "int4": """length char_length character_length position strpos ascii octet_length bit_length array_length
        array_upper array_lower array_ndims cardinality array_position jsonb_array_length
        json_array_length width_bucket regexp_count regexp_instr num_nulls num_nonnulls get_byte ntile
        generate_subscripts scale min_scale grouping""",
    "int8": "count row_number rank dense_rank",
    "text": """lower upper concat concat_ws substring substr trim btrim ltrim rtrim left right lpad rpad
        replace reverse repeat md5 chr to_char split_part translate initcap string_agg quote_ident
        quote_literal quote_nullable format encode to_hex regexp_replace overlay array_to_string version
        jsonb_typeof json_typeof jsonb_pretty jsonb_extract_path_text json_extract_path_text jsonb_object_keys
        json_object_keys jsonb_array_elements_text json_array_elements_text regexp_substr convert_from
        regexp_split_to_table string_to_table array_dims""",
    "float8": "date_part random pi cbrt sin cos tan radians degrees",
    "regtype": "pg_typeof",
    "numeric": "extract div to_number trim_scale",
    "timestamptz": """now current_timestamp to_timestamp clock_timestamp statement_timestamp
        transaction_timestamp make_timestamptz""",
    "date": "current_date to_date make_date",
    "timestamp": "make_timestamp localtimestamp",
    "interval": "age make_interval justify_days justify_hours justify_interval",
    "bool": "bool_and bool_or every exists starts_with",
    "void": "pg_sleep",
    "bytea": "decode sha224 sha256 sha384 sha512 convert_to set_byte",
    "text[]": "string_to_array regexp_split_to_array regexp_match regexp_matches parse_ident",
    "time": "make_time localtime",
    "json": """to_json json_build_object json_agg json_object_agg json_build_array row_to_json array_to_json
        json_strip_nulls json_extract_path json_object""",
    "jsonb": """to_jsonb jsonb_build_object jsonb_agg jsonb_object_agg jsonb_build_array jsonb_set
        jsonb_insert jsonb_strip_nulls jsonb_extract_path jsonb_object jsonb_array_elements""",
}
RESULTS: Mapping[str, str] = MappingProxyType(
    {name: result for result, names in _BY_RESULT.items() for name in names.split()}
)
_RESULT_IS_ARGUMENT = """
    max min abs coalesce greatest least nullif mode lag lead first_value last_value nth_value any_value
"""
SAME_AS_ARGUMENT = frozenset(_RESULT_IS_ARGUMENT.split())
SAME_ARRAY = frozenset({"array_append", "array_cat", "array_remove", "array_replace", "trim_array"})
LOGARITHMS = frozenset({"sqrt", "exp", "ln", "log", "log10"})
"""Numeric of a numeric, else double precision."""
ROUNDING = frozenset({"round", "ceil", "ceiling", "floor", "trunc", "sign"})
AVERAGES = frozenset({"avg", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"})

ROW_COLUMNS: Mapping[str, tuple[tuple[str, str | None], ...]] = MappingProxyType(
    {
        "json_array_elements": (("value", "json"),),
        "jsonb_array_elements": (("value", "jsonb"),),
        "json_array_elements_text": (("value", "text"),),
        "jsonb_array_elements_text": (("value", "text"),),
        "json_each": (("key", "text"), ("value", "json")),
        "jsonb_each": (("key", "text"), ("value", "jsonb")),
        "json_each_text": (("key", "text"), ("value", "text")),
        "jsonb_each_text": (("key", "text"), ("value", "text")),
    }
)
"""Functions in FROM whose columns have names of their own."""

# ruff: noqa: SIM905 - a table of words reads better as words
"""The closed lists of functions, as data.

A function is here because its result depends on its arguments alone.

Left out on purpose, though they look harmless: `stats` (minimum and maximum over rows that a filter hides),
`current_query` (the rewritten text, with filters and masks), `getvariable`, `current_setting` (the
engine's; ours is
a session value), `nextval` (sequences are objects: see SEQUENCE_FUNCTIONS), `json_execute_serialized_sql`,
`json_serialize_plan`,
`query`, `query_table` (SQL in a string), `write_log`, `error` (ours alone), `icu_collate_*`,
`in_search_path`,
`sleep_ms`, `enum_range` over named types, `vector_type`, `create_sort_key`, aggregate states, everything
that reads a
file, an environment variable, the engine's catalog or its settings.
"""

SESSION_CLASSES = {
    "CurrentUser": "current_user",
    "SessionUser": "session_user",
    "CurrentRole": "current_user",
    "CurrentCatalog": "current_database",
    "CurrentDatabase": "current_database",
    "CurrentSchema": "current_schema",
    "CurrentVersion": "version",
}
"""Functions of the session by sqlglot class: PlanContext.session_values holds their values."""

SESSION_NAMES = {
    "current_user": "current_user",
    "session_user": "session_user",
    "user": "current_user",
    "current_role": "current_user",
    "current_catalog": "current_database",
    "current_database": "current_database",
    "current_schema": "current_schema",
    "version": "version",
    "pg_backend_pid": "pg_backend_pid",
}
"""The same by the name that a client writes, as a call or, for SQL's value functions, as a bare word."""

BARE_SESSION_WORDS = frozenset(
    {"current_user", "session_user", "user", "current_role", "current_catalog", "current_schema"}
)
"""Reserved words of PostgreSQL that read a session value without parentheses; DuckDB would answer with its
own."""

FUNCTION_CLASSES = frozenset(
    """
    Abs Acos Acosh AnyValue ApproxDistinct ApproxQuantile ApproxTopK ArgMax ArgMin Array ArrayAgg ArrayAppend
    ArrayConcat ArrayContains ArrayContainsAll ArrayDistinct ArrayFilter ArrayIntersect ArrayMax ArrayMin
    ArrayOverlaps ArrayPosition ArrayPrepend ArrayRemove ArrayReverse ArraySize ArraySlice ArraySort
    ArrayToString
    Ascii Asin Asinh Atan Atan2 Atanh Avg BitLength BitwiseAndAgg BitwiseOrAgg BitwiseXorAgg Case Cast Cbrt
    Ceil Chr
    Coalesce Columns Concat ConcatWs Contains Corr Cos Cosh CosineDistance Cot Count CountIf CovarPop
    CovarSamp
    CumeDist CurrentDate CurrentTime CurrentTimestamp Date DateAdd DateBin DateDiff DateFromParts DateSub
    CurrentSchemas DateStrToDate Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Dayname Decode Degrees
    DenseRank Encode EndsWith
    EuclideanDistance Exists Exp Explode Extract Factorial First FirstValue Flatten Floor Format FromBase64
    FromJson
    Getbit Greatest GroupConcat Grouping GroupingId Hex Hour If Initcap IsInf IsNan JSONArray JSONArrayAgg
    JSONBContains JSONBExists JSONBExtract JSONBExtractScalar JSONBObjectAgg JSONExtract JSONExtractArray
    JSONExtractScalar JSONKeys JSONObject JSONObjectAgg JSONType JarowinklerSimilarity JustifyDays
    JustifyHours
    JustifyInterval Kurtosis Lag Last LastDay LastValue Lead Least Left Length Levenshtein List Ln Localtime
    Localtimestamp Log LogicalAnd LogicalOr Lower MD5 MakeInterval Map MapFromEntries MapKeys Max Median Min
    Minute
    Mode Month Monthname MonthsBetween NthValue Ntile Nullif Overlay Pad ParseJSON PercentRank PercentileCont
    PercentileDisc Pi Pow Quantile Quarter Radians Rand Rank Reduce RegexpCount RegexpExtract RegexpExtractAll
    RegexpFullMatch RegexpILike RegexpInstr RegexpLike RegexpReplace RegexpSplit RegexpSubstr RegrAvgx
    RegrAvgy
    RegrCount RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy RegrSyy Repeat Replace Reverse Right Round
    RowNumber SHA
    SHA2 SHA2Digest Second Sign Sin Sinh Skewness Soundex Split SplitPart Sqrt StartsWith Stddev StddevPop
    StddevSamp
    StrPosition StrToDate StrToTime StringToArray Struct StructExtract Substring Sum Tan Tanh Time
    TimeFromParts
    TimeToStr TimeToUnix Timestamp TimestampFromParts TimestampTrunc ToBase64 ToBinary ToChar ToDays ToMap
    ToNumber
    Transform Translate Trim Trunc Try TryCast Typeof Unhex Unicode UnixToTime Upper Uuid VarMap Variance
    VariancePop
    Week WeekOfYear WidthBucket Xor Year And Or GenerateSeries ExplodingGenerateSeries Unnest DateTrunc
    TsOrDsAdd JSONBContainsTopKey JSONFormat
    """.split()
)
"""sqlglot's typed functions. `Columns` chooses among columns of the secured relation; `Rand` and `Uuid` are
volatile
but read nothing; `Try` hides errors of rows that the caller may see anyway."""

SCALAR_NAMES = frozenset(
    """
    abs acos acosh add age alias array_aggr array_aggregate array_apply array_append array_cat array_concat
    array_contains array_cosine_distance array_cosine_similarity array_cross_product array_dims array_distance
    array_distinct array_dot_product array_extract array_fill array_filter array_grade_up array_has
    array_has_all
    array_has_any array_indexof array_inner_product array_intersect array_length array_lower array_ndims
    array_negative_dot_product array_negative_inner_product array_pop_back array_pop_front array_position
    array_positions array_prepend array_push_back array_push_front array_reduce array_remove array_replace
    array_resize
    array_reverse array_reverse_sort array_select array_slice array_sort array_to_json array_to_string
    array_to_string_comma_default array_transform array_unique array_upper array_value array_where array_zip
    ascii asin
    asinh atan atan2 atanh bar base64 bin bit_count bit_length bit_position bitstring bool btrim cardinality
    cbrt ceil
    ceiling century char_length character_length chr clock_timestamp concat concat_ws contains convert_from
    convert_to
    cos cosh cot damerau_levenshtein date_add date_bin date_diff date_part date_sub date_trunc datediff
    datepart datesub
    datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade decode degrees div divide
    editdist3
    element_at encode ends_with enum_code epoch epoch_ms epoch_ns epoch_us equi_width_bins era even exp
    factorial fdiv
    filter flatten float4 float8 floor fmod format format_bytes formatreadabledecimalsize formatreadablesize
    from_base64
    from_binary from_hex from_json from_json_strict gamma gcd generate_subscripts gen_random_uuid get_bit
    get_byte
    get_current_time get_current_timestamp grade_up greatest greatest_common_divisor hamming hash hex hour
    initcap instr
    int2 int4 int8 interval isfinite isinf isnan isodow isoyear jaccard jaro_similarity
    jaro_winkler_similarity json
    json_array json_array_length json_build_array json_build_object json_contains json_exists json_extract
    json_extract_path json_extract_path_text json_extract_string json_keys json_merge_patch json_object
    json_pretty
    json_quote json_strip_nulls json_structure json_transform json_transform_strict json_type json_typeof
    json_valid
    json_value jsonb_array_length jsonb_build_array jsonb_build_object jsonb_exists jsonb_extract_path
    jsonb_extract_path_text jsonb_insert jsonb_object jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof
    julian
    justify_days justify_hours justify_interval last_day lcase lcm least least_common_multiple left
    left_grapheme len
    length length_grapheme levenshtein lgamma list_aggr list_aggregate list_any_value list_append list_apply
    list_approx_count_distinct list_avg list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or
    list_cat
    list_concat list_contains list_cosine_distance list_cosine_similarity list_count list_distance
    list_distinct
    list_dot_product list_element list_entropy list_extract list_filter list_first list_grade_up list_has
    list_has_all
    list_has_any list_histogram list_indexof list_inner_product list_intersect list_kurtosis list_last
    list_mad list_max
    list_median list_min list_mode list_negative_dot_product list_negative_inner_product list_pack
    list_position
    list_prepend list_product list_reduce list_resize list_reverse list_reverse_sort list_select list_sem
    list_skewness
    list_slice list_sort list_stddev_pop list_stddev_samp list_string_agg list_sum list_transform
    list_unique list_value
    list_var_pop list_var_samp list_where list_zip ln localtime localtimestamp log log10 log2 lower lpad
    ltrim make_date
    make_interval make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz map map_concat
    map_contains map_contains_entry map_contains_value map_entries map_extract map_extract_value
    map_from_entries
    map_keys map_values md5 md5_number md5_number_lower md5_number_upper microsecond millennium millisecond
    min_scale
    minute mismatches mod month monthname multiply nanosecond nextafter nfc_normalize normalize
    normalized_interval now
    nullif num_nonnulls num_nulls octet_length ord overlaps overlay parse_ident pg_size_pretty pg_sleep
    pg_typeof pi
    position pow power prefix printf quarter quote_ident quote_literal quote_nullable radians random reduce
    regexp_count regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_instr regexp_like
    regexp_match
    regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace
    reverse right
    right_grapheme round round_even roundbankers row row_to_json rpad rtrim scale second set_bit set_byte
    sha1 sha224
    sha256 sha384 sha512 sign signbit sin sind sinh cosd tand cotd split split_part sqrt starts_with
    statement_timestamp
    str_split str_split_regex strftime string_split string_split_regex string_to_array string_to_table
    strip_accents
    strlen strpos strptime struct_concat struct_contains struct_extract struct_extract_at struct_has
    struct_indexof
    struct_insert struct_keys struct_pack struct_position struct_update struct_values substr substring
    substring_grapheme subtract suffix tan tanh time_bucket timeofday timezone timezone_hour timezone_minute
    to_base
    to_base64 to_binary to_centuries to_char to_date to_days to_decades to_hex to_hours to_json to_jsonb
    to_microseconds
    to_millennia to_milliseconds to_minutes to_months to_number to_quarters to_seconds to_timestamp to_weeks
    to_years
    today transaction_timestamp translate trim trim_scale trunc try_strptime txid_current typeof ucase unbin
    unhex
    unicode union_extract union_tag union_value unpivot_list upper url_decode url_encode uuid
    uuid_extract_timestamp
    uuid_extract_version uuidv4 uuidv7 varchar week weekday weekofyear width_bucket xor year yearweek
    coalesce ifnull
    bool_in text trim_array array_to_json json_strip_nulls timeofday jsonb_path_exists all
    """.split()
)
"""Scalars by name. `list_aggregate` takes an aggregate's name, all of which are harmless. `pg_sleep` holds
a thread,
as in PostgreSQL; statement_timeout ends it. `printf` and `format` format their arguments, they do not
print."""

AGGREGATE_NAMES = frozenset(
    """
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null
    arg_max_nulls_last
    arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and bit_or bit_xor bitstring_agg
    bool_and
    bool_or corr count count_if count_star countif covar_pop covar_samp cume_dist dense_rank entropy every
    favg fill
    first first_value fsum geomean geometric_mean group_concat histogram histogram_exact json_agg
    json_group_array
    json_group_object json_group_structure json_object_agg jsonb_agg jsonb_object_agg kahan_sum kurtosis
    kurtosis_pop
    lag last last_value lead list listagg mad max max_by mean median min min_by mode nth_value ntile
    percent_rank
    percentile_cont percentile_disc product quantile quantile_cont quantile_disc rank rank_dense regr_avgx
    regr_avgy
    regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile row_number
    sem skewness
    stddev stddev_pop stddev_samp string_agg sum sum_no_overflow sumkahan var_pop var_samp variance wavg
    weighted_avg
    """.split()
)

TABLE_FUNCTION_CLASSES = frozenset(
    {"GenerateSeries", "ExplodingGenerateSeries", "Unnest", "Explode", "RegexpSplit"}
)
TABLE_FUNCTION_NAMES = frozenset(
    """
    generate_series range unnest json_each json_tree generate_subscripts json_array_elements
    json_array_elements_text
    jsonb_array_elements jsonb_array_elements_text jsonb_each jsonb_each_text json_each_text json_object_keys
    jsonb_object_keys regexp_split_to_table regexp_matches string_to_table generate_subscripts
    """.split()
)
"""Table functions: each computes rows from its arguments. `json_each` reads JSON text, never a file."""

OPERATOR_FUNCTIONS = frozenset(
    "! !__postfix !~~ !~~* !~ !~* % & && * ** + - ->> -> / // <-> << <=> <@ >> @ @> ^ ^@ |"
    " || ~ ~* ~~ ~~* ~~~".split()
)
"""Operators that DuckDB's own parser reports as functions."""

GRAMMAR_FUNCTIONS = frozenset(
    """
    list_value struct_pack array_extract map date_part like_escape ilike_escape not_like_escape
    not_ilike_escape list_apply list_filter list_sort list_reverse_sort row count_star timezone unnest
    array_agg
    regexp_full_match struct_extract trunc to_centuries to_days to_decades to_hours to_microseconds
    to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_weeks to_years
    """.split()
)
"""What DuckDB's parser makes of its own grammar without a call in the text: `[…]`, `{…}`, `x[1]`, EXTRACT,
ESCAPE, list(x ORDER BY y), list comprehensions, count(*), AT TIME ZONE, `= ANY (list)`, ARRAY(SELECT …),
SIMILAR TO, INTERVAL. None of them reads
anything but its arguments."""

CLIENT_NAMES = SCALAR_NAMES | AGGREGATE_NAMES | TABLE_FUNCTION_NAMES
POLICY_NAMES = (
    CLIENT_NAMES
    | OPERATOR_FUNCTIONS
    | GRAMMAR_FUNCTIONS
    | frozenset({"error", "current_date", "current_localtime", "current_localtimestamp", "position"})
)
"""What a rendered policy expression may call, each qualified as DuckDB's own."""

SEQUENCE_FUNCTIONS = frozenset({"nextval", "currval", "lastval", "setval"})
"""Bound to a sequence, or refused, by `pgproxy.sql.sequences`."""

TYPE_NAMES = frozenset(
    """
    BIGINT BIT BOOLEAN BLOB CHAR DATE DECIMAL DOUBLE FLOAT HUGEINT INT INT128 INTERVAL JSON JSONB BPCHAR
    NCHAR NVARCHAR
    LIST ARRAY MAP MONEY NULL OBJECT REAL SMALLINT STRUCT TEXT TIME TIMETZ TIMESTAMP TIMESTAMPTZ TIMESTAMPLTZ
    TIMESTAMPNTZ TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS TINYINT UBIGINT UHUGEINT UINT UINT128 USMALLINT
    UTINYINT UNION
    UUID VARBINARY VARBIT VARCHAR NAME DATETIME BINARY UNKNOWN
    """.split()
)
"""sqlglot's names of the built-in types. A type of another name could be a hidden enum: 42704."""

CATALOG_TYPES = frozenset(
    """
    oid regclass regtype regproc regprocedure regnamespace regrole regoper regconfig regdictionary
    name "char" char xid cid tid
    oidvector int2vector pg_node_tree int2 int4 int8 float4 float8 bool text varchar bpchar numeric
    timestamptz
    timestamp date time timetz bytea json jsonb uuid interval
    """.split()
) | {"char"}
"""Names of types that may stand behind `pg_catalog.` or that PostgreSQL alone knows."""

LACKING_NAMES = {
    **{
        name: f"{name}()"
        for name in """
        jsonb_path_query jsonb_path_query_first jsonb_path_query_array jsonb_path_match jsonb_path_exists_tz
        jsonb_path_query_tz jsonb_path_match_tz jsonb_path_query_first_tz jsonb_path_query_array_tz
        jsonb_to_recordset json_to_recordset jsonb_to_record json_to_record jsonb_populate_record
        jsonb_populate_recordset json_populate_record json_populate_recordset jsonb_set_lax
        """.split()
    },
    "j_s_o_n_b_path_exists": "the operator @?",
    "match_against": "the operator @@",
}
"""Functions and operators of PostgreSQL over documents that have no counterpart in the engine: 0A000 rather
than unknown."""

COLLATIONS = frozenset(
    {"default", "c", "posix", "binary", "ucs_basic", "und-x-icu", "en_us.utf8", "nocase", "noaccent"}
)

NON_TEXT_OPERATORS = frozenset("~ ~* !~ !~* ~~ ~~* !~~ !~~* = <> < > <= >= + - * / || %".split())
"""Operators that may be written OPERATOR(pg_catalog.x)."""

_RANGES = ("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange")
POSTGRES_ONLY_TYPES = frozenset(
    [*_RANGES, *(name.replace("range", "multirange") for name in _RANGES), "money", "xml", "tsvector",
     "tsquery", "point", "line", "lseg", "box", "path", "polygon", "circle", "macaddr", "macaddr8", "pg_lsn",
     "jsonpath"]
)  # fmt: skip
"""Types of PostgreSQL of which the engine has no values: not supported, rather than unknown."""
POSTGRES_ONLY_FUNCTIONS = POSTGRES_ONLY_TYPES | frozenset(
    ["lower_inc", "upper_inc", "lower_inf", "upper_inf", "isempty", "range_merge", "range_agg", "xmlparse",
     "xmlelement", "xmlforest", "xmlagg", "xpath", "to_tsvector", "to_tsquery", "plainto_tsquery",
     "websearch_to_tsquery", "ts_rank", "ts_headline", "unistr", "timeofday"]
)  # fmt: skip
"""The same of functions."""

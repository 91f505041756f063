"""Expressions of every type, for drivers to decode: those that give the same as on PostgreSQL, and others.

The second list is what docs/compatibility.md says of types; a driver's test runs it too, so that a difference
that goes away, or a new one, is noticed.
"""

SAME = (
    "1::smallint",
    "2::integer",
    "'-9223372036854775808'::bigint",
    "1.5::real",
    "0.1::double precision",
    "'NaN'::double precision",
    "'-infinity'::double precision",
    "1.50::numeric(10, 2)",
    "'-0.000001'::numeric(18, 6)",
    "true",
    "NULL::boolean",
    "'naïve 🦆'::text",
    "''::text",
    "'\\xdeadbeef00'::bytea",
    "date '2024-02-29'",
    "time '12:34:56.789'",
    "timestamp '2024-02-29 12:34:56.789'",
    "timestamp '1969-12-31 23:59:59.999999'",
    "timestamptz '2024-02-29 12:34:56+02'",
    "interval '1 year 2 months 3 days 04:05:06.7'",
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
    """'{"a": [1, 2], "b": null}'::json""",
    "ARRAY[1, 2, NULL]::integer[]",
    "ARRAY[]::integer[]",
    "ARRAY['a', 'b c', NULL, 'd\"e', '']::text[]",
    "ARRAY[date '2024-01-01', NULL]",
    "ARRAY[true, false]",
    "ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid]",
    "ARRAY[timestamptz '2024-02-29 12:34:56+02']",
    "'x'::name",
    "12::oid",
    "'c'::\"char\"",
    "'sales.orders'::regclass",
    "count(*)",
    "sum(2::integer)",
)
"""One value each; the same value, column name and type on both."""

OTHER_TYPE = {
    "'abc'::varchar(5)": ("varchar", "text"),
    """'{"a": [1, 2]}'::jsonb""": ("jsonb", "json"),
}
"""Expression → PostgreSQL's type and ours; the value is the same."""

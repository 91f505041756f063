import pytest

from pgproxy.catalog.defaults import default_text


@pytest.mark.parametrize(
    ("stored", "engine_type", "shown"),
    [
        ("'x'", "VARCHAR", "'x'::text"),
        ("''", "VARCHAR", "''::text"),
        ("5.25", "DECIMAL(10,2)", "5.25"),
        ("-1", "INTEGER", "'-1'::integer"),
        ("-0.5", "DOUBLE", "'-0.5'::numeric"),
        ("CAST('t' AS BOOLEAN)", "BOOLEAN", "true"),
        ("CAST('2024-01-01' AS DATE)", "DATE", "'2024-01-01'::date"),
        ("current_timestamp", "TIMESTAMP WITH TIME ZONE", "CURRENT_TIMESTAMP"),
        ("now()", "TIMESTAMP", "now()"),
        ("upper('x')", "VARCHAR", "upper('x'::text)"),
        ("nextval('shop.counter')", "BIGINT", "nextval('shop.counter'::regclass)"),
        ("gen_random_uuid()", "UUID", "gen_random_uuid()"),
        ("NULL", "VARCHAR", None),
        (None, "VARCHAR", None),
        ("[1, 2]", "INTEGER[]", "[1, 2]"),
    ],
)
def test_a_default_is_shown_in_postgresqls_words(
    stored: str | None, engine_type: str, shown: str | None
) -> None:
    assert default_text(stored, engine_type) == shown

"""Splitting a query string."""

import pytest

from pgproxy.sql.utility import split_statements
from pgwire.errors import StatementError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ; ;; ", []),
        ("-- only a comment", []),
        ("/* a /* nested */ comment */ ;", []),
        ("select 1", [("select 1", 0)]),
        ("  select 1 ;  select 2;", [("select 1", 2), ("select 2", 14)]),
        ("select ';'; select 2", [("select ';'", 0), ("select 2", 12)]),
        ("select 'it''s;'; x", [("select 'it''s;'", 0), ("x", 17)]),
        (r"select E'\';'; x", [(r"select E'\';'", 0), ("x", 15)]),
        (r"select '\'; x", [(r"select '\'", 0), ("x", 12)]),
        ("select $$;$$, $a$ $b$;$a$; x", [("select $$;$$, $a$ $b$;$a$", 0), ("x", 27)]),
        ("select a$$;b$$", [("select a$$", 0), ("b$$", 11)]),
        ('select ";"; x', [('select ";"', 0), ("x", 12)]),
        ("select 1 -- ; no\n; x", [("select 1", 0), ("x", 19)]),
        ("select 'é€𝄞'; x", [("select 'é€𝄞'", 0), ("x", 14)]),
        ("select 'a'\n';b'; x", [("select 'a'\n';b'", 0), ("x", 17)]),
        ("select 2 --/* \n; x", [("select 2", 0), ("x", 17)]),
        ("select $1;x", [("select $1", 0), ("x", 10)]),
    ],
)
def test_statements_end_only_at_semicolons_outside_literals_and_comments(text, expected):
    assert [(statement.text, statement.offset) for statement in split_statements(text)] == expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("select 'x", 8),
        (r"select E'x\'", 8),
        ("select $a$ $b$", 8),
        ('select "x', 8),
        ('select ""', 8),
        ("select /* /* */", 8),
        ("select 1x", 8),
        ("select $1x", 8),
        ("select 1; select 'é", 18),
    ],
)
def test_text_that_cannot_be_scanned_fails_whole_with_the_position_in_characters(text, position):
    with pytest.raises(StatementError) as caught:
        split_statements(text)
    assert (caught.value.sqlstate, caught.value.position) == ("42601", position)


def test_a_long_literal_is_scanned_in_linear_time_and_memory():
    (statement,) = split_statements("select '" + "''x" * 1_000_000 + "'")
    assert len(statement.text) == 3_000_009

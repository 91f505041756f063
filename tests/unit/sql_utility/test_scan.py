"""PostgreSQL's lexical rules."""

import pytest

from pgproxy.sql.utility.scan import TokenKind, fold_identifier, scan
from pgwire.errors import StatementError


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SELECT Élan", ["select", "Élan"]),
        ("1 1.5 .5 1. 1e3 1..2", ["1", "1.5", ".5", "1.", "1e3", "1", "..", "2"]),
        (
            "a+-1 a=-1 a@-1 a<>-1",
            ["a", "+", "-", "1", "a", "=", "-", "1", "a", "@-", "1", "a", "<>", "-", "1"],
        ),
        ("a*/*x*/b", ["a", "*", "b"]),
        ("a::int b:=1 x[1:2]", ["a", "::", "int", "b", ":=", "1", "x", "[", "1", ":", "2", "]"]),
        (r"E'a\tb\x41\101\u0041\\\''", ["a\tbAAA\\'"]),
        (r"E'\uD834\uDD1E'", ["𝄞"]),
        (r"U&'d\0061t\+000061'", ["data"]),
        ("U&'d!0061' UESCAPE '!'", ["da"]),
        (r'U&"\00e9" "a""b"', ["é", 'a"b']),
        ("$$a'b$$ $x$a$$b$x$", ["a'b", "a$$b"]),
        ("$1 $2", ["$1", "$2"]),
        ("'a' -- c\n 'b'", ["ab"]),
        ("b'101' x'FF'", ["101", "FF"]),
    ],
)
def test_tokens_have_the_values_that_the_server_sees(text, values):
    assert [token.value for token in scan(text)] == values


@pytest.mark.parametrize(
    ("text", "sqlstate"),
    [
        (r"E'\u12'", "22025"),
        (r"E'\xff'", "22021"),
        (r"E'\000'", "22021"),
        (r"E'\uD834x'", "42601"),
        (r"E'\uDD1E'", "42601"),
        (r"U&'\00'", "42601"),
        ("U&'x' UESCAPE 'ab'", "42601"),
        ("U&'x' UESCAPE x", "42601"),
    ],
)
def test_bad_escapes_are_refused(text, sqlstate):
    with pytest.raises(StatementError) as caught:
        scan(text)
    assert caught.value.sqlstate == sqlstate


def test_names_are_cut_at_63_bytes_on_a_character_boundary():
    assert fold_identifier("é" * 40) == "é" * 31
    assert fold_identifier("A" * 70) == "a" * 63


def test_a_large_integer_is_no_iconst():
    assert [token.kind for token in scan("2147483647 2147483648 " + "9" * 5000)] == [
        TokenKind.INTEGER,
        TokenKind.FLOAT,
        TokenKind.FLOAT,
    ]


def test_many_unicode_literals_in_a_row_do_not_recurse():
    assert len(scan("U&'a' " * 5000)) == 5000

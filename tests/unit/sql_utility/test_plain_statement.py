"""What one pattern says of a text is what the scanner and the parsers say of it."""

from itertools import groupby

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pgproxy.sql.utility import split_statements
from pgproxy.sql.utility.admin import parse_admin
from pgproxy.sql.utility.parse import _FIRST_WORDS, _PARSERS
from pgproxy.sql.utility.reader import TokenReader
from pgproxy.sql.utility.scan import TokenKind, plain_statement, scan

_PIECES = st.sampled_from(
    ["select", "begin", "Commit", "grant", "e", "E'", "U&'", 'u&"', "'", "''", '"', '""', "a", "_x1", "é",
     "x$y", "$1", "$$", ";", ";;", "-", "--", "/", "/*", "*/", "\\", "1", "12", "1.", ".5", "..", "1e", "1e5",
     "0x1F", ".", "&", "::", "(", ")", ",", "=", " ", "\n", "\t", "\v", "\u00a0", "uescape",
     "\\0041", "?", "b'1'"]
)  # fmt: skip
_TEXTS = st.lists(_PIECES, max_size=12).map("".join)


@settings(max_examples=500)
@given(_TEXTS)
@example('U&"\\zzzz"')
@example("select U&'\\zz'")
@example("select 1a")
@example('select ""')
@example("select 'a' 'b;c' ; ")
def test_a_plain_text_is_scanned_without_error_to_the_same_statement(text: str) -> None:
    plain = plain_statement(text)
    if plain is None:
        return
    runs = [
        list(run)
        for end, run in groupby(scan(text), lambda t: t.kind is TokenKind.SYMBOL and t.value == ";")
        if not end
    ]
    assert len(runs) <= 1
    shown = [(text[run[0].start : run[-1].end], run[0].start) for run in runs]
    assert [(held.text, held.offset) for held in split_statements(text)] == shown
    if not runs:
        assert plain.text == ""
        return
    assert (plain.text, plain.start) == shown[0]
    first = runs[0][0]
    is_word = first.kind is TokenKind.WORD and first.value.isascii()
    assert plain.first_word == first.value if is_word else plain.first_word in ("", "e", "b", "x")
    if plain.first_word not in _FIRST_WORDS:
        assert not is_word or first.value not in _PARSERS
        assert parse_admin(TokenReader(plain.text)) is None


def test_lookups_and_inserts_are_plain() -> None:
    for text in (
        " SELECT abalance FROM pgbench_accounts WHERE aid = -12345 ; ",
        "insert into \"T\" (a, b) values (1.5e3, 'it''s; -- \"x\" $1'), (.5, e'')",
    ):
        assert plain_statement(text) is not None

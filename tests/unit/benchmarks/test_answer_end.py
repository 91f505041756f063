"""The raw reader's framing, against golden bytes."""

import hashlib
import struct

import pytest

from benchmarks.answer_end import Completed, Failed, ReceiveWindow, error_text, find_end
from benchmarks.raw_client import (
    Address,
    decode_text_row,
    extended_query,
    simple_query,
    startup_packet,
)

READY = b"Z\x00\x00\x00\x05I"
COMPLETE = b"C\x00\x00\x00\x0dSELECT 2\x00"
ROW = b"D\x00\x00\x00\x0f\x00\x02\x00\x00\x00\x011\xff\xff\xff\xff"
ERROR_BODY = b"SERROR\x00VERROR\x00C42P01\x00Mno such table\x00\x00"
ERROR = b"E" + struct.pack("!i", len(ERROR_BODY) + 4) + ERROR_BODY
BUFFER_BYTES = 1 << 19


def test_an_answer_ends_with_command_complete_and_ready_for_query() -> None:
    assert find_end(ROW + ROW + COMPLETE + READY) == Completed("SELECT 2", len(COMPLETE) + len(READY))


def test_the_tag_gives_the_row_count_and_begin_gives_none() -> None:
    assert Completed("SELECT 1000000", 0).rows == 1_000_000
    assert Completed("INSERT 0 5", 0).rows == 5
    assert Completed("BEGIN", 0).rows is None


@pytest.mark.parametrize("cut", range(1, len(COMPLETE + READY)))
def test_an_answer_that_lacks_its_last_bytes_has_not_ended(cut: int) -> None:
    assert find_end((ROW + COMPLETE + READY)[:-cut]) is None


def test_row_data_that_looks_like_ready_for_query_is_no_end() -> None:
    assert find_end(ROW + READY) is None
    assert find_end(COMPLETE + b"x" + READY) is None


def test_an_error_response_is_found_with_its_sqlstate_even_after_rows() -> None:
    assert find_end(ROW * 3 + ERROR + READY) == Failed("42P01: no such table")


def test_an_error_without_severity_is_found() -> None:
    body = b"Mbroken\x00\x00"
    assert find_end(b"E" + struct.pack("!i", len(body) + 4) + body + READY) == Failed("no SQLSTATE: broken")


@pytest.mark.parametrize("piece", [1, 7, 5000, 1 << 17])
def test_a_window_counts_and_digests_the_rows_however_they_are_cut(piece: int) -> None:
    rows = ROW * (40_000 if piece > 1000 else 500)
    stream = b"T\x00\x00\x00\x06\x00\x00" + rows + COMPLETE + READY
    digest = hashlib.sha256()
    window = ReceiveWindow(bytearray(BUFFER_BYTES), digest.update)
    skipped = False
    end = None
    for at in range(0, len(stream), piece):
        assert end is None
        part = stream[at : at + piece]
        window.space()[: len(part)] = part
        window.received(len(part))
        if not skipped and (header := window.first_header()) is not None and header[:1] == b"T":
            skipped = window.skip(7)
        end = window.end()
    assert isinstance(end, Completed)
    window.drop_trailer(end.trailer_bytes)
    assert window.total_bytes == len(rows)
    assert digest.digest() == hashlib.sha256(rows).digest()


def test_a_text_row_decodes_with_its_null() -> None:
    assert decode_text_row(ROW[5:]) == ["1", None]


def test_error_text_is_sqlstate_and_message() -> None:
    assert error_text(ERROR_BODY) == "42P01: no such table"


def test_statements_are_framed_as_the_manual_says() -> None:
    assert simple_query("x") == b"Q\x00\x00\x00\x06x\x00"
    assert extended_query("x", 1) == (
        b"P\x00\x00\x00\x09\x00x\x00\x00\x00"
        b"B\x00\x00\x00\x0e\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01"
        b"D\x00\x00\x00\x06P\x00"
        b"E\x00\x00\x00\x09\x00\x00\x00\x00\x00"
        b"S\x00\x00\x00\x04"
    )
    assert startup_packet(Address(1, "u", "d")) == (
        b"\x00\x00\x00\x30\x00\x03\x00\x00user\x00u\x00database\x00d\x00client_encoding\x00UTF8\x00\x00"
    )

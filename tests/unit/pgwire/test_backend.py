"""Encoding of every backend message: golden bytes."""

from typing import get_args

import pytest

from pgwire.backend import (
    AuthenticationCleartextPassword,
    AuthenticationOk,
    AuthenticationSASL,
    AuthenticationSASLContinue,
    AuthenticationSASLFinal,
    BackendKeyData,
    BackendMessage,
    BindComplete,
    CloseComplete,
    CommandComplete,
    CopyData,
    CopyDone,
    CopyInResponse,
    CopyOutResponse,
    DataRow,
    EmptyQueryResponse,
    ErrorResponse,
    FieldDescription,
    FunctionCallResponse,
    NegotiateProtocolVersion,
    NoData,
    NoticeResponse,
    NotificationResponse,
    ParameterDescription,
    ParameterStatus,
    ParseComplete,
    PortalSuspended,
    ReadyForQuery,
    RowDescription,
    encode_backend,
    error_response,
)
from pgwire.errors import ProtocolViolation, StatementError
from pgwire.sqlstate import SqlState

GOLDEN = [
    (AuthenticationOk(), b"R\0\0\0\x08\0\0\0\0"),
    (AuthenticationCleartextPassword(), b"R\0\0\0\x08\0\0\0\x03"),
    (AuthenticationSASL(("A", "B")), b"R\0\0\0\x0d\0\0\0\x0aA\0B\0\0"),
    (AuthenticationSASLContinue(b"r=1"), b"R\0\0\0\x0b\0\0\0\x0br=1"),
    (AuthenticationSASLFinal(b"v=1"), b"R\0\0\0\x0b\0\0\0\x0cv=1"),
    (NegotiateProtocolVersion(0x30002, ("_pq_.x",)), b"v\0\0\0\x13\0\x03\0\x02\0\0\0\x01_pq_.x\0"),
    (BackendKeyData(7, b"abcd"), b"K\0\0\0\x0c\0\0\0\x07abcd"),
    (ParameterStatus("TimeZone", "UTC"), b"S\0\0\0\x11TimeZone\0UTC\0"),
    (ReadyForQuery(b"I"), b"Z\0\0\0\x05I"),
    # What PostgreSQL 15 sends for SELECT 1.
    (
        RowDescription((FieldDescription("?column?", 0, 0, 23, 4, -1),)),
        b"T\0\0\0\x21\0\x01?column?\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0",
    ),
    (
        RowDescription((FieldDescription("a", 16384, 2, 1043, -1, 14, 1),)),
        b"T\0\0\0\x1a\0\x01a\0\0\0\x40\0\0\x02\0\0\x04\x13\xff\xff\0\0\0\x0e\0\x01",
    ),
    (RowDescription(()), b"T\0\0\0\x06\0\0"),
    (DataRow((b"1", None, b"")), b"D\0\0\0\x13\0\x03\0\0\0\x011\xff\xff\xff\xff\0\0\0\0"),
    (CommandComplete("SELECT 1"), b"C\0\0\0\x0dSELECT 1\0"),
    (EmptyQueryResponse(), b"I\0\0\0\x04"),
    (ParseComplete(), b"1\0\0\0\x04"),
    (BindComplete(), b"2\0\0\0\x04"),
    (CloseComplete(), b"3\0\0\0\x04"),
    (NoData(), b"n\0\0\0\x04"),
    (PortalSuspended(), b"s\0\0\0\x04"),
    (ParameterDescription((23, 4294967295)), b"t\0\0\0\x0e\0\x02\0\0\0\x17\xff\xff\xff\xff"),
    (CopyInResponse(0, (0, 0)), b"G\0\0\0\x0b\0\0\x02\0\0\0\0"),
    (CopyOutResponse(1, (1,)), b"H\0\0\0\x09\x01\0\x01\0\x01"),
    (CopyData(b"1\n"), b"d\0\0\0\x061\n"),
    (CopyDone(), b"c\0\0\0\x04"),
    (NotificationResponse(9, "ch", "x"), b"A\0\0\0\x0d\0\0\0\x09ch\0x\0"),
    (FunctionCallResponse(None), b"V\0\0\0\x08\xff\xff\xff\xff"),
    (FunctionCallResponse(b"1"), b"V\0\0\0\x09\0\0\0\x011"),
    (
        ErrorResponse("ERROR", SqlState.SYNTAX_ERROR, "no", detail="d", hint="h", position=8),
        b"E\0\0\0\x27SERROR\0VERROR\0C42601\0Mno\0Dd\0Hh\0P8\0\0",
    ),
    (
        NoticeResponse(
            "NOTICE",
            SqlState.WARNING,
            "m",
            where="w",
            schema_name="a",
            table_name="b",
            column_name="e",
            data_type_name="f",
            constraint_name="g",
            routine="r",
        ),
        b"N\0\0\0\x34SNOTICE\0VNOTICE\0C01000\0Mm\0Ww\0sa\0tb\0ce\0df\0ng\0Rr\0\0",
    ),
]


@pytest.mark.parametrize(("message", "golden"), GOLDEN, ids=lambda value: type(value).__name__)
def test_every_message_encodes_to_its_bytes(message: BackendMessage, golden: bytes) -> None:
    assert encode_backend(message) == golden


def test_every_message_of_the_union_has_a_golden_example() -> None:
    assert {type(message) for message, _ in GOLDEN} == set(get_args(BackendMessage))


def test_an_error_response_carries_what_the_error_says() -> None:
    error = StatementError("m", sqlstate=SqlState.UNDEFINED_TABLE, detail="d", hint="h", position=3)
    assert error_response(error) == ErrorResponse("ERROR", SqlState.UNDEFINED_TABLE, "m", "d", "h", 3)


def test_an_error_that_ends_the_connection_is_fatal() -> None:
    response = error_response(ProtocolViolation("m"))
    assert (response.severity, response.sqlstate) == ("FATAL", SqlState.PROTOCOL_VIOLATION)


def test_a_zero_character_ends_a_string_and_cannot_break_the_frame() -> None:
    assert encode_backend(CommandComplete("SELECT\0evil")) == encode_backend(CommandComplete("SELECT"))


def test_text_outside_utf8_is_replaced_and_cannot_break_the_frame() -> None:
    assert encode_backend(CommandComplete("a\ud800")) == encode_backend(CommandComplete("a?"))

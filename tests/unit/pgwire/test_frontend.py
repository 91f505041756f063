"""Decoding of every frontend message: golden bytes, and what is refused."""

import pytest

from pgwire.backend import BackendKeyData, DataRow, FieldDescription, RowDescription
from pgwire.errors import ProtocolViolation, StatementError
from pgwire.frontend import (
    _DECODERS,
    MESSAGE_TYPES,
    Bind,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Describe,
    Execute,
    Flush,
    FrontendMessage,
    FunctionCall,
    Parse,
    PasswordMessage,
    Query,
    SASLInitialResponse,
    Sync,
    Terminate,
    decode_frontend,
    decode_password,
    decode_sasl_initial_response,
)
from pgwire.session.effects import CopyInData, PlanStatement, RunSimpleQuery
from pgwire.sqlstate import SqlState
from pgwire.startup import CancelRequest
from tests.unit.pgwire.frontend_bytes import body_of, sasl_initial

GOLDEN = [
    (b"Q", b"select 1\0", Query("select 1")),
    (b"Q", b"\0", Query("")),
    (b"P", b"s\0select $1\0\0\x01\0\0\0\x17", Parse("s", "select $1", (23,))),
    (b"P", b"\0\0\0\x01\xff\xff\xff\xff", Parse("", "", (4294967295,))),
    (
        b"B",
        b"p\0s\0\0\x02\0\0\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\x01\0\x01",
        Bind("p", "s", (0, 1), (b"x", None), (1,)),
    ),
    (b"B", b"\0\0\0\0\0\x01\0\0\0\0\0\0", Bind("", "", (), (b"",), ())),
    (b"D", b"Ss\0", Describe(b"S", "s")),
    (b"D", b"P\0", Describe(b"P", "")),
    (b"E", b"p\0\0\0\0\x05", Execute("p", 5)),
    (b"E", b"\0\xff\xff\xff\xff", Execute("", -1)),
    (b"C", b"Pp\0", Close(b"P", "p")),
    (b"C", b"S\0", Close(b"S", "")),
    (b"S", b"", Sync()),
    (b"H", b"", Flush()),
    (b"X", b"", Terminate()),
    (b"d", b"1\t\\N\n\0", CopyData(b"1\t\\N\n\0")),
    (b"d", b"", CopyData(b"")),
    (b"c", b"", CopyDone()),
    (b"f", "schluß\0".encode(), CopyFail("schluß")),
    (b"F", b"\0\0\0\x07\0\x01\0\x01\0\x02\0\0\0\x01a\xff\xff\xff\xff\0\x01", FunctionCall(7)),
    (b"p", b"secret\0", PasswordMessage(b"secret\0")),
]


@pytest.mark.parametrize(("tag", "body", "message"), GOLDEN, ids=lambda value: str(value)[:40])
def test_every_message_decodes_from_its_bytes(tag: bytes, body: bytes, message: FrontendMessage) -> None:
    assert decode_frontend(tag, body) == message


@pytest.mark.parametrize("message", [m for _, _, m in GOLDEN if not isinstance(m, FunctionCall)], ids=str)
def test_the_test_clients_encoder_agrees_with_the_golden_bytes(message: FrontendMessage) -> None:
    assert (*body_of(message), message) in GOLDEN


def test_every_tag_has_a_decoder_and_a_golden_example() -> None:
    assert set(MESSAGE_TYPES) == set(_DECODERS) == {tag for tag, _, _ in GOLDEN}
    assert {type(message) for _, _, message in GOLDEN} == set(MESSAGE_TYPES.values())


FIXED = [(tag, body) for tag, body, _ in GOLDEN if tag not in (b"d", b"p")]


@pytest.mark.parametrize(("tag", "body"), FIXED, ids=str)
def test_a_byte_too_many_is_a_violation(tag: bytes, body: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="invalid message format"):
        decode_frontend(tag, body + b"\0")


@pytest.mark.parametrize(("tag", "body"), [(tag, body) for tag, body in FIXED if body], ids=str)
def test_every_truncation_is_a_violation(tag: bytes, body: bytes) -> None:
    for size in range(len(body)):
        with pytest.raises(ProtocolViolation):
            decode_frontend(tag, body[:size])


def test_an_unknown_tag_is_a_fatal_violation_in_postgresqls_words() -> None:
    with pytest.raises(ProtocolViolation, match=r"^invalid frontend message type 121$") as caught:
        decode_frontend(b"y", b"")
    assert caught.value.fatal
    assert caught.value.sqlstate is SqlState.PROTOCOL_VIOLATION


@pytest.mark.parametrize(("tag", "word"), [(b"D", "DESCRIBE"), (b"C", "CLOSE")])
def test_a_target_is_a_statement_or_a_portal(tag: bytes, word: str) -> None:
    with pytest.raises(ProtocolViolation, match=f"^invalid {word} message subtype 90$"):
        decode_frontend(tag, b"Zname\0")


def test_a_value_length_below_minus_one_is_a_violation() -> None:
    with pytest.raises(ProtocolViolation, match="insufficient data left in message"):
        decode_frontend(b"B", b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0")


@pytest.mark.parametrize(
    ("tag", "body"),
    [
        (b"Q", b"select '\xff'\0"),
        (b"P", b"\xc3\0\0\0\0"),
        (b"f", b"\xed\xa0\x80\0"),  # a surrogate: UTF-8 has none
    ],
)
def test_text_that_is_not_utf8_is_an_error_that_does_not_repeat_it(tag: bytes, body: bytes) -> None:
    with pytest.raises(StatementError, match=r'^invalid byte sequence for encoding "UTF8"$') as caught:
        decode_frontend(tag, body)
    assert caught.value.sqlstate is SqlState.CHARACTER_NOT_IN_REPERTOIRE
    assert not caught.value.fatal


def test_no_secret_text_or_value_is_in_a_repr() -> None:
    messages: list[object] = [
        Query("SECRET"),
        Parse("", "SECRET"),
        Bind("", "", (), (b"SECRET",)),
        CopyData(b"SECRET"),
        PasswordMessage(b"SECRET"),
        SASLInitialResponse("M", b"SECRET"),
        CancelRequest(1, b"SECRET"),
        BackendKeyData(1, b"SECRET"),
        DataRow((b"SECRET",)),
        RunSimpleQuery("SECRET"),
        PlanStatement("", "SECRET", ()),
        CopyInData(b"SECRET"),
    ]
    assert "SECRET" not in repr(messages)


def test_a_password_is_one_terminated_string() -> None:
    assert decode_password(PasswordMessage(b"s3cret\0")) == "s3cret"
    for body in (b"s3cret", b"s3cret\0\0", b""):
        with pytest.raises(ProtocolViolation):
            decode_password(PasswordMessage(body))


def test_a_sasl_initial_response_may_have_no_data() -> None:
    assert decode_sasl_initial_response(sasl_initial("M", b"n,,")) == SASLInitialResponse("M", b"n,,")
    assert decode_sasl_initial_response(sasl_initial("M", None)) == SASLInitialResponse("M", None)
    with pytest.raises(ProtocolViolation):
        decode_sasl_initial_response(PasswordMessage(b"M\0\0\0\0\x05n,,"))


def test_format_codes_are_signed_so_that_any_can_be_described() -> None:
    message = decode_frontend(b"B", b"\0\0" + b"\0\0" + b"\0\0" + b"\0\x01\xff\xfe")
    assert isinstance(message, Bind)
    assert message.result_formats == (-2,)
    described = FieldDescription("x", 0, 0, 25, -1, -1, message.result_formats[0])
    assert RowDescription((described,)).encode_body().endswith(b"\xff\xfe")

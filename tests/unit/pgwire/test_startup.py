"""The untagged messages, and the choice of a version."""

import pytest

from pgwire.backend import NegotiateProtocolVersion
from pgwire.errors import AuthenticationFailed, ProtocolViolation
from pgwire.sqlstate import SqlState
from pgwire.startup import (
    PROTOCOL_3_0,
    PROTOCOL_3_2,
    CancelRequest,
    GSSENCRequest,
    ProtocolVersion,
    SSLRequest,
    StartupMessage,
    decode_startup,
    negotiate,
)
from tests.unit.pgwire.frontend_bytes import int32, startup_body

V3_0 = 3 << 16


def startup(body: bytes) -> StartupMessage:
    message = decode_startup(body)
    assert isinstance(message, StartupMessage)
    return message


def test_a_startup_message_gives_version_and_parameters() -> None:
    message = startup(startup_body(V3_0, "user", "ann", "database", "sales", "application_name", ""))
    assert message == StartupMessage(
        PROTOCOL_3_0, {"user": "ann", "database": "sales", "application_name": ""}
    )
    assert (message.user, message.database) == ("ann", "sales")


@pytest.mark.parametrize("extra", [(), ("database", "")])
def test_the_database_is_the_users_name_where_none_is_given(extra: tuple[str, ...]) -> None:
    assert startup(startup_body(V3_0, "user", "ann", *extra)).database == "ann"


def test_quotes_in_a_value_are_the_clients_own() -> None:
    # asyncpg sends client_encoding so
    assert startup(startup_body(V3_0, "user", "a", "client_encoding", "'utf-8'")).parameters[
        "client_encoding"
    ] == ("'utf-8'")


def test_protocol_options_are_kept_apart() -> None:
    message = startup(startup_body(V3_0, "user", "ann", "_pq_.report", "1"))
    assert dict(message.parameters) == {"user": "ann"}
    assert message.protocol_options == ("_pq_.report",)


@pytest.mark.parametrize("strings", [(), ("database", "x"), ("user", "")])
def test_a_user_name_is_required(strings: tuple[str, ...]) -> None:
    with pytest.raises(AuthenticationFailed, match="no PostgreSQL user name") as caught:
        decode_startup(startup_body(V3_0, *strings))
    assert caught.value.sqlstate is SqlState.INVALID_AUTHORIZATION_SPECIFICATION


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"user",
        b"user\0",
        b"user\0ann",
        b"user\0ann\0",
        b"user\0\0",
        b"\0\0",
        b"user\0ann\0\0\0",
        b"\0a\0b\0\0",
    ],
)
def test_a_broken_layout_is_a_violation(rest: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="invalid startup packet layout"):
        decode_startup(int32(V3_0) + rest)


def test_a_parameter_that_is_not_utf8_is_fatal() -> None:
    with pytest.raises(ProtocolViolation) as caught:
        decode_startup(int32(V3_0) + b"user\0\xff\0\0")
    assert caught.value.sqlstate is SqlState.CHARACTER_NOT_IN_REPERTOIRE


@pytest.mark.parametrize("body", [b"", b"\0\x03\0"])
def test_a_body_without_a_code_is_a_violation(body: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="invalid length of startup packet"):
        decode_startup(body)


def test_requests_for_encryption_are_only_a_code() -> None:
    assert decode_startup(int32(80877103)) == SSLRequest()
    assert decode_startup(int32(80877104)) == GSSENCRequest()
    for code in (80877103, 80877104):
        with pytest.raises(ProtocolViolation):
            decode_startup(int32(code) + b"\0")


@pytest.mark.parametrize("size", [4, 32, 256])
def test_a_cancel_request_takes_keys_of_every_version(size: int) -> None:
    assert decode_startup(int32(80877102) + int32(-5) + bytes(size)) == CancelRequest(-5, bytes(size))


@pytest.mark.parametrize("size", [0, 3, 257])
def test_a_cancel_key_of_another_length_is_a_violation(size: int) -> None:
    with pytest.raises(ProtocolViolation, match="cancel"):
        decode_startup(int32(80877102) + int32(5) + bytes(size))


@pytest.mark.parametrize(("code", "version"), [(2 << 16, "2.0"), (4 << 16 | 1, "4.1"), (0, "0.0")])
def test_another_major_version_is_refused_clearly(code: int, version: str) -> None:
    with pytest.raises(ProtocolViolation, match=f"unsupported frontend protocol {version}: server") as caught:
        decode_startup(startup_body(code, "user", "ann"))
    assert caught.value.sqlstate is SqlState.FEATURE_NOT_SUPPORTED


def versioned(minor: int, *options: str) -> StartupMessage:
    return StartupMessage(ProtocolVersion(3, minor), {"user": "ann"}, options)


@pytest.mark.parametrize("minor", [0, 2])
def test_a_version_that_we_speak_needs_no_negotiation(minor: int) -> None:
    assert negotiate(versioned(minor)) == ((3, minor), None)


@pytest.mark.parametrize(("asked", "agreed"), [(1, 0), (3, 2), (9999, 2)])
def test_another_minor_version_falls_to_the_newest_below_it(asked: int, agreed: int) -> None:
    assert negotiate(versioned(asked)) == ((3, agreed), NegotiateProtocolVersion(V3_0 | agreed, ()))


def test_unknown_options_are_named_back() -> None:
    assert negotiate(versioned(0, "_pq_.a")) == (PROTOCOL_3_0, NegotiateProtocolVersion(V3_0, ("_pq_.a",)))


def test_the_secret_key_is_as_long_as_the_version_allows() -> None:
    assert (PROTOCOL_3_0.secret_key_bytes, PROTOCOL_3_2.secret_key_bytes) == (4, 32)

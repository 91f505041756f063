"""Verifiers, SASLprep, and both exchanges; SCRAM against scramp's client."""

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace

import pytest
from scramp import ScramClient
from scramp.utils import saslprep

from pgwire.auth.cleartext import CleartextExchange
from pgwire.auth.exchange import AuthenticationExchange
from pgwire.auth.saslprep import prepare_password
from pgwire.auth.scram import MECHANISM, MECHANISM_PLUS, ScramExchange
from pgwire.auth.verifier import ScramVerifier, make_verifier, mock_verifier, parse_verifier
from pgwire.backend import (
    AuthenticationCleartextPassword,
    AuthenticationSASL,
    AuthenticationSASLContinue,
    AuthenticationSASLFinal,
)
from pgwire.errors import AuthenticationFailed, GatewayError, ProtocolViolation
from pgwire.frontend import PasswordMessage
from pgwire.sqlstate import SqlState
from tests.unit.pgwire.frontend_bytes import sasl_initial

PASSWORD = "pässword, 1"
SALT = bytes(range(16))
VERIFIER = make_verifier(PASSWORD, SALT, 4096)
NONCE = "server+nonce/0123456789a"
BINDING = hashlib.sha256(b"certificate").digest()
# Made by PostgreSQL 15: CREATE ROLE r PASSWORD 'pencil'.
POSTGRESQL_VERIFIER = (
    "SCRAM-SHA-256$4096:V+M1Lstn5lb3YDn1QaHOzA==$"
    "7Eayzd/HqVhvqJeZJMZ1ISg4n9DL88TmtLKEWU5sMJE=:j8DAWFfiep/iDYFqriGJOma7ai92Z5/rFzI8/9Vq638="
)
WRONG = 'password authentication failed for user "ann"'


def scram(verifier: ScramVerifier = VERIFIER, binding: bytes | None = None) -> ScramExchange:
    exchange = ScramExchange("ann", verifier, NONCE, binding)
    exchange.start()
    return exchange


def converse(exchange: ScramExchange, client: ScramClient) -> None:
    """Let scramp's client talk to our server, to the end."""
    first = sasl_initial(client.mechanism_name, client.get_client_first().encode())
    (challenge,) = exchange.receive(first)
    assert isinstance(challenge, AuthenticationSASLContinue)
    client.set_server_first(challenge.data.decode())
    (final,) = exchange.receive(PasswordMessage(client.get_client_final().encode()))
    assert isinstance(final, AuthenticationSASLFinal)
    client.set_server_final(final.data.decode())


def client(password: str = PASSWORD, mechanism: str = MECHANISM, binding: bytes | None = None) -> ScramClient:
    channel = None if binding is None else ("tls-server-end-point", binding)
    return ScramClient([mechanism], "somebody", password, channel_binding=channel)


def test_scramps_client_proves_its_password_and_believes_our_proof() -> None:
    exchange = scram()
    assert not exchange.is_done
    converse(exchange, client())
    assert exchange.is_done


def test_scramps_client_binds_to_the_channel() -> None:
    exchange = scram(binding=BINDING)
    converse(exchange, client(mechanism=MECHANISM_PLUS, binding=BINDING))
    assert exchange.is_done


def test_plus_is_offered_only_where_there_is_a_channel_to_bind() -> None:
    assert ScramExchange("ann", VERIFIER, NONCE).start() == (AuthenticationSASL((MECHANISM,)),)
    assert ScramExchange("ann", VERIFIER, NONCE, BINDING).start() == (
        AuthenticationSASL((MECHANISM_PLUS, MECHANISM)),
    )


def test_a_wrong_password_fails_with_28p01() -> None:
    exchange = scram()
    with pytest.raises(AuthenticationFailed) as caught:
        converse(exchange, client("wrong"))
    assert (caught.value.message, caught.value.sqlstate) == (WRONG, SqlState.INVALID_PASSWORD)
    assert not exchange.is_done


def test_an_unknown_user_looks_like_a_wrong_password() -> None:
    mock = mock_verifier("ann", b"server secret")
    wrong, unknown = scram(), scram(mock)
    first = sasl_initial(MECHANISM, b"n,,n=,r=abc")
    for exchange in (wrong, unknown):
        (challenge,) = exchange.receive(first)
        assert isinstance(challenge, AuthenticationSASLContinue)
        fields = dict(part.split("=", 1) for part in challenge.data.decode().split(","))
        assert (fields["r"], len(fields["s"]), fields["i"]) == ("abc" + NONCE, 24, "4096")
    final = PasswordMessage(f"c=biws,r=abc{NONCE},p={b64encode(bytes(32)).decode()}".encode())
    for exchange in (wrong, unknown):
        with pytest.raises(AuthenticationFailed) as caught:
            exchange.receive(final)
        assert caught.value.message == WRONG


def test_not_even_the_mock_verifiers_own_keys_log_in() -> None:
    mock = replace(make_verifier(PASSWORD, SALT), is_mock=True)
    with pytest.raises(AuthenticationFailed):
        converse(scram(mock), client())
    assert not mock.matches(PASSWORD)


def test_a_mock_verifier_depends_on_secret_and_name_only() -> None:
    assert mock_verifier("ann", b"s") == mock_verifier("ann", b"s")
    others = (mock_verifier("bob", b"s"), mock_verifier("ann", b"t"))
    assert mock_verifier("ann", b"s").salt not in {other.salt for other in others}
    assert mock_verifier("ann", b"s", 10_000).iterations == 10_000


def proof_for(first_bare: str, without_proof: str, verifier_password: str = PASSWORD) -> str:
    """Make the client's proof by RFC 5802, without scramp (which refuses an empty user name)."""
    salted = hashlib.pbkdf2_hmac("sha256", verifier_password.encode(), SALT, 4096)
    key = hmac.digest(salted, b"Client Key", "sha256")
    nonce = first_bare.split("r=")[1].split(",")[0] + NONCE
    server_first = f"r={nonce},s={b64encode(SALT).decode()},i=4096"
    signature = hmac.digest(
        hashlib.sha256(key).digest(), f"{first_bare},{server_first},{without_proof}".encode(), "sha256"
    )
    return b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()


@pytest.mark.parametrize(
    ("first", "binding"),
    [("n,,n=,r=abc", "biws"), ("y,,n=,r=abc", "eSws"), ("n,,n=*,r=abc,x=extension", "biws")],
)
def test_libpqs_client_first_logs_in(first: str, binding: str) -> None:
    exchange = scram()
    exchange.receive(sasl_initial(MECHANISM, first.encode()))
    without_proof = f"c={binding},r=abc{NONCE}"
    proof = proof_for(first.split(",", 2)[2], without_proof)
    assert len(exchange.receive(PasswordMessage(f"{without_proof},p={proof}".encode()))) == 1
    assert exchange.is_done


def test_a_client_may_send_its_first_message_later() -> None:
    exchange = scram()
    assert exchange.receive(sasl_initial(MECHANISM, None)) == (AuthenticationSASLContinue(b""),)
    (challenge,) = exchange.receive(PasswordMessage(b"n,,n=,r=abc"))
    assert isinstance(challenge, AuthenticationSASLContinue)
    assert challenge.data.startswith(b"r=abc" + NONCE.encode())


@pytest.mark.parametrize(
    ("first", "sqlstate"),
    [
        (b"", "08P01"),
        (b"\xff", "08P01"),
        (b"n,,n=,r=abc\0", "08P01"),
        (b"n", "08P01"),
        (b"x,,n=,r=abc", "08P01"),
        (b"n,,r=abc", "08P01"),
        (b"n,,n=,r=", "08P01"),
        (b"n,,n=,r=a b", "08P01"),
        (b"n,a=ann,n=,r=abc", "0A000"),
        (b"n,,m=ext,n=,r=abc", "0A000"),
        (b"p=tls-server-end-point,,n=,r=abc", "08P01"),  # but not the PLUS mechanism
    ],
)
def test_a_malformed_client_first_is_a_violation(first: bytes, sqlstate: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        scram().receive(sasl_initial(MECHANISM, first))
    assert caught.value.sqlstate == sqlstate


@pytest.mark.parametrize(
    "final",
    [
        "",
        "nonsense",
        f"c=biws,r=abc{NONCE}",
        f"r=abc{NONCE},c=biws,p=AAAA",
        f"c=biws,r=other{NONCE},p={b64encode(bytes(32)).decode()}",
        f"c=biws,r=abc{NONCE},p=AAAA",
        f"c=biws,r=abc{NONCE},p=!!!!",
        f"c=ü,r=abc{NONCE},p={b64encode(bytes(32)).decode()}",
    ],
)
def test_a_malformed_client_final_is_a_violation(final: str) -> None:
    exchange = scram()
    exchange.receive(sasl_initial(MECHANISM, b"n,,n=,r=abc"))
    with pytest.raises(ProtocolViolation, match="malformed SCRAM message"):
        exchange.receive(PasswordMessage(final.encode()))


@pytest.mark.parametrize("mechanism", ["", "SCRAM-SHA-1", MECHANISM_PLUS])
def test_a_mechanism_that_was_not_offered_is_a_violation(mechanism: str) -> None:
    with pytest.raises(ProtocolViolation, match="invalid SASL authentication mechanism"):
        scram().receive(sasl_initial(mechanism, b"n,,n=,r=abc"))


def test_a_client_that_was_denied_plus_is_refused() -> None:
    with pytest.raises(AuthenticationFailed, match="negotiation error") as caught:
        scram(binding=BINDING).receive(sasl_initial(MECHANISM, b"y,,n=,r=abc"))
    assert caught.value.sqlstate is SqlState.INVALID_AUTHORIZATION_SPECIFICATION


@pytest.mark.parametrize("first", [b"n,,n=,r=abc", b"y,,n=,r=abc", b"p=tls-unique,,n=,r=abc"])
def test_plus_needs_the_binding_that_was_offered(first: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        scram(binding=BINDING).receive(sasl_initial(MECHANISM_PLUS, first))


def test_another_channel_is_refused() -> None:
    with pytest.raises(AuthenticationFailed, match="channel binding check failed") as caught:
        converse(scram(binding=BINDING), client(mechanism=MECHANISM_PLUS, binding=b"x" * 32))
    assert caught.value.sqlstate is SqlState.INVALID_AUTHORIZATION_SPECIFICATION


def test_a_header_changed_between_first_and_final_is_refused() -> None:
    exchange = scram()
    exchange.receive(sasl_initial(MECHANISM, b"y,,n=,r=abc"))
    without_proof = f"c=biws,r=abc{NONCE}"
    proof = proof_for("n=,r=abc", without_proof)
    with pytest.raises(AuthenticationFailed, match="channel binding check failed"):
        exchange.receive(PasswordMessage(f"{without_proof},p={proof}".encode()))


def test_an_exchange_has_one_try_and_an_end() -> None:
    failed = scram()
    with pytest.raises(AuthenticationFailed):
        converse(failed, client("wrong"))
    done = scram()
    converse(done, client())
    for exchange in (failed, done, ScramExchange("ann", VERIFIER, NONCE)):
        with pytest.raises(ProtocolViolation, match="unexpected SASL response"):
            exchange.receive(sasl_initial(MECHANISM, b"n,,n=,r=abc"))


@pytest.mark.parametrize("nonce", ["", "a,b", "a b", "ä"])
def test_a_server_nonce_that_scram_forbids_is_a_callers_bug(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        ScramExchange("ann", VERIFIER, nonce)


def test_a_verifier_is_postgresqls_text_and_back() -> None:
    verifier = parse_verifier(POSTGRESQL_VERIFIER)
    assert verifier.format() == POSTGRESQL_VERIFIER
    assert verifier.matches("pencil")
    assert not verifier.matches("Pencil")
    assert make_verifier("pencil", verifier.salt, verifier.iterations) == verifier


KEY = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "md5d41d8cd98f00b204e9800998ecf8427e",
        f"SCRAM-SHA-256$0:c2FsdA==${KEY}:{KEY}",
        f"SCRAM-SHA-256$x:c2FsdA==${KEY}:{KEY}",
        f"SCRAM-SHA-256$4096:c2FsdA=${KEY}:{KEY}",
        f"SCRAM-SHA-256$4096:c2FsdA==${KEY}:AAAA",
        f"SCRAM-SHA-256$4096:c2FsdA==${KEY}",
        f"SCRAM-SHA-256$4096:c2FsdA==${KEY}:{KEY}\n",
    ],
)
def test_what_is_no_verifier_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a SCRAM-SHA-256 verifier(: bad (base64|key length))?$"):
        parse_verifier(text)


def test_no_secret_is_in_a_verifiers_repr() -> None:
    assert repr(VERIFIER) == "ScramVerifier(iterations=4096, is_mock=False)"


@pytest.mark.parametrize("password", ["pencil", "pässword", "ℌ", "Ⅸ", "a\u00a0b", "I\u00adX", "日本語"])
def test_passwords_are_prepared_as_rfc_4013_says(password: str) -> None:
    assert prepare_password(password) == saslprep(password)


@pytest.mark.parametrize(
    "password",
    [
        "\x07bell",  # ASCII: left alone
        "ä\x07",  # control character
        "\u00ad",  # nothing left
        "ا1",  # right-to-left that does not end so
        "اaا",  # both directions
        "\ue000",  # private use
        "\u0221",  # unassigned in Unicode 3.2
    ],
)
def test_what_cannot_be_prepared_is_used_as_it_is(password: str) -> None:
    assert prepare_password(password) == password


def test_a_zero_width_space_becomes_a_space() -> None:
    assert prepare_password("ä\u200bb") == "ä b"


def cleartext(verifier: ScramVerifier = VERIFIER) -> CleartextExchange:
    exchange = CleartextExchange("ann", verifier.matches)
    assert exchange.start() == (AuthenticationCleartextPassword(),)
    return exchange


def test_a_cleartext_password_is_checked_against_the_verifier() -> None:
    exchange = cleartext()
    assert not exchange.is_done
    assert exchange.receive(PasswordMessage(PASSWORD.encode() + b"\0")) == ()
    assert exchange.is_done


@pytest.mark.parametrize("body", [b"wrong\0", b"\0", b"\xff\0"])
def test_a_wrong_empty_or_unreadable_password_fails_alike(body: bytes) -> None:
    exchange = cleartext()
    with pytest.raises(AuthenticationFailed) as caught:
        exchange.receive(PasswordMessage(body))
    assert caught.value.message == WRONG
    assert not exchange.is_done


def test_an_empty_password_fails_even_if_it_is_the_users() -> None:
    with pytest.raises(AuthenticationFailed):
        cleartext(make_verifier("", SALT, 1)).receive(PasswordMessage(b"\0"))


def test_a_cleartext_exchange_takes_one_password() -> None:
    done = cleartext()
    done.receive(PasswordMessage(PASSWORD.encode() + b"\0"))
    for exchange in (done, CleartextExchange("ann", VERIFIER.matches)):
        with pytest.raises(ProtocolViolation, match="unexpected password message"):
            exchange.receive(PasswordMessage(b"x\0"))


def test_both_exchanges_are_driven_alike() -> None:
    exchanges: tuple[AuthenticationExchange, ...] = (scram(), cleartext())
    for exchange in exchanges:
        with pytest.raises(GatewayError) as caught:
            exchange.receive(PasswordMessage(b"garbage"))
        assert caught.value.fatal

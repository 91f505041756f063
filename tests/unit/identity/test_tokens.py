"""JWTs: what is signed by whom, for whom and when; keys from a file or a URL, renewed when one is unknown."""

import base64
import hmac
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, RSAKey

from pgproxy.identity.key_ring import KeyRing, key_source
from pgproxy.identity.tokens import TokenOptions, TokenSubject, TokenVerifier

NOW = 1_800_000_000
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})
CLAIMS = {"iss": "https://idp.test", "aud": "pgproxy", "sub": "ann", "exp": NOW + 60, "iat": NOW}
OPTIONS = TokenOptions("https://idp.test", "pgproxy", frozenset({"RS256", "ES256"}), groups_claim="groups")


def jwks(*keys: Key) -> bytes:
    return json.dumps(KeySet(list(keys)).as_dict(private=False)).encode()


class Source:
    """A JWKS that changes. reads: how often it was read."""

    def __init__(self, *keys: Key) -> None:
        self.text = jwks(*keys)
        self.reads = 0
        self.is_broken = False

    def __call__(self) -> bytes:
        self.reads += 1
        if self.is_broken:
            raise OSError("no network")
        return self.text


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def verifier(source: Source, clock: Clock | None = None, options: TokenOptions = OPTIONS) -> TokenVerifier:
    return TokenVerifier(options, KeyRing(source, 300.0, clock or Clock()), lambda: NOW)


def signed(key: Key = RSA, alg: str = "RS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
    given = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid, **(header or {})}, given, key, [alg])


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_good_token_names_its_principal_and_groups() -> None:
    check = verifier(Source(RSA, EC))
    assert check.read(signed()) == TokenSubject("ann")
    assert check.read(signed(EC, "ES256", groups=["team", "staff"])) == TokenSubject(
        "ann", frozenset({"team", "staff"})
    )
    assert check.read(signed(aud=["other", "pgproxy"], groups="a b")) == TokenSubject(
        "ann", frozenset({"a", "b"})
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 31},
        {"exp": None},
        {"nbf": NOW + 31},
        {"iat": NOW + 31},
        {"iss": "https://other.test"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": []},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"exp": "soon"},
    ],
    ids=str,
)
def test_a_token_for_another_time_place_or_nobody_is_refused(claims: dict[str, Any]) -> None:
    assert verifier(Source(RSA)).read(signed(**claims)) is None


@pytest.mark.parametrize("claims", [{"exp": NOW - 29}, {"nbf": NOW + 29}])
def test_clocks_may_differ_by_the_leeway(claims: dict[str, Any]) -> None:
    assert verifier(Source(RSA)).read(signed(**claims)) == TokenSubject("ann")


def test_who_does_not_hold_the_key_signs_nothing() -> None:
    check = verifier(Source(RSA, EC))
    good = signed()
    header, payload, signature = good.split(".")
    public = RSA.as_pem(private=False)
    forged = {
        "another key under the same id": signed(STRANGER),
        "no algorithm": f"{part({'alg': 'none', 'kid': 'rsa'})}.{payload}.",
        "no signature": f"{header}.{payload}.",
        "other claims": f"{header}.{part({**CLAIMS, 'sub': 'root'})}.{signature}",
        "an algorithm that is not allowed": signed(alg="RS512"),
        "the key of another algorithm": f"{part({'alg': 'ES256', 'kid': 'rsa'})}.{payload}.{signature}",
        "its own key inside": signed(STRANGER, header={"jwk": STRANGER.as_dict(private=False)}),
        "no token": "eyJ.eyJ.x",
        "nothing": "..",
        "too long": signed(pad="x" * 20_000),
    }
    for how, token in forged.items():
        assert check.read(token) is None, how
    body = f"{part({'alg': 'HS256', 'kid': 'rsa'})}.{payload}"
    mac = base64.urlsafe_b64encode(hmac.digest(public, body.encode(), "sha256")).decode().rstrip("=")
    assert check.read(f"{body}.{mac}") is None, "the public key is no secret"
    allowing = TokenOptions("https://idp.test", "pgproxy", frozenset({"HS256"}))
    assert verifier(Source(RSA), options=allowing).read(f"{body}.{mac}") is None
    assert check.read(good) == TokenSubject("ann")


def test_shared_secrets_in_a_jwks_are_not_keys() -> None:
    secret = OctKey.generate_key(256, {"kid": "oct"})
    source = Source(RSA)
    source.text = json.dumps(KeySet([RSA, secret]).as_dict(private=True)).encode()
    token = jwt.encode({"alg": "HS256", "kid": "oct"}, dict(CLAIMS), secret, ["HS256"])
    assert verifier(source).read(token) is None
    assert verifier(source).read(signed()) == TokenSubject("ann")


def test_an_unknown_key_id_makes_the_source_be_read_again_but_not_each_time() -> None:
    clock, source = Clock(), Source(RSA)
    check = verifier(source, clock)
    assert check.read(signed()) == TokenSubject("ann")
    source.text = jwks(EC)
    clock.now += 11
    assert check.read(signed(EC, "ES256")) == TokenSubject("ann"), "a new key is found at once"
    assert source.reads == 2
    for _ in range(100):
        assert check.read(signed()) is None, "the old key is gone"
    assert source.reads == 2
    clock.now += 11
    assert check.read(signed()) is None
    assert source.reads == 3


def test_keys_are_renewed_with_age_and_kept_a_day_where_they_cannot_be() -> None:
    clock, source = Clock(), Source(RSA)
    check = verifier(source, clock)
    assert check.read(signed()) == TokenSubject("ann")
    clock.now += 301
    assert check.read(signed()) == TokenSubject("ann")
    assert source.reads == 2
    source.is_broken = True
    clock.now += 80_000
    assert check.read(signed()) == TokenSubject("ann")
    clock.now += 10_000
    assert check.read(signed()) is None, "too old to trust"
    source.is_broken = False
    clock.now += 11
    assert check.read(signed()) == TokenSubject("ann")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": []}', b'{"keys": [1]}', b"\xff"]
)
def test_a_broken_jwks_gives_no_keys(text: bytes) -> None:
    source = Source(RSA)
    source.text = text
    assert verifier(source).read(signed()) is None


@contextmanager
def web_server(answers: dict[str, tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answers[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_keys_come_from_a_file_or_a_url(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(jwks(RSA))
    assert key_source(str(file))() == jwks(RSA)
    large = b" " * (2 << 20)
    with web_server(
        {
            "/keys": (200, {}, jwks(RSA)),
            "/moved": (302, {"Location": "/keys"}, b""),
            "/large": (200, {}, large),
        }
    ) as url:
        assert key_source(f"{url}/keys")() == jwks(RSA)
        for path in ("/moved", "/large"):
            ring = KeyRing(key_source(url + path), 300.0, Clock())
            assert ring.keys() is None, path
    with pytest.raises(ValueError, match="https"):
        key_source("http://idp.test/keys")

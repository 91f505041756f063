"""A gateway that takes every kind of login, an identity provider beside it, and clients to try them with."""

import contextlib
import http.server
import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.certificates import Authority, Certificate
from tests.gateway import RunningGateway, start_gateway

ISSUER, AUDIENCE = "https://idp.test", "pgproxy-test"
SIGNING = RSAKey.generate_key(2048, {"kid": "one"})
NEXT_SIGNING = RSAKey.generate_key(2048, {"kid": "two"})

POLICY = """
groups: {eu_team: {}, from_idp: {}}
users:
  analyst: {password: analyst-secret, groups: [eu_team]}
  etl: {}
  tokened: {}
  certified: {}
  bound: {password: bound-secret}
  both: {password: both-secret}
  banned: {password: banned-secret}
  plain: {password: plain-secret}
  far: {password: far-secret}
  away: {password: away-secret}
  clear: {password: clear-secret}
  expired: {password: expired-secret, valid_until: 2020-01-01T00:00:00Z}
  locked: {password: locked-secret, login: false}
  guessed: {password: guessed-secret}
grants:
  - {to: eu_team, privileges: [SELECT, INSERT], on: test.public.*}
  - {to: from_idp, privileges: [SELECT], on: test.sales.orders}
hba_rules:
  - host all banned all reject
  - hostssl all etl,tokened all password accept=api_key,jwt
  - hostssl all clear all password
  - hostssl all certified all cert
  - hostssl all bound all scram-sha-256-plus
  - hostssl all both all scram-sha-256 clientcert=verify-full
  - hostnossl all plain 127.0.0.1/32 scram-sha-256
  - host all far 127.0.0.2/32 scram-sha-256
  - host all away 10.0.0.0/8 scram-sha-256
  - host all +eu_team,admin,expired,locked,guessed,ghost 127.0.0.0/8 scram-sha-256
"""


@dataclass
class World:
    """A gateway with TLS, rules, an identity provider's keys, and certificates."""

    gateway: RunningGateway
    authority: Authority
    jwks: Path
    jwks_asked: list[float]
    certificates: dict[str, Certificate] = field(default_factory=dict)

    def certificate(self, name: str) -> dict[str, str]:
        if name not in self.certificates:
            self.certificates[name] = self.authority.issue(name, f"client-{name}")
        issued = self.certificates[name]
        return {"sslcert": str(issued.certificate), "sslkey": str(issued.key)}

    def dsn(self, user: str, password: str, **options: str) -> str:
        tls = {"sslmode": "verify-full", "sslrootcert": str(self.authority.file), **options}
        return self.gateway.dsn(user, password) + "".join(f" {name}={value}" for name, value in tls.items())

    def key(self, role: str, *options: str) -> str:
        return self.gateway.cli("key", "create", role, *options).strip()


def key_id(key: str) -> str:
    return key.split("_")[1]


def token(key: RSAKey = SIGNING, **claims: Any) -> str:
    now = int(time.time())
    given = {"iss": ISSUER, "aud": AUDIENCE, "sub": "tokened", "iat": now, "exp": now + 300, **claims}
    return jwt.encode({"alg": "RS256", "kid": key.kid}, given, key, ["RS256"])


def write_jwks(file: Path, *keys: RSAKey) -> None:
    file.write_text(json.dumps(KeySet(list(keys)).as_dict(private=False)))


@contextlib.contextmanager
def served(file: Path, issued: Certificate) -> Iterator[tuple[str, list[float]]]:
    """The identity provider: a file over https, as it is when it is asked for; gives when it was."""
    asked: list[float] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(time.monotonic())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(file.read_bytes())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/keys", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("identity")
    authority = Authority(folder)
    server = authority.issue("127.0.0.1", "server")
    jwks = folder / "jwks.json"
    write_jwks(jwks, SIGNING)
    with (
        served(jwks, server) as (jwks_url, asked),
        start_gateway(
            folder,
            policy=POLICY,
            SSL_CERT_FILE=str(authority.file),
            TLS_CERT_FILE=str(server.certificate),
            TLS_KEY_FILE=str(server.key),
            TLS_CLIENT_CA_FILE=str(authority.file),
            JWT_JWKS=jwks_url,
            JWT_ISSUER=ISSUER,
            JWT_AUDIENCE=AUDIENCE,
            JWT_GROUPS_CLAIM="groups",
            LOGIN_LOCK_AFTER="3",
            LOGIN_LOCK_FIRST="1h",
            LOGIN_LOCK_LONGEST="1h",
            FEATURE_ASYNC_QUEUE="true",
            HTTP_TLS="true",
            JWT_LEEWAY="0s",
        ) as gateway,
    ):
        yield World(gateway, authority, jwks, asked)


def by_psycopg(dsn: str) -> str:
    """Log in; give who one is, or the SQLSTATE and the text of the refusal."""
    try:
        with psycopg.connect(dsn) as connection:
            return str(connection.execute("SELECT current_user").fetchone()[0])  # type: ignore[index]
    except psycopg.OperationalError as error:
        return "refused: " + str(error).strip()


def by_psql(dsn: str) -> str:
    done = subprocess.run(
        ["psql", "-XAtw", dsn, "-c", "SELECT current_user"],
        env={**os.environ, "PGPASSWORD": ""},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else "refused: " + done.stderr.strip()


libpq = pytest.mark.parametrize("log_in", [by_psycopg, by_psql])
LogIn = Callable[[str], str]
WRONG = 'password authentication failed for user "{}"'


def sqlstate(session: "psycopg.Connection[tuple[object, ...]]") -> str | None:
    """Run a statement; give how it failed."""
    try:
        session.execute("SELECT 1")
    except psycopg.Error as error:
        return error.sqlstate
    return None


def until(holds: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)

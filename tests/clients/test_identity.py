"""Every way to log in, by psql, psycopg and pgjdbc, and to be refused: rules, keys, tokens, locks."""

import contextlib
import shutil
import subprocess
import time

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import RSAKey

from tests.clients.identity_world import (
    NEXT_SIGNING,
    SIGNING,
    WRONG,
    LogIn,
    World,
    by_psycopg,
    key_id,
    libpq,
    sqlstate,
    token,
    until,
    write_jwks,
)
from tests.clients.test_jdbc import DRIVER, FOLDER, class_path
from tests.faults.raw_client import RawClient, Refused, error_fields, startup, tagged
from tests.gateway import ADMIN, ADMIN_PASSWORD


@libpq
def test_scram_with_and_without_tls(world: World, log_in: LogIn) -> None:
    assert log_in(world.dsn("analyst", "analyst-secret")) == "analyst"
    assert log_in(world.gateway.dsn("analyst") + " sslmode=disable") == "analyst"
    assert WRONG.format("analyst") in log_in(world.dsn("analyst", "wrong"))
    assert log_in(world.dsn("analyst", "analyst-secret")) == "analyst", "which forgets the failure"


@libpq
def test_scram_plus_only(world: World, log_in: LogIn) -> None:
    assert log_in(world.dsn("bound", "bound-secret", channel_binding="require")) == "bound"
    assert "refused" in log_in(world.dsn("bound", "bound-secret", channel_binding="disable"))
    assert "no pg_hba.conf entry" in log_in(world.gateway.dsn("bound") + " sslmode=disable")


@libpq
def test_an_api_key_as_password_inside_tls(world: World, log_in: LogIn) -> None:
    key = world.key("etl", "--label", "nightly")
    assert log_in(world.dsn("etl", key)) == "etl"
    assert WRONG.format("etl") in log_in(world.dsn("etl", key[:-1] + ("A" if key[-1] != "A" else "B")))
    assert WRONG.format("tokened") in log_in(world.dsn("tokened", key)), "it is somebody else's"
    assert "no pg_hba.conf entry" in log_in(world.gateway.dsn("etl", key) + " sslmode=disable")


@libpq
def test_an_api_key_by_scram_needs_no_tls_and_no_cleartext(world: World, log_in: LogIn) -> None:
    key = world.key("analyst")
    name = f"analyst+{key_id(key)}"
    assert log_in(world.gateway.dsn(name, key) + " sslmode=disable") == "analyst"
    assert log_in(world.dsn(name, key, channel_binding="require")) == "analyst"
    other = world.key("analyst")
    assert WRONG.format(name) in log_in(world.dsn(name, other))
    unknown = "analyst+" + "a" * 16
    assert WRONG.format(unknown) in log_in(world.dsn(unknown, key))


@libpq
def test_a_token_as_password_inside_tls(world: World, log_in: LogIn) -> None:
    assert log_in(world.dsn("tokened", token())) == "tokened"
    assert WRONG.format("tokened") in log_in(world.dsn("tokened", token(exp=int(time.time()) - 60)))
    assert WRONG.format("tokened") in log_in(world.dsn("tokened", token(aud="another")))
    assert WRONG.format("tokened") in log_in(world.dsn("tokened", token(sub="analyst")))
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    assert WRONG.format("tokened") in log_in(world.dsn("tokened", token(stranger)))
    assert "no pg_hba.conf entry" in log_in(world.gateway.dsn("tokened", token()) + " sslmode=disable")


@libpq
def test_a_password_in_the_clear_inside_tls_where_the_rule_says_so(world: World, log_in: LogIn) -> None:
    assert log_in(world.dsn("clear", "clear-secret")) == "clear"
    assert WRONG.format("clear") in log_in(world.dsn("clear", "wrong"))
    assert log_in(world.dsn("clear", "clear-secret")) == "clear"
    assert log_in(world.dsn("clear", token(sub="clear"))) == "clear"


@libpq
def test_a_client_certificate(world: World, log_in: LogIn) -> None:
    assert log_in(world.dsn("certified", "", **world.certificate("certified"))) == "certified"
    assert "certificate authentication failed" in log_in(
        world.dsn("certified", "", **world.certificate("analyst"))
    )
    assert "requires a valid client certificate" in log_in(world.dsn("certified", "", sslcert="/nowhere"))


@libpq
def test_a_certificate_and_a_password(world: World, log_in: LogIn) -> None:
    own = world.certificate("both")
    assert log_in(world.dsn("both", "both-secret", **own)) == "both"
    assert WRONG.format("both") in log_in(world.dsn("both", "wrong", **own))
    assert "requires a valid client certificate" in log_in(world.dsn("both", "both-secret", sslcert="/no"))
    assert log_in(world.dsn("both", "both-secret", **own)) == "both"


@libpq
def test_rules_by_user_address_and_tls(world: World, log_in: LogIn) -> None:
    gateway = world.gateway
    assert 'pg_hba.conf rejects connection for host "127.0.0.1", user "banned", database "test"' in log_in(
        world.dsn("banned", "banned-secret")
    )
    assert log_in(gateway.dsn("plain") + " sslmode=disable") == "plain"
    assert 'user "plain", database "test", SSL encryption' in log_in(world.dsn("plain", "plain-secret"))
    missing = 'no pg_hba.conf entry for host "127.0.0.1", user "{}", database "test", no encryption'
    for user in ("away", "far", "nobody"):
        assert missing.format(user) in log_in(gateway.dsn(user) + " sslmode=disable"), user


def test_another_address_is_another_answer(world: World) -> None:
    with RawClient(world.gateway.port, source="127.0.0.2") as client:
        client.log_in("far", "far-secret")
        assert client.query("SELECT 1")[-1] == (b"Z", b"I")
    with RawClient(world.gateway.port) as client, pytest.raises(Refused) as caught:
        client.log_in("far", "far-secret")
    assert (caught.value.sqlstate, caught.value.fields["S"]) == ("28000", "FATAL")


def test_who_has_run_out_is_locked_or_does_not_exist_is_refused_alike(world: World) -> None:
    for user in ("expired", "locked", "ghost"):
        assert by_psycopg(world.dsn(user, f"{user}-secret")).count(WRONG.format(user)) == 1, user


def test_names_that_do_not_exist_go_through_the_same_messages(world: World) -> None:
    """Same messages, same lengths, the same iterations, and a salt that stays: nothing tells them apart."""

    def conversation(user: str) -> tuple[list[tuple[bytes, int]], bytes]:
        with RawClient(world.gateway.port) as client:
            client.send(startup(user, "test"))
            seen: list[tuple[bytes, int]] = []
            message = client.receive()
            assert message is not None
            seen.append((message[0], len(message[1])))
            first = b"n,,n=,r=" + b"c" * 18
            client.send(tagged(b"p", b"SCRAM-SHA-256\0" + len(first).to_bytes(4, "big") + first))
            message = client.receive()
            assert message is not None
            seen.append((message[0], len(message[1])))
            attributes = dict(part.split(b"=", 1) for part in message[1][4:].split(b","))
            final = b"c=biws,r=" + attributes[b"r"] + b",p=" + b"A" * 43 + b"="
            client.send(tagged(b"p", final))
            message = client.receive()
            assert message is not None
            fields = error_fields(message[1])
            assert fields["M"] == WRONG.format(user)
            seen.append((message[0], len(message[1]) - len(user)))
            assert client.receive() is None
        return seen, attributes[b"s"] + b"," + attributes[b"i"]

    real, real_salt = conversation("expired")
    ghost, ghost_salt = conversation("ghost")
    assert ghost == real
    assert ghost_salt != real_salt
    assert conversation("ghost")[1] == ghost_salt, "a salt that changed would tell"
    assert len(ghost_salt) == len(real_salt)


def test_a_captured_conversation_cannot_be_replayed(world: World) -> None:
    with RawClient(world.gateway.port) as client:
        client.log_in("analyst", "analyst-secret")
        sent = list(client.sent)
    with RawClient(world.gateway.port) as replay:
        for data in sent:
            replay.send(data)
            message = replay.receive()
            if message is None or message[0] == b"E":
                break
        assert message is not None
        assert error_fields(message[1])["C"] in ("28P01", "08P01")
        assert "Nonce" in error_fields(message[1]).get("D", "") or "failed" in error_fields(message[1])["M"]


def test_guesses_lock_the_pair_and_the_operator_unlocks_it(world: World) -> None:
    good, bad = world.dsn("guessed", "guessed-secret"), world.dsn("guessed", "wrong")
    assert by_psycopg(good) == "guessed"
    for _ in range(3):
        by_psycopg(bad)
    assert WRONG.format("guessed") in by_psycopg(good), "the right password does not help now"
    with RawClient(world.gateway.port, source="127.0.0.3") as client:
        client.log_in("guessed", "guessed-secret")
    key = world.key("guessed")
    assert by_psycopg(world.dsn(f"guessed+{key_id(key)}", key)) == "guessed", "a key is not guessed"
    world.gateway.cli("user", "unlock", "guessed")
    until(lambda: by_psycopg(good) == "guessed", "unlocked within a second or so")


def test_a_password_is_rotated_at_once_and_open_sessions_go_on(world: World) -> None:
    with contextlib.ExitStack() as stack:
        admin = stack.enter_context(psycopg.connect(world.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True))
        admin.execute("CREATE ROLE rotated LOGIN PASSWORD 'old-one' IN ROLE eu_team")
        session = stack.enter_context(psycopg.connect(world.dsn("rotated", "old-one"), autocommit=True))
        admin.execute("ALTER ROLE rotated PASSWORD 'new-one'")
        assert WRONG.format("rotated") in by_psycopg(world.dsn("rotated", "old-one"))
        assert by_psycopg(world.dsn("rotated", "new-one")) == "rotated"
        assert session.execute("SELECT 1").fetchone() == (1,)
        admin.execute("ALTER ROLE rotated VALID UNTIL '2020-01-01'")
        assert WRONG.format("rotated") in by_psycopg(world.dsn("rotated", "new-one"))
        admin.execute("ALTER ROLE rotated VALID UNTIL 'infinity' CONNECTION LIMIT 1")
        assert "too many connections for role" in by_psycopg(world.dsn("rotated", "new-one"))
        admin.execute("DROP ROLE rotated")


def test_a_key_has_an_end_and_revoking_it_ends_its_sessions(world: World) -> None:
    short = world.key("etl", "--valid-for", "0s")
    assert WRONG.format("etl") in by_psycopg(world.dsn("etl", short))
    key = world.key("etl", "--label", "to be revoked")
    with psycopg.connect(world.dsn("etl", key), autocommit=True) as session:
        assert session.execute("SELECT current_user").fetchone() == ("etl",)
        until(
            lambda: any(
                "to be revoked" in line and "never" not in line
                for line in world.gateway.cli("key", "list").splitlines()
            ),
            "its use is noted",
        )
        listed = world.gateway.cli("key", "list")
        assert key.split("_", 2)[2] not in listed
        world.gateway.cli("key", "revoke", key_id(key))
        until(lambda: sqlstate(session) == "57P01", "its session is ended")
    assert WRONG.format("etl") in by_psycopg(world.dsn("etl", key))


def test_scopes_of_a_key(world: World) -> None:
    reading = world.key("analyst", "--read-only")
    http_only = world.key("analyst", "--interface", "http")
    elsewhere = world.key("analyst", "--database", "other")

    def login(key: str, **more: str) -> str:
        return world.dsn(f"analyst+{key_id(key)}", key, **more)

    with psycopg.connect(login(reading), autocommit=True) as session:
        assert session.execute("SELECT count(*) FROM numbers").fetchone() == (100_000,)
        for sql in (
            "INSERT INTO numbers VALUES (1, 2, 'x')",
            "CREATE TABLE mine (a int)",
            "ALTER ROLE analyst PASSWORD 'taken-over'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(sql)
    assert WRONG.format(f"analyst+{key_id(http_only)}") in by_psycopg(login(http_only))
    assert 'permission denied for database "test"' in by_psycopg(login(elsewhere))


def test_an_administrators_read_only_key_reads_everything_and_administers_nothing(world: World) -> None:
    key = world.key(ADMIN, "--read-only")
    with psycopg.connect(world.dsn(f"{ADMIN}+{key_id(key)}", key), autocommit=True) as session:
        assert session.execute("SELECT secret FROM sales.secrets").fetchone() == ("hidden-marker-7781",)
        assert session.execute("SHOW is_superuser").fetchone() == ("off",)
        for sql in ("DELETE FROM sales.secrets", "CREATE ROLE another LOGIN", "DROP ROLE etl"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(sql)


def test_keys_are_made_and_revoked_by_sql(world: World) -> None:
    with psycopg.connect(world.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin:
        found, key = admin.execute(
            "CREATE API KEY FOR etl LABEL 'by sql' READ ONLY IN DATABASE test VALID UNTIL '2099-01-01'"
        ).fetchone()  # type: ignore[misc]
        assert key_id(key) == found
        assert by_psycopg(world.dsn("etl", key)) == "etl"
        listed = [line for line in world.gateway.cli("key", "list").splitlines() if "by sql" in line]
        assert "read only, database test" in listed[0]
        assert admin.execute(f"DROP API KEY '{found}'").statusmessage == "DROP API KEY"
        assert WRONG.format("etl") in by_psycopg(world.dsn("etl", key))
        with pytest.raises(psycopg.errors.UndefinedObject):
            admin.execute(f"DROP API KEY {found!r}")
        admin.execute(f"DROP API KEY IF EXISTS '{found}'")
    done = world.gateway.psql("-c", "CREATE API KEY FOR etl")
    assert "permission denied: CREATE API KEY is for administrators" in done.stderr
    history = world.gateway.cli("policy", "history", "--limit", "2")
    assert found in history
    assert key not in history


def test_groups_of_a_token_add_memberships_and_nothing_else(world: World) -> None:
    plain = psycopg.connect(world.dsn("tokened", token()), autocommit=True)
    with plain as session, pytest.raises(psycopg.errors.UndefinedTable):
        session.execute("SELECT 1 FROM sales.orders")
    given = token(groups=["from_idp", "no_such_group", ADMIN])
    with psycopg.connect(world.dsn("tokened", given), autocommit=True) as session:
        assert session.execute("SELECT count(*) FROM sales.orders").fetchone() == (2000,)
        assert session.execute("SHOW is_superuser").fetchone() == ("off",)
        with pytest.raises(psycopg.errors.UndefinedTable):
            session.execute("SELECT 1 FROM sales.secrets")


def test_an_attribute_cannot_be_set_by_its_user(world: World) -> None:
    with psycopg.connect(world.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin:
        admin.execute("ALTER ROLE analyst SET pgproxy.attr.tenant = 'a'")
    with psycopg.connect(world.dsn("analyst", "analyst-secret"), autocommit=True) as session:
        assert session.execute("SELECT current_setting('pgproxy.attr.tenant')").fetchone() == ("a",)
        for sql in (
            "SET pgproxy.attr.tenant = 'b'",
            "SET LOCAL pgproxy.attr.tenant = 'b'",
            "SELECT set_config('pgproxy.attr.tenant', 'b', false)",
            "ALTER ROLE analyst SET pgproxy.attr.tenant = 'b'",
            "RESET pgproxy.attr.tenant",
        ):
            with contextlib.suppress(psycopg.Error):
                session.execute(sql)
            assert session.execute("SELECT current_setting('pgproxy.attr.tenant')").fetchone() == ("a",), sql
    options = world.dsn("analyst", "analyst-secret") + " options='-c pgproxy.attr.tenant=b'"
    assert "refused" in by_psycopg(options) or by_psycopg(options) == "analyst"
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(options, autocommit=True) as session:
        assert session.execute("SELECT current_setting('pgproxy.attr.tenant')").fetchone() == ("a",)


def test_new_keys_of_the_identity_provider_are_found(world: World) -> None:
    assert by_psycopg(world.dsn("tokened", token())) == "tokened"
    write_jwks(world.jwks, NEXT_SIGNING)
    until(
        lambda: by_psycopg(world.dsn("tokened", token(NEXT_SIGNING))) == "tokened",
        "an unknown key id makes the URL be read again",
        30.0,
    )
    read = len(world.jwks_asked)
    assert {by_psycopg(world.dsn("tokened", token(NEXT_SIGNING))) for _ in range(5)} == {"tokened"}
    assert len(world.jwks_asked) == read, "keys are kept"
    assert WRONG.format("tokened") in by_psycopg(world.dsn("tokened", token()))
    write_jwks(world.jwks, SIGNING, NEXT_SIGNING)
    until(lambda: by_psycopg(world.dsn("tokened", token())) == "tokened", "as other tests need it", 30.0)


def test_logins_are_in_the_audit_log_with_their_method_and_why_they_failed(world: World) -> None:
    key = world.key("etl")
    here = "127.0.0.9"  # where no other test has failed
    with psycopg.connect(world.dsn("admin", ADMIN_PASSWORD), autocommit=True) as admin:
        (begun,) = admin.execute("SELECT now()").fetchone() or ()
        for user in ("expired", "locked", "ghost", "away", *["analyst"] * 5):
            with RawClient(world.gateway.port, source=here) as client, pytest.raises(Refused):
                client.log_in(user, "typed-secret")
        by_source = (
            "SELECT principal, kind, reason, sqlstate, sum(attempts)::int FROM pgproxy.audit_log WHERE "
            "event = 'login' AND outcome = 'denied' AND client_addr = %s GROUP BY 1, 2, 3, 4 ORDER BY 1, 3"
        )
        scram = "scram-sha-256"
        assert admin.execute(by_source, (here,)).fetchall() == [
            ("", scram, "unknown_role", "28P01", 1),
            ("analyst", scram, "locked_after_failures", "28P01", 2),
            ("analyst", scram, "wrong_secret", "28P01", 3),
            ("away", "reject", "no_rule", "28000", 1),
            ("expired", scram, "password_expired", "28P01", 1),
            ("locked", scram, "role_may_not_log_in", "28P01", 1),
        ]
        assert "does not exist" in by_psycopg(world.dsn("etl", key).replace("dbname=test", "dbname=nowhere"))
        assert by_psycopg(world.dsn("etl", key)) == "etl"
        of_key = (
            "SELECT kind, outcome, reason, sqlstate FROM pgproxy.audit_log WHERE event = 'login' "
            "AND principal = 'etl' AND started_at >= %s"
        )
        assert sorted(admin.execute(of_key, (begun,)).fetchall()) == [
            ("api_key", "denied", "turned_away", "3D000"),
            ("api_key", "ok", "", "00000"),
            ("api_key", "ok", "", "00000"),
        ]
    with psycopg.connect(world.dsn("analyst", "analyst-secret")) as analyst:
        seen = analyst.execute("SELECT DISTINCT principal FROM pgproxy.audit_log").fetchall()
        assert seen == [("analyst",)], "others' logins are not shown"
    exported = world.gateway.cli("audit", "export")
    assert "locked_after_failures" in exported
    assert "typed-secret" not in exported
    assert "ghost" not in exported, "what is nobody's name may be a password"


def test_rules_are_shown_tried_and_replaced_by_the_command_line(world: World) -> None:
    cli = world.gateway.cli
    before = cli("hba", "list")
    assert before.splitlines()[0] == "host all banned all reject"
    match = ("hba", "match", "--address", "10.1.1.1", "--user")
    assert cli(*match, "away").strip() == "host all away 10.0.0.0/8 scram-sha-256"
    assert cli(*match, "etl").strip() == "no rule: rejected"
    assert cli(*match, "etl", "--tls").strip() == "hostssl all etl,tokened all password accept=api_key,jwt"
    file = world.gateway.folder / "rules.conf"
    file.write_text("# away may come now\nhost all away all scram-sha-256\n" + before)
    assert cli("hba", "check", str(file)).endswith("rules\n")
    cli("hba", "set", str(file))
    assert by_psycopg(world.dsn("away", "away-secret")) == "away"
    file.write_text(before)
    cli("hba", "set", str(file))
    assert "no pg_hba.conf entry" in by_psycopg(world.dsn("away", "away-secret"))


@pytest.mark.client("pgjdbc")
@pytest.mark.feature("login")
@pytest.mark.skipif(
    shutil.which("java") is None or not DRIVER.exists(), reason="Java or pgjdbc is not installed"
)
def test_pgjdbc_logs_in_every_way(world: World) -> None:
    gateway, key, scram_key = world.gateway, world.key("etl"), world.key("analyst")
    issued = world.authority.issue("certified", "jdbc")
    pk8 = issued.key.with_suffix(".pk8")
    private = serialization.load_pem_private_key(issued.key.read_bytes(), None)
    pk8.write_bytes(
        private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    plain = f"jdbc:postgresql://127.0.0.1:{gateway.port}/test?sslmode=disable"
    tls = plain.replace("disable", f"verify-full&sslrootcert={world.authority.file}")
    cases = [
        (plain, "analyst", "analyst-secret", "analyst"),
        (tls, "analyst", "analyst-secret", "analyst"),
        (tls, "analyst", "wrong", "refused 28P01"),
        (tls, "etl", key, "etl"),
        (tls, "etl", key + "x", "refused 28P01"),
        (plain, "etl", key, "refused 28000"),
        (plain, f"analyst+{key_id(scram_key)}", scram_key, "analyst"),
        (tls, "tokened", token(), "tokened"),
        (tls, "tokened", token(exp=1), "refused 28P01"),
        (tls, "clear", "clear-secret", "clear"),
        (f"{tls}&sslcert={issued.certificate}&sslkey={pk8}", "certified", "", "certified"),
        (tls, "certified", "", "refused 28000"),
        (tls, "banned", "banned-secret", "refused 28000"),
        (tls, "expired", "expired-secret", "refused 28P01"),
        (plain, "analyst", "analyst-secret", "analyst"),
    ]
    done = subprocess.run(
        ["java", "-cp", class_path(), str(FOLDER / "Login.java")],
        input="".join("\t".join(case[:3]) + "\n" for case in cases),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [case[3] for case in cases], done.stderr

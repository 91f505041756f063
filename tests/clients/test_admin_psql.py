"""Everything an administrator does, from psql alone: from an empty metastore to the demo's policy."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.faults.patience import Patience
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, pgproxy, start_gateway

SCRIPT = """
CREATE GROUP eu_team;
CREATE USER analyst PASSWORD 'analyst-secret' IN ROLE eu_team;
CREATE ROLE intern LOGIN PASSWORD 'intern-secret';
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO eu_team;
GRANT SELECT ON sales.orders TO eu_team;
GRANT SELECT (id, name, email, region, joined, active, seen) ON sales.customers TO eu_team;
CREATE POLICY eu_customers ON sales.customers TO eu_team USING (region = 'EU');
CREATE MASK partial_email ON sales.customers (email) TO eu_team USING (left(email, 1) || '***');
"""

TAGS = [
    "CREATE ROLE",
    "CREATE ROLE",
    "CREATE ROLE",
    "ALTER DEFAULT PRIVILEGES",
    "GRANT",
    "GRANT",
    "CREATE POLICY",
    "CREATE MASK",
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway that knows nobody but the administrator of its environment."""
    with start_gateway(tmp_path_factory.mktemp("admin"), policy="{}") as started:
        yield started


@pytest.fixture
def admin(gateway: RunningGateway) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as connection:
        yield connection


def as_admin(gateway: RunningGateway, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return gateway.psql(*arguments, user=ADMIN, password=ADMIN_PASSWORD)


def test_the_whole_policy_is_made_by_psql_and_equals_the_file(gateway: RunningGateway) -> None:
    script = gateway.folder / "policy.sql"
    script.write_text(SCRIPT)
    done = as_admin(gateway, "-v", "ON_ERROR_STOP=1", "-f", str(script))
    assert (done.returncode, done.stdout.splitlines()) == (0, TAGS), done.stderr
    assert "existing tables, too" in done.stderr

    shown = gateway.psql("-Atc", "SELECT email, region FROM sales.customers ORDER BY id LIMIT 2")
    assert shown.stdout.splitlines() == ["u***|EU", "u***|EU"]
    assert "permission denied" in gateway.psql("-c", "SELECT credit_limit FROM sales.customers").stderr or (
        "does not exist" in gateway.psql("-c", "SELECT credit_limit FROM sales.customers").stderr
    )
    exported = gateway.cli("policy", "export", "-")
    file = gateway.folder / "exported.yaml"
    file.write_text(exported)
    assert gateway.cli("policy", "diff", str(file)).strip() == "no change"
    elsewhere = {**gateway.environment, "METASTORE_URL": f"sqlite:///{gateway.folder / 'other.sqlite'}"}
    pgproxy(elsewhere, "policy", "apply", str(file))
    assert pgproxy(elsewhere, "policy", "export", "-") == exported


def test_a_revoke_is_felt_by_the_next_statement_of_an_open_session_and_by_what_it_prepared(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER reader PASSWORD 'reader-secret'")
    admin.execute("GRANT SELECT ON sales.orders TO reader")
    with psycopg.connect(gateway.dsn("reader"), autocommit=True) as reader:
        prepared = "SELECT count(*) FROM sales.orders WHERE id > %s"
        assert reader.execute(prepared, (0,), prepare=True).fetchone() == (2000,)
        admin.execute("REVOKE SELECT ON sales.orders FROM reader")
        with pytest.raises(psycopg.errors.UndefinedTable):
            reader.execute(prepared, (0,), prepare=True)
        admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA sales TO reader")
        assert reader.execute(prepared, (0,), prepare=True).fetchone() == (2000,)
        admin.execute("REVOKE ALL ON ALL TABLES IN SCHEMA sales FROM reader CASCADE")
    admin.execute("DROP ROLE reader")


def test_a_block_of_changes_is_made_at_its_commit_and_forgotten_at_its_rollback(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    with admin.transaction(force_rollback=True):
        admin.execute("CREATE ROLE ghost")
        admin.execute("GRANT SELECT ON sales.orders TO ghost")
    with pytest.raises(psycopg.errors.UndefinedObject):
        admin.execute("DROP ROLE ghost")
    with admin.transaction():
        admin.execute("CREATE ROLE ghost LOGIN PASSWORD 'ghost-secret'")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(gateway.dsn("ghost"))
    psycopg.connect(gateway.dsn("ghost")).close()
    with admin.transaction():
        admin.execute("CREATE ROLE other")
        with pytest.raises(psycopg.errors.DuplicateObject):
            admin.execute("CREATE ROLE ghost")
    with pytest.raises(psycopg.errors.UndefinedObject):
        admin.execute("DROP ROLE other")
    both = as_admin(gateway, "-c", "CREATE ROLE one; CREATE ROLE one")
    assert "already exists" in both.stderr
    admin.execute("DROP ROLE IF EXISTS one, ghost")


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("CREATE ROLE admin", "42710"),
        ("DROP ROLE nobody_there", "42704"),
        ("GRANT SELECT ON nothing_there TO admin", "42P01"),
        ("GRANT SELECT ON sales.orders TO nobody_there", "42704"),
        ("GRANT SELECT (nothing) ON sales.orders TO admin", "42703"),
        ("GRANT USAGE ON sales.orders TO admin", "0LP01"),
        ("GRANT USAGE ON SCHEMA nowhere TO admin", "3F000"),
        ("GRANT CONNECT ON DATABASE nowhere TO admin", "3D000"),
        ("GRANT frobnicate ON sales.orders TO admin", "42601"),
        ("CREATE POLICY p ON sales.orders USING (nothing = 1)", "42703"),
        ("CREATE POLICY p ON sales.orders USING (count(*) > 1)", "42803"),
        ("CREATE POLICY p ON sales.orders FOR INSERT USING (true)", "42601"),
        ("CREATE POLICY p ON sales.orders FOR SELECT USING (true) WITH CHECK (true)", "42601"),
        ("CREATE MASK m ON sales.orders (nothing) USING (NULL)", "42703"),
        ("CREATE MASK m ON sales.orders (amount) USING (mask.nothing(amount))", "42883"),
        ("DROP POLICY nothing ON sales.orders", "42704"),
        ("DROP ROLE admin", "55006"),
        ("CREATE ROLE pg_mine", "42939"),
        ("CREATE ROLE r VALID UNTIL 'never'", "22007"),
        ("CREATE ROLE r PASSWORD 'SCRAM-SHA-256$broken'", "22023"),
        ("CREATE ROLE r REPLICATION", "0A000"),
    ],
)
def test_mistakes_have_the_sqlstate_of_postgresql(
    admin: "psycopg.Connection[tuple[object, ...]]", statement: str, sqlstate: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        admin.execute(statement)
    assert caught.value.sqlstate == sqlstate


def test_a_grant_sees_the_schema_that_its_own_block_has_made(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER newcomer PASSWORD 'newcomer-secret'")
    one_message = "CREATE SCHEMA fresh; GRANT USAGE ON SCHEMA fresh TO newcomer"
    made = gateway.psql("-c", one_message, user=ADMIN, password=ADMIN_PASSWORD)
    assert made.stdout.split("\n")[:2] == ["CREATE SCHEMA", "GRANT"], made.stderr
    with psycopg.connect(gateway.dsn("newcomer"), autocommit=True) as newcomer:
        seen = "SELECT has_schema_privilege('fresh', 'USAGE')"
        assert newcomer.execute(seen).fetchone() == (True,)
    with pytest.raises(psycopg.errors.InvalidSchemaName):
        admin.execute("CREATE SCHEMA gone; GRANT USAGE ON SCHEMA nosuch TO newcomer")
    assert admin.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'gone'").fetchone() == (0,)
    admin.execute("DROP SCHEMA fresh")


def test_nobody_else_may_and_learns_nothing_from_it(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER plain PASSWORD 'plain-secret'")
    with psycopg.connect(gateway.dsn("plain"), autocommit=True) as plain:
        for statement in (
            "CREATE ROLE mine SUPERUSER",
            "ALTER ROLE plain SUPERUSER",
            "ALTER ROLE plain PASSWORD 'x' SUPERUSER",
            "ALTER ROLE admin PASSWORD 'stolen'",
            "ALTER ROLE plain SET pgproxy.attr.tenant = 'b'",
            "GRANT SELECT ON sales.secrets TO plain",
            "GRANT SELECT ON nothing_there TO plain",
            "DROP POLICY nothing ON sales.secrets",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                plain.execute(statement)
        plain.execute("ALTER USER CURRENT_USER PASSWORD 'other-secret'")
    psycopg.connect(gateway.dsn("plain", "other-secret")).close()
    admin.execute("DROP USER plain")


def test_a_closed_database_lets_in_who_holds_connect(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE ROLE regulars")
    admin.execute("CREATE USER known PASSWORD 'known-secret' IN ROLE regulars")
    admin.execute("CREATE USER other PASSWORD 'other-secret'")
    admin.execute("GRANT SELECT ON sales.orders TO known, other")
    may_connect = "SELECT has_database_privilege('test', 'CONNECT')"
    with psycopg.connect(gateway.dsn("other"), autocommit=True) as other:
        assert other.execute(may_connect).fetchone() == (True,)
        admin.execute("REVOKE CONNECT ON DATABASE test FROM PUBLIC")
        assert other.execute(may_connect).fetchone() == (False,)
        assert other.execute("SELECT count(*) FROM sales.orders").fetchone() == (2000,)
    refused = gateway.psql("-c", "SELECT 1", user="other")
    assert 'FATAL:  permission denied for database "test"' in refused.stderr
    assert "DETAIL:  User does not have CONNECT privilege." in refused.stderr
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(gateway.dsn("known"))
    admin.execute("GRANT CONNECT ON DATABASE test TO regulars")
    with psycopg.connect(gateway.dsn("known"), autocommit=True) as known:
        assert known.execute(may_connect).fetchone() == (True,)
    acl = "SELECT datacl::text FROM pg_database WHERE datname = 'test'"
    assert admin.execute(acl).fetchone() == ("{pgproxy=CTc/pgproxy,=T/pgproxy,regulars=c/pgproxy}",)
    admin.execute("GRANT CONNECT ON DATABASE test TO PUBLIC")
    assert admin.execute(acl).fetchone() == ("{pgproxy=CTc/pgproxy,=Tc/pgproxy,regulars=c/pgproxy}",)
    psycopg.connect(gateway.dsn("other")).close()
    admin.execute("DROP OWNED BY regulars, known, other")
    admin.execute("DROP ROLE regulars, known, other")
    assert admin.execute(acl).fetchone() == (None,)


def test_a_role_expires_is_locked_and_has_as_many_sessions_as_it_may(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER guest PASSWORD 'guest-secret' VALID UNTIL '2020-01-01' CONNECTION LIMIT 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(gateway.dsn("guest"))
    admin.execute("ALTER ROLE guest VALID UNTIL 'infinity'")
    first = psycopg.connect(gateway.dsn("guest"))
    with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
        psycopg.connect(gateway.dsn("guest"))
    first.close()
    admin.execute("ALTER ROLE guest NOLOGIN")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(gateway.dsn("guest"))
    admin.execute("DROP ROLE guest")


def test_psqls_password_command_sends_a_verifier_and_it_works(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER picky")
    verifier = admin.pgconn.encrypt_password(b"picky-secret", b"picky", b"scram-sha-256").decode()
    admin.execute(f"ALTER USER picky PASSWORD '{verifier}'")
    psycopg.connect(gateway.dsn("picky")).close()
    admin.execute("ALTER USER picky PASSWORD NULL")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(gateway.dsn("picky"))
    admin.execute("DROP USER picky")


def test_a_newly_tagged_column_is_masked_at_once(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER tagged PASSWORD 'tagged-secret'")
    admin.execute("GRANT SELECT ON sales.customers TO tagged")
    admin.execute("CREATE POLICY all_of_it ON sales.customers TO tagged USING (true)")
    admin.execute("CREATE MASK short ON TAG pii.email TO tagged USING (mask.email(value))")
    query = "SELECT email FROM sales.customers WHERE id = 1"
    with psycopg.connect(gateway.dsn("tagged"), autocommit=True) as tagged:
        assert tagged.execute(query).fetchone() == ("user1@example.com",)
        admin.execute("SECURITY LABEL FOR pgproxy ON COLUMN sales.customers.email IS 'pii.email'")
        assert tagged.execute(query).fetchone() == ("u***@example.com",)
        admin.execute("SECURITY LABEL ON COLUMN sales.customers.email IS NULL")
        assert tagged.execute(query).fetchone() == ("user1@example.com",)
        for mask, shown in (
            ("mask.null()", None),
            ("mask.constant('hidden')", "hidden"),
            ("mask.partial(email, 2, 3)", "us***com"),
            ("mask.hash(email)", None),
        ):
            admin.execute(f"CREATE OR REPLACE MASK m ON sales.customers (email) TO tagged USING ({mask})")
            assert tagged.execute(query).fetchone() == (shown,)
        admin.execute("ALTER ROLE tagged SET pgproxy.attr.mask_salt = 'pepper'")
        salted = tagged.execute(query).fetchone()
        assert salted is not None
        assert salted != (None,)
        for mask, column, shown in (
            ("mask.year_only(joined)", "joined", "2020-01-01"),
            ("mask.bucket(credit_limit, 100)", "credit_limit", "0.00"),
        ):
            admin.execute(f"CREATE MASK c ON sales.customers ({column}) TO tagged USING ({mask})")
            text = f"SELECT {column}::text FROM sales.customers WHERE id = 1"
            assert tagged.execute(text).fetchone() == (shown,)
            admin.execute("DROP MASK c ON sales.customers")
    admin.execute("DROP MASK m ON sales.customers")
    admin.execute("DROP MASK short ON TAG pii.email")
    admin.execute("DROP POLICY all_of_it ON sales.customers")
    admin.execute("DROP OWNED BY tagged")
    admin.execute("DROP ROLE tagged")


def test_row_level_security_without_a_policy_shows_nothing(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER careful PASSWORD 'careful-secret'")
    admin.execute("GRANT SELECT ON sales.orders TO careful")
    with psycopg.connect(gateway.dsn("careful"), autocommit=True) as careful:
        count = "SELECT count(*) FROM sales.orders"
        assert careful.execute(count).fetchone() == (2000,)
        admin.execute("ALTER TABLE sales.orders ENABLE ROW LEVEL SECURITY")
        assert careful.execute(count).fetchone() == (0,)
        admin.execute("CREATE POLICY few ON sales.orders TO careful USING (id <= 10)")
        assert careful.execute(count).fetchone() == (10,)
        admin.execute("ALTER POLICY few ON sales.orders USING (id <= 20)")
        assert careful.execute(count).fetchone() == (20,)
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            admin.execute("ALTER TABLE sales.orders DISABLE ROW LEVEL SECURITY")
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            admin.execute("DROP ROLE careful")
        admin.execute("DROP POLICY few ON sales.orders")
        admin.execute("CREATE POLICY few ON sales.orders FOR DELETE TO careful USING (id <= 10)")
        assert careful.execute(count).fetchone() == (0,)
        admin.execute("CREATE POLICY seen ON sales.orders FOR SELECT TO careful USING (id <= 30)")
        assert careful.execute(count).fetchone() == (30,)
        shown = admin.execute("SELECT policyname, cmd FROM pg_policies WHERE tablename = 'orders' ORDER BY 1")
        assert shown.fetchall() == [("few", "DELETE"), ("seen", "SELECT")]
        admin.execute("DROP POLICY few ON sales.orders")
        admin.execute("DROP POLICY seen ON sales.orders")
        admin.execute("ALTER TABLE sales.orders DISABLE ROW LEVEL SECURITY")
        assert careful.execute(count).fetchone() == (2000,)
    admin.execute("DROP OWNED BY careful")
    admin.execute("DROP ROLE careful")


def test_a_change_by_another_process_holds_within_a_second(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER faraway PASSWORD 'faraway-secret'")
    with psycopg.connect(gateway.dsn("faraway"), autocommit=True) as session:
        gateway.cli("user", "lock", "faraway")
        waited = Patience(gateway.process.pid, 1.0).begin()
        while not session.closed and not waited.is_over():
            with contextlib.suppress(psycopg.Error):
                session.execute("SELECT 1")
        assert session.closed
    admin.execute("DROP USER faraway")


def test_no_password_is_in_the_history_or_the_programs_output(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER secretive PASSWORD 'marker-55512'")
    admin.execute("DROP USER secretive")
    for path in gateway.folder.glob("metastore.sqlite*"):
        assert b"marker-55512" not in path.read_bytes()


def test_every_change_and_every_refusal_is_accounted_for(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER watched PASSWORD 'watched-secret'")
    admin.execute("GRANT SELECT ON sales.orders TO watched")
    with psycopg.connect(gateway.dsn("watched"), autocommit=True) as watched:
        before = watched.execute("SELECT 1").fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            watched.execute("GRANT SELECT ON sales.secrets TO watched")
        assert watched.execute("SELECT 1").fetchone() == before
    history = gateway.cli("policy", "history", "--limit", "2")
    assert "  admin\n+ grant watched: SELECT on test.sales.orders\n" in history
    assert "+ user watched" in history
    assert "SCRAM-SHA-256$" not in history
    refused: list[dict[str, object]] = []
    deadline = time.monotonic() + 10
    while not refused and time.monotonic() < deadline:
        lines = map(json.loads, gateway.cli("audit", "export").splitlines())
        mine = [line for line in lines if line.get("principal") == "watched"]
        refused = [line for line in mine if line["outcome"] == "denied"]
    assert [(line["kind"], line["sqlstate"]) for line in refused] == [("GRANT", "42501")]
    admin.execute("DROP OWNED BY watched")
    admin.execute("DROP ROLE watched")


def test_a_stored_function_runs_with_its_callers_rights_and_by_its_grant(
    gateway: RunningGateway, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    admin.execute("CREATE USER caller PASSWORD 'caller-secret'")
    admin.execute("GRANT SELECT (id, amount) ON sales.orders TO caller")
    admin.execute(
        "CREATE FUNCTION with_tax(amount numeric, rate numeric) RETURNS numeric LANGUAGE sql STRICT STABLE "
        "AS $$ SELECT amount * (1 + rate) $$"
    )
    admin.execute(
        "CREATE FUNCTION sales.who(text) RETURNS text LANGUAGE sql RETURN $1 || ' for ' || current_user"
    )
    query = "SELECT with_tax(amount, %s) FROM sales.orders WHERE id = 1"
    try:
        with psycopg.connect(gateway.dsn("caller"), autocommit=True) as caller:
            with pytest.raises(psycopg.errors.UndefinedFunction):
                caller.execute(query, (0.5,))
            assert r"with_tax" not in gateway.psql("-Atc", r"\df", user="caller").stdout
            admin.execute("GRANT EXECUTE ON FUNCTION with_tax(numeric, numeric) TO caller")
            admin.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sales TO caller")
            (amount,) = caller.execute("SELECT amount FROM sales.orders WHERE id = 1").fetchone() or ()
            cursor = caller.execute(query, (0.5,), prepare=True)
            assert cursor.fetchone() == (amount * 3 / 2,)
            assert cursor.description is not None
            assert cursor.description[0].name == "with_tax"
            assert caller.execute("SELECT with_tax(NULL, 1), with_tax(with_tax(2, 1), 1) = 8").fetchone() == (
                None,
                True,
            )
            assert caller.execute("SELECT sales.who('me')").fetchone() == ("me for caller",)
            assert caller.execute(
                "SELECT count(*) FROM sales.orders WHERE with_tax(amount, 0) < 0"
            ).fetchone() == (0,)
            # Its arguments are its caller's own text: what the caller may not read stays so.
            for refused in ("with_tax(ratio, 1)", "with_tax(amount, 1) FROM sales.secrets, "):
                with pytest.raises(psycopg.Error) as caught:
                    caller.execute(f"SELECT {refused} FROM sales.orders")
                assert caught.value.sqlstate in {"42501", "42703", "42601"}
            for statement, sqlstate in (
                ("SELECT who('me')", "42883"),
                ("SELECT with_tax(1)", "42883"),
                ("SELECT * FROM with_tax(1, 2)", "42883"),
                ("SELECT with_tax(random()::numeric, 1)", "0A000"),
                ("SELECT with_tax(1, 2) OVER ()", "42809"),
                ("SELECT with_tax(5 // 2, 1)", "0A000"),
                ("CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1", "42501"),
            ):
                with pytest.raises(psycopg.Error) as caught:
                    caller.execute(statement)
                assert caught.value.sqlstate == sqlstate, statement
            shown = gateway.psql("-Atc", r"\df", user="caller").stdout
            assert "public|with_tax|numeric|amount numeric, rate numeric|func" in shown
            assert caller.execute(
                "SELECT has_function_privilege('with_tax(numeric, numeric)', 'EXECUTE'), "
                "has_function_privilege(p.oid, 'EXECUTE'), "
                "has_function_privilege('pg_read_file(text)', 'EXECUTE'), "
                "has_function_privilege('upper(text)', 'EXECUTE'), "
                "has_function_privilege('hidden()', 'EXECUTE'), "
                "has_function_privilege('admin', p.oid, 'EXECUTE'), p.proacl::text "
                "FROM pg_proc p WHERE proname = 'with_tax'"
            ).fetchone() == (True, True, False, True, False, False, "{pgproxy=X/pgproxy,caller=X/pgproxy}")
            assert caller.execute(
                "SELECT p.proacl::text FROM pg_proc p WHERE proname IN ('who', 'version') ORDER BY 1"
            ).fetchall() == [("{pgproxy=X/pgproxy,caller=X/pgproxy}",), (None,)]
            policy = caller.execute("EXPLAIN (POLICY) SELECT with_tax(1, 2)").fetchall()
            assert ("Policy on test.public.with_tax: EXECUTE",) in policy
            assert ("  Grant: EXECUTE on test.public.with_tax to caller",) in policy
            admin.execute(
                "CREATE OR REPLACE FUNCTION with_tax(numeric, numeric) RETURNS numeric "
                "LANGUAGE sql RETURN $1 - $2"
            )
            assert caller.execute("SELECT with_tax(7, 2) = 5").fetchone() == (True,)
            admin.execute("REVOKE EXECUTE ON FUNCTION with_tax FROM caller")
            with pytest.raises(psycopg.errors.UndefinedFunction):
                caller.execute(query, (0.5,), prepare=True)
        exported = gateway.folder / "functions.yaml"
        exported.write_text(gateway.cli("policy", "export", "-"))
        admin.execute("DROP FUNCTION with_tax(numeric, numeric), sales.who(text)")
        with pytest.raises(psycopg.errors.UndefinedFunction):
            admin.execute("SELECT with_tax(1, 1)")
        assert "function test.public.with_tax" in gateway.cli("policy", "apply", str(exported))
        assert gateway.cli("policy", "diff", str(exported)).strip() == "no change"
        deadline = time.monotonic() + 10
        while "who" not in as_admin(gateway, "-Atc", r"\df sales.*").stdout:
            assert time.monotonic() < deadline
    finally:
        admin.execute("DROP FUNCTION IF EXISTS with_tax, sales.who")
        admin.execute("DROP OWNED BY caller")
        admin.execute("DROP ROLE caller")


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN END'", "0A000"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1", "0A000"),
        ("CREATE FUNCTION f() RETURNS SETOF int LANGUAGE sql RETURN 1", "0A000"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT secret FROM sales.secrets'", "42601"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN (SELECT max(id) FROM sales.secrets)", "0A000"),
        ("CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql RETURN b", "42703"),
        ("CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql RETURN 1", "0A000"),
        ("CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql RETURN a + $2", "42P02"),
        ("CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql RETURN f(a)", "42883"),
        ("CREATE FUNCTION f(a nonsense) RETURNS int LANGUAGE sql RETURN a", "42704"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN read_text('/etc/passwd')", "42883"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql", "42P13"),
        ("CREATE FUNCTION lower(a text) RETURNS text LANGUAGE sql RETURN a", "42723"),
        ("DROP FUNCTION nothing_there()", "42883"),
        ("GRANT EXECUTE ON FUNCTION nothing_there TO admin", "42883"),
        ("GRANT SELECT ON FUNCTION nothing_there TO admin", "42883"),
    ],
)
def test_a_function_that_is_no_expression_over_its_arguments_is_refused(
    admin: "psycopg.Connection[tuple[object, ...]]", statement: str, sqlstate: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        admin.execute(statement)
    assert caught.value.sqlstate == sqlstate

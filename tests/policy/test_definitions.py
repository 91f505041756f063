# ruff: noqa: E501 - one statement a line
"""Nobody gets past an owner, a policy or a hidden name by defining something."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway
from tests.policy.definitions_world import answer, definitions_gateway


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with definitions_gateway(tmp_path_factory.mktemp("hostile")) as running:
        yield running


HOSTILE = (
    # Others write to what an administrator makes anew each night: nobody else takes its name meanwhile.
    ("CREATE TABLE work.inbox (id int)", "42501"),
    ('CREATE TABLE work."Inbox" AS SELECT 1 AS id', "42501"),
    ("CREATE TABLE work.mail (id int)", "CREATE TABLE"),
    ("ALTER TABLE work.mail RENAME TO inbox", "42501"),
    ("DROP TABLE work.mail", "DROP TABLE"),
    # What eve may not know of does not exist, and stays as it is.
    ("DROP TABLE IF EXISTS work.unseen", "DROP TABLE"),
    ("DROP TABLE IF EXISTS shut.closed CASCADE", "DROP TABLE"),
    ("ALTER TABLE IF EXISTS work.unseen DROP COLUMN id", "ALTER TABLE"),
    ("ALTER TABLE IF EXISTS shut.closed RENAME TO opened", "ALTER TABLE"),
    ("DROP SCHEMA IF EXISTS shut CASCADE", "42501"),
    ("DROP INDEX IF EXISTS work.given_id", "DROP INDEX"),
    ("COMMENT ON TABLE work.unseen IS 'mine'", "42P01"),
    ("CREATE INDEX ON work.unseen (id)", "42P01"),
    # Not even by making it once more.
    ("CREATE TABLE IF NOT EXISTS work.unseen (id int)", "CREATE TABLE"),
    ('CREATE TABLE IF NOT EXISTS work."Unseen" (id int)', "CREATE TABLE"),
    ("CREATE TABLE IF NOT EXISTS work.unseen AS SELECT 1 AS id", "CREATE TABLE"),
    ("SELECT * FROM work.unseen", "42P01"),
    ("DROP TABLE work.unseen", "42P01"),
    # Nobody becomes an owner by a comment.
    ("COMMENT ON TABLE open.people IS 'pgproxy_owner:\"eve\"'", "42501"),
    ("CREATE TABLE work.eves (id int, own text)", "CREATE TABLE"),
    ("COMMENT ON TABLE work.eves IS 'pgproxy_owner:\"admin\"'", "42939"),
    ("COMMENT ON TABLE work.eves IS E'pgproxy_owner:\"admin\"'", "42"),
    ("COMMENT ON TABLE work.eves IS 'x'", "COMMENT"),
    ("ALTER TABLE work.eves ADD COLUMN still int", "ALTER TABLE"),
    # Nobody reads through a default, a check or a conversion.
    ("ALTER TABLE work.eves ADD COLUMN x text DEFAULT (SELECT max(name) FROM open.people)", "0A000|42"),
    (
        "ALTER TABLE work.eves ALTER COLUMN own TYPE text USING (SELECT max(secret) FROM work.ruled)",
        "0A000|42",
    ),
    ("ALTER TABLE work.eves ALTER COLUMN own TYPE text USING (SELECT id FROM work.unseen)", "42P01|0A000"),
    ("ALTER TABLE work.eves ADD CONSTRAINT c CHECK (id IN (SELECT id FROM work.unseen))", "42P01|0A000"),
    ("ALTER TABLE work.eves ALTER COLUMN own SET DEFAULT getenv('PATH')", "42883"),
    ("ALTER TABLE work.eves ADD COLUMN f text DEFAULT read_text('/etc/passwd')", "42883"),
    # A name in a policy keeps its meaning.
    ("SELECT * FROM work.ruled", "shown"),
    ("CREATE TABLE work.allowed (id int)", "CREATE TABLE"),
    ("INSERT INTO work.allowed VALUES (1), (2)", "INSERT"),
    ("SELECT * FROM work.ruled", "shown"),
    ("CREATE SCHEMA defs", "42P06"),
    ('CREATE SCHEMA "PUBLIC"', "42P06"),
    ("ALTER TABLE work.allowed RENAME TO unseen", "42P07"),
    ("ALTER TABLE work.allowed ADD COLUMN x text DEFAULT upper('a')", "0A000"),
    ("CREATE SCHEMA pg_temp", "42939"),
    ("CREATE SCHEMA information_schema", "42939"),
    ("CREATE SCHEMA pgproxy_system", "42939|42501"),
    # Names match whatever their case: another's view is not replaced by a twin of its name.
    ("CREATE OR REPLACE VIEW work.report AS SELECT 1 AS made_by", "42501"),
    ('CREATE OR REPLACE VIEW work."REPORT" AS SELECT 1 AS made_by', "42501"),
    # Names of hidden indexes show nowhere.
    ("CREATE INDEX IF NOT EXISTS hidden_idx ON work.eves (id)", "('CREATE INDEX', None, [])"),
    ("CREATE INDEX ON work.eves (own)", "CREATE INDEX"),
    ("SELECT 1 FROM pg_indexes WHERE indexname = 'eves_own_idx'", "[(1,)]"),
    # The mark of a schema is nobody's.
    ("CREATE SCHEMA eves", "CREATE SCHEMA"),
    ("SELECT * FROM eves.pgproxy_schema", "42P01"),
    ("DROP VIEW eves.pgproxy_schema", "42P01"),
    ("CREATE OR REPLACE VIEW eves.pgproxy_schema AS SELECT 1 AS owner", "42939"),
    ("ALTER TABLE work.eves RENAME TO pgproxy_schema", "42939"),
    ("SELECT count(*) FROM pg_class WHERE relname = 'pgproxy_schema'", "[(0,)]"),
    ("SELECT obj_description('work.eves'::regclass, 'pg_class')", "[('x',)]"),
    # A foreign key tells which keys there are: only of one's own table, of which one reads every row.
    (
        "CREATE TABLE open.spy (id int REFERENCES open.people(id))",
        "'42501', 'permission denied for table people'",
    ),
    (
        "CREATE TABLE open.spy (id int, FOREIGN KEY (id) REFERENCES open.people)",
        "'42501', 'permission denied for table people'",
    ),
    ("CREATE TABLE work.spy (id int REFERENCES work.ruled(id))", "42501"),
    ("CREATE TABLE work.spy (id int REFERENCES work.unseen(id))", "42P01"),
    ("CREATE TABLE shut.spy (id int REFERENCES shut.closed(nosuch))", "42P01"),
    ("CREATE TABLE work.spy (id int REFERENCES (SELECT id FROM work.unseen))", "42P01"),
    ("CREATE TABLE work.spy (id int REFERENCES (SELECT id FROM work.eves))", "42601|0A000"),
    ("CREATE TABLE work.spy (id int REFERENCES read_csv('/etc/passwd')(id))", "42601|0A000"),
    ("CREATE TABLE work.spy (id int REFERENCES pg_catalog.pg_authid(oid))", "42809"),
    ("CREATE TABLE work.spy (id int REFERENCES pgproxy_system.main.x(oid))", "42P01"),
    ("CREATE TABLE work.spied (who text PRIMARY KEY)", "CREATE TABLE"),
    (
        "CREATE TABLE work.spy (who text REFERENCES work.spied)",
        "'42501', 'permission denied for table spied'",
    ),
    ("CREATE TABLE work.mine (id int PRIMARY KEY)", "CREATE TABLE"),
    ("CREATE TABLE work.of_mine (id int REFERENCES work.mine, n serial)", "CREATE TABLE"),
    (
        "INSERT INTO work.of_mine (id) VALUES (1)",
        'insert or update on table "of_mine" violates foreign key constraint "of_mine_id_fkey"',
    ),
    ("DROP TABLE work.mine", "2BP01"),
    ("DROP TABLE work.mine CASCADE", "0A000"),
    ("DROP TABLE work.mine, work.of_mine", "DROP TABLE"),
    # Statements in statements, several objects, other schemas.
    ("ALTER TABLE work.eves RENAME TO shut.eves", "42601|0A000"),
    ("ALTER TABLE work.eves SET SCHEMA shut", "42|0A000"),
    ("ALTER TABLE work.eves OWNER TO admin", "42|0A000"),
    # Nobody finds out who else there is.
    *(
        (statement.format(name), expected.format(name))
        for name in ("bob", "admin", "nobody_here")
        for statement, expected in (
            ("ALTER TABLE work.eves OWNER TO {}", '42704|role "{}" does not exist'),
            ("ALTER TABLE work.nosuch OWNER TO {}", "42704"),
            ("ALTER SCHEMA eves OWNER TO {}", "42704"),
            ("REASSIGN OWNED BY eve TO {}", "'42501', 'permission denied to reassign objects'"),
            ("REASSIGN OWNED BY {} TO eve", "'42501', 'permission denied to reassign objects'"),
        )
    ),
    ("DROP TABLE work.eves, work.unseen", "42P01"),
    ("DROP TABLE IF EXISTS work.unseen, shut.closed", "DROP TABLE"),
    ("DROP TABLE work.eves, work.ruled", "42501"),
    ("ALTER TABLE work.ruled ADD PRIMARY KEY (id)", "42501"),
    ("SELECT count(*) FROM work.eves", "[(0,)]"),
    ("CREATE OR REPLACE TABLE work.ruled (id int)", "42501"),
    ("CREATE OR REPLACE TABLE work.eves (id int)", "42501"),
    ("EXPLAIN ANALYZE DROP TABLE work.eves", "42|0A000"),
    ("PREPARE d AS DROP TABLE work.eves", "42|0A000"),
    ("COPY (DROP TABLE work.eves) TO STDOUT", "42|0A000"),
    ("WITH d AS (DROP TABLE work.eves) SELECT 1", "42|0A000"),
)


def test_nobody_gets_past_the_owner(gateway: RunningGateway) -> None:
    """In one session, one after the other: what is made stays for those that follow."""
    with psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as eve:
        for sql, expected in HOSTILE:
            said = str(answer(eve, sql))
            assert any(wanted in said for wanted in expected.split("|")), (sql, said)
            assert "HIDDEN" not in said, (sql, said)
    with psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "defs"), autocommit=True) as admin:
        for table in ("work.unseen", "shut.closed"):
            assert answer(admin, f"SELECT id FROM {table}")[0] == "SELECT 0"
        assert answer(admin, "SELECT indexname FROM pg_indexes WHERE indexname = 'given_id'")[1]


@pytest.mark.parametrize("ending", ["", " CASCADE"])
@pytest.mark.parametrize("schema", ["hollow", "hidden"])
def test_a_schema_that_one_may_not_know_of_is_absent_and_stays(
    gateway: RunningGateway, schema: str, ending: str
) -> None:
    with (
        psycopg.connect(gateway.dsn("bob", database="defs"), autocommit=True) as bob,
        psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "defs"), autocommit=True) as admin,
    ):
        admin.execute("CREATE SCHEMA IF NOT EXISTS hollow")
        admin.execute("CREATE SCHEMA IF NOT EXISTS hidden")
        admin.execute("CREATE TABLE IF NOT EXISTS hidden.full_of (id int)")
        said = (f'NOTICE 00000: schema "{schema}" does not exist, skipping',)
        bob.execute(f"SET search_path = {schema}, nosuch, work")
        assert answer(bob, "SELECT current_schemas(false)")[1] == [(["work"],)]
        assert answer(bob, f"CREATE TABLE {schema}.x (id int)")[0] == "3F000"
        assert answer(bob, f"CREATE VIEW {schema}.x AS SELECT 1 AS a")[0] == "3F000"
        assert answer(bob, f"DROP SCHEMA IF EXISTS {schema}{ending}") == ("DROP SCHEMA", None, [*said])
        assert answer(bob, f"DROP SCHEMA {schema}{ending}")[0] == "3F000"
        assert answer(admin, f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'")[1] == [(1,)]


RULED = (
    "DROP TABLE work.notes",
    "ALTER TABLE work.notes RENAME TO plain",
    "ALTER TABLE work.notes RENAME COLUMN note TO plain",
    "ALTER TABLE work.notes DROP COLUMN note",
    "ALTER TABLE work.notes ALTER COLUMN note TYPE bytea USING note::bytea",
    "ALTER TABLE work.notes ALTER COLUMN id SET NOT NULL",
    "ALTER TABLE work.notes ADD CONSTRAINT one UNIQUE (note)",
    "CREATE UNIQUE INDEX ON work.notes (note)",
    "TRUNCATE work.notes",
)


def test_an_owner_does_not_lose_a_policy_with_a_name(gateway: RunningGateway) -> None:
    with (
        psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as eve,
        psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "defs"), autocommit=True) as admin,
    ):
        eve.execute("CREATE TABLE work.notes (id int, note text)")
        eve.execute("INSERT INTO work.notes (id) VALUES (1)")
        for sql in RULED:
            assert answer(eve, sql)[0] == "42501", sql
        assert answer(eve, "SELECT note FROM work.notes")[1] == [("***",)]
        assert answer(eve, "COMMENT ON TABLE work.notes IS 'kept'")[0] == "COMMENT"
        assert answer(admin, "DROP ROLE eve")[0] == "2BP01"
        # Nobody else reads the new name, but its owner would.
        assert answer(admin, "ALTER TABLE work.notes RENAME TO work_notes")[0] == "2BP01"


def test_a_column_called_as_the_engines_row_ids_does_not_stand_for_them(gateway: RunningGateway) -> None:
    """A governed UPDATE finds its rows by row id: rows that share such a value would all be changed."""
    with (
        psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as eve,
        psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "defs"), autocommit=True) as admin,
    ):
        eve.execute("CREATE TABLE work.twins (rowid int, who text)")
        eve.execute("INSERT INTO work.twins VALUES (1, 'eve')")
        admin.execute("INSERT INTO work.twins VALUES (1, 'bob')")
        for sql in ("UPDATE work.twins SET who = 'eve'", "DELETE FROM work.twins"):
            assert answer(eve, sql)[0] == "0A000"
        assert answer(admin, "SELECT who FROM work.twins ORDER BY 1")[1] == [("bob",), ("eve",)]


def test_an_administrator_does_not_lose_a_policy_by_a_rename(gateway: RunningGateway) -> None:
    """Filters and masks are on names: whom a grant on the schema reaches would read all of the new one."""
    with (
        psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "defs"), autocommit=True) as admin,
        psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as eve,
    ):
        for sql in (
            "ALTER TABLE open.people RENAME TO all_people",
            "ALTER TABLE open.people RENAME COLUMN name TO plain",
            "ALTER TABLE open.people RENAME name TO plain",
        ):
            assert answer(admin, sql)[0] == "2BP01", sql
        assert answer(eve, "SELECT * FROM open.people")[1] == [(1, "***")]
        assert answer(admin, "ALTER TABLE work.ruled RENAME TO reached_by_nobody")[0] == "ALTER TABLE"
        assert answer(eve, "SELECT * FROM work.reached_by_nobody")[0] == "42P01"
        admin.execute("ALTER TABLE work.reached_by_nobody RENAME TO ruled")


def test_a_policy_holds_however_its_table_is_spelled(gateway: RunningGateway) -> None:
    """The engine's names match whatever their case: a filter on `mixed` is on "Mixed"."""
    with psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as eve:
        for name in ("cased.mixed", 'cased."Mixed"', "cased.MIXED"):
            assert answer(eve, f"SELECT name FROM {name}")[1] == [("shown",)], name


def test_what_is_made_anothers_is_anothers(gateway: RunningGateway) -> None:
    """Tables with their sequences, views, schemas: by administrators, and by owners to groups of theirs."""
    with (
        psycopg.connect(gateway.dsn("ann", database="defs"), autocommit=True) as ann,
        psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as eve,
        psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "defs"), autocommit=True) as admin,
    ):
        ann.execute("CREATE SCHEMA gifts")
        ann.execute("CREATE TABLE gifts.things (id serial, name text)")
        ann.execute("INSERT INTO gifts.things (name) VALUES ('a'); COMMENT ON TABLE gifts.things IS 'kept'")
        ann.execute("CREATE VIEW gifts.look AS SELECT name FROM gifts.things")
        admin.execute(
            "COMMENT ON VIEW gifts.look IS 'kept too'; COMMENT ON COLUMN gifts.look.name IS 'and this'"
        )
        owners = (
            "SELECT relname, pg_get_userbyid(relowner), obj_description(oid) FROM pg_class "
            "WHERE relnamespace = 'gifts'::regnamespace ORDER BY 1"
        )
        assert answer(eve, "ALTER TABLE gifts.things OWNER TO eve")[0] == "42P01"
        assert answer(admin, "ALTER TABLE gifts.things OWNER TO eve")[0] == "ALTER TABLE"
        assert answer(admin, "ALTER VIEW gifts.look OWNER TO eve")[0] == "ALTER VIEW"
        assert answer(admin, owners)[1] == [
            ("look", "eve", "kept too"),
            ("things", "eve", "kept"),
            ("things_id_seq", "eve", None),
        ]
        assert answer(admin, "SELECT col_description('gifts.look'::regclass, 1)")[1] == [("and this",)]
        assert answer(ann, "SELECT * FROM gifts.things")[0] == "42P01"
        assert answer(eve, "INSERT INTO gifts.things (name) VALUES ('b') RETURNING id")[1] == [(2,)]
        assert answer(eve, "SELECT name FROM gifts.look ORDER BY 1")[1] == [("a",), ("b",)]
        # A view goes on to read as its reader, an administrator's too.
        assert answer(admin, "ALTER VIEW gifts.look OWNER TO admin")[0] == "ALTER VIEW"
        admin.execute("GRANT SELECT ON gifts.look TO bob")
        with psycopg.connect(gateway.dsn("bob", database="defs"), autocommit=True) as bob:
            assert answer(bob, "SELECT * FROM gifts.look")[0] == "42501"
            # In a transaction that is rolled back, nothing changes hands.
            admin.execute("BEGIN; REASSIGN OWNED BY eve TO bob; ROLLBACK")
            assert answer(bob, "SELECT * FROM gifts.things")[0] == "42P01"
            admin.execute(
                "CREATE ROLE keepers; GRANT keepers TO eve; GRANT CREATE ON SCHEMA gifts TO keepers"
            )
            assert answer(eve, "ALTER TABLE gifts.things OWNER TO keepers")[0] == "ALTER TABLE"
            assert answer(eve, "SELECT count(*) FROM gifts.things")[1] == [(2,)]
            assert answer(bob, "SELECT count(*) FROM gifts.things")[0] == "42P01"
            admin.execute("GRANT keepers TO bob")
            assert answer(bob, "SELECT count(*) FROM gifts.things")[1] == [(2,)]
        assert answer(admin, "DROP ROLE keepers")[0] == "2BP01"
        assert answer(admin, "REASSIGN OWNED BY keepers, ann TO admin")[0] == "REASSIGN OWNED"
        assert answer(eve, "SELECT count(*) FROM gifts.things")[0] == "42P01"
        assert ("things", "pgproxy", "kept") in answer(admin, owners)[1]
        assert answer(
            admin, "SELECT schema_owner FROM information_schema.schemata WHERE schema_name = 'gifts'"
        )[1] == [("pgproxy",)]
        admin.execute("REVOKE CREATE ON SCHEMA gifts FROM keepers; DROP ROLE keepers")
        admin.execute("DROP SCHEMA gifts CASCADE")


def test_nobody_reads_what_replaces_a_table_of_theirs_in_the_instant_that_it_does(
    gateway: RunningGateway,
) -> None:
    """The engine has the new table before the gateway's catalog does."""
    read: list[object] = []
    with (
        psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as eve,
        psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as reader,
        psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "defs"), autocommit=True) as admin,
        ThreadPoolExecutor(1) as thread,
    ):

        def read_on() -> None:
            while (said := answer(reader, "SELECT secret FROM work.swapped"))[0] == "SELECT 0":
                pass
            read.append(said)

        for replacing in (
            "CREATE OR REPLACE TABLE work.swapped AS SELECT 'HIDDEN-6' AS secret",
            "BEGIN; DROP TABLE work.swapped; CREATE TABLE work.swapped AS SELECT 'HIDDEN-6' AS secret; COMMIT",
        ) * 4:  # fmt: skip
            eve.execute("CREATE TABLE work.swapped (secret text)")
            reading = thread.submit(read_on)
            admin.execute(replacing)
            reading.result(30)
            admin.execute("DROP TABLE work.swapped")
    assert {said[0] for said in read if isinstance(said, tuple)} <= {"42P01", "40001"}, read


LONG = "n" * 63


def test_a_name_that_is_cut_is_cut_before_anything_is_decided(gateway: RunningGateway) -> None:
    """PostgreSQL cuts names to 63 bytes: what is authorised and what is done are one relation."""
    with (
        psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as eve,
        psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "defs"), autocommit=True) as admin,
    ):
        admin.execute(f"CREATE TABLE work.{LONG} (id int)")
        admin.execute(f"GRANT SELECT ON work.{LONG} TO eve")
        assert answer(eve, f'CREATE TABLE work."{LONG}x" (id int, name text)')[0] == "CREATE TABLE"
        for sql in ("ALTER TABLE work.{}x ADD COLUMN y int", "ALTER TABLE work.{}x RENAME TO taken",
                    "COMMENT ON TABLE work.{}x IS 'mine'", "CREATE INDEX ON work.{}x (id)",
                    "DROP TABLE work.{}x"):  # fmt: skip
            assert answer(eve, sql.format(LONG))[0] == "42501", sql
        assert answer(admin, f"SELECT * FROM work.{LONG}y")[1] == []
        # Privileges on what is written in quotation marks are on that, not on what it would be cut to.
        assert answer(admin, f'REVOKE SELECT ON work."{LONG}x" FROM eve')[0] == "REVOKE"
        assert answer(eve, f"SELECT * FROM work.{LONG}")[1] == []
        admin.execute(f"GRANT INSERT ON work.{LONG} TO bob")
        admin.execute(f"DROP TABLE work.{LONG}")
        assert answer(eve, f"CREATE TABLE work.{LONG}x (id int)")[0] == "42501", "bob may write there"
        assert answer(eve, f'DROP TABLE work."{LONG}x"')[0] == "DROP TABLE"


@pytest.mark.parametrize(
    "start", ["BEGIN; INSERT INTO work.kept VALUES (1)", "BEGIN ISOLATION LEVEL REPEATABLE READ"]
)
@pytest.mark.parametrize("definition", ["", "CREATE TABLE work.own (id int)"])
def test_an_old_snapshot_shows_nothing_under_a_name_that_means_another_table_now(
    gateway: RunningGateway, start: str, definition: str
) -> None:
    """The engine's transaction still has the dropped table; the privileges are those on the new one."""
    with (
        psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as eve,
        psycopg.connect(gateway.dsn("eve", database="defs"), autocommit=True) as again,
        psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD, "defs"), autocommit=True) as admin,
    ):
        admin.execute("CREATE TABLE work.gone (id int, name text)")
        admin.execute("INSERT INTO work.gone VALUES (1, 'HIDDEN-5')")
        eve.execute("CREATE TABLE work.kept (id int)")
        eve.execute(f"{start}; {definition}; SELECT * FROM work.kept")
        admin.execute("DROP TABLE work.gone")
        again.execute("CREATE TABLE work.gone (id int, name text)")
        said = answer(eve, "SELECT * FROM work.gone")
        assert said[0] == ("42P01" if definition else "40001"), said
        eve.execute("ROLLBACK")
        assert answer(eve, "SELECT * FROM work.gone")[1] == []
        eve.execute("DROP TABLE work.gone; DROP TABLE work.kept")

"""What utility statements mean."""

import pytest

from pgproxy.sql.utility import parse_utility
from pgproxy.sql.utility.statements import (
    Begin,
    CloseCursor,
    Commit,
    CopyFrom,
    CopyTo,
    Deallocate,
    DeclareCursor,
    Discard,
    DiscardTarget,
    ExecuteStatement,
    Explain,
    FetchCursor,
    FetchDirection,
    IsolationLevel,
    Listen,
    MoveCursor,
    NoOp,
    Notify,
    PrepareStatement,
    ReleaseSavepoint,
    ResetVariable,
    Rollback,
    RollbackTo,
    Savepoint,
    SettingScope,
    SetTransaction,
    SetVariable,
    ShowVariable,
    StatementOption,
    TransactionModes,
    Unlisten,
)
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError

_REPEATABLE_READ_ONLY = TransactionModes(IsolationLevel.REPEATABLE_READ, read_only=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BEGIN", Begin()),
        ("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", Begin(_REPEATABLE_READ_ONLY)),
        ("start transaction read write, not deferrable", Begin(TransactionModes(None, False, False), True)),
        ("COMMIT AND CHAIN", Commit(chain=True)),
        ("end", Commit()),
        ("ABORT", Rollback()),
        ("rollback and no chain", Rollback()),
        ('SAVEPOINT "A b"', Savepoint("A b")),
        ("RELEASE x", ReleaseSavepoint("x")),
        ("release savepoint", ReleaseSavepoint("savepoint")),
        ("ROLLBACK TO SAVEPOINT X", RollbackTo("x")),
        ("SET DateStyle = 'ISO'", SetVariable("datestyle", ("ISO",))),
        ("SET extra_float_digits = 2", SetVariable("extra_float_digits", ("2",))),
        ("SET search_path TO A, \"B\", 'C d'", SetVariable("search_path", ("a", "B", "C d"))),
        ("SET LOCAL x.y = -1.5", SetVariable("x.y", ("-1.5",), SettingScope.LOCAL)),
        ("SET SESSION work_mem TO DEFAULT", SetVariable("work_mem", (), is_default=True)),
        ("SET session = 1", SetVariable("session", ("1",))),
        ("SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE", SetVariable("timezone", ("interval +00:00",))),
        ("SET TIME ZONE LOCAL", SetVariable("timezone", (), is_default=True)),
        ("SET TIME ZONE -7", SetVariable("timezone", ("-7",))),
        ("SET NAMES 'utf8'", SetVariable("client_encoding", ("utf8",))),
        ("SET ROLE none", SetVariable("role", ("none",))),
        ("SET SESSION AUTHORIZATION DEFAULT", SetVariable("session_authorization", (), is_default=True)),
        ("SET TRANSACTION READ ONLY", SetTransaction(TransactionModes(read_only=True))),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            SetTransaction(TransactionModes(IsolationLevel.SERIALIZABLE), is_session=True),
        ),
        ("RESET ALL", ResetVariable(None)),
        ("RESET TIME ZONE", ResetVariable("timezone")),
        ("show transaction isolation level", ShowVariable("transaction_isolation")),
        ("SHOW ALL", ShowVariable(None)),
        ("show pgproxy.last_route", ShowVariable("pgproxy.last_route")),
        ("DISCARD TEMPORARY", Discard(DiscardTarget.TEMP)),
        ('DEALLOCATE "_PLAN0x55f7dc4bd6f0"', Deallocate("_PLAN0x55f7dc4bd6f0")),
        ("deallocate prepare all", Deallocate(None)),
        (
            "PREPARE q (int, numeric(10,2)) AS SELECT $1",
            PrepareStatement("q", ("int", "numeric(10,2)"), "SELECT $1", 34),
        ),
        ("EXECUTE q (1, f(2, 3))", ExecuteStatement("q", ("1", "f(2, 3)"))),
        (
            "declare c binary no scroll cursor with hold for select 1",
            DeclareCursor("c", "select 1", 48, is_binary=True, scroll=False, hold=True),
        ),
        ('fetch 500 in "SQL_CUR0x5"', FetchCursor(FetchDirection.FORWARD, 500, "SQL_CUR0x5")),
        ("fetch last c", FetchCursor(FetchDirection.ABSOLUTE, -1, "c")),
        ("fetch backward all c", FetchCursor(FetchDirection.BACKWARD, None, "c")),
        ("fetch next", FetchCursor(FetchDirection.FORWARD, 1, "next")),
        ("move relative -2 from c", MoveCursor(FetchDirection.RELATIVE, -2, "c")),
        ("CLOSE ALL", CloseCursor(None)),
        ("LISTEN Ch", Listen("ch")),
        ("NOTIFY ch, 'hi'", Notify("ch", "hi")),
        ("UNLISTEN *", Unlisten(None)),
        (
            "EXPLAIN (ANALYZE, FORMAT json) SELECT 1",
            Explain(
                (StatementOption("analyze", None, 10), StatementOption("format", "json", 19)), "SELECT 1", 31
            ),
        ),
        ("explain analyse select 1", Explain((StatementOption("analyze", None, 9),), "select 1", 16)),
        ("EXPLAIN (VALUES (1))", Explain((), "(VALUES (1))", 8)),
        (
            "COPY (SELECT 1, 2) TO STDOUT (FORMAT binary)",
            CopyTo(None, (), "SELECT 1, 2", 6, (StatementOption("format", "binary", 31),)),
        ),
        (
            "COPY s.T (a, \"B\") TO STDOUT WITH CSV DELIMITER ';'",
            CopyTo(
                ("s", "t"),
                ("a", "B"),
                None,
                0,
                (StatementOption("format", "csv", 34), StatementOption("delimiter", ";", 38)),
            ),
        ),
        (
            "COPY t FROM STDIN (FORCE_NULL (a, b)) WHERE a > 1",
            CopyFrom(("t",), (), (StatementOption("force_null", ("a", "b"), 20),), "a > 1"),
        ),
        ("LOCK TABLE t IN ACCESS EXCLUSIVE MODE", NoOp("LOCK TABLE", needs_admin=False)),
        ("SET CONSTRAINTS ALL DEFERRED", NoOp("SET CONSTRAINTS", needs_admin=False)),
        ("VACUUM (FULL, ANALYZE) t", NoOp("VACUUM")),
        ("ANALYZE", NoOp("ANALYZE")),
        ("CHECKPOINT", NoOp("CHECKPOINT")),
    ],
)
def test_a_utility_statement_becomes_its_value(text, expected):
    assert parse_utility(text) == expected


@pytest.mark.parametrize(
    "text", ["select 1", "WITH x AS (SELECT 1) SELECT 1", "create table t (a int)", '"begin"', "(select 1)"]
)
def test_what_is_planned_is_not_a_utility_statement(text):
    assert parse_utility(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "COPY t TO '/etc/x'",
        "COPY t FROM '/etc/passwd'",
        "COPY (SELECT 1) TO PROGRAM 'sh'",
        "copy t from program 'sh' csv",
    ],
)
def test_copy_with_the_hosts_files_and_programs_is_denied(text):
    with pytest.raises(AccessDenied) as caught:
        parse_utility(text)
    assert caught.value.sqlstate == "42501"


@pytest.mark.parametrize(
    "text",
    [
        "CALL p()",
        "DO $$begin end$$",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
        "SET TRANSACTION SNAPSHOT 'x'",
    ],
)
def test_valid_postgresql_that_is_not_done_says_so(text):
    with pytest.raises(FeatureNotSupported):
        parse_utility(text)


def test_an_error_names_the_place_but_never_a_literal():
    with pytest.raises(StatementError) as caught:
        parse_utility("set x = 'a' 'secret'")
    assert (caught.value.message, caught.value.position) == ("syntax error", 13)


def test_a_scroll_contradiction_is_an_invalid_cursor_definition():
    with pytest.raises(StatementError) as caught:
        parse_utility("declare c scroll no scroll cursor for select 1")
    assert caught.value.sqlstate == "42P11"


@pytest.mark.parametrize(
    "name", ["declare c cursor for select 1", "prepare q as select 1", "explain select 1"]
)
def test_the_inner_query_is_found_again_at_its_offset(name):
    statement = parse_utility(name)
    assert name[statement.offset :] == statement.query == "select 1"

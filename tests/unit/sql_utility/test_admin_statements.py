"""What administrative statements say, and that what is none of them is left to the planner."""

import pytest

from pgproxy.policy.model import PolicyCommand
from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility import parse_utility
from pgwire.errors import FeatureNotSupported, StatementError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE ROLE r", a.CreateRole("r", a.RoleWord.ROLE, a.RoleOptions())),
        (
            "create user \"U v\" with login password 'x' superuser connection limit 3 in role g, h",
            a.CreateRole(
                "U v",
                a.RoleWord.USER,
                a.RoleOptions(True, True, "x", connection_limit=3, in_roles=("g", "h")),
            ),
        ),
        ("ALTER ROLE r PASSWORD NULL", a.AlterRole("r", a.RoleOptions(password=None))),
        ("ALTER USER r VALID UNTIL 'infinity'", a.AlterRole("r", a.RoleOptions(valid_until="infinity"))),
        ("ALTER ROLE r SET pgproxy.attr.tenant = 'a'", a.AlterRoleSetting("r", "pgproxy.attr.tenant", "a")),
        ("ALTER ROLE r RESET ALL", a.AlterRoleSetting("r", None, None)),
        ("ALTER GROUP g DROP USER x, y", a.AlterGroup("g", ("x", "y"), is_drop=True)),
        ("DROP USER IF EXISTS x, y", a.DropRole(("x", "y"), if_exists=True)),
        ("CREATE API KEY FOR etl", a.CreateApiKey("etl")),
        (
            "create api key for \"E T\" label 'x' read only in database a, b for http valid until '2030'",
            a.CreateApiKey("E T", "x", True, ("a", "b"), "http", "2030"),
        ),
        ("DROP API KEY 'abc'", a.DropApiKey("abc")),
        ("DROP API KEY IF EXISTS abc", a.DropApiKey("abc", if_exists=True)),
        ("GRANT g TO x, y", a.RoleMembership(("g",), ("x", "y"))),
        ("REVOKE g FROM x CASCADE", a.RoleMembership(("g",), ("x",), is_revoke=True)),
        (
            "GRANT SELECT (a, b), UPDATE ON TABLE s.t, u TO GROUP g",
            a.GrantPrivileges(
                (a.PrivilegeItem("select", ("a", "b"), 7), a.PrivilegeItem("update", (), 22)),
                a.SecurableKind.TABLE,
                (("s", "t"), ("u",)),
                ("g",),
            ),
        ),
        (
            "REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA s FROM PUBLIC",
            a.GrantPrivileges(
                (a.PrivilegeItem(None),), a.SecurableKind.TABLES_IN_SCHEMA, (("s",),), ("public",), True
            ),
        ),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE admin IN SCHEMA s GRANT SELECT ON TABLES TO g",
            a.GrantPrivileges(
                (a.PrivilegeItem("select", (), 59),),
                a.SecurableKind.FUTURE_TABLES,
                (("s",),),
                ("g",),
                is_default=True,
            ),
        ),
        (
            "CREATE POLICY p ON s.t AS RESTRICTIVE FOR ALL TO g USING (a IN (1, 2)) WITH CHECK (a = 1)",
            a.CreatePolicy("p", ("s", "t"), ("g",), True, "a IN (1, 2)", "a = 1"),
        ),
        (
            "CREATE POLICY p ON t FOR INSERT WITH CHECK (a = 1)",
            a.CreatePolicy("p", ("t",), (), False, None, "a = 1", PolicyCommand.INSERT),
        ),
        ("ALTER POLICY p ON t RENAME TO q", a.AlterPolicy("p", ("t",), "q")),
        ("ALTER POLICY p ON t TO PUBLIC", a.AlterPolicy("p", ("t",), roles=())),
        ("DROP POLICY IF EXISTS p ON t CASCADE", a.DropPolicy("p", ("t",), if_exists=True)),
        ("ALTER TABLE ONLY t ENABLE ROW LEVEL SECURITY", a.SetRowSecurity(("t",), enable=True)),
        ("ALTER TABLE t NO FORCE ROW LEVEL SECURITY", a.SetRowSecurity(("t",), enable=None)),
        (
            "CREATE OR REPLACE MASK m ON s.t (c) TO g EXCEPT x STRICTNESS 5 USING (left(c, 1))",
            a.CreateMask("m", "left(c, 1)", ("s", "t"), "c", None, ("g",), ("x",), 5, replace=True),
        ),
        ("CREATE MASK m ON TAG pii.email USING (NULL)", a.CreateMask("m", "NULL", tag="pii.email")),
        ("DROP MASK m ON TAG 'pii'", a.DropMask("m", tag="pii")),
        (
            "SECURITY LABEL FOR pgproxy ON COLUMN s.t.c IS 'pii, gdpr'",
            a.SecurityLabel(("s", "t", "c"), ("pii", "gdpr")),
        ),
    ],
)
def test_a_statement_says_what_it_means(text: str, expected: a.AdminStatement) -> None:
    assert parse_utility(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE role (a int)",
        "CREATE VIEW v AS SELECT 1",
        "ALTER TABLE t ADD COLUMN row int",
        "DROP TABLE policy",
        "DROP SCHEMA mask",
    ],
)
def test_other_definitions_are_the_planners(text: str) -> None:
    assert parse_utility(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "CREATE FUNCTION s.f(a double precision, timestamp with time zone, numeric(5, 2)[]) "
            "RETURNS character varying(10) LANGUAGE 'sql' STABLE RETURNS NULL ON NULL INPUT "
            "AS $$SELECT $1 ;$$",
            a.CreateFunction(
                ("s", "f"),
                (("a", "double precision"), ("", "timestamp with time zone"), ("", "numeric(5, 2)[]")),
                "character varying(10)", "$1", True, "s", False,
            ),
        ),
        (
            "CREATE OR REPLACE FUNCTION f() RETURNS int SECURITY INVOKER COST 5 PARALLEL SAFE "
            "RETURN 1 + (2, 3)",
            a.CreateFunction(("f",), (), "int", "1 + (2, 3)", False, "v", True),
        ),
        ("DROP FUNCTION IF EXISTS f(int, text), s.g CASCADE", a.DropFunction((("f",), ("s", "g")), True)),
        (
            "REVOKE ALL ON FUNCTION s.f(int) FROM r",
            a.GrantPrivileges(
                (a.PrivilegeItem(None, ()),), a.SecurableKind.FUNCTION, (("s", "f"),), ("r",), True
            ),
        ),
        (
            "GRANT SELECT ON function TO r",
            a.GrantPrivileges(
                (a.PrivilegeItem("select", (), 7),), a.SecurableKind.TABLE, (("function",),), ("r",)
            ),
        ),
    ],
)  # fmt: skip
def test_functions_are_read_with_their_types_and_bodies(text: str, expected: object) -> None:
    assert parse_utility(text) == expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("CREATE ROLE", 12),
        ("CREATE ROLE r LOGIN NOLOGIN", 21),
        ("GRANT SELECT ON t g", 19),
        ("GRANT ON t TO g", 10),
        ("CREATE POLICY p ON t USING ()", 29),
        ("DROP ROLE r s", 13),
    ],
)
def test_a_mistake_is_a_syntax_error_where_it_is(text: str, position: int) -> None:
    with pytest.raises(StatementError) as caught:
        parse_utility(text)
    assert (caught.value.sqlstate.value, caught.value.position) == ("42601", position)


@pytest.mark.parametrize(
    "text",
    [
        "GRANT SELECT ON t TO g WITH GRANT OPTION",
        "CREATE ROLE r CREATEDB",
        "SECURITY LABEL FOR pgproxy ON TABLE t IS 'x'",
        "GRANT EXECUTE ON PROCEDURE f TO g",
    ],
)
def test_what_is_not_done_here_is_said(text: str) -> None:
    with pytest.raises(FeatureNotSupported):
        parse_utility(text)


def test_a_password_is_in_no_representation() -> None:
    assert "secret-text" not in repr(parse_utility("CREATE USER u PASSWORD 'secret-text'"))


@pytest.mark.parametrize(
    "text",
    ['ALTER TABLE t OWNER TO "current_user"', 'GRANT g TO "session_user"', 'CREATE ROLE "current_role"'],
)
def test_no_role_is_called_as_a_word_for_oneself(text: str) -> None:
    with pytest.raises(StatementError) as caught:
        parse_utility(text)
    assert caught.value.sqlstate == "42939"
    assert parse_utility("ALTER TABLE t OWNER TO CURRENT_USER") is not None

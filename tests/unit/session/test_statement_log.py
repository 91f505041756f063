"""What statements are called, and what of their texts may be kept."""

from typing import get_args

import pytest

from pgproxy.audit.redaction import redact
from pgproxy.control.administering import _TAGS
from pgproxy.session.statement_log import _KINDS
from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility import statements as u


def test_every_utility_statement_has_a_kind_of_its_own() -> None:
    admin = set(get_args(a.AdminStatement))
    named = {a.GrantPrivileges, a.RoleMembership, u.NoOp, u.AlterOwner, u.ReassignOwned, *_TAGS, *_KINDS}
    assert set(get_args(u.UtilityStatement)) | admin <= named


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("SELECT 'it''s', 1.5e3, $1, b'01', $$x$$ -- s3cret\n FROM t", "SELECT ?, ?, $1, ?, ? FROM t"),
        ("ALTER ROLE r PASSWORD E'a\\'b' /* s3cret */", "ALTER ROLE r PASSWORD ?"),
        ('SELECT "Name" FROM "T" WHERE x=-1', 'SELECT "Name" FROM "T" WHERE x=-?'),
        ("SELECT 1; SELECT 'open s3cret", "SELECT ?; SELECT"),
        ("", ""),
    ],
)
def test_literals_and_comments_are_left_out(text: str, kept: str) -> None:
    assert redact(text) == kept

"""`set_config` in a query: an order to the session, and a value that is read after it."""

import pytest

from pgproxy.sql.plan import BoundValue, SettingChange
from pgwire.errors import GatewayError
from tests.policy.world import plan


def test_it_becomes_an_order_to_the_session_and_its_result_follows() -> None:
    planned = plan(
        "SELECT current_setting('server_version') AS was, set_config('Server_Version', 'off', false)"
    )
    assert planned.setting_changes == (SettingChange("Server_Version", "off", None, is_local=False),)
    assert [value.follows_changes for value in planned.bound_values] == [False, True]
    assert planned.bound_values[1].session_key == "current_setting.server_version"
    assert "set_config" not in planned.sql.lower()


def test_the_value_may_be_a_parameter_or_null() -> None:
    planned = plan("SELECT pg_catalog.set_config('a.b', $1, true), set_config('c.d', NULL, false)")
    assert planned.parameter_oids == (25,)
    assert planned.setting_changes == (
        SettingChange("a.b", None, 1, is_local=True),
        SettingChange("c.d", None, None, is_local=False),
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT set_config('search_path', 'hr', false) FROM numbers",
        "SELECT 1 WHERE set_config('search_path', 'hr', false) = 'hr'",
        "SELECT (SELECT set_config('search_path', 'hr', false))",
        "SELECT CASE WHEN true THEN set_config('search_path', 'hr', false) END",
        "SELECT set_config('search_' || 'path', 'hr', false)",
        "SELECT set_config('search_path', 'hr', 1 = 1)",
        "SELECT set_config('search_path', 'hr', false) LIMIT 0",
        "SELECT set_config('search_path', (SELECT max(ssn) FROM customers), false)",
        "INSERT INTO numbers SELECT length(set_config('search_path', 'hr', false))",
    ],
)
def test_elsewhere_it_is_refused(sql: str) -> None:
    with pytest.raises(GatewayError) as caught:
        plan(sql, "writer")
    assert caught.value.sqlstate == "0A000"


def test_a_setting_that_may_be_missing_is_read_at_each_run() -> None:
    planned = plan("SELECT current_setting('my.var', true)")
    assert planned.bound_values == (
        BoundValue(25, None, session_key="current_setting.my.var", may_be_missing=True),
    )

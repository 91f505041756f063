"""Every setting of the fleet has a test of what it does, and one of what a bad value says."""

import re
from pathlib import Path

import pytest

from execnode.settings import NodeSettings
from pgproxy.settings import GatewaySettings

TESTS = Path(__file__).parents[2]
NODE_BAD_VALUES = "unit/execnode/test_settings.py"
GATEWAY_BAD_VALUES = "unit/settings/test_settings.py"

_LIMITS = "faults/test_execnode.py::test_limits_of_the_environment_hold"
_EXPIRED = (
    "faults/test_ill_nodes.py::"
    "test_a_node_whose_certificate_has_expired_is_not_used_until_both_ends_renew_theirs"
)
_QUEUE = "faults/test_async_queries.py::test_limits_of_the_queue_hold"
_FLAGS = "faults/test_fleet_faults.py::test_flags_take_effect_and_no_session_is_dropped"

NODE = {
    "AGENT_TOKEN": "faults/test_execnode.py::test_both_tokens_are_taken_during_rotation",
    "LISTEN_ADDR": "faults/test_execnode.py::test_metrics_are_prometheus_text",
    "GRPC_LISTEN_ADDR": "faults/test_execnode.py::test_a_wrong_token_is_refused",
    "MAX_MEMORY_GB": "faults/test_execnode.py::test_the_memory_cap_is_duckdbs",
    "MAX_CONCURRENT_QUERIES": _LIMITS,
    "MAX_QUEUED_QUERIES": _LIMITS,
    "QUERY_TIMEOUT": _LIMITS,
    "MAX_RESULT_ROWS": _LIMITS,
    "MAX_RESULT_BYTES": _LIMITS,
    "QUERY_RESULT_TTL": _LIMITS,
    "QUERY_CLEANUP_INTERVAL": _LIMITS,
    "SPOOL_MAX_BYTES": _LIMITS,
    "SPOOL_DIR": "faults/test_ill_nodes.py::test_a_full_spool_disk_makes_a_cursor_wait_and_loses_no_row",
    "FEATURE_CURSOR_MODE": (
        "faults/test_execnode.py::test_cursors_can_be_switched_off_and_sigterm_waits_no_longer_than_its_grace"
    ),
    "SHUTDOWN_GRACE": (
        "faults/test_execnode.py::test_cursors_can_be_switched_off_and_sigterm_waits_no_longer_than_its_grace"
    ),
    "FEATURE_INTERNAL_GRPC": "faults/test_execnode.py::test_grpc_can_be_switched_off_and_health_stays",
    "TLS_CERT_FILE": _EXPIRED,
    "TLS_KEY_FILE": _EXPIRED,
    "TLS_CLIENT_CA_FILE": (
        "faults/test_remote_tls.py::"
        "test_a_node_that_asks_for_certificates_takes_gateways_of_its_authority_only"
    ),
    "OTEL_EXPORTER_OTLP_ENDPOINT": (
        "faults/test_numbers.py::test_a_statement_is_one_trace_through_gateway_and_node"
    ),
}
GATEWAY = {
    "FEATURE_REMOTE_ROUTING": _FLAGS,
    "FEATURE_ASYNC_QUEUE": _FLAGS,
    "FEATURE_CURSOR_MODE": _FLAGS,
    "FEATURE_INTERNAL_GRPC": _FLAGS,
    "REMOTE_CANARY_USERS": _FLAGS,
    "REMOTE_CANARY_GROUPS": _FLAGS,
    "REMOTE_CANARY_PERCENT": (
        "unit/routing/test_resolve.py::"
        "test_a_percentage_lets_a_stable_share_go_remote_and_raising_it_only_adds"
    ),
    "NODE_TLS_CA_FILE": _EXPIRED,
    "NODE_TLS_CERT_FILE": _EXPIRED,
    "NODE_TLS_KEY_FILE": _EXPIRED,
    "HEALTH_CHECK_INTERVAL": (
        "unit/routing/test_registry.py::test_an_endpoint_is_probed_again_when_the_interval_is_over"
    ),
    "NODE_LOST_AFTER": "faults/test_fleet_faults.py::test_a_fault_costs_the_right_answer_or_one_clean_error",
    "ASYNC_MAX_RUNNING": (
        "faults/test_async_queries.py::test_a_policy_change_between_submit_and_run_is_honoured"
    ),
    "ASYNC_MAX_RUNNING_PER_PRINCIPAL": _QUEUE,
    "ASYNC_MAX_QUEUED_PER_PRINCIPAL": _QUEUE,
    "ASYNC_MAX_RESULT_BYTES": _QUEUE,
    "ASYNC_MAX_RESULT_TTL": _QUEUE,
    "QUERY_RESULT_TTL": _QUEUE,
    "QUERY_CLEANUP_INTERVAL": _QUEUE,
    "SPOOL_DIR": _QUEUE,
    "ASYNC_LEASE": (
        "clients/test_async_postgres.py::"
        "test_another_gateway_takes_over_from_a_killed_one_and_gives_its_results"
    ),
}
TAKES_ANY_TEXT = {"REMOTE_CANARY_USERS", "REMOTE_CANARY_GROUPS"}
"""A list of names: there is no bad one."""
OF_THE_FLEET = re.compile(r"(feature|remote|node|async|health)_.*|query_(result|cleanup)_.*|spool_dir")


def test_no_setting_of_the_fleet_is_left_out() -> None:
    assert NODE.keys() == {name.upper() for name in NodeSettings.model_fields}
    assert GATEWAY.keys() == {
        name.upper() for name in GatewaySettings.model_fields if OF_THE_FLEET.fullmatch(name)
    }


@pytest.mark.parametrize(("setting", "test"), [*NODE.items(), *GATEWAY.items()])
def test_its_effect_is_tested(setting: str, test: str) -> None:
    file, _, name = test.partition("::")
    assert re.search(rf"def {name}\(", (TESTS / file).read_text())


@pytest.mark.parametrize(
    ("setting", "file"),
    [*((name, NODE_BAD_VALUES) for name in NODE), *((name, GATEWAY_BAD_VALUES) for name in GATEWAY)],
)
def test_its_bad_value_is_tested(setting: str, file: str) -> None:
    assert setting in TAKES_ANY_TEXT or f'"{setting}"' in (TESTS / file).read_text()


def test_every_setting_is_on_a_page() -> None:
    docs = TESTS.parent / "docs"
    told = set(re.findall(r"`([A-Z_]+)`", (docs / "configuration.md").read_text()))
    of_nodes = set(re.findall(r"`([A-Z_]+)`", (docs / "fleet.md").read_text()))
    assert {name.upper() for name in GatewaySettings.model_fields} <= told | of_nodes
    assert {name.upper() for name in NodeSettings.model_fields} <= of_nodes | {"OTEL_EXPORTER_OTLP_ENDPOINT"}

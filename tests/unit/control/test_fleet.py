"""The fleet in the control plane: moves of an endpoint, pools, catalogs, flags; and what is refused."""

import pytest

from pgproxy.control import changes, fleet_changes
from pgproxy.control.flags import CurrentFlags, Flags
from pgproxy.control.fleet import (
    ENDPOINT_TRANSITIONS,
    Assignment,
    CatalogKind,
    CatalogSource,
    Endpoint,
    EndpointState,
    matches,
    parse_selector,
    selector_text,
)
from pgproxy.control.state import ControlState
from pgwire.errors import GatewayError
from tests.unit.control.states import sample_state

LAKE = CatalogSource(
    "other", CatalogKind.DUCKLAKE, "postgres:dbname=x", False, {"data_path": "/x"}, {"password": "p"}
)


def checked(after: ControlState) -> ControlState:
    fleet_changes.check_fleet(sample_state(), after)
    return after


def refusal(after: ControlState) -> str:
    with pytest.raises(GatewayError) as caught:
        checked(after)
    return caught.value.sqlstate.value


@pytest.mark.parametrize("state", EndpointState)
@pytest.mark.parametrize("target", EndpointState)
def test_an_endpoint_moves_only_as_the_table_says(state: EndpointState, target: EndpointState) -> None:
    before = ControlState(endpoints={"n": Endpoint("n", "grpc://h:1", "t", state)})
    if target is state or target in ENDPOINT_TRANSITIONS[state]:
        assert fleet_changes.set_endpoint_state(before, "n", target).endpoints["n"].state is target
    else:
        with pytest.raises(GatewayError) as caught:
            fleet_changes.set_endpoint_state(before, "n", target)
        assert caught.value.sqlstate.value == "55000"


@pytest.mark.parametrize("state", EndpointState)
def test_health_activates_only_what_is_registered(state: EndpointState) -> None:
    before = ControlState(endpoints={"n": Endpoint("n", "grpc://h:1", "t", state)})
    expected = EndpointState.ACTIVE if state is EndpointState.REGISTERED else state
    assert fleet_changes.activate_registered(before, "n").endpoints["n"].state is expected


def test_a_selector_has_one_form_and_selects_by_all_its_labels() -> None:
    selector = parse_selector(" zone = eu , size=large")
    assert selector_text(selector) == "size=large,zone=eu"
    labels = Endpoint("n", "grpc://h:1", "t", labels={"zone": "eu"}, size="large").all_labels
    assert matches(labels, selector)
    assert not matches({"zone": "eu"}, selector)


@pytest.mark.parametrize("text", ["", "zone", "zone=", "=eu", "zone=eu,zone=us", "a=b c", "a=b,"])
def test_a_bad_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="KEY=VALUE"):
        parse_selector(text)


def test_an_assignment_to_a_pool_needs_no_endpoint_and_a_good_selector() -> None:
    assert checked(changes.assign(sample_state(), Assignment("ann", "zone=eu", weight=2)))
    assert refusal(changes.assign(sample_state(), Assignment("ann", "zone=eu,a=b"))) == "22023"
    assert refusal(changes.assign(sample_state(), Assignment("ann", "zone=eu", weight=0))) == "22023"
    assert refusal(changes.assign(sample_state(), Assignment("ann", "nowhere"))) == "42704"


@pytest.mark.parametrize(
    ("endpoint", "sqlstate"),
    [
        (Endpoint("a=b", "grpc://h:1", "t"), "42602"),
        (Endpoint("n", "http://h:1", "t"), "22023"),
        (Endpoint("n", "grpc://h:1", ""), "22023"),
        (Endpoint("n", "grpc://h:1", "t", capacity=-1), "22023"),
        (Endpoint("n", "grpc://h:1", "t", labels={"a b": "c"}), "22023"),
    ],
)
def test_a_bad_endpoint_is_refused(endpoint: Endpoint, sqlstate: str) -> None:
    assert refusal(changes.add_endpoint(sample_state(), endpoint)) == sqlstate


@pytest.mark.parametrize(
    ("source", "sqlstate"),
    [
        (CatalogSource("system", CatalogKind.DUCKDB, "/x"), "42602"),
        (CatalogSource("__ducklake_metadata_x", CatalogKind.DUCKDB, "/x"), "42602"),
        (CatalogSource("x", CatalogKind.DUCKDB, ""), "22023"),
        (CatalogSource("x", CatalogKind.DUCKDB, "/x", is_read_only=False), "22023"),
        (CatalogSource("x", CatalogKind.PARQUET, "/x", options={"data_path": "/y"}), "22023"),
        (CatalogSource("x", CatalogKind.DUCKLAKE, "postgres:dbname=x"), "22023"),
        (
            CatalogSource("x", CatalogKind.DUCKLAKE, "password=y", options={"data_path": "/"}),
            "22023",
        ),
        (CatalogSource("x", CatalogKind.DUCKDB, "/x", credentials={"password": "p"}), "22023"),
    ],
)
def test_a_bad_catalog_is_refused(source: CatalogSource, sqlstate: str) -> None:
    assert refusal(fleet_changes.add_catalog(sample_state(), source)) == sqlstate


def test_catalogs_come_and_go() -> None:
    state = checked(fleet_changes.add_catalog(sample_state(), LAKE))
    with pytest.raises(GatewayError) as caught:
        fleet_changes.add_catalog(state, LAKE)
    assert caught.value.sqlstate.value == "42P04"
    assert "other" not in fleet_changes.drop_catalog(state, "other").catalogs
    with pytest.raises(GatewayError) as caught:
        fleet_changes.drop_catalog(sample_state(), "other")
    assert caught.value.sqlstate.value == "3D000"


def test_a_credential_shows_nowhere() -> None:
    assert "s3cret" not in repr(sample_state())


@pytest.mark.parametrize(
    ("name", "value", "sqlstate"),
    [
        ("FEATURE_REMOTE_ROUTING", "perhaps", "22023"),
        ("REMOTE_CANARY_PERCENT", "101", "22023"),
        ("REMOTE_CANARY_PERCENT", "some", "22023"),
        ("MAX_CONNECTIONS", "5", "42704"),
    ],
)
def test_a_bad_flag_is_refused(name: str, value: str, sqlstate: str) -> None:
    assert refusal(fleet_changes.set_flags(sample_state(), {name: value})) == sqlstate


def test_flags_of_the_metastore_win_and_give_way_again() -> None:
    flags = CurrentFlags(Flags(remote_canary_percent=5), {"REMOTE_CANARY_PERCENT": "50%"})
    assert flags.value.remote_canary_percent == 50
    assert not flags.rebase(Flags(remote_canary_percent=7))
    assert flags.store({"REMOTE_CANARY_USERS": "ann, bob"})
    assert flags.value == Flags(remote_canary_percent=7, remote_canary_users=frozenset({"ann", "bob"}))
    with pytest.raises(ValueError, match="expected"):
        flags.store({"FEATURE_CURSOR_MODE": "what"})
    assert flags.value.remote_canary_percent == 7

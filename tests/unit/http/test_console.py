"""The console's own parts: sessions that end, charts that stay small, a search that stays bounded."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import pytest
from starlette.requests import Request

from pgproxy.audit.records import event_record
from pgproxy.control.audit import AuditPage, AuditRecord, AuditRow
from pgproxy.control.metastore import ControlPlaneUnavailable
from pgproxy.control.rollouts import Rollout, RolloutStatus
from pgproxy.http.console.history import History
from pgproxy.http.console.sessions import ConsoleSessions, same_token
from pgproxy.http.console.views import ill_first, rollout_actions, search_audit
from pgproxy.http.console.visitors import COOKIE, Visitors
from pgproxy.identity.authenticator import Authenticator
from pgproxy.identity.model import AuthMethod, Identity
from pgproxy.metrics import EndpointNumbers
from pgproxy.policy.current import CurrentPolicies
from pgproxy.policy.model import PolicySet, Principal, PrincipalKind
from pgproxy.session.telemetry import Outcome, StatementRecord
from pgwire.errors import AccessDenied

ADMIN = Identity("admin", AuthMethod.PASSWORD)


def test_a_session_ends_when_it_is_idle_and_when_it_is_old() -> None:
    now = [0.0]
    sessions = ConsoleSessions(lambda: now[0])
    idle, used = sessions.open(ADMIN), sessions.open(ADMIN)
    for _ in range(25):
        now[0] += 29 * 60
        found = sessions.find(used)
        if now[0] <= 12 * 3600:
            assert found is not None
    assert sessions.find(idle) is None
    assert sessions.find(used) is None


def test_there_are_only_so_many_sessions_and_the_unused_one_goes_first() -> None:
    now = [0.0]
    sessions = ConsoleSessions(lambda: now[0])
    tokens = []
    for _ in range(257):
        now[0] += 1
        tokens.append(sessions.open(ADMIN))
        sessions.find(tokens[0])
    assert sessions.find(tokens[0]) is not None
    assert sessions.find(tokens[1]) is None
    assert sessions.find(tokens[-1]) is not None


def test_nothing_equals_an_empty_token() -> None:
    session = ConsoleSessions().find(ConsoleSessions().open(ADMIN))
    assert session is None
    assert not same_token("", "")
    assert same_token("a", "a")


def test_charts_have_a_value_a_slice_and_names_of_a_closed_number() -> None:
    now = [1000.0]
    history = History(lambda: now[0])
    history.statements_ended(
        StatementRecord("a", 1, route=f"node{number}", arm="canary", queue_ms=2.0, total_ms=10.0)
        for number in range(40)
    )
    now[0] += 5
    lost = StatementRecord("a", 1, route="n", arm="control", outcome=Outcome.ERROR, sqlstate="08006")
    denied = StatementRecord("a", 1, outcome=Outcome.DENIED, sqlstate="42501")
    history.statements_ended([lost, denied])
    charts = history.charts()
    statements, failures, arms = charts["statements"], charts["failures"], charts["arms"]
    assert isinstance(statements, dict)
    assert isinstance(failures, dict)
    assert isinstance(arms, dict)
    assert len(statements) <= 24 + 3
    assert all(len(values) == 180 for values in statements.values())
    assert round(sum(sum(values) for values in statements.values()) * 5) == 42
    assert (failures["08006"][-1], failures["denied"][-1]) == (0.2, 0.2)
    assert arms["canary"][-1] is None
    assert 9 < arms["canary"][-2] < 12
    now[0] += 10_000
    assert history.charts()["arms"] == {}


class Rows:
    """An audit log of numbered rows."""

    def __init__(self, count: int) -> None:
        self.records = [
            event_record("statement", "g", f"user{number % 10}", "SELECT", "[]") for number in range(count)
        ]
        self.read = 0

    async def bounds(self) -> tuple[int, int]:
        return (1, len(self.records)) if self.records else (0, 0)

    async def page(self, after_id: int, limit: int) -> AuditPage:
        found = self.records[after_id : after_id + limit]
        self.read += len(found)
        return AuditPage(tuple(range(after_id + 1, after_id + 1 + len(found))), tuple(found))

    async def write(self, rows: Sequence[AuditRow]) -> None:
        raise NotImplementedError

    async def last(self, limit: int = 100) -> tuple[AuditRecord, ...]:
        raise NotImplementedError

    async def purge(self, before: datetime) -> int:
        raise NotImplementedError


async def test_a_search_goes_backwards_page_by_page_without_a_gap() -> None:
    rows = Rows(2500)
    seen: list[str] = []
    before = None
    while True:
        found, before = await search_audit(rows, {"principal": "USER7"}, before)
        seen += [record.request_id for record in found]
        if before is None:
            break
    wanted = [record.request_id for record in rows.records if record.principal == "user7"]
    assert seen == wanted[::-1]


async def test_a_search_that_finds_nothing_reads_so_much_and_can_go_on() -> None:
    rows = Rows(25_000)
    found, before = await search_audit(rows, {"text": "nowhere"}, None)
    assert (found, before, rows.read) == ([], 5001, 20_000)
    assert await search_audit(rows, {"text": "nowhere"}, before) == ([], None)
    assert await search_audit(Rows(0), {}, None) == ([], None)


def test_the_buttons_are_those_of_the_table_of_moves() -> None:
    rollout = Rollout("r", "a", (1, 100))
    assert rollout_actions(rollout) == ["pause", "widen", "abort"]
    assert rollout_actions(rollout.moved(RolloutStatus.RUNNING, 1, "", 1)) == ["pause", "abort"]
    assert rollout_actions(rollout.moved(RolloutStatus.HALTED, 1, "")) == ["resume", "abort"]
    assert rollout_actions(rollout.moved(RolloutStatus.ABORTED, 1, "")) == []


class Doorkeeper:
    """An authenticator that knows one identity, and whose control plane can go away."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.is_valid: bool | None = True

    async def authenticate_http(self, authorization: str | None, peer: str, *, is_tls: bool) -> Identity:
        assert authorization is not None
        return self.identity

    async def is_still_valid(self, identity: Identity) -> bool:
        if self.is_valid is None:
            raise ControlPlaneUnavailable("the control plane cannot be read")
        return self.is_valid


def request_with(cookie: str = "") -> Request:
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())]
    return Request({"type": "http", "headers": headers, "scheme": "http", "server": ("h", 1), "path": "/"})


async def test_the_last_known_policy_decides_while_the_metastore_is_away() -> None:
    doors = Doorkeeper(ADMIN)
    policies = CurrentPolicies(PolicySet(1, {"admin": Principal("admin", PrincipalKind.USER, is_admin=True)}))
    visitors = Visitors(cast("Authenticator", doors), policies)
    token = await visitors.log_in(request_with(), "admin", "secret")
    doors.is_valid = None
    assert await visitors.visitor(request_with(token)) is not None
    policies.replace(PolicySet(-1))
    assert await visitors.visitor(request_with(token)) is None
    policies.replace(PolicySet(2, {"admin": Principal("admin", PrincipalKind.USER, is_admin=True)}))
    assert await visitors.visitor(request_with(token)) is None


async def test_only_a_password_opens_the_console() -> None:
    policies = CurrentPolicies(PolicySet(1, {"admin": Principal("admin", PrincipalKind.USER, is_admin=True)}))
    for method in (AuthMethod.API_KEY, AuthMethod.CERTIFICATE):
        visitors = Visitors(cast("Authenticator", Doorkeeper(Identity("admin", method))), policies)
        with pytest.raises(AccessDenied):
            await visitors.log_in(request_with(), "admin", "secret")


def test_endpoints_that_are_not_well_come_before_those_that_are() -> None:
    fleet = {
        name: EndpointNumbers(health, 0, 4)
        for name, health in (("b", "active"), ("c", "unhealthy"), ("a", "active"), ("d", "draining"))
    }
    assert [name for name, _ in ill_first(fleet)] == ["c", "d", "a", "b"]

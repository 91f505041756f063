"""The service: who may change what, and PostgreSQL's SQLSTATE for each mistake."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pgproxy.control import open_metastore
from pgproxy.control.fleet import Assignment, Endpoint, EndpointState, Fallback
from pgproxy.control.passwords import matches_verifier
from pgproxy.control.service import Actor, ControlService
from pgproxy.policy.model import ColumnMask, Grant, PrincipalKind, Privilege, RowFilter, TableName
from pgwire.errors import AccessDenied, GatewayError, StatementError
from pgwire.sqlstate import SqlState
from tests.unit.control.states import CUSTOMERS, VERIFIER, group, sample_state, user

ROOT = Actor("root")
ANN = Actor("ann")
OPERATOR = Actor("os:me", is_operator=True)

Step = Callable[[ControlService], Awaitable[object]]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ControlService]:
    async with open_metastore(f"sqlite:///{tmp_path}/m.sqlite") as metastore:
        await metastore.change("fixture", lambda _: sample_state())
        yield ControlService(metastore)


def grant(privilege: Privilege, *where: str, to: str = "ann", columns: frozenset[str] | None = None) -> Grant:
    return Grant(to, privilege, *where, columns=columns)


def eu_filter(name: str = "eu2", to: str = "ann", using: str = "true", check: str | None = None) -> RowFilter:
    return RowFilter(name, CUSTOMERS, using, frozenset({to}), check=check)


def null_mask(name: str = "m", to: str = "ann", exempt: str = "root", sql: str = "NULL") -> ColumnMask:
    return ColumnMask(name, CUSTOMERS, "phone", sql, frozenset({to}), frozenset({exempt}))


REFUSALS: list[tuple[str, Step]] = [
    ("42710", lambda s: s.create_user(ROOT, user("ann"))),
    ("42710", lambda s: s.create_user(ROOT, user("team"))),
    ("42710", lambda s: s.create_group(ROOT, "ann")),
    ("42704", lambda s: s.create_user(ROOT, user("new", "ghosts"))),
    ("42809", lambda s: s.create_user(ROOT, user("new", "ann"))),
    ("42602", lambda s: s.create_user(ROOT, user(""))),
    ("42602", lambda s: s.create_user(ROOT, user("x" * 64))),
    ("42602", lambda s: s.create_user(ROOT, user("new", attributes={"a b": "c"}))),
    ("42939", lambda s: s.create_user(ROOT, user("pg_monitor"))),
    ("42939", lambda s: s.create_group(ROOT, "public")),
    ("22023", lambda s: s.create_user(ROOT, user("new"), "")),
    ("22023", lambda s: s.create_user(ROOT, user("new"), "SCRAM-SHA-256$nonsense")),
    ("42704", lambda s: s.set_password(ROOT, "ghost", "x")),
    ("42809", lambda s: s.set_password(ROOT, "team", "x")),
    ("42704", lambda s: s.set_login(ROOT, "ghost", can_login=False)),
    ("42704", lambda s: s.set_attributes(ROOT, "ghost", {})),
    ("42704", lambda s: s.drop_principal(ROOT, "ghost")),
    ("2BP01", lambda s: s.drop_principal(ROOT, "team")),
    ("2BP01", lambda s: s.drop_principal(ROOT, "root")),
    ("42704", lambda s: s.add_member(ROOT, "ghosts", "ann")),
    ("42809", lambda s: s.add_member(ROOT, "ann", "team")),
    ("0LP01", lambda s: s.add_member(ROOT, "team", "team")),
    ("42704", lambda s: s.remove_member(ROOT, "team", "ghost")),
    ("42704", lambda s: s.grant(ROOT, [grant(Privilege.SELECT, "demo", to="ghost")])),
    ("0LP01", lambda s: s.grant(ROOT, [grant(Privilege.CREATE, "demo", "sales", "customers")])),
    ("0LP01", lambda s: s.grant(ROOT, [grant(Privilege.CONNECT, "demo", "sales")])),
    ("0LP01", lambda s: s.grant(ROOT, [grant(Privilege.SELECT, "demo", columns=frozenset("a"))])),
    ("0LP01", lambda s: s.grant(ROOT, [grant(Privilege.DELETE, *CUSTOMERS, columns=frozenset("a"))])),
    ("0LP01", lambda s: s.grant(ROOT, [grant(Privilege.SELECT, *CUSTOMERS, columns=frozenset())])),
    ("42602", lambda s: s.grant(ROOT, [grant(Privilege.SELECT, "")])),
    ("42710", lambda s: s.create_row_filter(ROOT, eu_filter("eu"))),
    ("42704", lambda s: s.create_row_filter(ROOT, eu_filter(to="ghost"))),
    ("42803", lambda s: s.create_row_filter(ROOT, eu_filter(using="sum(a) = 1"))),
    ("42601", lambda s: s.create_row_filter(ROOT, eu_filter(check="SELECT 1"))),
    ("42704", lambda s: s.alter_row_filter(ROOT, eu_filter("none"))),
    ("42704", lambda s: s.drop_row_filter(ROOT, CUSTOMERS, "none")),
    ("42710", lambda s: s.create_column_mask(ROOT, null_mask("hide"))),
    ("42704", lambda s: s.create_column_mask(ROOT, null_mask(exempt="ghost"))),
    ("42P17", lambda s: s.create_column_mask(ROOT, null_mask(exempt="ann"))),
    ("0A000", lambda s: s.create_column_mask(ROOT, null_mask(sql="(SELECT 1)"))),
    ("42704", lambda s: s.alter_column_mask(ROOT, null_mask("none"))),
    ("42704", lambda s: s.drop_column_mask(ROOT, CUSTOMERS, "none")),
    ("42710", lambda s: s.add_endpoint(ROOT, Endpoint("node", "grpc://h:1", "t"))),
    ("42602", lambda s: s.add_endpoint(ROOT, Endpoint("", "grpc://h:1", "t"))),
    ("22023", lambda s: s.add_endpoint(ROOT, Endpoint("new", "grpc://h:1", ""))),
    ("42704", lambda s: s.set_endpoint_state(ROOT, "none", EndpointState.DRAINING)),
    ("42704", lambda s: s.set_endpoint_token(ROOT, "none", "t")),
    ("42704", lambda s: s.assign(ROOT, Assignment("ann", "none"), PrincipalKind.USER)),
    ("42704", lambda s: s.assign(ROOT, Assignment("ghost", "node"), PrincipalKind.USER)),
    ("42809", lambda s: s.assign(ROOT, Assignment("team", "node"), PrincipalKind.USER)),
    ("42704", lambda s: s.unassign(ROOT, "ann", "node")),
    ("55006", lambda s: s.set_login(ROOT, "root", can_login=False)),
    ("55006", lambda s: s.set_password(ROOT, "root", None)),
    ("55006", lambda s: s.alter_principal(ROOT, "root", lambda p: replace(p, is_admin=False))),
]


@pytest.mark.parametrize(("sqlstate", "step"), REFUSALS)
async def test_a_mistake_is_refused_with_postgresqls_code_and_changes_nothing(
    service: ControlService, sqlstate: str, step: Step
) -> None:
    with pytest.raises(GatewayError) as caught:
        await step(service)
    assert caught.value.sqlstate.value == sqlstate
    assert await service.metastore.state() == sample_state()
    assert await service.metastore.epoch() == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://h:1",
        "grpc://h",
        "grpc://:1",
        "h:1",
        "grpc://h:1/x",
        "grpc://u:p@h:1",
        "grpc://h:99999",
        "grpc://[::1",
    ],
)
async def test_an_endpoint_url_names_a_host_and_a_port(service: ControlService, url: str) -> None:
    with pytest.raises(StatementError, match="grpc://HOST:PORT"):
        await service.add_endpoint(ROOT, Endpoint("new", url, "t"))


@pytest.mark.parametrize("url", ["grpc://127.0.0.1:9444", "grpcs://node.example:443", "grpc://[::1]:9"])
async def test_grpc_and_grpcs_urls_are_accepted(service: ControlService, url: str) -> None:
    assert (await service.add_endpoint(ROOT, Endpoint("new", url, "t"))).epoch == 2


@pytest.mark.parametrize("actor", [ANN, Actor("ghost"), Actor("team")])
async def test_only_administrators_change_anything(service: ControlService, actor: Actor) -> None:
    for step in (
        service.create_group(actor, "mine"),
        service.grant(actor, [grant(Privilege.SELECT, "demo")]),
        service.alter_principal(actor, "ann", lambda p: replace(p, is_admin=True)),
        service.set_password(actor, "root", "mine now"),
        service.add_endpoint(actor, Endpoint("new", "grpc://h:1", "t")),
    ):
        with pytest.raises(AccessDenied):
            await step
    assert await service.metastore.epoch() == 1


async def test_an_administrator_through_a_group_may_and_one_just_revoked_may_not(
    service: ControlService,
) -> None:
    await service.apply(
        OPERATOR, lambda s: replace(s, principals={**s.principals, "ops": group("ops", is_admin=True)})
    )
    await service.add_member(ROOT, "ops", "ann")
    await service.create_group(ANN, "made_by_ann")
    await service.remove_member(ROOT, "ops", "ann")
    with pytest.raises(AccessDenied):
        await service.create_group(ANN, "another")


async def test_everybody_may_change_their_own_password_unless_locked(service: ControlService) -> None:
    await service.set_password(ANN, "ann", "mine")
    stored = (await service.metastore.state()).verifiers["ann"]
    assert stored is not None
    assert await matches_verifier("mine", stored)
    await service.set_login(ROOT, "ann", can_login=False)
    with pytest.raises(AccessDenied):
        await service.set_password(ANN, "ann", "again")


async def test_a_password_may_come_as_a_verifier(service: ControlService) -> None:
    await service.create_user(ROOT, user("new"), VERIFIER)
    assert (await service.metastore.state()).verifiers["new"] == VERIFIER


async def test_a_membership_loop_is_refused_over_several_steps(service: ControlService) -> None:
    await service.add_member(ROOT, "rest", "team")
    with pytest.raises(StatementError) as caught:
        await service.add_member(ROOT, "team", "rest")
    assert caught.value.sqlstate is SqlState.INVALID_GRANT_OPERATION


async def test_grants_add_up_and_are_revoked_exactly(service: ControlService) -> None:
    by_column = [grant(Privilege.SELECT, *CUSTOMERS, columns=frozenset(c)) for c in ("a", "b")]
    await service.grant(ROOT, by_column)
    whole = grant(Privilege.SELECT, *CUSTOMERS)
    mine = {g for g in (await service.metastore.state()).grants if g.principal == "ann"}
    assert mine == {replace(whole, columns=frozenset({"a", "b"}))}
    await service.grant(ROOT, [whole])
    await service.revoke(ROOT, [by_column[0]])
    mine = {g for g in (await service.metastore.state()).grants if g.principal == "ann"}
    assert mine == {whole, by_column[1]}
    await service.revoke(ROOT, [whole])
    assert {g.principal for g in (await service.metastore.state()).grants} == {"team"}
    assert (await service.revoke(ROOT, [whole])).differences == ()


async def test_filters_and_masks_are_created_altered_and_dropped(service: ControlService) -> None:
    await service.create_row_filter(ROOT, eu_filter())
    await service.alter_row_filter(ROOT, eu_filter(using="false"))
    await service.create_column_mask(ROOT, null_mask())
    await service.alter_column_mask(ROOT, null_mask(sql="'x'"))
    state = await service.metastore.state()
    assert state.row_filters[CUSTOMERS, "eu2"].using == "false"
    assert state.column_masks[CUSTOMERS, "m"].expression == "'x'"
    await service.drop_row_filter(ROOT, CUSTOMERS, "eu2")
    await service.drop_column_mask(ROOT, CUSTOMERS, "m")
    assert await service.metastore.state() == sample_state()


async def test_a_principal_is_dropped_once_nothing_names_it(service: ControlService) -> None:
    await service.create_user(ROOT, user("new", "rest"), "x")
    await service.drop_principal(ROOT, "rest")
    assert (await service.metastore.state()).principals["new"].member_of == frozenset()
    await service.drop_principal(ROOT, "new")
    assert "new" not in (await service.metastore.state()).verifiers


async def test_a_retired_endpoint_keeps_its_assignments_and_can_come_back(service: ControlService) -> None:
    await service.set_endpoint_state(ROOT, "node", EndpointState.RETIRED)
    await service.add_endpoint(ROOT, Endpoint("node", "grpcs://other:2", "new"))
    state = await service.metastore.state()
    assert state.endpoints["node"] == Endpoint("node", "grpcs://other:2", "new", EndpointState.ACTIVE)
    assert ("team", "node") in state.assignments


async def test_assigning_again_changes_the_assignment(service: ControlService) -> None:
    again = Assignment("team", "node", 5, Fallback.AUTOMATIC)
    await service.assign(ROOT, again, PrincipalKind.GROUP)
    assert await service.metastore.assignments() == (again,)
    await service.unassign(ROOT, "team", "node")
    assert await service.metastore.assignments() == ()


async def test_bootstrapping_is_idempotent_and_unlocks(service: ControlService) -> None:
    first = await service.bootstrap_admin("boss", "secret")
    assert first.epoch == 2
    assert (await service.bootstrap_admin("boss", "secret")).differences == ()
    await service.set_login(ROOT, "boss", can_login=False)
    await service.bootstrap_admin("boss", "other")
    stored = (await service.metastore.state()).verifiers["boss"]
    assert stored is not None
    assert await matches_verifier("other", stored)


async def test_the_planners_binding_is_asked_for_what_changed_only(service: ControlService) -> None:
    asked: list[tuple[TableName, str | None, str]] = []

    def bind(table: TableName, column: str | None, sql: str) -> None:
        asked.append((table, column, sql))
        if "missing" in sql:
            raise StatementError("no such column", sqlstate=SqlState.UNDEFINED_COLUMN)

    binding = ControlService(service.metastore, validate_expression=bind)
    await binding.create_row_filter(ROOT, eu_filter(using="a = 1", check="b = 2"))
    await binding.create_column_mask(ROOT, null_mask())
    assert asked == [(CUSTOMERS, None, "a = 1"), (CUSTOMERS, None, "b = 2"), (CUSTOMERS, "phone", "NULL")]
    with pytest.raises(StatementError, match="no such column"):
        await binding.create_row_filter(ROOT, eu_filter("bad", using="missing = 1"))

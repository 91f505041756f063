"""`Authenticator.authenticate_http`: Basic, Bearer key, Bearer JWT; rules and locks as on the wire."""

from datetime import timedelta

import pytest

from pgproxy.control.api_keys import Interface
from pgproxy.identity.model import AuthMethod, Identity
from pgproxy.identity.tokens import TokenSubject
from pgproxy.policy.model import CredentialScope
from pgwire.errors import AuthenticationFailed
from tests.unit.identity.conftest import PASSWORD, World, basic

HERE, AWAY = "127.0.0.1", "203.0.113.7"


async def come(world: World, header: str | None, peer: str = HERE, *, is_tls: bool = False) -> Identity:
    return await world.authenticator.authenticate_http(header, peer, is_tls=is_tls)


async def refused(world: World, header: str | None, peer: str = HERE, *, is_tls: bool = False) -> str:
    with pytest.raises(AuthenticationFailed) as caught:
        await come(world, header, peer, is_tls=is_tls)
    return f"{caught.value.sqlstate.value} {caught.value.message}"


async def test_basic_with_the_password(world: World) -> None:
    assert await come(world, basic("ann", PASSWORD)) == Identity("ann", AuthMethod.PASSWORD)
    assert world.caught_up == 1, "what was committed before holds for what follows"


@pytest.mark.parametrize("name", ["ann", "nobody", "late", "gone", "team", "etl", "ann+aaaaaaaaaaaaaaaa"])
async def test_every_wrong_login_gets_one_answer(world: World, name: str) -> None:
    password = PASSWORD if name != "ann" else "wrong"
    assert await refused(world, basic(name, password)) == "28P01 authentication failed"


async def test_a_key_as_bearer_and_as_basic_password(world: World) -> None:
    scope = CredentialScope(is_read_only=True, catalogs=frozenset({"demo"}))
    text = world.add_key(scope=scope)
    (key_id,) = world.state_now.api_keys
    expected = Identity("etl", AuthMethod.API_KEY, scope, key_id)
    assert await come(world, f"Bearer {text}") == expected
    assert await come(world, basic("etl", text)) == expected
    assert await come(world, basic(f"etl+{key_id}", text)) == expected
    assert await refused(world, basic("ann", text)) == "28P01 authentication failed"
    assert world.events[0].key_id == key_id


async def test_a_key_that_ran_out_was_revoked_or_is_for_the_wire_only_is_refused(world: World) -> None:
    expired = world.add_key(ends_in=timedelta(seconds=-1))
    wire = world.add_key(interfaces=[Interface.POSTGRES])
    revoked = world.add_key()
    locked = world.add_key("gone")
    keys = dict(world.state_now.api_keys)
    keys.pop(revoked.split("_")[1])
    world.state_now = type(world.state_now)(
        principals=world.state_now.principals, verifiers=world.state_now.verifiers, api_keys=keys
    )
    for text in (expired, wire, revoked, locked, "pgk_" + "a" * 16 + "_" + "b" * 43, wire[:-1] + "_"):
        assert await refused(world, f"Bearer {text}") == "28P01 authentication failed"


async def test_a_token_as_bearer(world: World) -> None:
    world.tokens["eyJ.good.one"] = TokenSubject("ann", frozenset({"team"}))
    expected = Identity("ann", AuthMethod.JWT, CredentialScope(groups=frozenset({"team"})))
    assert await come(world, "bearer eyJ.good.one") == expected
    assert await come(world, basic("ann", "eyJ.good.one")) == expected
    assert await refused(world, basic("root", "eyJ.good.one")) == "28P01 authentication failed"
    assert await refused(world, "Bearer eyJ.bad.one") == "28P01 authentication failed"


@pytest.mark.parametrize("header", ["Basic", "Basic !!", "Basic YW5u", "Digest x", "Bearer ", "Bearer x y"])
async def test_a_malformed_header_is_refused(world: World, header: str) -> None:
    assert await refused(world, header) == "28P01 authentication failed"


async def test_no_header_asks_for_one(world: World) -> None:
    assert await refused(world, None) == "28000 authentication is required"


async def test_credentials_from_other_machines_need_tls(world: World) -> None:
    assert (await refused(world, basic("ann", PASSWORD), AWAY)).startswith(
        "28000 credentials are accepted over"
    )
    assert (await come(world, basic("ann", PASSWORD), AWAY, is_tls=True)).principal == "ann"


async def test_rules_hold_here_too(world: World) -> None:
    world.rules(
        "host all root all reject",
        "hostssl all +team 203.0.113.0/24 password accept=api_key",
        "hostssl all etl all scram-sha-256-plus",
        "local all ann scram-sha-256",
    )
    header = basic("ann", PASSWORD)
    assert "rejects connection" in await refused(world, basic("root", PASSWORD))
    assert (await come(world, header)).principal == "ann"
    assert await refused(world, header, AWAY, is_tls=True) == "28P01 authentication failed"
    assert (await come(world, f"Bearer {world.add_key('ann')}", AWAY, is_tls=True)).principal == "ann"
    assert "not possible over HTTP" in await refused(world, f"Bearer {world.add_key()}", AWAY, is_tls=True)
    assert await refused(world, header, "198.51.100.1", is_tls=True) == (
        '28000 no pg_hba.conf entry for host "198.51.100.1", user "ann", database "demo", SSL encryption'
    )


async def test_guesses_lock_passwords_but_neither_keys_nor_other_addresses(world: World) -> None:
    for _ in range(3):
        await refused(world, basic("ann", "wrong"))
    assert await refused(world, basic("ann", PASSWORD)) == "28P01 authentication failed"
    assert world.events[-1].outcome == "locked"
    assert (await come(world, f"Bearer {world.add_key('ann')}")).principal == "ann"
    assert (await come(world, basic("ann", PASSWORD), AWAY, is_tls=True)).principal == "ann"
    world.now += 1.01
    assert (await come(world, basic("ann", PASSWORD))).principal == "ann"


async def test_names_that_do_not_exist_lock_as_well(world: World) -> None:
    for _ in range(4):
        await refused(world, basic("nobody", "wrong"))
    assert [event.outcome for event in world.events] == ["failed", "failed", "failed", "locked"]
    assert {event.principal for event in world.events} == {""}, "what was typed there may be a password"

"""`Authenticator.begin`: which exchange a rule leads to, what proves what, guesses that run side by side."""

import pytest
from scramp import ScramClient

from pgproxy.identity.login import Login
from pgproxy.identity.model import AuthMethod, Identity, LoginAttempt
from pgproxy.policy.model import CredentialScope
from pgwire.backend import AuthenticationCleartextPassword, AuthenticationSASL, AuthenticationSASLContinue
from pgwire.errors import AuthenticationFailed
from pgwire.frontend import PasswordMessage
from tests.unit.identity.conftest import PASSWORD, World

HERE = "127.0.0.1"


def attempt(user: str, **more: object) -> LoginAttempt:
    return LoginAttempt(user, "demo", HERE, **more)  # type: ignore[arg-type]


async def first_half(login: Login, password: str) -> ScramClient:
    """Run SCRAM up to the server's challenge."""
    (offer,) = login.start()
    assert isinstance(offer, AuthenticationSASL)
    client = ScramClient(["SCRAM-SHA-256"], "ignored", password)
    first = client.get_client_first().encode()
    body = b"SCRAM-SHA-256\0" + len(first).to_bytes(4, "big") + first
    (challenge,) = await login.receive(PasswordMessage(body))
    assert isinstance(challenge, AuthenticationSASLContinue)
    client.set_server_first(challenge.data.decode())
    return client


async def scram(world: World, user: str, password: str) -> Identity | None:
    login = await world.authenticator.begin(attempt(user))
    client = await first_half(login, password)
    await login.receive(PasswordMessage(client.get_client_final().encode()))
    return login.identity


async def test_scram_proves_the_password(world: World) -> None:
    assert await scram(world, "ann", PASSWORD) == Identity("ann", AuthMethod.SCRAM)
    with pytest.raises(AuthenticationFailed):
        await scram(world, "ann", "wrong")
    assert [event.outcome for event in world.events] == ["ok", "failed"]


async def test_scram_proves_a_key_by_its_id_in_the_name(world: World) -> None:
    scope = CredentialScope(is_read_only=True)
    text = world.add_key("ann", scope=scope)
    (key_id,) = world.state_now.api_keys
    assert await scram(world, f"ann+{key_id}", text) == Identity("ann", AuthMethod.API_KEY, scope, key_id)
    for name, secret in ((f"root+{key_id}", text), (f"ann+{key_id}", PASSWORD), ("ann", text)):
        with pytest.raises(AuthenticationFailed):
            await scram(world, name, secret)


async def test_a_principal_of_exactly_the_name_comes_before_a_key(world: World) -> None:
    text = world.add_key("ann")
    (key_id,) = world.state_now.api_keys
    namesake = f"ann+{key_id}"
    principals = {**world.state_now.principals, namesake: type(world.state_now.principals["ann"])(
        namesake, world.state_now.principals["ann"].kind
    )}  # fmt: skip
    world.state_now = type(world.state_now)(principals=principals, api_keys=world.state_now.api_keys)
    with pytest.raises(AuthenticationFailed):
        await scram(world, namesake, text)


async def test_of_guesses_side_by_side_only_the_free_ones_count(world: World) -> None:
    """All begin before the first has failed; the right one, last, comes too late."""
    logins = [await world.authenticator.begin(attempt("ann")) for _ in range(4)]
    clients = [await first_half(login, "wrong") for login in logins[:3]]
    right = await first_half(logins[3], PASSWORD)
    for login, client in zip(logins, clients, strict=False):
        with pytest.raises(AuthenticationFailed):
            await login.receive(PasswordMessage(client.get_client_final().encode()))
    with pytest.raises(AuthenticationFailed, match="password authentication failed"):
        await logins[3].receive(PasswordMessage(right.get_client_final().encode()))
    assert logins[3].identity is None
    assert [event.outcome for event in world.events] == ["failed", "failed", "failed", "locked"]


async def test_a_lock_cannot_be_seen(world: World) -> None:
    async def salt() -> str:
        login = await world.authenticator.begin(attempt("ann"))
        return (await first_half(login, "x")).server_first.split("s=")[1]

    before = await salt()
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await scram(world, "ann", "wrong")
    assert await salt() == before


async def test_a_secret_in_the_clear_is_asked_for_by_its_rule_only(world: World) -> None:
    world.rules("hostssl all all all password accept=api_key", "host all all all scram-sha-256")
    login = await world.authenticator.begin(attempt("etl", is_tls=True))
    (asked,) = login.start()
    assert isinstance(asked, AuthenticationCleartextPassword)
    text = world.add_key()
    login = await world.authenticator.begin(attempt("etl", is_tls=True))
    login.start()
    await login.receive(PasswordMessage(text.encode() + b"\0"))
    assert login.identity is not None
    assert login.identity.principal == "etl"
    login = await world.authenticator.begin(attempt("ann", is_tls=True))
    login.start()
    with pytest.raises(AuthenticationFailed):
        await login.receive(PasswordMessage(PASSWORD.encode() + b"\0"))
    (offer,) = (await world.authenticator.begin(attempt("etl"))).start()
    assert isinstance(offer, AuthenticationSASL)


async def test_a_bound_channel_alone_is_offered_where_the_rule_asks_for_it(world: World) -> None:
    world.rules("hostssl all all all scram-sha-256-plus")
    login = await world.authenticator.begin(attempt("ann", is_tls=True, channel_binding=b"hash"))
    (offer,) = login.start()
    assert isinstance(offer, AuthenticationSASL)
    assert offer.mechanisms == ("SCRAM-SHA-256-PLUS",)


@pytest.mark.parametrize(
    ("rule", "names", "message"),
    [
        ("hostssl all all all cert", ("ann",), None),
        ("hostssl all all all cert", ("bob", "ann"), "certificate authentication failed"),
        ("hostssl all all all cert", (), "requires a valid client certificate"),
        ("hostssl all all all scram-sha-256 clientcert=verify-full", ("bob",), "certificate authentication"),
        ("hostssl all all all scram-sha-256 clientcert=verify-full", (), "requires a valid client"),
        ("hostssl all all all scram-sha-256 clientcert=verify-ca", (), "requires a valid client"),
        ("hostssl all all all reject", ("ann",), "rejects connection"),
        ("host all root all scram-sha-256", ("ann",), "no pg_hba.conf entry"),
    ],
)
async def test_certificates(world: World, rule: str, names: tuple[str, ...], message: str | None) -> None:
    world.rules(rule)
    asked = attempt("ann", is_tls=True, certificate_names=names, channel_binding=b"hash")
    if message is None:
        assert (await world.authenticator.begin(asked)).identity == Identity("ann", AuthMethod.CERTIFICATE)
        return
    with pytest.raises(AuthenticationFailed, match=message) as caught:
        await world.authenticator.begin(asked)
    assert caught.value.sqlstate.value == "28000"


@pytest.mark.parametrize("name", ["gone", "team", "nobody"])
async def test_a_certificate_proves_nobody_who_may_not_log_in(world: World, name: str) -> None:
    world.rules("hostssl all all all cert")
    with pytest.raises(AuthenticationFailed, match="certificate authentication failed"):
        await world.authenticator.begin(attempt(name, is_tls=True, certificate_names=(name,)))


async def test_a_certificate_that_suffices_leaves_the_password_to_others(world: World) -> None:
    world.rules("host all all all scram-sha-256 clientcert=sufficient")
    own = attempt("ann", is_tls=True, certificate_names=("ann",))
    assert (await world.authenticator.begin(own)).identity == Identity("ann", AuthMethod.CERTIFICATE)
    for names in ((), ("bob",)):
        login = await world.authenticator.begin(attempt("ann", is_tls=True, certificate_names=names))
        assert isinstance(login.start()[0], AuthenticationSASL)


async def test_a_key_that_was_revoked_between_proof_and_session_opens_none(world: World) -> None:
    text = world.add_key()
    (key_id,) = world.state_now.api_keys
    identity = await scram(world, f"etl+{key_id}", text)
    assert identity is not None
    assert await world.authenticator.is_still_valid(identity)
    world.state_now = type(world.state_now)(principals=world.state_now.principals)
    assert not await world.authenticator.is_still_valid(identity)

"""Why logins failed, as operators read it: the client gets one answer, the audit log says which it was."""

from datetime import timedelta

import pytest

from pgwire.errors import AuthenticationFailed
from tests.unit.identity.conftest import PASSWORD, World, basic
from tests.unit.identity.test_login import attempt, scram

TLS = "198.51.100.1"


@pytest.mark.parametrize(
    ("user", "reason", "principal"),
    [
        ("ann", "wrong_secret", "ann"),
        ("late", "password_expired", "late"),
        ("gone", "role_may_not_log_in", "gone"),
        ("team", "role_may_not_log_in", "team"),
        ("etl", "no_password", "etl"),
        ("hunter2", "unknown_role", ""),
        ("ann+aaaaaaaaaaaaaaaa", "unknown_key", "ann"),
    ],
)
async def test_scram_says_why_to_the_operator_only(
    world: World, user: str, reason: str, principal: str
) -> None:
    with pytest.raises(
        AuthenticationFailed, match=f'password authentication failed for user "{user}"'.replace("+", r"\+")
    ):
        await scram(world, user, "wrong")
    (event,) = world.events
    assert (event.reason, event.principal, event.sqlstate) == (reason, principal, "28P01")


async def test_a_key_that_ran_out_is_told_from_a_wrong_one(world: World) -> None:
    old, good = world.add_key(ends_in=timedelta(days=-1)), world.add_key()
    old_id, good_id = world.state_now.api_keys
    for user, secret in ((f"etl+{old_id}", old), (f"etl+{good_id}", old)):
        with pytest.raises(AuthenticationFailed):
            await scram(world, user, secret)
    await scram(world, f"etl+{good_id}", good)
    assert [(event.reason, event.outcome) for event in world.events] == [
        ("key_not_valid", "failed"),
        ("wrong_secret", "failed"),
        (None, "ok"),
    ]


async def test_rules_certificates_and_locks_have_reasons_of_their_own(world: World) -> None:
    world.rules("host all root all reject", "hostssl all etl all cert", "host all ann all scram-sha-256")
    for refused in (attempt("root"), attempt("late"), attempt("etl", is_tls=True)):
        with pytest.raises(AuthenticationFailed):
            await world.authenticator.begin(refused)
    for _ in range(4):
        with pytest.raises(AuthenticationFailed):
            await scram(world, "ann", "wrong")
    assert [(event.reason, event.sqlstate) for event in world.events] == [
        ("rule_rejects", "28000"),
        ("no_rule", "28000"),
        ("certificate", "28000"),
        *[("wrong_secret", "28P01")] * 3,
        ("locked_after_failures", "28P01"),
    ]


async def test_over_http_a_key_that_nobody_knows_is_counted(world: World) -> None:
    known = world.add_key()
    headers = [f"Bearer {known[:-1]}{'A' if known[-1] != 'A' else 'B'}", f"Bearer pgk_{'b' * 16}_{'x' * 43}"]
    headers.append(basic("ann", "wrong"))
    for header in headers:
        with pytest.raises(AuthenticationFailed):
            await world.authenticator.authenticate_http(header, TLS, is_tls=True)
    await world.authenticator.authenticate_http(basic("ann", PASSWORD), TLS, is_tls=True)
    assert [(event.principal, event.reason) for event in world.events] == [
        ("etl", "wrong_secret"),
        ("", "wrong_secret"),
        ("ann", "wrong_secret"),
        ("ann", None),
    ]

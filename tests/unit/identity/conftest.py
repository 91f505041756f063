"""A control state in memory and an authenticator on it."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from pgproxy.control.api_keys import ApiKey, Interface, digest_key, make_key_text
from pgproxy.control.hba import parse_rules
from pgproxy.control.state import ControlState
from pgproxy.identity.authenticator import AuthenticationEvent, AuthenticationOptions, Authenticator
from pgproxy.identity.throttle import LockPolicy, LoginThrottle
from pgproxy.identity.tokens import TokenSubject
from pgproxy.policy.model import WHOLE_SCOPE, CredentialScope, Principal, PrincipalKind
from pgwire.auth.verifier import make_verifier

ITERATIONS = 4096
SALT = b"0123456789abcdef"
PASSWORD = "pencil"
VERIFIER = make_verifier(PASSWORD, SALT, ITERATIONS).format()


def user(name: str, *groups: str, **more: object) -> Principal:
    return Principal(name, PrincipalKind.USER, member_of=frozenset(groups), **more)  # type: ignore[arg-type]


PEOPLE = (
    user("root", is_admin=True),
    user("ann", "team"),
    user("late", valid_until=datetime(2020, 1, 1, tzinfo=UTC)),
    user("gone", can_login=False),
    user("etl"),
    Principal("team", PrincipalKind.GROUP, can_login=False),
)


@dataclass
class World:
    """What an authenticator sees, to be changed by tests. principal_of: what tokens say."""

    state_now: ControlState
    now: float = 1_800_000_000.0
    tokens: dict[str, TokenSubject] = field(default_factory=dict)
    events: list[AuthenticationEvent] = field(default_factory=list)
    caught_up: int = 0
    server_secret: bytes = b"s" * 32

    def __post_init__(self) -> None:
        self.throttle = LoginThrottle(LockPolicy(lock_after=3), lambda: self.now)
        default = parse_rules("host all all all scram-sha-256")
        options = AuthenticationOptions(default, "demo", ITERATIONS, self.tokens.get)
        self.authenticator = Authenticator(self, self.throttle, options, self.catch_up, self.events.append)

    async def state(self) -> ControlState:
        return self.state_now

    async def catch_up(self) -> ControlState:
        self.caught_up += 1
        return self.state_now

    def rules(self, *lines: str) -> None:
        self.state_now = replace(self.state_now, hba_rules=parse_rules("\n".join(lines)))

    def add_key(
        self,
        principal: str = "etl",
        *,
        ends_in: timedelta = timedelta(days=1),
        scope: CredentialScope = WHOLE_SCOPE,
        interfaces: Sequence[Interface] = tuple(Interface),
    ) -> str:
        count = len(self.state_now.api_keys)
        key_id, text = make_key_text(bytes([count]) * 10, bytes([count]) * 32)
        now = datetime.now(UTC)
        key = ApiKey(
            key_id, principal, "label", digest_key(text), make_verifier(text, SALT, ITERATIONS).format(),
            now, now + ends_in, scope, frozenset(interfaces),
        )  # fmt: skip
        self.state_now = replace(self.state_now, api_keys={**self.state_now.api_keys, key_id: key})
        return text


@pytest.fixture
def world() -> World:
    principals = {p.name: p for p in PEOPLE}
    verifiers = dict.fromkeys(("root", "ann", "late", "gone"), VERIFIER)
    return World(ControlState(principals=principals, verifiers=verifiers))


def basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()

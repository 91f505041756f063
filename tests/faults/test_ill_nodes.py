"""Nodes that answer, but not as they should: a token, a certificate, a disk or a memory that does not do.

The analyst's statements may run elsewhere and must be right; the intern's may not: one clean error with its
reason, or the right answer.
"""

import datetime
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import md5
from pathlib import Path

import psycopg
import pytest

from tests.certificates import Authority
from tests.faults.proxied_fleet import FLEET_POLICY, wait_for
from tests.gateway import NODE_TOKEN, RunningGateway, RunningNode, run_node, start_gateway

Session = psycopg.Connection[tuple[object, ...]]
NEW_TOKEN = "test-node-token-9876543210"
SPOOL_BYTES = 2 << 20
MEMORY_GB = "0.25"
TIMES = 45
NEEDS_MEMORY = (
    "SELECT length(string_agg(a.label || repeat('x', 100), ',')) FROM numbers a, numbers b "
    f"WHERE b.n < {TIMES}"
)
"""One text of twice the memory that `small` has."""
MEMORY_ANSWER = TIMES * (sum(len(f"text {n}") for n in range(100_000)) + 101 * 100_000) - 1
COPIES = 4
DIGESTS = ", ".join(f"md5('{salt}' || a.n || '-' || b.n)" for salt in "pqrs")
BIG = f"SELECT a.n, b.n AS m, {DIGESTS} FROM numbers a, numbers b WHERE b.n < {COPIES}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ill")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def fleet(folder: Path, authority: Authority) -> Iterator[RunningGateway]:
    """A gateway with `small`, of little memory and disk and with two tokens, and `expired`, a TLS node.

    The one's certificate has expired, the other's is of an authority that `expired` does not know.
    """
    stranger = Authority(folder, "stranger").issue("gateway", "gateway")
    expired = authority.issue("node", "expired", ends_in=-datetime.timedelta(hours=1))
    settings = {
        "DATABASE_MODE": "read_only",
        "FEATURE_REMOTE_ROUTING": "true",
        "FEATURE_CURSOR_MODE": "true",
        "HEALTH_CHECK_INTERVAL": "200ms",
        "NODE_TLS_CA_FILE": str(authority.file),
        "NODE_TLS_CERT_FILE": str(stranger.certificate),
        "NODE_TLS_KEY_FILE": str(stranger.key),
    }
    with ExitStack() as stack, start_gateway(folder, policy=FLEET_POLICY, **settings) as gateway:
        spool = folder / "spool"
        spool.mkdir()
        mount = f'mount -t tmpfs -o size={SPOOL_BYTES} tmpfs {spool} && exec "$@"'
        prefix = ["unshare", "-m", "sh", "-c", mount, "sh"] if os.geteuid() == 0 else []
        tokens = f"{NODE_TOKEN},{NEW_TOKEN}"
        small = run_node(
            stack, gateway.environment, "small",
            prefix=prefix, AGENT_TOKEN=tokens, MAX_MEMORY_GB=MEMORY_GB, SPOOL_DIR=str(spool),
        )  # fmt: skip
        tls = {
            "TLS_CERT_FILE": str(expired.certificate),
            "TLS_KEY_FILE": str(expired.key),
            "TLS_CLIENT_CA_FILE": str(authority.file),
        }
        late = run_node(stack, gateway.environment, "expired", **tls)
        gateway.nodes += [small, late]
        gateway.cli("endpoint", "add", "small", f"grpc://127.0.0.1:{small.grpc_port}", "--token", NODE_TOKEN)
        bind(gateway, "small")
        gateway.wait_for_endpoints(small="active")
        wait_for(lambda: route_of(gateway), lambda found: found.startswith("small"))
        yield gateway


USERS = {"intern": "disabled", "analyst": "automatic"}
"""Each user's fallback. The analyst is last: a gateway that routes it as it was bound last knows the rest."""


def bind(gateway: RunningGateway, endpoint: str, instead_of: str | None = None) -> None:
    """Assign both users to an endpoint. A gateway may follow a moment later."""
    for user, fallback in USERS.items():
        if instead_of is not None:
            gateway.cli("unassign", "--user", user, "--endpoint", instead_of)
        gateway.cli("assign", "--user", user, "--endpoint", endpoint, "--fallback", fallback)


def connect(gateway: RunningGateway, user: str) -> Session:
    return psycopg.connect(gateway.dsn(user), autocommit=True)


def value(session: Session, query: str) -> object:
    row = session.execute(query).fetchone()
    assert row is not None
    return row[0]


def route_of(gateway: RunningGateway) -> str:
    """Where a new statement of the analyst runs, and why."""
    with connect(gateway, "analyst") as session:
        value(session, "SELECT count(*) FROM numbers")
        return str(value(session, "SHOW pgproxy.last_route"))


def check_refused(gateway: RunningGateway) -> None:
    """Whoever may run elsewhere gets the answer; who may not, one error that tells of the endpoint."""
    with connect(gateway, "analyst") as analyst, connect(gateway, "intern") as intern:
        assert value(analyst, "SELECT count(*) FROM numbers") == 100_000
        assert "(assigned_user), fallback after unhealthy" in str(value(analyst, "SHOW pgproxy.last_route"))
        with pytest.raises(psycopg.OperationalError) as caught:
            value(intern, "SELECT count(*) FROM numbers")
        assert caught.value.sqlstate == "08006"
        assert str(caught.value) == "the endpoint assigned to this statement is not available"
        assert value(intern, "SHOW server_version"), "the session goes on"


def use_token(gateway: RunningGateway, token: str) -> None:
    gateway.cli("endpoint", "token", "small", stdin=f"{token}\n")


def test_a_token_is_rotated_under_load_and_a_wrong_one_is_refused(fleet: RunningGateway) -> None:
    with connect(fleet, "intern") as intern:
        for token in (NEW_TOKEN, NODE_TOKEN):
            use_token(fleet, token)
            for _ in range(20):
                assert value(intern, "SELECT count(*) FROM numbers") == 100_000
                assert str(value(intern, "SHOW pgproxy.last_route")).startswith("small")
    use_token(fleet, "a-wrong-token-0123456789")
    try:
        wait_for(lambda: fleet.health()["endpoints"]["small"], lambda found: found == "unhealthy")
        check_refused(fleet)
    finally:
        use_token(fleet, NEW_TOKEN)
        fleet.wait_for_endpoints(small="active")


def test_a_node_whose_certificate_has_expired_is_not_used_until_both_ends_renew_theirs(
    fleet: RunningGateway, authority: Authority
) -> None:
    url = f"grpcs://127.0.0.1:{fleet.nodes[1].grpc_port}"
    fleet.cli("endpoint", "add", "expired", url, "--token", NODE_TOKEN)
    try:
        bind(fleet, "expired", instead_of="small")
        wait_for(lambda: fleet.health()["endpoints"].get("expired"), lambda found: found == "unhealthy")
        wait_for(lambda: route_of(fleet), lambda found: "fallback after unhealthy" in found)
        check_refused(fleet)
        for common_name, stem, process in (
            ("node", "expired", fleet.nodes[1].process),
            ("gateway", "gateway", fleet.process),
        ):
            authority.issue(common_name, stem)  # into the same files
            process.send_signal(signal.SIGHUP)
        wait_for(lambda: route_of(fleet), lambda found: found.startswith("expired"))
    finally:
        fleet.cli("endpoint", "remove", "expired")
        bind(fleet, "small", instead_of="expired")
        wait_for(lambda: route_of(fleet), lambda found: found.startswith("small"))
        fleet.wait_for_endpoints(small="active")


def test_a_node_without_memory_is_one_error_or_the_answer_of_another(fleet: RunningGateway) -> None:
    with connect(fleet, "analyst") as analyst, connect(fleet, "intern") as intern:
        with pytest.raises(psycopg.errors.OutOfMemory) as caught:
            value(intern, NEEDS_MEMORY)
        assert "memory" in str(caught.value)
        assert value(intern, "SELECT count(*) FROM numbers") == 100_000
        assert value(analyst, NEEDS_MEMORY) == MEMORY_ANSWER
        assert "fallback after out_of_memory" in str(value(analyst, "SHOW pgproxy.last_route"))
        assert fleet.health()["endpoints"]["small"] == "active", "it is well, only small"


def free_bytes(node: RunningNode) -> int:
    """What the node's own disk has left."""
    disk = os.statvfs(f"/proc/{node.process.pid}/root{node.environment['SPOOL_DIR']}")
    return disk.f_bavail * disk.f_frsize


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk needs a mount namespace")
def test_a_full_spool_disk_makes_a_cursor_wait_and_loses_no_row(fleet: RunningGateway) -> None:
    lines: list[bytes] = []
    node = fleet.nodes[0]
    with connect(fleet, "intern") as intern:
        with intern.cursor().copy(f"COPY ({BIG}) TO STDOUT") as copy:
            lines.append(bytes(copy.read()))
            wait_for(lambda: free_bytes(node), lambda left: left < SPOOL_BYTES // 4)
            lines += [bytes(block) for block in copy]
        assert str(value(intern, "SHOW pgproxy.last_route")).startswith("small")
    assert sorted(b"".join(lines).splitlines()) == sorted(
        expected_line(n, m) for n in range(100_000) for m in range(COPIES)
    )
    wait_for(lambda: free_bytes(node), lambda left: left == SPOOL_BYTES)


def expected_line(n: int, m: int) -> bytes:
    digests = (md5(f"{salt}{n}-{m}".encode(), usedforsecurity=False).hexdigest() for salt in "pqrs")
    return "\t".join((str(n), str(m), *digests)).encode()

"""The command line: what it prints, where, and with which exit code."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.ports import free_port
from tests.unit.cli.conftest import CommandLine

POLICY = """
users: {ann: {password: "a secret", groups: [team]}}
groups: {team: }
grants: [{to: team, privileges: [SELECT], on: demo.sales.*}]
"""


def test_every_command_has_help(pgproxy: CommandLine) -> None:
    commands = ["serve", "assign", "unassign"]
    commands += [f"policy {name}" for name in ("apply", "diff", "export", "check", "test")]
    commands += [f"endpoint {name}" for name in ("add", "list", "drain", "activate", "remove", "token")]
    commands += [f"catalog {name}" for name in ("add", "list", "remove")]
    commands += [f"flags {name}" for name in ("set", "unset", "list")]
    commands += ["route explain", "doctor"]
    commands += [
        f"rollout {name}" for name in ("start", "status", "pause", "resume", "widen", "abort", "remove")
    ]
    commands += [f"user {name}" for name in ("add", "passwd", "lock", "unlock", "drop", "list")]
    for command in commands:
        assert "Usage: " in pgproxy.must(*command.split(), "--help")
    assert pgproxy.must("--version").startswith("pgproxy ")


def test_a_policy_is_checked_planned_applied_and_exported(pgproxy: CommandLine, tmp_path: Path) -> None:
    file = pgproxy.file(POLICY)
    assert pgproxy.must("policy", "check", file).endswith(": ok\n")
    plan = pgproxy.must("policy", "diff", file)
    assert "+ grant team: SELECT on demo.sales.*" in plan
    assert plan.endswith("3 changes\n")
    assert pgproxy.must("policy", "apply", file).endswith("applied: epoch 1\n")
    assert pgproxy.must("policy", "apply", file) == "no change: epoch 1\n"
    assert pgproxy.must("policy", "diff", "--exit-code", file) == "no change\n"
    exported = tmp_path / "exported.yaml"
    assert pgproxy.must("policy", "export", str(exported)) == ""
    assert exported.stat().st_mode & 0o777 == 0o600
    assert pgproxy.must("policy", "export", "-") == exported.read_text()
    assert pgproxy.must("policy", "apply", str(exported)) == "no change: epoch 1\n"
    assert pgproxy.must("policy", "apply", "-", given=POLICY) == "no change: epoch 1\n"


def test_a_changed_policy_shows_before_and_after_but_no_secret(pgproxy: CommandLine) -> None:
    pgproxy.must("policy", "apply", pgproxy.file(POLICY))
    changed = pgproxy.file(
        POLICY.replace("a secret", "another one").replace("[team]}", "[team], admin: true}")
    )
    result = pgproxy("policy", "diff", "--exit-code", changed)
    assert result.exit_code == 1
    assert "~ user ann" in result.stdout
    assert "admin: False → True" in result.stdout
    assert "password: <redacted> → <redacted>" in result.stdout
    assert "another one" not in result.output


def test_mistakes_in_a_policy_file_are_told_with_lines_and_exit_code_2(pgproxy: CommandLine) -> None:
    file = pgproxy.file("users:\n  ann: {passwrd: hunter2}\n")
    for command in ("check", "diff", "apply"):
        said = pgproxy.refused("policy", command, file, code=2)
        assert said == "pgproxy: line 2: users.ann.passwrd: no such key\n"
    assert "cannot read" in pgproxy.refused("policy", "check", "/nowhere", code=2)
    assert "cannot write" in pgproxy.refused("policy", "export", "/nowhere/x", code=2)


def test_endpoints_are_added_assigned_drained_and_removed(pgproxy: CommandLine) -> None:
    pgproxy.must("policy", "apply", pgproxy.file(POLICY))
    added = pgproxy.must("endpoint", "add", "node", "grpc://127.0.0.1:9444", "--token", "a-token")
    assert added == "endpoint node added (epoch 2)\n"
    pgproxy.must("assign", "--group", "team", "--endpoint", "node", "--fallback", "automatic")
    pgproxy.must("assign", "--user", "ann", "--endpoint", "node", "--fallback", "disabled", "--priority", "1")
    listed = pgproxy.must("endpoint", "list")
    assert "ann (disabled), team (automatic)" in listed
    assert "a-token" not in listed
    for command, state in (
        (("drain", "--keep"), "DRAINING"),
        (("activate",), "ACTIVE"),
        (("remove",), "RETIRED"),
    ):
        pgproxy.must("endpoint", command[0], "node", *command[1:])
        assert state in pgproxy.must("endpoint", "list")
    assert pgproxy.must("endpoint", "remove", "node") == "no change\n"
    assert "55000" in pgproxy.refused("endpoint", "activate", "node")
    pgproxy.must("unassign", "--user", "ann", "--endpoint", "node")
    pgproxy.must("endpoint", "add", "node", "grpcs://other:1", given="token-from-stdin\n")
    assert "grpcs://other:1" in pgproxy.must("endpoint", "list")
    pgproxy.must("endpoint", "token", "node", given="rotated\n")


def test_users_are_added_locked_and_dropped_with_passwords_from_stdin(pgproxy: CommandLine) -> None:
    pgproxy.must("user", "add", "root", "--admin", given="first\n")
    pgproxy.must("user", "add", "ann", "--no-password")
    pgproxy.must("user", "lock", "ann")
    listed = pgproxy.must("user", "list")
    assert "locked, no password" in listed
    assert "admin" in listed
    pgproxy.must("user", "unlock", "ann")
    pgproxy.must("user", "passwd", "ann", given="second\n")
    pgproxy.must("user", "drop", "ann")
    assert "ann" not in pgproxy.must("user", "list")


def test_what_the_service_refuses_is_said_with_its_code(pgproxy: CommandLine) -> None:
    pgproxy.must("policy", "apply", pgproxy.file(POLICY))
    assert (
        pgproxy.refused("user", "lock", "ghost") == 'pgproxy: role "ghost" does not exist (SQLSTATE 42704)\n'
    )
    assert "42710" in pgproxy.refused("user", "add", "ann", "--no-password")
    assert "detail: It is named by: 1 grants." in pgproxy.refused("user", "drop", "team")
    assert "22023" in pgproxy.refused("endpoint", "add", "n", "http://h", "--token", "t")
    assert "42704" in pgproxy.refused("assign", "--user", "ann", "--endpoint", "none")


def test_bad_arguments_exit_with_2(pgproxy: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "give one of" in pgproxy.refused("assign", "--endpoint", "n", code=2)
    assert "give one of" in pgproxy.refused(
        "assign", "--user", "a", "--group", "b", "--endpoint", "n", code=2
    )
    pgproxy.refused("assign", "--user", "a", "--endpoint", "n", "--fallback", "perhaps", code=2)
    assert "nothing on stdin" in pgproxy.refused("user", "passwd", "a", code=2, given="")
    assert "METASTORE_URL" in pgproxy.refused("user", "list", "--metastore", "mysql:///x")
    assert "No such file" in pgproxy.refused("user", "list", "--metastore", "sqlite:////nowhere/m.sqlite")


def test_serve_stops_with_2_and_the_settings_name_and_not_its_value(
    pgproxy: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_CONNECTIONS", "hunter2")
    said = pgproxy.refused("serve", code=2)
    assert said.startswith("pgproxy: MAX_CONNECTIONS: ")
    assert "hunter2" not in said
    monkeypatch.delenv("MAX_CONNECTIONS")
    config = pgproxy.file("FEATURE_CURSOR_MODE=perhaps", "config.env")
    assert pgproxy.refused("serve", "--config", config, code=2).startswith("pgproxy: FEATURE_CURSOR_MODE: ")


def test_a_node_that_is_not_there_is_retired_before_the_time_is_over(pgproxy: CommandLine) -> None:
    pgproxy.must("endpoint", "add", "node", f"grpc://127.0.0.1:{free_port()}", "--token", "t")
    said = pgproxy.must("endpoint", "drain", "node", "--timeout", "10s")
    assert "it does not answer" in said
    assert "RETIRED" in pgproxy.must("endpoint", "list")
    assert "not a duration" in pgproxy.refused("endpoint", "drain", "node", "--timeout", "soon", code=2)


def test_pools_are_assigned_by_labels_and_explained(pgproxy: CommandLine) -> None:
    pgproxy.must("policy", "apply", pgproxy.file(POLICY))
    url = f"grpc://127.0.0.1:{free_port()}"
    pgproxy.must(
        *("endpoint", "add", "node", url, "--token", "t"),
        *("--label", "zone=eu", "--size", "large", "--capacity", "4"),
    )
    pgproxy.must("assign", "--user", "ann", "--pool", "zone=eu,size=large", "--weight", "2")
    listed = pgproxy.must("endpoint", "list")
    assert "size=large,zone=eu" in listed
    assert "ann (disabled)" in listed
    pgproxy.must("flags", "set", "FEATURE_REMOTE_ROUTING=on", "REMOTE_CANARY_PERCENT=100")
    explained = pgproxy.must("route", "explain", "--user", "ann").splitlines()
    assert explained[-1] == "route: size=large,zone=eu (assigned_user)"
    assert "remote routing: on" in explained
    assert "endpoint node: unhealthy, load 0 of 4 size=large zone=eu" in explained
    assert any(
        "pool size=large,zone=eu, priority 100, weight 2, fallback disabled" in line for line in explained
    )
    pgproxy.must("unassign", "--user", "ann", "--pool", "size=large,zone=eu")
    pgproxy.must("flags", "unset", "FEATURE_REMOTE_ROUTING")
    assert pgproxy.must("route", "explain", "--user", "ann").splitlines()[-1] == "route: local (flag_off)"
    assert "42704" in pgproxy.refused("route", "explain", "--user", "nobody")
    pgproxy.refused("assign", "--user", "ann", "--pool", "zone", code=2)
    pgproxy.refused("assign", "--user", "ann", "--pool", "zone=eu", "--endpoint", "node", code=2)


def test_flags_are_set_listed_and_refused_by_name(pgproxy: CommandLine) -> None:
    assert pgproxy.must("flags", "set", "feature_cursor_mode=on").startswith("set FEATURE_CURSOR_MODE")
    assert "FEATURE_CURSOR_MODE     on" in pgproxy.must("flags", "list")
    assert "22023" in pgproxy.refused("flags", "set", "REMOTE_CANARY_PERCENT=101")
    assert "42704" in pgproxy.refused("flags", "set", "MAX_CONNECTIONS=5")
    pgproxy.refused("flags", "set", "FEATURE_CURSOR_MODE", code=2)


def test_catalogs_are_added_listed_exported_and_removed(pgproxy: CommandLine) -> None:
    lake = ("--kind", "ducklake", "--location", "postgres:dbname=lake", "--option", "data_path=/lake")
    added = pgproxy.must(
        "catalog", "add", "lake", *lake, "--credential", "password=-", "--writable", given="s3cret\n"
    )
    assert added == "catalog lake added (epoch 1)\n"
    listed = pgproxy.must("catalog", "list")
    assert "password" in listed
    assert "s3cret" not in listed
    exported = pgproxy.must("policy", "export", "-")
    assert "kind: ducklake" in exported
    assert "s3cret" not in exported
    file = pgproxy.file(exported)
    assert pgproxy.must("policy", "apply", file).startswith("no change")
    assert "42P04" in pgproxy.refused("catalog", "add", "lake", *lake)
    pgproxy.must("catalog", "remove", "lake")
    assert "3D000" in pgproxy.refused("catalog", "remove", "lake")


def test_a_rollout_is_started_held_widened_and_forgotten(pgproxy: CommandLine) -> None:
    pgproxy.must("endpoint", "add", "a", "grpc://h:1", "--token", "t")
    start = ("rollout", "start", "r", "--to", "a", "--stages", "5%,100%")
    assert "stage is a percent" in pgproxy.refused(*start[:-1], "x", code=2)
    assert "42704" in pgproxy.refused("rollout", "start", "r", "--to", "b")
    assert "--hold is not a duration" in pgproxy.refused(*start, "--hold", "-1", code=2)
    assert "42704" in pgproxy.refused("rollout", "status", "r")
    assert "rollout r starts at 5%" in pgproxy.must(*start)
    assert "42710" in pgproxy.refused(*start)
    pgproxy.must("rollout", "pause", "r", "--reason", "month end")
    status = pgproxy.must("rollout", "status")
    assert "PAUSED  5% by principal" in status
    assert "because: month end" in status
    pgproxy.must("rollout", "resume", "r")
    pgproxy.must("rollout", "widen", "r")
    assert "RUNNING  100%" in pgproxy.must("rollout", "status", "r")
    assert "55000" in pgproxy.refused("rollout", "remove", "r")
    pgproxy.must("rollout", "abort", "r")
    pgproxy.must("rollout", "remove", "r")
    assert pgproxy.must("rollout", "status") == "There is no rollout.\n"
    pgproxy.must("endpoint", "drain", "a", "--timeout", "0")
    assert "55000" in pgproxy.refused(*start), "it is retired"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("audit", "purge", "--older-than", "99999999999999h"), "--older-than is more than 100 years"),
        (("key", "create", "ann", "--valid-for", "soon"), "--valid-for is not a duration"),
        (("endpoint", "drain", "a", "--timeout", "soon"), "--timeout is not a duration"),
        (("policy", "check", "/nowhere"), "cannot read /nowhere: No such file or directory"),
        (("policy", "check", "/"), "cannot read /: Is a directory"),
    ],
)
def test_what_is_mistyped_is_told_in_one_line(
    pgproxy: CommandLine, command: tuple[str, ...], says: str
) -> None:
    told = pgproxy.refused(*command, code=2)
    assert says in told
    assert told.count("\n") <= 1


def test_a_gateway_that_is_not_there_is_told_in_the_systems_words(
    pgproxy: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGUSER", "ann")
    monkeypatch.setenv("PGPASSWORD", "secret")
    url = f"http://127.0.0.1:{free_port()}"
    assert "cannot reach the gateway: Connection refused" in pgproxy.refused("query", "list", "--url", url)


def test_the_doctor_ends_with_1_where_something_is_to_be_mended(pgproxy: CommandLine) -> None:
    assert "flags" in pgproxy.must("doctor")
    pgproxy.must("endpoint", "add", "a", f"grpc://127.0.0.1:{free_port()}", "--token", "demo")
    result = pgproxy("doctor")
    assert result.exit_code == 1
    assert "does not answer" in result.stdout
    assert "token of a" in result.stdout


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A peer that answers one request with these bytes, and hangs up; gives its URL."""

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as peer:
            peer.recv(65536)
            peer.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        served = pool.submit(serve, listener)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        served.result(10)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"E\x00\x00\x00\x10not HTTP\n", "no gateway's query API"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "no gateway's query API"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "no gateway's query API"),
        (b"", "cannot reach the gateway"),
    ],
)
def test_a_peer_that_is_no_gateway_is_told_in_one_line(
    pgproxy: CommandLine, monkeypatch: pytest.MonkeyPatch, answer: bytes, says: str
) -> None:
    monkeypatch.setenv("PGPROXY_API_KEY", "key")
    with answering(answer) as url:
        assert says in pgproxy.refused("query", "show", "an id/with?anything", "--url", url)


def test_a_result_that_breaks_off_is_no_result(
    pgproxy: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGPROXY_API_KEY", "key")
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nn\n1\n") as url:
        told = pgproxy.refused("query", "results", "q", "--url", url, "--output", str(tmp_path / "out"))
    assert "broke off" in told
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nn\n1\n") as url:
        pgproxy.must("query", "results", "q", "--url", url, "--output", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "n\n1\n"
    assert "cannot write" in pgproxy.refused("query", "results", "q", "--url", url, "--output", "/no/where")

"""Policy files and processes: a kill leaves nothing half applied; what one applies another sees at once."""

import asyncio
import json
import random
import sys
import time
from pathlib import Path

import pytest

from pgproxy.control import Metastore, open_metastore
from pgproxy.control.state import ControlState


def version_of(state: ControlState) -> int:
    """The one version that every part of `state` says; a half-applied state fails here."""
    ((_, row_filter),) = state.row_filters.items()
    number = int(row_filter.using.removeprefix("version = "))
    names = {f"user{index}" for index in range(number % 7 + 1)}
    assert set(state.principals) == names == set(row_filter.principals)
    assert {p.attributes["version"] for p in state.principals.values()} == {str(number)}
    assert {(g.principal, g.schema) for g in state.grants} == {(name, f"v{number}") for name in names}
    return number


async def check_history(metastore: Metastore) -> None:
    """Every epoch has its entry, and none is beyond."""
    epochs = [version.epoch for version in await metastore.history(limit=10_000)]
    assert epochs == list(range(await metastore.epoch(), 0, -1))


async def write_until_killed(url: str, first: int, last: int, lines: int, delay_s: float) -> int:
    """Start a writer and kill it a moment after it has said `lines` lines; gives the last version it said."""
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.clients.policy_writer", url, str(first), str(last)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert writer.stdout is not None
    said = first - 1
    for _ in range(lines):
        said = int((await writer.stdout.readline()).split()[0])
    try:
        async with asyncio.timeout(delay_s):
            await writer.wait()
    except TimeoutError:
        writer.kill()
    rest = await writer.stdout.read()
    await writer.wait()
    return int(rest.splitlines()[-1].split()[0]) if rest.strip() else said


@pytest.mark.parametrize(("changes", "kills"), [(200, 5), pytest.param(2_000, 40, marks=pytest.mark.soak)])
async def test_kill_9_at_random_points_of_many_changes_leaves_whole_versions(
    tmp_path: Path, changes: int, kills: int
) -> None:
    url = f"sqlite:///{tmp_path}/m.sqlite"
    dice = random.Random(20240229)
    done = 0
    for kill in range(kills):
        last = changes * (kill + 1) // kills
        if done >= last:
            continue
        said = await write_until_killed(
            url, done + 1, changes, dice.randint(1, last - done), dice.random() / 50
        )
        async with open_metastore(url) as metastore:
            done = version_of(await metastore.state())
            assert done in {said, said + 1}, "a change that was answered is there; at most one more is"
            await check_history(metastore)
    async with asyncio.timeout(60):
        if done < changes:
            assert await write_until_killed(url, done + 1, changes, changes - done, 30.0) == changes
    async with open_metastore(url) as metastore:
        assert version_of(await metastore.state()) == changes
        assert await metastore.epoch() == changes


async def run_pgproxy(*arguments: str, url: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pgproxy", *arguments, "--metastore", url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_running_reader_sees_what_the_command_line_applies_within_a_second(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/m.sqlite"
    file = tmp_path / "policy.yaml"
    async with open_metastore(url) as metastore:
        epochs = metastore.watch(since=0)
        for number in (1, 2, 3):
            file.write_text(f"users: {{ann: {{attributes: {{version: '{number}'}}}}}}\ngroups: {{}}\n")
            async with asyncio.TaskGroup() as group:
                applied = group.create_task(run_pgproxy("policy", "apply", str(file), url=url))
                async with asyncio.timeout(30):
                    assert await anext(epochs) == number
                seen_at = time.time()
            code, out, err = applied.result()
            assert (code, err) == (0, "")
            assert out.endswith(f"applied: epoch {number}\n")
            (latest,) = await metastore.history(limit=1)
            assert seen_at - latest.changed_at.timestamp() < 1.0
            assert latest.actor.startswith("os:")
            policy = await metastore.policy_set()
            assert policy.principals["ann"].attributes == {"version": str(number)}
        await epochs.aclose()


@pytest.mark.parametrize(("text", "code"), [("users: {a: {x: y}}", 2), ("users: {pg_x: }", 1)])
async def test_the_real_program_fails_without_a_traceback(tmp_path: Path, text: str, code: int) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    found, out, err = await run_pgproxy("policy", "apply", str(file), url=f"sqlite:///{tmp_path}/m.sqlite")
    assert (found, out) == (code, "")
    assert err.startswith("pgproxy: ")
    assert "Traceback" not in err


async def test_the_history_of_the_command_line_is_json_without_secrets(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/m.sqlite"
    file = tmp_path / "policy.yaml"
    file.write_text("users: {ann: {password: hunter2}}")
    assert (await run_pgproxy("policy", "apply", str(file), url=url))[0] == 0
    async with open_metastore(url) as metastore:
        (latest,) = await metastore.history()
    assert json.loads(latest.before) == {"user ann": None}
    assert json.loads(latest.after)["user ann"]["password"] == "<redacted>"

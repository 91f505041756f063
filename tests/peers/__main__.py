"""`python -m tests.peers [--write] [SUITE …]`: upstream suites against a gateway of their own.

The record is var/peers/SUITE.json; `--write` puts its summary into docs/compatibility.md. A failing test
is no failure of this command: what is to be fixed is read from its list. Python packages that the suites want
besides are the extra `peers`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway
from tests.peers.reasons import reason_of
from tests.peers.sources import WORK, SourceMissing, asyncpg_source, psycopg_source

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "compatibility.md"
_BEGIN, _END = "<!-- peers: begin -->", "<!-- peers: end -->"
_SECONDS_A_TEST = 30
_UNEXPLAINED = "not looked into"


@dataclass(frozen=True, slots=True)
class Suite:
    """One upstream suite. arguments: for pytest, in the folder that holds `tests/`."""

    name: str
    source: Callable[[], Path]
    arguments: tuple[str, ...]


def _without(folder: str, *modules: str) -> tuple[str, ...]:
    return tuple(f"--ignore={folder}/{module}" for module in modules)


_MARKS = ("slow", "flakey", "gevent", "dns", "postgis", "subprocess", "timing")
SUITES: Mapping[str, Suite] = {
    "asyncpg": Suite(
        "asyncpg",
        asyncpg_source,
        (
            "tests",
            # These need no server, or start one.
            *_without("tests", "test__sourcecode.py", "test__environment.py", "test_record.py"),
            *_without("tests", "test_subinterpreters.py"),
            *("-p", "no:asyncio"),
        ),
    ),
    "psycopg": Suite(
        "psycopg",
        psycopg_source,
        (
            "tests",
            *_without("tests", "pool", "crdb", "scripts", "test_typing.py", "test_gevent.py"),
            *_without("tests", "test_conninfo_attempts.py", "test_conninfo_attempts_async.py"),
            *_without("tests", "test_dns.py", "test_dns_srv.py"),
            *_without("tests", "test_waiting.py", "test_waiting_async.py"),
            *("-m", " and ".join(f"not {mark}" for mark in _MARKS)),
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test. state: passed, failed or skipped. text: the end of what a failure said."""

    test: str
    state: str
    text: str = ""


def run(suite: Suite, gateway: RunningGateway) -> list[Outcome]:
    """Run a suite to its end.

    Raises:
        SourceMissing: it cannot be had.
    """
    folder = suite.source()
    report = WORK / f"{suite.name}.xml"
    environment = {
        **os.environ,
        "PGHOST": "127.0.0.1", "PGPORT": str(gateway.port), "PGUSER": ADMIN, "PGPASSWORD": ADMIN_PASSWORD,
        "PGDATABASE": "postgres", "PSYCOPG_TEST_DSN": gateway.dsn(ADMIN, database="postgres"),
    }  # fmt: skip
    subprocess.run(
        [
            # Not this project's own configuration of pytest, below which the suites lie.
            sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder),
            "-q", "-p", "no:randomly",
            # psycopg's suite does nothing after a run that was killed, which it knows from the cache.
            "--cache-clear", "--tb=native", "-W", "ignore",
            "-o", f"timeout={_SECONDS_A_TEST}", "--junitxml", str(report), *suite.arguments,
        ],
        cwd=folder, env=environment, check=False,
    )  # fmt: skip
    return [_outcome(case) for case in ElementTree.parse(report).iter("testcase")]


def _outcome(case: ElementTree.Element) -> Outcome:
    test = f"{case.get('classname', '').removeprefix('tests.')}.{case.get('name', '')}"
    for kind, state in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        found = case.find(kind)
        if found is not None:
            return Outcome(test, state, (found.text or found.get("message") or "")[-1500:])
    return Outcome(test, "passed")


def summary(outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    """Render the page's part: the counts of each suite, then why tests fail, by how many of each suite."""
    lines = ["| suite | passed | failed | skipped |", "|---|---|---|---|"]
    reasons: dict[str, Counter[str]] = {}
    for name, found in outcomes.items():
        states = Counter(outcome.state for outcome in found)
        lines.append(f"| {name} | {states['passed']} | {states['failed']} | {states['skipped']} |")
        for outcome in found:
            if outcome.state == "failed":
                reason = reason_of(outcome.test, outcome.text) or _UNEXPLAINED
                reasons.setdefault(reason, Counter())[name] += 1
    lines += ["", f"| why | {' | '.join(outcomes)} |", f"|---|{'---|' * len(outcomes)}"]
    ordered = sorted(reasons.items(), key=lambda item: (item[0] == _UNEXPLAINED, -item[1].total()))
    lines += [f"| {why} | {' | '.join(str(counts[n] or '') for n in outcomes)} |" for why, counts in ordered]
    return "\n".join(lines)


def unexplained(outcomes: Mapping[str, Sequence[Outcome]]) -> list[str]:
    """Give the tests that fail for no known reason, with the last line of what they said."""
    return [
        f"{name}: {outcome.test}: {(outcome.text.strip().splitlines() or [''])[-1][:160]}"
        for name, found in outcomes.items()
        for outcome in found
        if outcome.state == "failed" and reason_of(outcome.test, outcome.text) is None
    ]


def main() -> int:
    """Run what is asked for, keep the outcomes, and show or write the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/compatibility.md")
    parser.add_argument("--no-run", action="store_true", help="use the record of the last run")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    options = parser.parse_args()
    if unknown := set(options.suites) - set(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    for name in () if options.no_run else options.suites or SUITES:
        try:
            found = _run_alone(SUITES[name])
        except SourceMissing as missing:
            print(f"{name} was not run: {missing}", file=sys.stderr)
            continue
        _record(name).write_text(json.dumps([[one.test, one.state, one.text] for one in found]))
    held = _read()
    text = summary(held)
    print(text, *unexplained(held), sep="\n")
    if options.write:
        page = PAGE.read_text()
        before, after = page[: page.index(_BEGIN) + len(_BEGIN)], page[page.index(_END) :]
        PAGE.write_text(f"{before}\n{text}\n{after}")
    return 0


def _run_alone(suite: Suite) -> list[Outcome]:
    """Each suite on a gateway of its own, with a database of the name that clients expect."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_gateway(Path(folder), policy="{}", DATABASE_NAME="postgres") as gateway,
    ):
        return run(suite, gateway)


def _record(name: str) -> Path:
    return WORK / f"{name}.json"


def _read() -> dict[str, list[Outcome]]:
    return {
        name: [Outcome(*row) for row in json.loads(_record(name).read_text())]
        for name in SUITES
        if _record(name).exists()
    }


if __name__ == "__main__":
    sys.exit(main())

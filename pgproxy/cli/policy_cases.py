"""What `pgproxy policy test` does: open an engine, run each case as its principal, tell what came of it."""

import asyncio
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pgproxy.cli.metastore_access import read_file
from pgproxy.control.binding import CatalogBinder
from pgproxy.control.opening import open_metastore
from pgproxy.control.policy_build import Secrets, build_state
from pgproxy.control.policy_file import parse_policy
from pgproxy.control.state import ControlState
from pgproxy.control.yaml_lines import PolicyFileError
from pgproxy.policy.model import PolicySet
from pgproxy.settings import DatabaseMode, GatewaySettings
from pgproxy.trial.cases import Case, CaseFile, parse_cases
from pgproxy.trial.judging import judge
from pgproxy.trial.running import Bench, engine_tree, is_reading, open_bench


def failed_cases(
    text: str, folder: Path, policy: Path | None, database: Path | None, metastore: str | None
) -> int:
    """Run the cases in `text`, the file of which is in `folder`, and give how many failed.

    policy, database: instead of those that the text names. metastore: where the policy is if none is named.

    Raises:
        PolicyFileError: of the cases or the policy.
    """
    cases = parse_cases(text)
    settings = GatewaySettings.load()
    policy = policy or (folder / cases.policy if cases.policy else None)
    chosen = database or (folder / cases.database if cases.database else None)
    rules = read_file(policy) if policy is not None else None
    return asyncio.run(_run(cases, rules, _database(chosen, settings), metastore, settings))


async def _run(
    cases: CaseFile, policy: str | None, database: Path, metastore: str | None, settings: GatewaySettings
) -> int:
    """Give how many cases failed."""
    is_read_only = settings.database_mode is DatabaseMode.READ_ONLY or all(
        is_reading(case.query) for case in cases.cases
    )
    name = settings.database_name or database.stem
    async with open_bench(str(database), name, is_read_only=is_read_only) as bench:
        if policy is not None:
            await bench.use(_policy_set(policy, bench))
        else:
            await bench.use(await _live_policy_set(metastore, settings))
        _check_principals(cases.cases, bench)
        return await _report(cases.cases, bench)


async def _report(cases: list[Case], bench: Bench) -> int:
    console = Console(highlight=False, soft_wrap=True)
    failed = 0
    for case in cases:
        problem = judge(case, await bench.run(case))
        failed += problem is not None
        word = ("ok    ", "green") if problem is None else ("FAILED", "red")
        console.print(Text.assemble(word, " ", case.title))
        for line in (problem or "").splitlines():
            console.print(Text(f"         {line}"))
    console.print(f"{len(cases) - failed} passed, {failed} failed")
    return failed


def _policy_set(text: str, bench: Bench) -> PolicySet:
    """What a policy file says by itself; each expression is bound to the table that it is for."""
    parsed = parse_policy(text)
    file = parsed.file
    secrets = Secrets(tokens=dict.fromkeys(file.endpoints or {}, "token"))
    binder = CatalogBinder(lambda: bench.catalogs.snapshot, engine_tree)
    return build_state(file, parsed.document, ControlState(), secrets, binder).policy_set(1)


async def _live_policy_set(url: str | None, settings: GatewaySettings) -> PolicySet:
    async with open_metastore(
        url or settings.metastore_url, secret_key_file=settings.secret_key_file
    ) as metastore:
        return await metastore.policy_set()


def _check_principals(cases: list[Case], bench: Bench) -> None:
    unknown = sorted({case.principal for case in cases if not bench.knows(case.principal)})
    if unknown:
        raise PolicyFileError([f'role "{name}" does not exist' for name in unknown])


def _database(chosen: Path | None, settings: GatewaySettings) -> Path:
    found = chosen or (Path(settings.database) if settings.database is not None else None)
    if found is None:
        raise PolicyFileError(["no database: give --database, `database` in the file, or DATABASE"])
    if not found.is_file():
        raise PolicyFileError(["the database is not a file that exists"])
    return found.resolve()

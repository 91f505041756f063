"""`pgproxy policy test FILE`: cases against a policy file, or against the live control plane."""

from pathlib import Path
from typing import Annotated

import typer

from execnode.runtime import uncollected
from pgproxy.cli.metastore_access import MetastoreUrl, read_file, reported_failures

_EXIT_FAILED = 1

CasesPath = Annotated[Path, typer.Argument(metavar="FILE", help="A file of cases (YAML); - is stdin.")]
PolicyOption = Annotated[
    Path | None,
    typer.Option("--policy", help="A policy file. Default: the file's `policy`, else the metastore."),
]
DatabaseOption = Annotated[
    Path | None,
    typer.Option("--database", help="A DuckDB file. Default: the file's `database`, else DATABASE."),
]


def run_cases(
    file: CasesPath,
    policy: PolicyOption = None,
    database: DatabaseOption = None,
    metastore: MetastoreUrl = None,
) -> None:
    """Run FILE's queries as their principals and compare. Exit 0: all as expected; 1: not; 2: bad input."""
    with uncollected():
        from pgproxy.cli.policy_cases import failed_cases  # the other commands need no engine
    with reported_failures():
        folder = Path() if str(file) == "-" else file.parent
        failed = failed_cases(read_file(file), folder, policy, database, metastore)
    if failed:
        raise typer.Exit(_EXIT_FAILED)

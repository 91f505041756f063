"""Perl's DBD::Pg, PHP's PDO and pgsql, ruby-pg and R's RPostgreSQL: one program each, on both servers.

A program does everything once and prints what it got by feature; each test compares one feature.
"""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.clients import values
from tests.clients.servers import Pair, Server

PROGRAMS = Path(__file__).parent / "programs"
FEATURES = ("rows", "parameters", "prepared", "transactions", "cursors", "errors", "metadata", "origins")


def language(client: str, features: tuple[str, ...]) -> list[Any]:
    """Give a test per feature of one client."""
    return [
        pytest.param(
            client,
            name,
            marks=[pytest.mark.client(client), pytest.mark.feature(column)],
            id=f"{client}-{name}",
        )
        for name in features
        for column in ["metadata" if name == "origins" else name]
    ]


COMMANDS = {
    "DBD::Pg": ("perl", "driver.pl", ("perl", "-MDBD::Pg", "-e", "1")),
    "PHP": ("php", "driver.php", ("php", "-r", "exit(extension_loaded('pdo_pgsql') ? 0 : 1);")),
    "ruby-pg": ("ruby", "driver.rb", ("ruby", "-rpg", "-e", "1")),
    "RPostgreSQL": ("Rscript", "driver.R", ("Rscript", "-e", "library(RPostgreSQL)")),
}


@cache
def is_installed(client: str) -> bool:
    """Whether the interpreter and the driver are there."""
    interpreter, _, check = COMMANDS[client]
    return shutil.which(interpreter) is not None and not subprocess.run(check, capture_output=True).returncode


@cache
def output(client: str, server: Server) -> dict[str, Any]:
    """What the client's program printed, by feature; it runs once a server."""
    interpreter, program, _ = COMMANDS[client]
    where = (server.host, str(server.port), server.user, server.password, server.database)
    done = subprocess.run(
        [interpreter, str(PROGRAMS / program), *where],
        env={**os.environ, "TYPED": ", ".join(values.SAME), "TZ": "UTC", "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if interpreter == "Rscript":
        sections = done.stdout.split("== ")[1:]
        return {section.partition("\n")[0]: section.partition("\n")[2] for section in sections}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("client", "feature"),
    [
        *language("DBD::Pg", FEATURES),
        *language("PHP", (*FEATURES, "bulk")),
        *language("ruby-pg", (*FEATURES, "bulk")),
        *language(
            "RPostgreSQL", ("rows", "parameters", "cursors", "transactions", "errors", "metadata", "bulk")
        ),
    ],
)
def test_the_program_prints_the_same(embedded_pair: Pair, client: str, feature: str) -> None:
    if not is_installed(client):
        pytest.skip(f"{client} is not installed")
    assert embedded_pair.same(lambda server: output(client, server)[feature])

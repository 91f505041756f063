"""The sandbox of one DuckDB instance: as if the SQL rewriter had a hole.

Two ordered tables of (setting, value, reason): what is fixed when the instance is made, and what is locked
once the catalogs are attached. Every entry has a test that shows the attack refused.

DuckDB 1.5.5 has no setting against `ATTACH ':memory:'`, `DETACH`, `SET VARIABLE`, `USE` and `PRAGMA
enable_profiling`: the gateway's allow-list of statement kinds is the only guard there, and a connection that
ran anything but SELECTs (as DuckDB's own parser calls them), each to its end, serves no other statement. So
none of them outlives its own statement's connection but the first two.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from execnode.engine.scheduling import beginning_batch_threads


@dataclass(frozen=True, slots=True)
class SandboxSetting:
    """One setting. value: as DuckDB's SQL or configuration spells it. reason: the attack that it stops."""

    name: str
    value: str
    reason: str


CREATION_SETTINGS: tuple[SandboxSetting, ...] = (
    SandboxSetting("python_enable_replacements", "false", "FROM df would read variables of this process"),
    SandboxSetting("autoinstall_known_extensions", "false", "a function name would download native code"),
    SandboxSetting("autoload_known_extensions", "false", "a function name would load native code"),
    SandboxSetting("allow_community_extensions", "false", "LOAD would run code that nobody here chose"),
    SandboxSetting("allow_unsigned_extensions", "false", "LOAD 'file' would run any shared library"),
    SandboxSetting("allow_persistent_secrets", "false", "credentials would be written to or read from disk"),
    SandboxSetting("allow_unredacted_secrets", "false", "duckdb_secrets() would show credentials"),
    SandboxSetting("errors_as_json", "true", "errors are told apart by type, never by their prose"),
)
"""Given to `duckdb.connect`: they hold from the first statement on."""

LOCK_SETTINGS: tuple[SandboxSetting, ...] = (
    SandboxSetting(
        "enable_external_access", "false", "read_csv('/etc/passwd'), COPY TO, ATTACH 'file', INSTALL, LOAD"
    ),
    SandboxSetting(
        "allowed_configs",
        "['timezone', 'enable_progress_bar', 'enable_progress_bar_print']",
        "SET TimeZone per session, and counting how far a statement is, are the only changes left",
    ),
    SandboxSetting(
        "lock_configuration", "true", "SET threads, memory_limit or default_collation for all sessions"
    ),
)
"""Run in this order after ATTACH and LOAD, which the first of them forbids; the last one seals the rest."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What one instance may use.

    memory_limit_bytes: DuckDB's cap, None for its default (80 % of the machine). threads: None for one a
    core.
    temp_directory: an existing private folder for spilling. max_temp_bytes: how much of it.
    """

    temp_directory: Path
    memory_limit_bytes: int | None = None
    threads: int | None = None
    max_temp_bytes: int = 64 << 30


def connect_sandboxed(limits: EngineLimits, *, keeps_secrets: bool = False) -> duckdb.DuckDBPyConnection:
    """Make an instance with every creation setting; storage can still be attached.

    The session time zone is UTC whatever the machine's: values must not depend on the node that made them.

    keeps_secrets: an attached lake needs the storage of persistent secrets to be there; it is an empty folder
        of the instance's own then, so that none is read and none outlives it.
    """
    config: dict[str, str | bool | int | float | list[str]] = {s.name: s.value for s in CREATION_SETTINGS}
    if keeps_secrets:
        config["allow_persistent_secrets"] = "true"
        config["secret_directory"] = str(limits.temp_directory / "secrets")
    config["temp_directory"] = str(limits.temp_directory)
    config["max_temp_directory_size"] = f"{limits.max_temp_bytes}B"
    if limits.memory_limit_bytes is not None:
        config["memory_limit"] = f"{limits.memory_limit_bytes}B"
    if limits.threads is not None:
        config["threads"] = limits.threads
    with beginning_batch_threads():
        connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    # Else Arrow loses the zone of a time with one, and the upper half of UHUGEINT becomes negative.
    connection.execute("SET GLOBAL arrow_lossless_conversion = true")
    return connection


def lock_down(connection: duckdb.DuckDBPyConnection, directories: Iterable[str] = ()) -> None:
    """Shut the instance: from now on nothing outside the attached catalogs can be reached.

    directories: where attached catalogs have their files; prefixes, each ending in a slash.
    """
    allowed = ", ".join("'" + _as_folder(place).replace("'", "''") + "'" for place in directories if place)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    for setting in LOCK_SETTINGS:
        connection.execute(f"SET {setting.name} = {setting.value}")


def _as_folder(place: str) -> str:
    return place.rstrip("/") + "/"

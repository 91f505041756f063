"""Numbered migrations: `migrations/<database>/NNNN_name.sql`, each applied once, in order, whole."""

import re
from dataclasses import dataclass
from importlib import resources

from pgproxy.control.metastore import MetastoreError

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. number: from 1, without gaps."""

    number: int
    sql: str


def load_migrations(database: str) -> tuple[Migration, ...]:
    """Read the migrations of `sqlite` (or another database) that ship with the program.

    Raises:
        MetastoreError: the numbers have a gap, so a file is missing from the installation.
    """
    folder = resources.files("pgproxy.control") / "migrations" / database
    found = sorted(
        (int(match[1]), entry) for entry in folder.iterdir() if (match := _FILE_NAME.fullmatch(entry.name))
    )
    if [number for number, _ in found] != list(range(1, len(found) + 1)):
        raise MetastoreError("the installation lacks a migration file")
    return tuple(Migration(number, entry.read_text(encoding="utf-8")) for number, entry in found)


def pending_migrations(migrations: tuple[Migration, ...], applied: int) -> tuple[Migration, ...]:
    """Give what is still to apply after number `applied`.

    Raises:
        MetastoreError: the schema is newer than this program.
    """
    if applied > len(migrations):
        raise MetastoreError("the metastore's schema is newer than this program: upgrade the program")
    return migrations[applied:]

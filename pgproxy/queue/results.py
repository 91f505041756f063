"""Stored results: Arrow IPC streams as files, with where each chunk begins, so that a page needs no scan.

Everything here may block: it is called in threads. `<id>.<owner>.part` is being written; `<id>.<owner>.arrow`
is whole, with `….index` beside it; `….csv` and the like are made on demand. The owner in the name keeps two
gateways apart of which one believes wrongly that it still holds the query. PostgreSQL's types of the columns
are in the metastore, with the query.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from execnode.engine.arrow_stream import END_OF_STREAM
from execnode.statement import RowChunk
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

_EMPTY = bytes(pa.schema([]).serialize()) + END_OF_STREAM
"""The result of a statement that returns no rows."""


class ResultTooLarge(GatewayError):
    """The result is larger than a stored one may be."""

    default_sqlstate = SqlState.CONFIGURATION_LIMIT_EXCEEDED


class ResultWriter:
    """Takes the chunks of one result. Nothing is visible before `finish`."""

    def __init__(self, folder: Path, query_id: str, owner: str, max_bytes: int) -> None:
        self._part = folder / f"{query_id}.{owner}.part"
        self._final = folder / f"{query_id}.{owner}.arrow"
        self._max_bytes = max_bytes
        self._file: IO[bytes] | None = None
        self._index: list[tuple[int, int]] = []
        self.rows = 0
        self.bytes = 0

    def write(self, chunk: RowChunk) -> None:
        """Append a chunk.

        Raises:
            ResultTooLarge: 53400. GatewayError: 53100, the disk refused.
        """
        if self.bytes + len(chunk.rows) > self._max_bytes:
            raise ResultTooLarge("the result is larger than a stored result may be")
        try:
            if self._file is None:
                self._file = _create_private(self._part)
            self._file.write(chunk.rows)
        except OSError:
            raise GatewayError("could not store the result", sqlstate=SqlState.DISK_FULL) from None
        self._index.append((self.rows, self.bytes))
        self.rows += chunk.row_count
        self.bytes += len(chunk.rows)

    def finish(self) -> None:
        """Make the result visible, whole, also after a power cut.

        Raises:
            GatewayError: 53100, the disk refused.
        """
        if self._file is None:
            self.write(RowChunk(_EMPTY, 0))
        try:
            self._close(durable=True)
            index = self._final.with_suffix(".index")
            with _create_private(index) as file:
                file.write(np.array([*self._index, (self.rows, self.bytes)], "<i8").tobytes())
            self._part.rename(self._final)
        except OSError:
            raise GatewayError("could not store the result", sqlstate=SqlState.DISK_FULL) from None

    def discard(self) -> None:
        """Drop what was written and not finished. Idempotent."""
        with suppress(OSError):
            self._close(durable=False)
        self._part.unlink(missing_ok=True)

    def _close(self, *, durable: bool) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        with file:
            if durable:
                file.flush()
                os.fsync(file.fileno())


class StoredResult:
    """A result that is whole."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            FileNotFoundError: it is not here, or no more.
        """
        self.path = path
        flat = np.fromfile(path.with_suffix(".index"), "<i8")
        self._index = flat.reshape(-1, 2)
        with path.open("rb") as file:
            self.schema: pa.Schema = pa.ipc.read_schema(pa.ipc.read_message(file))

    @property
    def row_count(self) -> int:
        """How many rows it has."""
        return int(self._index[-1, 0])

    def batches(self, first_row: int = 0, row_count: int | None = None) -> Iterator[pa.RecordBatch]:
        """Read rows from `first_row` on, at most `row_count` of them, batch by batch."""
        left = self.row_count - first_row if row_count is None else min(row_count, self.row_count - first_row)
        place = max(int(np.searchsorted(self._index[:, 0], first_row, "right")) - 1, 0)
        skipped = first_row - int(self._index[place, 0])
        with self.path.open("rb") as file:
            file.seek(int(self._index[place, 1]))
            while left > 0:
                message = pa.ipc.read_message(file)
                if message.type == "schema":
                    continue
                batch = pa.ipc.read_record_batch(message, self.schema)
                cut = min(skipped, batch.num_rows)
                skipped -= cut
                batch = batch.slice(cut, left)
                if batch.num_rows:
                    left -= batch.num_rows
                    yield batch


class ResultFolder:
    """Where results are. One gateway's process holds a lock in it, by which others see that it lives."""

    def __init__(self, path: Path, owner: str, max_result_bytes: int) -> None:
        self._path = path
        self._owner = owner
        self._max_result_bytes = max_result_bytes
        self._lock: IO[bytes] | None = None

    def open(self) -> tuple[str, ...]:
        """Make the folder and say that this process lives; gives the owners that were here and are dead."""
        self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _create_private(self._path / f"{self._owner}.alive")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return tuple(self._dead_owners())

    def close(self) -> None:
        """Let the lock go."""
        if self._lock is not None:
            (self._path / f"{self._owner}.alive").unlink(missing_ok=True)
            self._lock.close()

    def writer(self, query_id: str) -> ResultWriter:
        """Begin a result."""
        return ResultWriter(self._path, query_id, self._owner, self._max_result_bytes)

    def stored(self, query_id: str, place: str) -> StoredResult:
        """Open a result. place: the owner that stored it.

        Raises:
            GatewayError: 58030, it is not in this gateway's folder.
        """
        try:
            return StoredResult(self._path / f"{query_id}.{place}.arrow")
        except FileNotFoundError:
            raise GatewayError(
                "the stored result is not here",
                sqlstate=SqlState.IO_ERROR,
                hint="Gateways that share a metastore need one SPOOL_DIR.",
            ) from None

    def delete(self, query_id: str, place: str = "") -> None:
        """Drop the files of a query. place: only those that this owner stored."""
        for path in self._path.glob(f"{query_id}.{place}*"):
            path.unlink(missing_ok=True)

    def files(self) -> tuple[Path, ...]:
        """All files that belong to queries; taken before the ids that `delete_orphans` is given."""
        return tuple(path for path in self._path.iterdir() if path.suffix != ".alive")

    def delete_orphans(self, files: tuple[Path, ...], known: frozenset[str]) -> int:
        """Drop those that belong to no known query, and unfinished ones of dead owners; gives how many."""
        alive = {path.stem for path in self._path.glob("*.alive")}
        orphans = [path for path in files if _is_orphan(path, known, alive)]
        for path in orphans:
            path.unlink(missing_ok=True)
        return len(orphans)

    def _dead_owners(self) -> Iterator[str]:
        for path in self._path.glob("*.alive"):
            if path.stem == self._owner:
                continue
            with suppress(OSError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
                yield path.stem


def _is_orphan(path: Path, known: frozenset[str], alive: set[str]) -> bool:
    query_id, owner, *_ = [*path.name.split("."), ""]
    return query_id not in known or (path.suffix == ".part" and owner not in alive)


def _create_private(path: Path) -> IO[bytes]:
    """Create or empty a file that only this user reads: rows of governed tables are in it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")

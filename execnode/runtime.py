"""What both programs ask of their own process: a quick start, an event loop, memory that is kept."""

import asyncio
import ctypes
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_KEPT_BYTES = 64 << 20
_OWN_MAPPING_BYTES = 32 << 20
"""The greatest value that glibc takes."""
_OBJECTS_BETWEEN_COLLECTIONS = 5_000
_CHOICES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


@contextmanager
def uncollected() -> Iterator[None]:
    """Import without looking for garbage: what imports make stays, and the looking was a sixth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle_imports() -> None:
    """Let no later collection look at what was imported; it would be most of what a full one looks at.

    Nor at every 700 objects for garbage: a plan makes tens of thousands, which cost a tenth of its time so.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


class _PandasAbsent(MetaPathFinder):
    """Says that there is no pandas, wherever it is installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is kept out of this process", name=fullname)
        return None


def keep_pandas_out() -> None:
    """Let no library import pandas into this process. Called once the libraries themselves are imported.

    Where it is installed, pyarrow imports it to see whether what it was given is of pandas' types, which it
    never is here: half a second of every start, and tens of megabytes. pyarrow looks once. DuckDB looks twice
    at each statement with parameters, so it is told in the quickest way: None in `sys.modules`, which pyarrow
    would take for a module.
    """
    import pyarrow as pa

    absent = _PandasAbsent()
    sys.meta_path.insert(0, absent)
    pa.array([0])
    sys.meta_path.remove(absent)
    sys.modules["pandas"] = None  # type: ignore[assignment]  # Python docs, "The import system"


def keep_freed_memory() -> bool:
    """Have malloc keep what is freed, up to 64 MiB, for the next result's buffers. Tells whether it does.

    glibc gives blocks of a chunk's size back to the kernel as soon as they are free, and every new one costs
    a page fault and a cleared page for each 4 KiB: more than a third of what a gateway spends on forwarding.
    An operator's own choice in the environment stands. Other C libraries are left alone.
    """
    if any(name in os.environ for name in _CHOICES):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES) and mallopt(_M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES))


def usable_cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give uvloop's loop where it is installed; it is an extra."""
    if find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop

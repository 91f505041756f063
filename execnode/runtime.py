"""What both programs ask of their own process: the event loop, and an allocator that keeps its pages."""

import asyncio
import ctypes
import os
from collections.abc import Callable
from importlib.util import find_spec

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_KEPT_BYTES = 64 << 20
_OWN_MAPPING_BYTES = 32 << 20
"""The greatest value that glibc takes."""
_CHOICES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


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


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give uvloop's loop where it is installed; it is an extra."""
    if find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop

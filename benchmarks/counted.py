"""`pgproxy` that counts the Python calls of its threads between two signals: for `benchmarks.statement`.

SIGUSR1 begins to count; a second one ends it and writes to the file named by the environment's CALLS_FILE.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

from pgproxy.__main__ import main

_counts: dict[str, Counter[str]] = {"loop": Counter(), "engine": Counter()}
_is_counting = threading.Event()


def _count(frame: FrameType, event: str, _argument: object) -> None:
    if event == "call" and _is_counting.is_set():
        code = frame.f_code
        room = "loop" if threading.current_thread() is threading.main_thread() else "engine"
        _counts[room][f"{Path(code.co_filename).name}:{code.co_qualname}"] += 1


def _toggle(_number: int, _frame: FrameType | None) -> None:
    if not _is_counting.is_set():
        sys.setprofile(_count)
        _is_counting.set()
        return
    _is_counting.clear()
    sys.setprofile(None)
    Path(os.environ["CALLS_FILE"]).write_text(json.dumps(_counts))
    for counter in _counts.values():
        counter.clear()


if __name__ == "__main__":
    del sys.argv[1]  # the program in whose place this one runs
    signal.signal(signal.SIGUSR1, _toggle)
    threading.setprofile(_count)
    main()

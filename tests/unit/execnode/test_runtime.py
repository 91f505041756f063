"""What a process is told of itself, each time in one of its own: it holds for a process's whole life."""

import os
import platform
import subprocess
import sys

import pytest

# Eight blocks of 1 MiB at a time, again and again; a fault each time a page comes anew from the kernel.
_PROGRAM = """
import resource, sys
from execnode.runtime import keep_freed_memory
print(keep_freed_memory() if sys.argv[1] == "kept" else None)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    blocks = [b"x" * (1 << 20) for _ in range(8)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str, **environment: str) -> tuple[str, int]:
    command = [sys.executable, "-c", _PROGRAM, how]
    output = subprocess.check_output(command, text=True, env={**os.environ, **environment})  # own
    answer, faults = output.split()
    return answer, int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_blocks_of_a_chunks_size_are_used_again_without_page_faults() -> None:
    _, given_back = page_faults("given back")
    answer, kept = page_faults("kept")
    assert answer == "True"
    assert kept * 4 < given_back


def test_an_operators_own_choice_stands() -> None:
    answer, _ = page_faults("kept", MALLOC_TRIM_THRESHOLD_="131072")
    assert answer == "False"


def output_of(program: str) -> str:
    return subprocess.check_output([sys.executable, "-c", program], text=True)


def test_pyarrow_does_not_bring_pandas_along() -> None:
    program = (
        "import sys, pyarrow; from execnode.runtime import keep_pandas_out;"
        "keep_pandas_out(); print(pyarrow.array([1, 2]).to_pylist(), sys.modules['pandas'])"
    )
    assert output_of(program) == "[1, 2] None\n"


def test_duckdb_looks_for_pandas_without_searching_for_it() -> None:
    program = (
        "import sys, duckdb; from execnode.runtime import keep_pandas_out; keep_pandas_out()\n"
        "searched = []\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None): searched.append(name)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "print(duckdb.execute('SELECT $1::BIGINT', [7]).fetchall(), 'pandas' in searched)"
    )
    assert output_of(program) == "[(7,)] False\n"


def test_garbage_is_collected_again_after_the_imports_and_what_they_made_is_not_looked_at() -> None:
    program = (
        "import gc; from execnode.runtime import settle_imports, uncollected\n"
        "with uncollected():\n    during = gc.isenabled(); import decimal\n"
        "settle_imports(); print(during, gc.isenabled(), gc.get_freeze_count() > 1000)"
    )
    assert output_of(program) == "False True True\n"

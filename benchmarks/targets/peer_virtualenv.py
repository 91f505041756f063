"""Virtualenvs for peers that are Python programs: pinned, one each, kept between runs."""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from benchmarks.targets.base import TargetUnavailable


def install_packages(folder: Path, packages: Sequence[str]) -> Path:
    """Make the virtualenv unless it is complete, and give its interpreter.

    Raises:
        TargetUnavailable: the packages cannot be installed, for example without a network.
    """
    python, complete = folder / "bin" / "python", folder / "complete"
    if complete.exists() and complete.read_text() == "\n".join(packages):
        return python
    venv.create(folder, clear=True, with_pip=True)
    options = ("--quiet", "--disable-pip-version-check")
    command: list[str | Path] = [python, "-m", "pip", "install", *options, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise TargetUnavailable(f"pip could not install it for Python {sys.version.split()[0]}: {last}")
    complete.write_text("\n".join(packages))
    return python

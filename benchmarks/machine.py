"""What the numbers depend on: machine, versions, load and commit."""

import os
import platform
import subprocess
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no annotations

ROOT = Path(__file__).resolve().parent.parent


def describe_machine() -> dict[str, str | int | float]:
    """Give the facts that belong beside every result."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "commit": _commit(),
    }


def load_average() -> float:
    """Give the load of the last minute."""
    return round(os.getloadavg()[0], 2)


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _commit() -> str:
    """Give the commit, with a `+` where the measured packages differ from it."""
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return "unknown"
    packages = ["pgwire", "execnode", "pgproxy", "benchmarks/*.py", "benchmarks/suites", "benchmarks/targets"]
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *packages], cwd=ROOT, check=False)
    return done.stdout.strip() + ("+" if changed.returncode else "")

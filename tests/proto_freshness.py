"""Regenerate execnode/rpc from schema.proto and compare with what is committed (`--write` replaces it)."""

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "execnode" / "rpc"


def generate(into: Path) -> None:
    """Run protoc with the betterproto2 plugin, which finds `ruff` on PATH beside this interpreter."""
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    subprocess.run(
        [
            sys.executable,
            *("-m", "grpc_tools.protoc", f"-I{ROOT}", f"--python_betterproto2_out={into}"),
            *(
                "--python_betterproto2_opt=client_generation=async",
                "--python_betterproto2_opt=server_generation=async",
            ),
            str(ROOT / "schema.proto"),
        ],
        check=True,
        env=environment,
        cwd=into,
    )


def differences(left: Path, right: Path) -> list[str]:
    """Give the paths that differ between two trees of .py files."""
    names = {p.relative_to(root).as_posix() for root in (left, right) for p in root.rglob("*.py")}
    return sorted(
        name
        for name in names
        if not (left / name).exists()
        or not (right / name).exists()
        or not filecmp.cmp(left / name, right / name, shallow=False)
    )


def main() -> int:
    """Exit 0 if fresh (or rewritten), 1 if stale."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "rpc"
        fresh.mkdir()
        generate(fresh)
        stale = differences(fresh, TARGET)
        if not stale:
            return 0
        if "--write" in sys.argv:
            shutil.rmtree(TARGET)
            shutil.copytree(fresh, TARGET)
            return 0
    sys.stderr.write(f"execnode/rpc is stale ({', '.join(stale)}): run `make proto`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

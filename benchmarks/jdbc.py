"""pgjdbc, as Debian packages it: where the driver is, and programs of this folder that use it."""

import shutil
import subprocess
from pathlib import Path

_JARS = Path("/usr/share/java")
_DRIVER = _JARS / "postgresql.jar"
_BESIDE = ("*scram*", "saslprep*", "stringprep*")


def is_installed() -> bool:
    """Tell whether a Java compiler and the driver are on this machine."""
    return shutil.which("javac") is not None and _DRIVER.exists()


def compile_program(name: str, folder: Path) -> None:
    """Compile a program of this folder, by its class's name, into `folder`."""
    source = Path(__file__).parent / f"{name}.java"
    subprocess.run(["javac", "-d", folder, "-cp", _class_path(), source], check=True)


def command(name: str, folder: Path, *arguments: str) -> list[str]:
    """Give the command that runs a compiled program."""
    return ["java", "-cp", f"{_class_path()}:{folder}", name, *arguments]


def _class_path() -> str:
    """Give the driver and, beside it, its SCRAM library."""
    beside = [jar for pattern in _BESIDE for jar in _JARS.glob(f"{pattern}.jar")]
    return ":".join(str(jar) for jar in (_DRIVER, *beside))

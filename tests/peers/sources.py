"""Where the upstream suites come from: asyncpg's own release, psycopg's Debian source package or a folder.

`PEERS_ASYNCPG` and `PEERS_PSYCOPG` name a folder that holds `tests/` and is used as it is.
"""

import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

WORK = Path(__file__).resolve().parent.parent.parent / "var" / "peers"


class SourceMissing(Exception):
    """The suite cannot be had here; the message says how it could be."""


def asyncpg_source() -> Path:
    """Give a folder with asyncpg's tests, of the version that is installed.

    Raises:
        SourceMissing: the package index does not give it.
    """
    if given := _given("PEERS_ASYNCPG"):
        return given
    release = f"asyncpg-{version('asyncpg')}"
    archive = WORK / f"{release}.tar.gz"
    if not archive.exists():
        print(f"Fetching the source release of {release}", file=sys.stderr)
        command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "asyncpg")
        _run(*command, "--dest", str(WORK), release.replace("-", "=="))
    # Only the tests: beside the package's source they would import that instead of what is installed.
    return _unpacked(archive, WORK / release)


def psycopg_source() -> Path:
    """Give a folder with psycopg 3's tests.

    Raises:
        SourceMissing: there is neither the folder nor Debian's source package.
    """
    if given := _given("PEERS_PSYCOPG"):
        return given
    folder = WORK / "psycopg"
    archives = sorted(folder.glob("psycopg3_*.orig.tar.*"))
    if not archives:
        print("Fetching Debian's source package psycopg3", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        _fetch_debian(folder)
        archives = sorted(folder.glob("psycopg3_*.orig.tar.*"))
    if not archives:
        raise SourceMissing("Debian's source package psycopg3 is not to be had; set PEERS_PSYCOPG")
    return _unpacked(archives[-1], folder / "source")


def _fetch_debian(folder: Path) -> None:
    """`apt-get source` with a source list of our own, so that the machine's lists stay as they are."""
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    codename = _run("sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME").strip()
    source_list = folder / "sources.list"
    source_list.write_text(f"deb-src http://deb.debian.org/debian {codename} main\n")
    options = (
        f"-oDir::Etc::sourcelist={source_list}", "-oDir::Etc::sourceparts=-", f"-oDir::State::lists={lists}",
    )  # fmt: skip
    _run("apt-get", "-qq", *options, "update", folder=folder)
    _run("apt-get", "-qq", *options, "source", "--download-only", "psycopg3", folder=folder)


def _given(variable: str) -> Path | None:
    named = os.environ.get(variable)
    if named is None:
        return None
    if not (Path(named) / "tests").is_dir():
        raise SourceMissing(f"{variable} names a folder without tests/")
    return Path(named)


def _run(*command: str, folder: Path | None = None) -> str:
    WORK.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(command, cwd=folder or WORK, check=True, capture_output=True, text=True)
    except (subprocess.CalledProcessError, OSError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise SourceMissing(f"{command[0]} failed: {said[-1] if said else ''}") from None
    return done.stdout


def _unpacked(archive: Path, folder: Path) -> Path:
    if (folder / "tests").is_dir():
        return folder
    with tarfile.open(archive) as held:
        for member in held.getmembers():
            _, _, inside = member.name.partition("/")
            if inside == "tests" or inside.startswith("tests/"):
                member.name = inside
                held.extract(member, folder, filter="data")
    return folder

"""`python -m tests.wire [--write] [FILES]`: record PostgreSQL's answers, or say what is not current."""

import argparse
import tempfile
from pathlib import Path

from tests.postgres import running_postgres
from tests.wire.servers import FOLDER, postgres_target
from tests.wire.transcript import format_transcript, parse_transcript, play, record


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("files", nargs="*", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, running_postgres(Path(folder) / "pg") as dsn:
        target = postgres_target(dsn)
        for path in arguments.files or sorted(FOLDER.glob("*.pgt")):
            if arguments.write:
                record(path, target)
                continue
            transcript = parse_transcript(path.read_text())
            for group, answer in play(transcript, target):
                group.expected = answer
            print(path.name, "is current" if format_transcript(transcript) == path.read_text() else "differs")


if __name__ == "__main__":
    main()

"""`python -m pgproxy`, and the console script."""

from pgproxy.cli.main import app
from pgproxy.logs import silence_parser


def main() -> None:
    """Run the command line."""
    silence_parser()
    app()


if __name__ == "__main__":
    main()

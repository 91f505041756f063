"""`python -m pgproxy`, and the console script."""

from pgproxy.cli.main import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()

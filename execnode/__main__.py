"""`execnode serve`."""

import asyncio
import sys

import typer

from execnode.runtime import keep_freed_memory, keep_pandas_out, loop_factory, settle_imports, uncollected

main = typer.Typer(add_completion=False, no_args_is_help=True, help="A DuckDB exec node for pgproxy.")

_BAD_SETTINGS = 2


@main.callback()
def _root() -> None:
    """A DuckDB exec node for pgproxy."""


@main.command()
def serve() -> None:
    """Serve until SIGTERM. Settings come from the environment; AGENT_TOKEN is required."""
    with uncollected():
        from execnode.app import run_node
        from execnode.engine.scheduling import take_short_turns
        from execnode.logs import configure_logging
        from execnode.settings import SettingsError, load_settings
    configure_logging()
    try:
        settings = load_settings()
        settle_imports()
        keep_pandas_out()
        keep_freed_memory()
        take_short_turns()
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run_node(settings))
    except* SettingsError as errors:
        for error in errors.exceptions:
            sys.stderr.write(f"execnode: {error}\n")
        sys.exit(_BAD_SETTINGS)


if __name__ == "__main__":
    main()

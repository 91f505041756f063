"""The command group that imports a command when it is asked for.

Each brings its part of the control plane along; together they cost every command more than its own work.
"""

from importlib import import_module
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup
from typer.main import get_group

from execnode.runtime import uncollected

if TYPE_CHECKING:
    from typer._click import Command, Context

_COMMANDS = {"assign": "endpoint_commands", "unassign": "endpoint_commands", "doctor": "doctor_command"}
"""A command, and the module whose function of that name it is."""

_GROUPS = {
    "policy": "policy_commands",
    "query": "query_commands",
    "endpoint": "endpoint_commands",
    "rollout": "rollout_commands",
    "catalog": "catalog_commands",
    "flags": "flag_commands",
    "route": "route_commands",
    "user": "user_commands",
    "key": "key_commands",
    "hba": "hba_commands",
    "audit": "audit_commands",
}
"""A group, and the module whose `app` it is."""


class CommandsOnDemand(TyperGroup):
    """The commands that it was given, and those of the tables above."""

    def list_commands(self, ctx: "Context") -> list[str]:
        """Name them all, without importing any."""
        given = [name for name in self.commands if name not in _COMMANDS and name not in _GROUPS]
        return [*_COMMANDS, *given, *_GROUPS]

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Give a command. For a name that is none's, have them all: the message tells what is like it."""
        names = [cmd_name] if cmd_name in self.list_commands(ctx) else [*_COMMANDS, *_GROUPS]
        for name in names:
            if name not in self.commands:
                self.commands[name] = _import_command(name)
        return super().get_command(ctx, cmd_name)


def _import_command(name: str) -> "Command":
    holder = typer.Typer()
    with uncollected():
        module = import_module(f"pgproxy.cli.{_GROUPS.get(name) or _COMMANDS[name]}")
    if name in _GROUPS:
        holder.add_typer(module.app, name=name)
    else:
        holder.command(name)(getattr(module, name))
    return get_group(holder).commands[name]

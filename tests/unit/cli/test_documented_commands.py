"""Every command of ours that the documentation shows: it is there, with these options and arguments."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from typer._click.exceptions import ClickException, MissingParameter
from typer.core import TyperGroup
from typer.main import get_command

from execnode.__main__ import main as execnode
from pgproxy.cli.main import app as pgproxy

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
PROGRAMS = {"pgproxy": pgproxy, "execnode": execnode}

_TYPED = re.compile(r"^ *(?:\$ )?(?:\.venv/bin/)?((?:pgproxy|execnode) (?:[^\n]*\\\n)*[^\n]*)", re.M)
_SHELL = re.compile(r"^```[^\n]*\n(.*?)^```|((?:^    \S[^\n]*\n)+)", re.M | re.S)
_MENTIONED = re.compile(r"`((?:pgproxy|execnode) [^`]+)`")
_OPTIONAL = re.compile(r"[\[\]]|…")


def typed() -> Iterator[str]:
    """Lines of a shell, each whole, up to what follows it there."""
    for page in PAGES:
        for block, indented in _SHELL.findall(page.read_text()):
            yield from (line.replace("\\\n", " ") for line in _TYPED.findall(block or indented))


def mentioned() -> Iterator[str]:
    """Commands within sentences: `pgproxy policy diff|apply FILE [--yes]`, where each of these is meant."""
    for page in PAGES:
        for mention in _MENTIONED.findall(_SHELL.sub("", page.read_text())):
            yield from _alternatives(_OPTIONAL.sub(" ", mention.replace("\n", " ")).split(" '")[0])


def _alternatives(text: str) -> Iterator[str]:
    found = re.search(r"(\S+)\|(\S+)", text)
    if found is None:
        yield text
        return
    for one in found[0].split("|"):
        yield from _alternatives(text.replace(found[0], one))


def parse(line: str) -> None:
    """Read a command as its program does, without running it.

    Raises:
        ClickException: there is no such command, option or argument, or a value is none.
    """
    words = shlex.shlex(line, posix=True, punctuation_chars="|<>")
    words.whitespace_split = True
    program, *arguments = takewhile(lambda word: word not in {"|", ">", "<"}, words)
    command = get_command(PROGRAMS[program])
    context = command.make_context(program, arguments)
    while isinstance(command, TyperGroup):
        name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert name is not None
        assert found is not None
        command, context = found, found.make_context(name, rest, parent=context)


@pytest.mark.parametrize("line", sorted(set(typed())))
def test_a_line_that_is_typed_is_a_command(line: str) -> None:
    parse(line)


@pytest.mark.parametrize("line", sorted(set(mentioned())))
def test_a_command_that_is_mentioned_exists(line: str) -> None:
    try:
        parse(re.sub(r"\b[Nn]\b", "1", line))
    except MissingParameter:
        return  # named without its arguments


@pytest.mark.parametrize("line", ["pgproxy rollout restart NAME", "pgproxy audit export --all", "pgproxy x"])
def test_what_does_not_exist_is_found(line: str) -> None:
    with pytest.raises(ClickException):
        parse(line)


def test_the_pages_show_commands() -> None:
    assert len(set(typed())) > 30
    assert len(set(mentioned())) > 30

"""YAML read with the line of every node, so that an error can point at it.

Stricter than YAML: no repeated key.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]
_MAX_DEPTH = 20


class PolicyFileError(ValueError):
    """A policy file is wrong. problems: `line N: what`, in the order of the file; never a secret."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data, and where each part of it stands. lines: 1-based, by path from the root."""

    data: object
    lines: dict[Path, int] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """The line of a path, or of the nearest part around it that is in the file."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse_document(text: str) -> Document:
    """Parse one YAML document.

    Raises:
        PolicyFileError: not YAML, a key twice in a mapping, nested too deeply.
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            document = Document({} if root is None else None)
            if root is None:
                return document
            data = _build(loader, root, (), document.lines)
            return Document({} if data is None else data, document.lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 1
        raise PolicyFileError([f"line {line}: not valid YAML: {error.problem}"]) from None
    except yaml.YAMLError:
        raise PolicyFileError(["line 1: not valid YAML: a character that is not allowed"]) from None
    except RecursionError:
        raise PolicyFileError(["line 1: nested too deeply"]) from None


def _build(loader: yaml.SafeLoader, node: yaml.Node, path: Path, lines: dict[Path, int]) -> object:
    line = node.start_mark.line + 1
    if path in lines:
        raise PolicyFileError([f"line {line}: the key {path[-1]!r} is there twice"])
    if len(path) > _MAX_DEPTH:
        raise PolicyFileError([f"line {line}: nested too deeply"])
    lines[path] = line
    if isinstance(node, yaml.MappingNode):
        return {
            key: _build(loader, value, (*path, key), lines)
            for key, value in ((_key(key_node), value) for key_node, value in node.value)
        }
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*path, index), lines) for index, item in enumerate(node.value)]
    value: object = loader.construct_object(node)
    return value


def _key(node: yaml.Node) -> str:
    """Take a key as it is written: YAML 1.1 would read `on` as true."""
    if not isinstance(node, yaml.ScalarNode):
        raise PolicyFileError([f"line {node.start_mark.line + 1}: a key must be a plain text"])
    return str(node.value)

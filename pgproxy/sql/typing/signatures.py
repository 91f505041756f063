"""PostgreSQL's own functions and operators by name: what they take and give. From pg_proc and pg_operator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pgproxy.catalog.builtin import builtin_rows


@dataclass(frozen=True, slots=True)
class Signature:
    """arguments, result: OIDs of types."""

    arguments: tuple[int, ...]
    result: int


@dataclass(frozen=True, slots=True)
class _Function:
    signature: Signature
    variadic: int
    optional: int

    def taking(self, count: int) -> Signature | None:
        """The signature for so many arguments, the repeated last one written out."""
        declared = self.signature.arguments
        if len(declared) - self.optional <= count <= len(declared) and not self.variadic:
            return Signature(declared[:count], self.signature.result)
        if self.variadic and count >= len(declared):
            repeated = (self.variadic,) * (count - len(declared) + 1)
            return Signature((*declared[:-1], *repeated), self.signature.result)
        return None


@cache
def _functions() -> Mapping[str, Sequence[_Function]]:
    rows = builtin_rows("pg_proc").columns
    names = ("proname", "proargtypes", "prorettype", "provariadic", "pronargdefaults", "prokind")
    found: dict[str, list[_Function]] = {}
    for name, arguments, result, variadic, optional, kind in zip(*(rows[n] for n in names), strict=True):
        if kind != "p":
            found.setdefault(name, []).append(
                _Function(Signature(tuple(arguments), result), variadic, optional)
            )
    return found


@cache
def _operators() -> Mapping[tuple[str, bool], Sequence[Signature]]:
    rows = builtin_rows("pg_operator").columns
    found: dict[tuple[str, bool], list[Signature]] = {}
    names = ("oprname", "oprleft", "oprright", "oprresult")
    for name, left, right, result in zip(*(rows[n] for n in names), strict=True):
        arguments = (left, right) if left else (right,)
        found.setdefault((name, bool(left)), []).append(Signature(arguments, result))
    return found


def functions(name: str, count: int) -> Sequence[Signature]:
    """The functions of this name that take so many arguments; exact ones before repeating ones."""
    held = sorted(_functions().get(name, ()), key=lambda function: bool(function.variadic))
    found: dict[tuple[int, ...], Signature] = {}
    for function in held:
        taken = function.taking(count)
        if taken is not None:
            found.setdefault(taken.arguments, taken)
    return list(found.values())


def operators(name: str, *, is_binary: bool) -> Sequence[Signature]:
    """The operators of this name."""
    return _operators().get((name, is_binary), ())


def argument_by_name(name: str, argument: str) -> int | None:
    """The type of an argument that is given by name; None where functions of the name differ or lack it."""
    rows = builtin_rows("pg_proc").columns
    fields = zip(rows["proname"], rows["proargnames"], rows["proargtypes"], strict=True)
    found = {
        kinds[names.index(argument)]
        for held, names, kinds in fields
        if held == name and names and argument in names[: len(kinds)]
    }
    return found.pop() if len(found) == 1 else None

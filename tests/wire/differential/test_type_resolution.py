"""PostgreSQL's own functions and operators, with arguments of unknown type: the server chooses the same."""

import random

import psycopg
import pytest
from psycopg.pq import DiagnosticField, ExecStatus

from pgproxy.catalog.builtin import builtin_rows
from pgproxy.sql.typing.choice import Ambiguous, Undetermined, choose_function, choose_operator
from pgproxy.sql.typing.types import RANGES_AND_ENUMS, UNKNOWN

FEW, MANY = 500, 20_000
KINDS = (
    16,
    20,
    23,
    21,
    25,
    700,
    701,
    1700,
    1082,
    1114,
    1184,
    1186,
    1043,
    17,
    114,
    3802,
    1007,
    1009,
    26,
    19,
    2950,
)
INTERNAL = frozenset({2275, 2281, 2276, 269, 325, 2279, 3838}) | RANGES_AND_ENUMS
"""cstring, internal, any and handlers: what no client passes a parameter for, or what gives it no type."""


def _cases(source: random.Random, count: int) -> list[tuple[str, str, list[int]]]:
    operators = builtin_rows("pg_operator").columns
    functions = builtin_rows("pg_proc").columns
    pairs = [
        ("operator", name, [left, right] if left else [right])
        for name, left, right in zip(
            operators["oprname"], operators["oprleft"], operators["oprright"], strict=True
        )
    ]
    calls = [
        ("function", name, list(arguments))
        for name, arguments, kind, result in zip(
            *(functions[key] for key in ("proname", "proargtypes", "prokind", "prorettype")), strict=True
        )
        if arguments and kind == "f" and not INTERNAL & {*arguments, result} and not name.startswith("_")
    ]
    chosen = [source.choice(source.choice((pairs, calls))) for _ in range(count)]
    return [(kind, name, _given(source, declared)) for kind, name, declared in chosen]


def _given(source: random.Random, declared: list[int]) -> list[int]:
    given = [
        source.choice([UNKNOWN, kind if kind in KINDS else UNKNOWN, source.choice(KINDS)])
        for kind in declared
    ]
    given[source.randrange(len(given))] = UNKNOWN
    return given


def _on_postgres(connection: psycopg.Connection, text: str) -> object:
    server = connection.pgconn
    prepared = server.prepare(b"", text.encode())
    if prepared.status != ExecStatus.COMMAND_OK:
        return (prepared.error_field(DiagnosticField.SQLSTATE) or b"").decode()
    described = server.describe_prepared(b"")
    return [described.param_type(at) for at in range(described.nparams)], described.ftype(0)


def _here(kind: str, name: str, given: list[int]) -> object:
    try:
        chosen = (choose_operator if kind == "operator" else choose_function)(name, given)
    except Ambiguous:
        return "42725"
    except Undetermined:
        return "42804"
    if chosen is None:
        return "42883"
    taken = [real for real, one in zip(chosen.arguments, given, strict=True) if one == UNKNOWN]
    return taken, chosen.result


def _text(kind: str, name: str, given: list[int], names: dict[int, str]) -> str:
    numbers = iter(range(1, len(given) + 1))
    arguments = [f"${next(numbers)}" if one == UNKNOWN else f"null::{names[one]}" for one in given]
    if kind == "function":
        return f'select "{name}"({", ".join(arguments)})'
    return f"select {f' {name} '.join(arguments)}" if len(given) == 2 else f"select {name} {arguments[0]}"


def _check(postgres: psycopg.Connection, source: random.Random, count: int) -> None:
    names = dict(postgres.execute("select oid, format_type(oid, null) from pg_type").fetchall())
    wrong, decided = [], 0
    for kind, name, given in _cases(source, count):
        text = _text(kind, name, given, names)
        theirs, ours = _on_postgres(postgres, text), _here(kind, name, given)
        decided += not isinstance(theirs, str)
        is_array_of_arrays = (theirs, ours) == ("42704", "42804")
        if theirs != ours and theirs not in {"42P18", "42601"} and not is_array_of_arrays:
            wrong.append((text, theirs, ours))
    assert not wrong
    assert decided > count * 0.3


def test_functions_and_operators_are_chosen_as_postgresql_does(postgres: psycopg.Connection) -> None:
    _check(postgres, random.Random(3), FEW)


@pytest.mark.soak
def test_many_functions_and_operators_are_chosen_as_postgresql_does(postgres: psycopg.Connection) -> None:
    _check(postgres, random.SystemRandom(), MANY)

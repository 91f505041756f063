"""What type each `$n` has: declared, or as `typing` finds it; and the casts that fix it on the engine.

PostgreSQL docs, "PREPARE": an undeclared parameter takes its type from the context in which it is first used,
and is text where that says nothing.
"""

import re
from collections.abc import Sequence
from functools import partial

from sqlglot import exp

from pgproxy.catalog.snapshot import ColumnInfo
from pgproxy.catalog.types import column_type
from pgproxy.sql.dialect.build import put
from pgproxy.sql.dialect.places import point_at
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.draft import Draft
from pgproxy.sql.node_kinds import classes_below
from pgproxy.sql.reg_types import catalog_type_name
from pgproxy.sql.translation import ResolvedTypes
from pgproxy.sql.typing.expressions import Surroundings
from pgproxy.sql.typing.names import name_of, oid_of
from pgproxy.sql.typing.statements import type_parameters
from pgproxy.sql.typing.types import UNKNOWN
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import Oid, engine_type_of, postgres_type_of, type_by_name

MAX_PARAMETERS = 65_535
PARAMETERS = classes_below(exp.Parameter)
_ANY = 2276
"""The pseudo-type "any", of which no value is."""


def count_parameters(tree: exp.Expr) -> int:
    """The highest `$n` of the statement.

    Raises:
        StatementError: 42P02 for `$0` and numbers that no protocol message can carry.
    """
    numbers = [int(parameter.name) for parameter in tree.find_all(exp.Parameter)]
    if any(not 1 <= number <= MAX_PARAMETERS for number in numbers):
        raise StatementError("there is no parameter of that number", sqlstate=SqlState.UNDEFINED_PARAMETER)
    return max(numbers, default=0)


_FIRST_PARAMETER = re.compile(
    r"""(?:[^'"$/-]|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|[/-]|\$(?!\d))*?\$(\d+)""", re.DOTALL
)
"""The first `$n` that stands in no string, name or comment."""


def no_parameter(text: str) -> StatementError:
    """Make the error of a statement whose parameters nobody gives: the simple protocol has no Bind."""
    found = _FIRST_PARAMETER.match(text)
    number, position = (found[1], found.start(1)) if found is not None else ("1", None)
    return StatementError(
        f"there is no parameter ${number}", sqlstate=SqlState.UNDEFINED_PARAMETER, position=position
    )


def infer_parameters(draft: Draft) -> tuple[int, ...]:
    """One OID per parameter.

    Raises:
        StatementError: 42P18 where a number is not used and not declared; 42725 or 42804 where the statement
            does not decide what is meant.
    """
    count = max(count_parameters(draft.tree), len(draft.parameter_oids))
    declared = (*draft.parameter_oids, *([UNKNOWN] * (count - len(draft.parameter_oids))))
    if UNKNOWN not in declared:
        return declared
    used = {int(parameter.name) for parameter in draft.tree.find_all(exp.Parameter)}
    for number, oid in enumerate(declared, start=1):
        if oid == UNKNOWN and number not in used:
            raise _indeterminate(number)
    found = dict(enumerate(declared, start=1))
    known = KnownTypes(ResolvedTypes(draft, _type_name), str)
    try:
        around = Surroundings(found, known, partial(_cast_type, draft), partial(_target_types, draft))
        type_parameters(draft.tree, around)
    except StatementError as error:
        raise point_at(error, draft.text) from None
    for number, kind in found.items():
        if (kind == UNKNOWN and _is_only_tested(draft.tree, number)) or kind == _ANY:
            raise _indeterminate(number)
    return tuple(found[number] or int(Oid.TEXT) for number in range(1, count + 1))


def _is_only_tested(tree: exp.Expr, number: int) -> bool:
    """Whether nothing but `$n IS NULL` and `$n IS DISTINCT FROM NULL` asks for a parameter."""
    places = [place.parent for place in tree.find_all(exp.Parameter) if int(place.name) == number]
    tests = (exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ)
    return all(isinstance(test, tests) and isinstance(test.expression, exp.Null) for test in places)


def _indeterminate(number: int) -> StatementError:
    return StatementError(
        f"could not determine data type of parameter ${number}", sqlstate=SqlState.INDETERMINATE_DATATYPE
    )


def cast_parameters(tree: exp.Expr, oids: tuple[int, ...]) -> None:
    """Wrap each `$n` in a cast to the engine's type of its OID."""
    types = {oid: exp.DataType.build(engine_type_of(oid), dialect="duckdb") for oid in set(oids)}
    if Oid.JSONB in types:
        types[Oid.JSONB] = exp.DataType(this=exp.DType.JSONB)  # the engine has one type for both
    for parameter in list(tree.find_all(exp.Parameter)) if oids else ():
        parent, key, index = parameter.parent, parameter.arg_key, parameter.index
        cast = exp.Cast(this=parameter, to=types[oids[int(parameter.name) - 1]].copy())
        if parent is not None and key is not None:
            put(parent, key, index, cast)


def type_oid(to: exp.DataType) -> int | None:
    """The OID of a type as written in a cast; None where it is unknown."""
    named = catalog_type_name(to)
    if named is not None:
        known = type_by_name(named)
        return known.oid if known is not None else None
    element = catalog_type_name(to.expressions[0]) if len(to.expressions) == 1 else None
    if element is not None and to.this is exp.DType.ARRAY:
        known = type_by_name(element)
        return known.array_oid if known is not None and known.array_oid else None
    text = to.sql(dialect="duckdb")
    oid = postgres_type_of(text)[0]
    if to.this is exp.DataType.Type.JSONB:
        return int(Oid.JSONB)
    return oid


def _type_name(column: ColumnInfo) -> str:
    """PostgreSQL's name of a column's type; empty where it has none."""
    stored = type_by_name(column.pg_type) if column.pg_type is not None else None
    return name_of(stored.oid if stored is not None else column_type(column).oid) or ""


def _cast_type(draft: Draft, to: exp.DataType) -> int | None:
    """What a cast makes of its value; text of a name that is looked up (`$1::regclass`)."""
    held = draft.context.catalog.system_types.get(catalog_type_name(to) or "")
    return int(Oid.TEXT) if held is not None and held.input is not None else type_oid(to)


def _target_types(draft: Draft, insert: exp.Expr) -> Sequence[int | None]:
    """The types of the columns that an INSERT fills, in the order of its values."""
    target = draft.uses[0].info if insert is draft.tree and draft.uses else None
    if target is None:
        return ()
    types = {column.name.lower(): oid_of(_type_name(column)) for column in target.columns}
    schema = insert.this
    names = [part.name.lower() for part in schema.expressions] if isinstance(schema, exp.Schema) else [*types]
    return [types.get(name) for name in names]

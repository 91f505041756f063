"""What PostgreSQL says where it cannot choose. Types are named, values never."""

from collections.abc import Sequence

from pgproxy.sql.dialect.places import OperatorError
from pgproxy.sql.typing.types import UNKNOWN
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import format_type


def not_unique(name: str, kinds: Sequence[int], *, is_operator: bool) -> StatementError:
    """42725: several functions or operators of the name fit. kinds: of its arguments."""
    shown = ["unknown" if kind == UNKNOWN else format_type(kind) for kind in kinds]
    hint = "Could not choose a best candidate {}. You might need to add explicit type casts."
    if is_operator:
        text = f"{name} {shown[0]}" if len(shown) == 1 else f"{shown[0]} {name} {shown[1]}"
        return OperatorError(
            f"operator is not unique: {text}",
            sqlstate=SqlState.AMBIGUOUS_FUNCTION,
            hint=hint.format("operator"),
        )
    return StatementError(
        f"function {name}({', '.join(shown)}) is not unique",
        sqlstate=SqlState.AMBIGUOUS_FUNCTION,
        hint=hint.format("function"),
    )


def no_subscripts() -> StatementError:
    """42804: of a parameter that is subscripted before it has a type."""
    return StatementError(
        "cannot subscript type unknown because it does not support subscripting",
        sqlstate=SqlState.DATATYPE_MISMATCH,
    )


def undetermined() -> StatementError:
    """42804: a function's types follow from its arguments', of which none has one."""
    return StatementError(
        "could not determine polymorphic type because input has type unknown",
        sqlstate=SqlState.DATATYPE_MISMATCH,
    )

"""Whether what a query gave is what its case expects. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from pgproxy.trial.cases import Case, Cell

Row = tuple[str | None, ...]

_SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a query.

    rows: in PostgreSQL's text. error: the SQLSTATE, with `message` as clients see it.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    affected: int | None = None
    error: str | None = None
    message: str = ""


def judge(case: Case, outcome: Outcome) -> str | None:
    """Give what is wrong, or None."""
    if outcome.error is not None:
        said = f"error {outcome.error}: {outcome.message}"
        return None if case.error == outcome.error else f"expected {_expected(case)}, got {said}"
    if case.error is not None:
        return f"expected error {case.error}, got {_got(outcome)}"
    if case.affected is not None:
        return (
            None if case.affected == outcome.affected else f"expected {_expected(case)}, got {_got(outcome)}"
        )
    if case.columns is not None and tuple(case.columns) != outcome.columns:
        return f"expected the columns {', '.join(case.columns)}, got {', '.join(outcome.columns)}"
    if case.count is not None:
        is_right = case.count == len(outcome.rows)
        return None if is_right else f"expected {case.count} rows, got {len(outcome.rows)}"
    return _compare_rows(case.rows or [], outcome.rows, is_ordered=case.ordered)


def _compare_rows(
    expected: Sequence[Sequence[Cell]], found: Sequence[Row], *, is_ordered: bool
) -> str | None:
    if is_ordered:
        for number, (wanted, row) in enumerate(zip(expected, found, strict=False), start=1):
            if not _is_row(wanted, row):
                return f"row {number}: expected {_shown_cells(wanted)}, got {_shown(row)}"
        missing: list[Sequence[Cell]] = list(expected[len(found) :])
        extra = list(found[len(expected) :])
    else:
        missing, extra = [], list(found)
        for wanted in expected:
            place = next((at for at, row in enumerate(extra) if _is_row(wanted, row)), None)
            if place is None:
                missing.append(wanted)
            else:
                del extra[place]
    problems = [f"missing {_shown_cells(row)}" for row in missing[:_SHOWN_ROWS]]
    problems += [f"not expected {_shown(row)}" for row in extra[:_SHOWN_ROWS]]
    hidden = max(0, len(missing) - _SHOWN_ROWS) + max(0, len(extra) - _SHOWN_ROWS)
    return "\n".join([*problems, *([f"and {hidden} more rows"] if hidden else [])]) or None


def _is_row(expected: Sequence[Cell], found: Row) -> bool:
    return len(expected) == len(found) and all(map(_is_cell, expected, found))


def _is_cell(expected: Cell, found: str | None) -> bool:
    if expected is None or found is None:
        return expected is found is None
    if isinstance(expected, bool):
        return found == ("t" if expected else "f")
    if isinstance(expected, (int, float)):
        try:
            return Decimal(str(expected)) == Decimal(found)
        except InvalidOperation:
            return False
    return str(expected) == found


def _expected(case: Case) -> str:
    if case.error is not None:
        return f"error {case.error}"
    if case.affected is not None:
        return f"{case.affected} rows changed"
    return f"{len(case.rows) if case.rows is not None else case.count} rows"


def _got(outcome: Outcome) -> str:
    if outcome.affected is not None:
        return f"{outcome.affected} rows changed"
    return f"{len(outcome.rows)} rows"


def _shown(row: Row) -> str:
    return "(" + ", ".join("NULL" if cell is None else cell for cell in row) + ")"


def _shown_cells(row: Sequence[Cell]) -> str:
    return "(" + ", ".join("NULL" if cell is None else str(cell) for cell in row) + ")"

"""Going back to an earlier version: what a change took away, kept beside it, and put back. Pure.

Only who exists and who may see what goes back. Credentials never do: a password that was changed because it
had leaked must not work again. Nor does the fleet, whose state is the nodes', not the administrator's.
"""

import json
from collections.abc import Iterable
from dataclasses import replace

from pgproxy.control.rows import NOT_POLICY_TABLES, TABLES, rows_to_state, state_to_rows
from pgproxy.control.state import ControlState
from pgproxy.control.stored_change import PlannedChange
from pgproxy.control.table import Row
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_POLICY_TABLES = tuple(table for table in TABLES if table.name not in NOT_POLICY_TABLES)
_SHAPES = {table.name: table for table in _POLICY_TABLES}
_PRINCIPALS = _SHAPES["principals"]
_VERIFIER = _PRINCIPALS.values.index("verifier")


def undo_of(planned: PlannedChange) -> str:
    """Give the rows that a change replaces or adds, as they were: JSON, without verifiers."""
    undo: dict[str, list[list[object]]] = {}
    for table in _POLICY_TABLES:
        before, after = planned.before[table.name], planned.after[table.name]
        changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
        entries: list[list[object]] = []
        for key in sorted(changed, key=repr):
            row = before.get(key)
            if row is not None and table is _PRINCIPALS:
                row = (*row[:_VERIFIER], None, *row[_VERIFIER + 1 :])
            entries.append([key, row])
        if entries:
            undo[table.name] = entries
    return json.dumps(undo, ensure_ascii=False)


def undone(state: ControlState, undos: Iterable[str | None]) -> ControlState:
    """Give the state before some changes, the latest of which comes first.

    Raises:
        StatementError: 42704, a change was made by an older program, which kept nothing or something else.
    """
    rows: dict[str, dict[Row, Row]] = {name: dict(held) for name, held in state_to_rows(state).items()}
    for undo in undos:
        if undo is None:
            raise _cannot()
        for name, entries in json.loads(undo).items():
            for key, row in entries:
                if len(key) != len(_SHAPES[name].key) or (row and len(row) != len(_SHAPES[name].values)):
                    raise _cannot()
                if row is None:
                    rows[name].pop(tuple(key), None)
                else:
                    rows[name][tuple(key)] = tuple(row)
    return rows_to_state(rows)


def _cannot() -> StatementError:
    return StatementError(
        "what was changed since that version cannot be undone", sqlstate=SqlState.UNDEFINED_OBJECT
    )


def rolled_back(state: ControlState, target: ControlState) -> ControlState:
    """Give `state` with the roles and policies of `target`.

    Who is there still keeps the password of now, who comes back has none; what hangs on roles that go, goes.
    """
    users = target.principals.keys()
    return replace(
        target,
        verifiers={name: held for name, held in state.verifiers.items() if name in users},
        api_keys={key: held for key, held in state.api_keys.items() if held.principal in users},
        hba_rules=state.hba_rules,
        endpoints=state.endpoints,
        assignments={key: a for key, a in state.assignments.items() if a.principal in users},
        catalogs=state.catalogs,
        flags=state.flags,
        rollouts=state.rollouts,
    )

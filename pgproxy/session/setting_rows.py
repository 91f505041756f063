"""What pg_settings and SHOW ALL show: PostgreSQL's rows with the session's own values in them.

PostgreSQL docs, "pg_settings".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pgproxy.catalog.builtin import builtin_rows
from pgproxy.session.setting_table import SETTINGS, Setting
from pgproxy.session.setting_values import base_units
from pgproxy.session.settings import SessionSettings

_OWN_PREFIX = "pgproxy."
_OWN_ROW: Mapping[str, Any] = {
    "category": "Customized Options", "vartype": "string", "pending_restart": False,
}  # fmt: skip
_EIGHT_KILOBYTES = "8kB"


def setting_rows(settings: SessionSettings) -> str:
    """Give the rows of pg_settings as a JSON array of objects."""
    return json.dumps([_present(row, settings) for row in _rows()])


def shown_settings(settings: SessionSettings) -> Iterator[tuple[str, str, str]]:
    """Give (name, value, description) of each setting, as SHOW ALL does."""
    for row in _rows():
        yield row["name"], settings.show(row["name"]), row["short_desc"]


def _present(row: Mapping[str, Any], settings: SessionSettings) -> dict[str, Any]:
    name, unit = row["name"], row["unit"]
    return {
        **row,
        "setting": _in_units(settings.show(name), unit),
        "reset_val": _in_units(settings.reset_value(name), unit),
        "source": settings.source(name),
    }


def _in_units(text: str, unit: str | None) -> str:
    """A canonical value as pg_settings has it: a number of the setting's unit."""
    if unit == _EIGHT_KILOBYTES:
        return str(base_units(text, "kB") // 8)
    return str(base_units(text, unit)) if unit in ("kB", "ms") else text


@cache
def _rows() -> Sequence[Mapping[str, Any]]:
    """Every setting that is shown, in the order of SHOW ALL."""
    held = builtin_rows("pg_settings")
    rows = [{name: values[i] for name, values in held.columns.items()} for i in range(held.count)]
    own = [_own_row(setting) for name, setting in SETTINGS.items() if name.startswith(_OWN_PREFIX)]
    return sorted([*rows, *own], key=lambda row: str(row["name"]).lower())


def _own_row(setting: Setting) -> Mapping[str, Any]:
    return {
        **dict.fromkeys(builtin_rows("pg_settings").columns),
        **_OWN_ROW,
        "name": setting.name,
        "short_desc": setting.description,
        "context": setting.context.value,
        "boot_val": setting.default,
    }

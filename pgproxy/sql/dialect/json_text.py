"""jsonb's canonical form of a constant: sorted keys, the last of equal ones, numbers as numeric.

PostgreSQL docs, "JSON Types"; source, jsonb_util.c `lengthCompareJsonbStringValue`.
"""

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

Pairs = list[tuple[str, object]]


class _Object:
    """An object as written, equal keys included."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs


def canonical(text: str) -> str | None:
    """Give a document's canonical form, without blanks between its parts; None where it is no JSON."""
    value = _parsed(text)
    return None if value is _NONE else _written(value)


def without_nulls(text: str, *, is_binary: bool) -> str | None:
    """Give a document without the members that are null; None where it is no JSON.

    is_binary: as jsonb, else as json, whose members stay where they are.
    """
    value = _parsed(text)
    if value is _NONE:
        return None
    stripped = _stripped(value)
    return _written(stripped) if is_binary else _as_it_stands(stripped)


def _stripped(value: object) -> object:
    if isinstance(value, _Object):
        return _Object([(key, _stripped(item)) for key, item in value.pairs if item is not None])
    return [_stripped(item) for item in value] if isinstance(value, list) else value


def _as_it_stands(value: object) -> str:
    if isinstance(value, _Object):
        return "{" + ",".join(f"{_string(key)}:{_as_it_stands(item)}" for key, item in value.pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_as_it_stands(item) for item in value) + "]"
    return _written(value)


def is_json(text: str) -> bool:
    """Tell whether a text is a JSON document."""
    return _parsed(text) is not _NONE


def key_order(key: str) -> tuple[int, bytes]:
    """What jsonb sorts its keys by."""
    data = key.encode()
    return len(data), data


_NONE = object()


def _parsed(text: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_Object, parse_int=Decimal, parse_float=Decimal, parse_constant=_refused
        )
    except (ValueError, InvalidOperation, RecursionError):
        return _NONE


def _refused(name: str) -> object:
    raise ValueError(name)


def _written(value: object) -> str:
    if isinstance(value, _Object):
        pairs = dict(value.pairs)
        return "{" + ",".join(f"{_string(key)}:{_written(pairs[key])}" for key in _sorted(pairs)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return format(abs(value) if value == 0 else value, "f")
    return _string(value)


def _sorted(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=key_order)


def _string(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

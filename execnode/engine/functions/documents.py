"""jsonb that is rebuilt. PostgreSQL source: jsonfuncs.c `setPath`.

A document is JSON without blanks, its keys in jsonb's order: by length in bytes, then by bytes.
"""

from execnode.engine.functions.macro import Macro, failure, fields, let

_IN_ORDER = (
    "list_transform(list_sort(list_transform({0}, "
    "lambda k: lpad(CAST(strlen(k) AS VARCHAR), 10, '0') || k)), lambda k: substring(k, 11))"
)
_PATH = "'$.\"' || replace(k, '\"', '\\\"') || '\"'"


def _object(keys: str, value: str) -> str:
    """SQL of an object's text; value: SQL of the text of the value of the key `k`."""
    members = f"list_transform({keys}, lambda k: CAST(to_json(k) AS VARCHAR) || ':' || {value})"
    return f"('{{' || array_to_string({members}, ',') || '}}')"


def _list(elements: str) -> str:
    return f"('[' || array_to_string({elements}, ',') || ']')"


_OF_PAIRS = let(
    "{'k': ks, 'v': vs}",
    fields("k", "v", o=_IN_ORDER.format("list_distinct(p.k)")),
    _object("p.o", "p.v[len(p.k) + 1 - list_position(list_reverse(p.k), k)]") + "::JSON",
)
_ELEMENTS = "CAST(json_extract(p.d, '$[*]') AS VARCHAR[])"
_START = "{'d': d::JSON, 'k': key, 'v': CAST(v AS VARCHAR)}"
_TYPED = fields("d", "k", "v", t="json_type(p.d)", n="TRY_CAST(p.k AS INTEGER)")
_SCALAR = failure("22023", "cannot set path in scalar")
_NO_INDEX = failure("22P02", "path element is not an integer")
_PLACE = "CASE WHEN p.n < 0 THEN len(p.e) + p.n ELSE p.n END"
_SET_OBJECT = (
    "CASE WHEN NOT creates AND NOT list_contains(json_keys(p.d), p.k) THEN p.d ELSE "
    + _object(
        _IN_ORDER.format("list_distinct(list_append(json_keys(p.d), p.k))"),
        f"CASE WHEN k = p.k THEN p.v ELSE CAST(json_extract(p.d, {_PATH}) AS VARCHAR) END",
    )
    + "::JSON END"
)
_SET_ELEMENT = (
    "CASE WHEN p.i >= len(p.e) THEN CASE WHEN creates THEN list_append(p.e, p.v) ELSE p.e END "
    "WHEN p.i < 0 THEN CASE WHEN creates THEN list_prepend(p.v, p.e) ELSE p.e END "
    "ELSE list_concat(list_append(list_slice(p.e, 1, p.i), p.v), list_slice(p.e, p.i + 2, len(p.e))) END"
)


def _changed(in_object: str, in_array: str) -> str:
    """One step into a document: NULL changes nothing."""
    array = let("p", fields("d", "v", "n", "k", e=_ELEMENTS), fields("e", "v", "k", "n", i=_PLACE),
                f"CASE WHEN p.n IS NULL THEN {_NO_INDEX} ELSE {_list(in_array)}::JSON END")  # fmt: skip
    return let(
        _START, _TYPED,
        f"CASE WHEN p.d IS NULL OR p.v IS NULL THEN p.d WHEN p.t = 'OBJECT' THEN {in_object} "
        f"WHEN p.t = 'ARRAY' THEN {array} ELSE {_SCALAR} END",
    )  # fmt: skip


_DROP_KEY = (
    _object("list_filter(json_keys(p.d), lambda k: k <> p.k)", f"CAST(json_extract(p.d, {_PATH}) AS VARCHAR)")
    + "::JSON"
)
_DROP_ELEMENT = (
    "CASE WHEN p.i < 0 OR p.i >= len(p.e) THEN p.e "
    "ELSE list_concat(list_slice(p.e, 1, p.i), list_slice(p.e, p.i + 2, len(p.e))) END"
)
_INSERT_KEY = (
    f"CASE WHEN list_contains(json_keys(p.d), p.k) THEN {failure('22023', 'cannot replace existing key')} "
    f"ELSE {_SET_OBJECT.replace('NOT creates', 'false')} END"
)
_INSERT_ELEMENT = (
    "CASE WHEN p.i < 0 THEN list_prepend(p.v, p.e) WHEN p.i >= len(p.e) THEN list_append(p.e, p.v) "
    "ELSE list_concat(list_append(list_slice(p.e, 1, p.i + CASE WHEN behind THEN 1 ELSE 0 END), p.v), "
    "list_slice(p.e, p.i + CASE WHEN behind THEN 2 ELSE 1 END, len(p.e))) END"
)
_PRETTY = (
    'regexp_replace(json_pretty(d), \'(?m)^( *)((?:"(?:[^"\\\\]|\\\\.)*": )?)(\\[|\\{)(\\]|\\})\', '
    "'\\1\\2\\3\n\\1\\4', 'g')"
)

_PART = let(
    "{'d': d::JSON, 'k': key}",
    "json_extract(p.d, CASE WHEN json_type(p.d) = 'ARRAY' THEN CASE WHEN starts_with(p.k, '-') "
    "THEN '$[#' || p.k || ']' ELSE '$[' || p.k || ']' END ELSE " + _PATH.replace("(k,", "(p.k,") + " END)",
)

DOCUMENT_MACROS = (
    Macro("jsonb_of_pairs", "ks, vs", _OF_PAIRS),
    Macro("jsonb_part", "d, key", _PART),
    Macro("jsonb_put", "d, key, v, creates", _changed(_SET_OBJECT, _SET_ELEMENT)),
    Macro("jsonb_drop", "d, key, v", _changed(_DROP_KEY, _DROP_ELEMENT)),
    Macro("jsonb_insert_at", "d, key, v, behind", _changed(_INSERT_KEY, _INSERT_ELEMENT)),
    Macro("jsonb_pretty", "d", _PRETTY),
)
"""ks, vs: lists of keys and of the JSON texts of their values; the last of equal keys counts. jsonb_put and
the like take one step of a path; v: the JSON text of a value."""

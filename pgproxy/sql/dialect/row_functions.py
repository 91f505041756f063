"""Functions that give rows, in FROM and in the select list. PostgreSQL docs, "Set Returning Functions".

Each is a list here, which `unnest` turns into rows.
"""

from collections.abc import Callable, Iterable

from sqlglot import exp

from pgproxy.sql.dialect.build import call, case, cast, constant_text, function_name, number, paren, string
from pgproxy.sql.dialect.function_types import ROW_COLUMNS
from pgproxy.sql.dialect.patterns import engine_pattern
from pgproxy.sql.dialect.strings import string_to_array
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.node_kinds import classes_below
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_FROM_ITEMS = classes_below(exp.Table, exp.Lateral)
_SERIES = (exp.GenerateSeries, exp.ExplodingGenerateSeries)
_SERIES_TYPES = {"int4": "INTEGER", "int8": "BIGINT", "timestamptz": "TIMESTAMPTZ", "timestamp": "TIMESTAMP"}


def rows_in_from(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A function in FROM as a derived table whose columns have PostgreSQL's names and types."""
    if (isinstance(node, exp.Table) and isinstance(node.this, exp.Func)) or (
        isinstance(node, exp.Lateral) and isinstance(node.this, exp.Func)
    ):
        function, with_number = node.this, bool(node.args.get("ordinality"))
    elif isinstance(node, exp.Unnest) and isinstance(node.parent, (exp.From, exp.Join)):
        function, with_number = node, False
    else:
        return node
    is_series = isinstance(function, _SERIES)
    lists = None if is_series else _lists(function, types)
    if not is_series and lists is None:
        return node
    alias, names = _alias_and_names(node, function, types)
    if function.args.get("offset"):
        offset = function.args["offset"]
        with_number, numbered = True, offset.name if isinstance(offset, exp.Identifier) else "ordinality"
        names.append(numbered)
    elif with_number and len(names) <= len(lists or [0]):
        names.append("ordinality")
    query = (
        _series_query(function, types, with_number) if is_series else _list_query(lists or [], with_number)
    )
    for item, name in zip(query.expressions, names, strict=False):
        item.set("alias", exp.to_identifier(name, quoted=True))
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))


def name_element_columns(nodes: Iterable[exp.Expr]) -> bool:
    """`SELECT x FROM jsonb_array_elements(…) x` means the one column, which is called value; in place.

    nodes: of a tree; gives whether it was changed.
    """
    is_changed = False
    for source in [node for node in nodes if type(node) in _FROM_ITEMS]:
        alias = source.args.get("alias")
        names = ROW_COLUMNS.get(function_name(source.this)) if isinstance(source.this, exp.Func) else None
        if names is None or len(names) != 1 or not isinstance(alias, exp.TableAlias) or alias.columns:
            continue
        query = source.find_ancestor(exp.Select)
        for column in list(query.find_all(exp.Column)) if query is not None else ():
            if not column.table and column.name.lower() == alias.name.lower():
                meant = exp.column(names[0][0], table=alias.this.copy())
                is_output = isinstance(column.parent, exp.Select) and column.arg_key == "expressions"
                column.replace(exp.alias_(meant, alias.this.copy()) if is_output else meant)
                is_changed = True
    return is_changed


def _alias_and_names(node: exp.Expr, function: exp.Expr, types: KnownTypes) -> tuple[str, list[str]]:
    """The alias, and the column names: those given, then the function's own; a single one has the alias."""
    alias = node.args.get("alias")
    given = [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    own = [name for name, _ in types.row_columns(function)] or [function_name(function)]
    called = alias.name if isinstance(alias, exp.TableAlias) and alias.this is not None else ""
    if len(own) == 1 and called and not given and function_name(function) not in ROW_COLUMNS:
        own = [called]
    return called or own[0], given + own[len(given) :]


def _series_query(series: exp.Expr, types: KnownTypes, with_number: bool) -> exp.Select:
    kind = types.of(series)
    ends = [
        series.args["start"],
        series.args["end"],
        *([series.args["step"]] if series.args.get("step") else []),
    ]
    if kind == "numeric":
        raise FeatureNotSupported(
            "generate_series() of numeric is not supported", hint="Scale a series of integers."
        )
    if kind in ("timestamp", "timestamptz"):
        ends = [cast(end, _SERIES_TYPES[kind]) for end in ends[:2]] + [_interval(end) for end in ends[2:]]
    column = exp.column(exp.to_identifier("value", quoted=True))
    value: exp.Expr = cast(column, _SERIES_TYPES[kind]) if kind in _SERIES_TYPES else column
    items = [exp.Alias(this=value, alias=exp.to_identifier("value", quoted=True))]
    if with_number:
        over = exp.Window(this=exp.RowNumber())
        items.append(exp.Alias(this=over, alias=exp.to_identifier("ordinality", quoted=True)))
    source = exp.Table(
        this=call("generate_series", *ends),
        alias=exp.TableAlias(
            this=exp.to_identifier("series", quoted=True), columns=[exp.to_identifier("value", quoted=True)]
        ),
    )
    return exp.Select(expressions=items, from_=exp.From(this=source))


def _interval(step: exp.Expr) -> exp.Expr:
    return cast(step, "INTERVAL") if constant_text(step) is not None else step


def _list_query(lists: list[exp.Expr], with_number: bool) -> exp.Select:
    items: list[exp.Expr] = [call("unnest", part) for part in lists]
    if with_number:
        items.append(
            call(
                "unnest",
                call("range", number(1), exp.Add(this=call("len", lists[0].copy()), expression=number(1))),
            )
        )
    return exp.Select(
        expressions=[exp.Alias(this=item, alias=exp.to_identifier("value", quoted=True)) for item in items]
    )


def rows_in_select(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A function of rows in the select list: one row for each element."""
    if isinstance(node, _SERIES) and not isinstance(node.parent, (exp.Table, exp.Lateral)):
        kind = types.of(node)
        if kind in ("int4", "int8") and isinstance(node, exp.ExplodingGenerateSeries):
            return cast(node, _SERIES_TYPES[kind])
        if kind == "timestamptz":
            for part in ("start", "end"):
                node.set(part, cast(node.args[part], _SERIES_TYPES[kind]))
        return node
    if not isinstance(node, exp.Anonymous) or isinstance(node.parent, (exp.Table, exp.Lateral)):
        return node
    lists = _lists(node, types)
    if lists is None:
        return node
    if len(lists) != 1:
        raise FeatureNotSupported(f"{function_name(node)}() is supported in FROM only")
    return call("unnest", lists[0])


def _lists(function: exp.Expr, types: KnownTypes) -> list[exp.Expr] | None:
    if isinstance(function, exp.Unnest):
        return list(function.expressions)
    name, arguments = function_name(function), list(function.expressions)
    if name in _DOCUMENT_ROWS and len(arguments) == 1:
        return _DOCUMENT_ROWS[name](cast(arguments[0], "JSON"))
    if name == "regexp_split_to_table" and len(arguments) == 2:
        pattern = constant_text(arguments[1])
        if pattern is None:
            raise FeatureNotSupported("regexp_split_to_table() needs a constant pattern")
        return [call("string_split_regex", arguments[0], string(engine_pattern(pattern)[0]))]
    if name == "string_to_table" and len(arguments) in (2, 3):
        return [string_to_array(*arguments)]
    if name == "regexp_matches" and len(arguments) in (2, 3):
        return [_matches(arguments)]
    if name == "generate_subscripts" and len(arguments) == 2:
        until = exp.Add(this=call("len", arguments[0]), expression=number(1))
        return [cast(call("range", number(1), until), "INTEGER[]")]
    return None


def _elements(document: exp.Expr) -> list[exp.Expr]:
    is_list = exp.EQ(this=call("json_type", document.copy()), expression=string("ARRAY"))
    is_null = exp.Is(this=paren(document.copy()), expression=exp.Null())
    wrong = call("error", string("\x02pgproxy:22023:cannot extract elements from a scalar"))
    return [
        case(
            (exp.Or(this=is_list, expression=is_null), call("json_extract", document, string("$[*]"))),
            default=cast(wrong, "JSON[]"),
        )
    ]


_DOCUMENT_ROWS: dict[str, Callable[[exp.Expr], list[exp.Expr]]] = {
    "json_array_elements": _elements,
    "jsonb_array_elements": _elements,
    "json_array_elements_text": lambda document: [call("json_extract_string", document, string("$[*]"))],
    "jsonb_array_elements_text": lambda document: [call("json_extract_string", document, string("$[*]"))],
    "json_object_keys": lambda document: [call("json_keys", document)],
    "jsonb_object_keys": lambda document: [call("json_keys", document)],
    "json_each": lambda document: [
        call("json_keys", document),
        call("json_extract", document.copy(), string("$.*")),
    ],
    "jsonb_each": lambda document: [
        call("json_keys", document),
        call("json_extract", document.copy(), string("$.*")),
    ],
    "json_each_text": lambda document: [
        call("json_keys", document),
        call("json_extract_string", document.copy(), string("$.*")),
    ],
    "jsonb_each_text": lambda document: [
        call("json_keys", document),
        call("json_extract_string", document.copy(), string("$.*")),
    ],
}


def _matches(arguments: list[exp.Expr]) -> exp.Expr:
    """regexp_matches(): the groups of the first match, or with flag g of all."""
    pattern = constant_text(arguments[1])
    flags = constant_text(arguments[2]) if len(arguments) == 3 else ""
    if pattern is None or flags is None:
        raise FeatureNotSupported("regexp_matches() needs a constant pattern and constant flags")
    if set(flags) - set("gi"):
        raise StatementError("invalid regular expression option", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
    converted, groups = engine_pattern(pattern)
    options = string(flags.replace("g", "") + "s")
    found = [
        call("regexp_extract_all", arguments[0].copy(), string(converted), number(group), options.copy())
        for group in (range(1, groups + 1) if groups else (0,))
    ]
    if len(found) == 1:
        parts: list[exp.Expr] = [exp.column("item")]
        zipped = found[0]
    else:
        zipped = call("list_zip", *found)
        parts = [call("struct_extract_at", exp.column("item"), number(at + 1)) for at in range(len(found))]
    each = exp.Lambda(this=exp.Array(expressions=parts), expressions=[exp.to_identifier("item")])
    rows = call("list_transform", zipped, each)
    return rows if "g" in flags else call("list_slice", rows, number(1), number(1))

"""Functions and casts whose meaning the session or the catalog decides.

Bound by the gateway, never by the engine.

The engine's own answers (`current_user` is `duckdb`, `current_setting` reads its configuration) reach nobody.
PostgreSQL docs, "System Information Functions" and "Object Identifier Types".
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlglot import exp

from pgproxy.catalog.snapshot import (
    IN_ONE_SCHEMA,
    SYSTEM_CATALOG,
    SystemFunction,
    SystemType,
)
from pgproxy.sql.admit import function_name, undefined_function
from pgproxy.sql.allowed_functions import BARE_SESSION_WORDS, SESSION_CLASSES, SESSION_NAMES
from pgproxy.sql.dialect.build import first_character
from pgproxy.sql.draft import BoundValues, Draft, position_of, quoted
from pgproxy.sql.names import find_relation, split_qualified, undefined_table
from pgproxy.sql.node_kinds import classes_below
from pgproxy.sql.plan import BoundValue, PlanContext, SettingChange
from pgproxy.sql.reg_types import REG_TYPES, catalog_type_name, is_shown, is_text_parameter, oid_behind_name
from pgproxy.sql.sequences import find_sequence
from pgproxy.sql.setting_calls import change_setting, read_setting
from pgproxy.sql.system_values import place_system_value
from pgwire.errors import FeatureNotSupported

_INT4, _TEXT = 23, 25
_SERIAL = "pg_get_serial_sequence"

_PLAIN_TYPES = {
    "oid": "UINTEGER", "xid": "BIGINT", "cid": "BIGINT", "name": "VARCHAR", "char": "VARCHAR",
    '"char"': "VARCHAR",
    "int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT", "float4": "FLOAT", "float8": "DOUBLE",
    "bool": "BOOLEAN", "text": "VARCHAR", "varchar": "VARCHAR", "bpchar": "VARCHAR",
    "numeric": "DECIMAL(38,10)",
    "timestamptz": "TIMESTAMPTZ", "timestamp": "TIMESTAMP", "date": "DATE", "time": "TIME",
    "timetz": "TIMETZ",
    "bytea": "BLOB", "json": "JSON", "jsonb": "JSON", "uuid": "UUID", "interval": "INTERVAL",
    "pg_node_tree": "VARCHAR", "tid": "VARCHAR", "regconfig": "VARCHAR",
    "oidvector": "UINTEGER[]", "int2vector": "SMALLINT[]",
}  # fmt: skip
"""Types of pg_catalog that DuckDB does not have, or spells otherwise behind a schema."""


_OPERATORS: dict[str, Callable[[exp.Expr, exp.Expr], exp.Expr]] = {
    "~": lambda a, b: exp.RegexpLike(this=a, expression=b),
    "~*": lambda a, b: exp.RegexpILike(this=a, expression=b),
    "!~": lambda a, b: exp.Not(this=exp.RegexpLike(this=a, expression=b)),
    "!~*": lambda a, b: exp.Not(this=exp.RegexpILike(this=a, expression=b)),
    "~~": lambda a, b: exp.Like(this=a, expression=b),
    "~~*": lambda a, b: exp.ILike(this=a, expression=b),
    "!~~": lambda a, b: exp.Not(this=exp.Like(this=a, expression=b)),
    "!~~*": lambda a, b: exp.Not(this=exp.ILike(this=a, expression=b)),
    "=": lambda a, b: exp.EQ(this=a, expression=b),
    "<>": lambda a, b: exp.NEQ(this=a, expression=b),
    "<": lambda a, b: exp.LT(this=a, expression=b),
    "<=": lambda a, b: exp.LTE(this=a, expression=b),
    ">": lambda a, b: exp.GT(this=a, expression=b),
    ">=": lambda a, b: exp.GTE(this=a, expression=b),
    "+": lambda a, b: exp.Add(this=a, expression=b),
    "-": lambda a, b: exp.Sub(this=a, expression=b),
    "*": lambda a, b: exp.Mul(this=a, expression=b),
    "/": lambda a, b: exp.Div(this=a, expression=b),
    "%": lambda a, b: exp.Mod(this=a, expression=b),
    "||": lambda a, b: exp.DPipe(this=a, expression=b, safe=True),
}


_BOUND = classes_below(
    exp.Dot, exp.Anonymous, exp.Column, exp.Cast, exp.Operator, exp.Collate, exp.Table, exp.CurrentSchemas,
) | {kind for kind in classes_below(exp.Func) if kind.__name__ in SESSION_CLASSES}  # fmt: skip
"""What `bind_node` looks at."""


def bind(draft: Draft, bound: BoundValues) -> Draft:
    """Replace what the session or the catalog decides. The same draft is given back if there is nothing.

    Raises:
        StatementError: 42704 for an unknown setting, 42P01 for an unknown relation in a regclass constant.
        FeatureNotSupported: a form that cannot be bound before execution.
    """
    binder = _Binder(draft.context, bound)
    for node in [node for node in draft.tree.dfs() if type(node) in _BOUND]:
        replacement = binder.bind_node(node) if id(node) not in binder.done else None
        if replacement is not None and replacement is not node:
            if node is draft.tree:
                raise undefined_function("?", None)
            node.replace(replacement)
            binder.is_changed = True
    if not binder.is_changed:
        return draft
    return replace(
        draft,
        is_catalog=draft.is_catalog or bool(binder.placed),
        setting_changes=tuple(binder.changes),
    )


@dataclass(slots=True)
class _Binder:
    context: PlanContext
    bound: BoundValues
    placed: set[str] = field(default_factory=set)
    changes: list[SettingChange] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    is_changed: bool = False

    def bind_node(self, node: exp.Expr) -> exp.Expr | None:
        """Give what stands in the place of `node`, or None where it stays."""
        match node:
            case exp.Column():
                return self._bare_word(node)
            case exp.Dot() if isinstance(node.expression, exp.Func):
                return self._unqualified(node)
            case exp.Anonymous():
                return self._call(node)
            case exp.Cast():
                return self._cast(node)
            case exp.Operator():
                operator = str(node.args["operator"]).replace(" ", "").lower().removeprefix("pg_catalog.")
                return exp.paren(_OPERATORS[operator](node.this, node.expression), copy=False)
            case exp.Collate():
                return self._collate(node)
            case exp.Table() if isinstance(node.this, exp.Func):
                return self._table_function(node)
            case exp.CurrentSchemas():
                return self._schemas(node.this)
            case exp.Func() if type(node).__name__ in SESSION_CLASSES:
                return self._session_value(SESSION_CLASSES[type(node).__name__])
            case _:
                return None

    def _unqualified(self, node: exp.Dot) -> exp.Expr:
        """`pg_catalog.f(…)`: the only schema that `admit` lets through, and already what `f` alone means."""
        call = node.expression
        bound = self.bind_node(call)
        self.done.add(id(call))
        return bound or call

    def _call(self, node: exp.Anonymous) -> exp.Expr | None:
        name = function_name(node)
        if name in SESSION_NAMES:
            return self._session_value(SESSION_NAMES[name])
        if name == "current_setting":
            return read_setting(node, self.context, self.bound)
        if name == "set_config":
            change, result = change_setting(node, self.bound)
            self.changes.append(change)
            return result
        if name not in self.context.catalog.system_functions or isinstance(node.parent, exp.Table):
            return None
        if name == "pg_my_temp_schema" and not node.expressions and self.context.private is not None:
            return exp.cast(exp.Literal.number(self.context.private.temp_schema_oid), "BIGINT")
        if name == _SERIAL and self._has_no_sequences:
            return exp.cast(exp.null(), "TEXT", dialect="duckdb")
        if name == _SERIAL and (table := oid_behind_name(node)) is not None:
            return self._macro("serial_sequence_of", [table, *node.expressions[1:]], node)
        return self._macro(name, node.expressions, node)

    @property
    def _has_no_sequences(self) -> bool:
        """Drivers ask for each column's sequence; where there is none, the answer needs no joins."""
        return not self.context.catalog.sequences

    def _macro(self, name: str, arguments: list[exp.Expr], node: exp.Expr | None = None) -> exp.Expr:
        functions = self.context.catalog.system_functions
        function = functions.get(name)
        if len(self.context.visible_schemas) == 1:
            function = functions.get(name + IN_ONE_SCHEMA, function)
        if function is None:
            raise FeatureNotSupported(
                f"{name} is not supported", position=position_of(node) if node else None
            )
        if function.arity and len(arguments) not in function.arity:
            raise undefined_function(name, position_of(node) if node else None)
        if function.is_table:
            raise FeatureNotSupported(
                f"{name}() is supported in FROM only",
                hint=f"SELECT * FROM {name}(…)",
                position=position_of(node) if node else None,
            )
        call = self._engine_call(function, arguments)
        return exp.Dot.build([quoted(SYSTEM_CATALOG), quoted(function.macro[0]), call])

    def _engine_call(self, function: SystemFunction, arguments: list[exp.Expr]) -> exp.Anonymous:
        self.placed.add(function.macro[1].lower())
        values = [place_system_value(self.context, self.bound, value) for value in function.session_values]
        return exp.Anonymous(this=function.macro[1], expressions=[*arguments, *values])

    def _session_value(self, name: str) -> exp.Expr:
        value = self.context.session_values.get(name)
        if value is None and name in ("current_user", "session_user"):
            held = self.context.policy.principal if name == "current_user" else self.context.session_user
            value = BoundValue(25, held)
        if value is None:
            return exp.Cast(this=exp.Null(), to=exp.DataType.build("VARCHAR"))
        return self.bound.place(value, "INTEGER" if value.type_oid == _INT4 else "VARCHAR")

    def _schemas(self, with_implicit: exp.Expr | None) -> exp.Expr:
        path = list(self.context.search_path)
        if isinstance(with_implicit, exp.Boolean) and with_implicit.this:
            path = [*(("pg_catalog",) if "pg_catalog" not in path else ()), *path]
            path = [*self.context.visible_schemas[: -len(self.context.search_path) or None], *path]
        items: list[exp.Expr] = [exp.Literal.string(entry) for entry in path]
        return exp.Cast(
            this=exp.Array(expressions=items), to=exp.DataType.build("VARCHAR[]", dialect="duckdb")
        )

    def _bare_word(self, node: exp.Column) -> exp.Expr | None:
        name = node.this
        if (
            node.args.get("table") is not None
            or not isinstance(name, exp.Identifier)
            or name.args.get("quoted")
        ):
            return None
        word = str(name.this).lower()
        return self._session_value(SESSION_NAMES[word]) if word in BARE_SESSION_WORDS else None

    def _collate(self, node: exp.Collate) -> exp.Expr | None:
        names = [part.name.lower() for part in node.expression.find_all(exp.Identifier)]
        collation = (names or [node.expression.name.lower()])[-1]
        # DuckDB's own order is binary, which is what these ask for.
        plain = collation in ("default", "c", "posix", "binary", "ucs_basic")
        inner: exp.Expr | None = node.this if plain else None
        return inner

    def _table_function(self, node: exp.Table) -> exp.Expr | None:
        called = function_name(node.this) if isinstance(node.this, exp.Anonymous) else ""
        self.is_changed = True
        node.set("db", None)
        node.set("catalog", None)
        function = self.context.catalog.system_functions.get(called)
        if function is None:
            return None
        node.set("this", self._engine_call(function, node.this.expressions))
        node.set("db", quoted(function.macro[0]))
        node.set("catalog", quoted(SYSTEM_CATALOG))
        return None

    def _cast(self, node: exp.Cast) -> exp.Expr | None:
        name = catalog_type_name(node.to)
        if name is None:
            return None
        self.is_changed = True
        if name not in REG_TYPES:
            if name.strip('"') == "char":
                node.set("this", first_character(node.this))
            node.set("to", exp.DataType.build(_PLAIN_TYPES.get(name, "VARCHAR"), dialect="duckdb"))
            return None
        if name == "regclass" and (sequence := self._serial_oid(node.this)) is not None:
            return sequence
        constant = node.this if isinstance(node.this, exp.Literal) else None
        held = self.context.catalog.system_types.get(name)
        if constant is not None and (name == "regclass" or constant.name.isdigit()):
            return self._shown(self._relation_oid(constant), held, node)
        if constant is not None or is_text_parameter(node.this) or self._is_text(node.this):
            if held is None or held.input is None:
                raise FeatureNotSupported(
                    f"a constant of type {name} is not supported", position=position_of(node)
                )
            return self._shown(self._macro(held.input, [node.this], node), held, node)
        inner: exp.Expr = node.this
        return self._shown(inner, held, node)

    def _serial_oid(self, value: exp.Expr) -> exp.Expr | None:
        """`pg_get_serial_sequence(oid::regclass::text, column)::regclass`, without the names between.

        As SQLAlchemy asks of every column.
        """
        call = value.expression if isinstance(value, exp.Dot) else value
        is_asked = isinstance(call, exp.Anonymous) and function_name(call) == _SERIAL
        if not is_asked or self._has_no_sequences:
            return None
        cast = value.parent
        table = oid_behind_name(call)
        if table is None or cast is None or is_shown(cast):
            return None
        self.done.update({id(value), id(call)})
        return self._macro("serial_sequence_oid_of", [table, *call.expressions[1:]], call)

    def _is_text(self, value: exp.Expr) -> bool:
        """Whether a value is text for sure: by a cast, or as what a function of the catalog gives."""
        if isinstance(value, exp.Paren):
            return self._is_text(value.this)
        if isinstance(value, exp.Cast):
            return isinstance(value.to, exp.DataType) and value.to.this in exp.DataType.TEXT_TYPES
        called = value.expression if isinstance(value, exp.Dot) else value
        name = function_name(called) if isinstance(called, exp.Anonymous) else ""
        function = self.context.catalog.system_functions.get(name)
        is_null = name == _SERIAL and self._has_no_sequences
        return function is not None and function.result_type_oid == _TEXT and not is_null

    def _shown(self, oid: exp.Expr, held: SystemType | None, node: exp.Cast) -> exp.Expr:
        """The name behind an OID of a reg* type where the cast becomes text; else the OID."""
        if held is None or held.output is None or not is_shown(node):
            return oid
        name = self._macro(held.output, [oid], node)
        # In an array whose text is asked for, each element's type has to be known.
        outer = node.parent.parent if isinstance(node.parent, exp.Select) else node.parent
        in_array = isinstance(outer, exp.Array)
        return exp.Cast(this=name, to=exp.DataType(this=exp.DType.TEXT)) if in_array else name

    def _relation_oid(self, constant: exp.Literal) -> exp.Expr:
        if constant.name.isdigit():
            return exp.cast(exp.Literal.number(constant.name), "UINTEGER", dialect="duckdb")
        parts = split_qualified(constant.name)
        found = find_relation(self.context, *parts) if parts is not None else None
        sequence = find_sequence(parts, self.context) if parts is not None and found is None else None
        named = found or sequence
        if parts is None or named is None:
            raise undefined_table(*(parts or (None, None, constant.name)), position_of(constant))
        oid = self.context.relation_oid(named.name)
        if oid is None:
            raise undefined_table(*parts, position_of(constant))
        return exp.cast(exp.Literal.number(oid), "UINTEGER", dialect="duckdb")

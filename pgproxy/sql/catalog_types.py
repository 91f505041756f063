"""Types that only PostgreSQL's catalog has, where they show: `oid`, `name`, `regproc`, `int2vector`.

The engine holds an OID as a number and a vector as a list. Clients see the difference in RowDescription, in
the text of a reg* value (a name, not a number) and in subscripts of a vector, which begin at 0. PostgreSQL
docs, "Object Identifier Types".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from pgproxy.catalog.snapshot import SystemFunction, SystemRelation
from pgproxy.sql.allowed_functions import BARE_SESSION_WORDS, SESSION_CLASSES, SESSION_NAMES
from pgproxy.sql.dialect.type_names import TEXTS
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.draft import USE_KEY, Draft
from pgproxy.sql.node_kinds import classes_below
from pgproxy.sql.reg_types import REG_TYPES, catalog_type_name, is_shown
from pgwire.types import engine_type_of, type_by_name

_PLAIN_OIDS = {"varchar": 1043}
"""The engine has no type of its own for these."""
_UNSENT = frozenset({"anyarray", "_pg_statistic"})
"""Lists that go as text[]: these types have no array of known elements."""
_REGTYPE_TEXTS, _REGTYPE_ARRAY = "regtype_array_text", 2211
_NAMES_OF_OIDS = {19: "name", 26: "oid", 2278: "void"}
_VECTOR_ELEMENTS = {"oidvector": "oid", "int2vector": "int2"}
_OTHER_SESSION_TYPES = frozenset({"version", "pg_backend_pid"})
"""Session values that are no names: text and an integer, as they are bound."""
_TYPE_NAMING = classes_below(exp.DataType, exp.Anonymous)
_BOUNDS = frozenset({"generate_subscripts", "array_lower", "array_upper"})


def type_catalog_columns(draft: Draft) -> tuple[int | None, ...] | None:
    """Correct subscripts of vectors and mark reg* output columns as such, in place.

    Gives the type OID of each output column of a query where the catalog decides it; None: of no column.
    """
    if not _speaks_of_catalog_types(draft):
        return None
    types = _CatalogTypes(draft)
    types.type_calls(draft.tree)
    for bracket in draft.tree.find_all(exp.Bracket):
        types.shift_subscript(bracket)
    for cast in list(draft.tree.find_all(exp.Cast)):
        types.plain_array(cast)
        types.vector_text(cast)
        types.read_name(cast)
    types.name_columns(draft.tree)
    for called in list(draft.tree.find_all(exp.Anonymous)):
        types.shift_bounds(called)
        types.plain_age(called)
    for comparison in draft.tree.find_all(exp.EQ, exp.NEQ):
        types.type_constant(comparison)
    if not isinstance(draft.tree, exp.Select):
        return None
    oids: list[int | None] = []
    for item in draft.tree.expressions:
        if not _is_star(item):
            oids.append(types.show(item))
        elif _is_whole_star(item, draft.tree) and (hidden := types.star(draft.tree)) is not None:
            oids += hidden
        else:
            return None
    return tuple(oids) if any(oid is not None for oid in oids) else None


def _speaks_of_catalog_types(draft: Draft) -> bool:
    """Whether such a type can be in the statement at all: most have none, and save the inference."""
    if any(isinstance(use.info, SystemRelation) for use in draft.uses):
        return True
    if any(_session_type(item.unalias()) is not None for item in draft.tree.expressions):
        return True
    if draft.kinds.isdisjoint(_TYPE_NAMING):
        return False
    functions = draft.context.catalog.system_functions
    return any(
        _gives_catalog_type(node, functions) if isinstance(node, exp.Anonymous) else catalog_type_name(node)
        for node in draft.tree.walk()
        if type(node) in _TYPE_NAMING
    )


def _gives_catalog_type(called: exp.Anonymous, functions: Mapping[str, SystemFunction]) -> bool:
    function = functions.get(called.name.lower())
    return function is not None and (
        function.result_type_oid in _NAMES_OF_OIDS or _named_type(called) is not None
    )


@dataclass(frozen=True, slots=True)
class SystemColumns:
    """Columns of the statement's system relations, by PostgreSQL's type."""

    draft: Draft

    def column_types(self, table: exp.Table) -> Mapping[str, str] | None:
        index = table.meta.get(USE_KEY)
        info = self.draft.uses[index].info if index is not None else None
        if not isinstance(info, SystemRelation):
            return None
        return {column.name: column.pg_type for column in info.columns if column.pg_type is not None}

    def readable_columns(self, table: exp.Table) -> Sequence[str] | None:
        """None: only columns are asked for."""
        return None


class _UnifiedTypes(KnownTypes):
    """Types that constants beside them take over: `CASE … THEN typelem ELSE 0 END` is an oid."""

    def all_of(self, nodes: list[exp.Expr]) -> str | None:
        """PostgreSQL docs, "UNION, CASE, and Related Constructs": the branch behind ELSE counts first."""
        if nodes and nodes[-1].arg_key == "default":
            nodes = [nodes[-1], *nodes[:-1]]
        kinds = [self.of(node) for node in nodes if not isinstance(node, (exp.Literal, exp.Null))]
        if kinds and None not in kinds and set(kinds) <= {"text", "varchar"}:
            return kinds[0]
        return kinds[0] if len(set(kinds)) == 1 else super().all_of(nodes)

    def _infer(self, node: exp.Expr) -> str | None:
        """Of a cast to a reg* type, too, so that a derived table's column is known as one."""
        name = catalog_type_name(node.to) if isinstance(node, exp.Cast) else None
        return name if name in REG_TYPES else super()._infer(node)


class _CatalogTypes:
    def __init__(self, draft: Draft) -> None:
        self._system_types = draft.context.catalog.system_types
        self._functions = draft.context.catalog.system_functions
        self._known = _UnifiedTypes(SystemColumns(draft), type_name=str)

    def type_calls(self, tree: exp.Expr) -> None:
        """`to_regclass(…)` as a value of its type, whose text is a name."""
        for called in list(tree.find_all(exp.Anonymous)):
            name = _named_type(called)
            outer = called.parent if isinstance(called.parent, exp.Dot) else called
            is_cast = isinstance(outer.parent, exp.Cast) and catalog_type_name(outer.parent.to) == name
            if name is not None and not is_cast and not isinstance(outer.parent, (exp.Table, exp.Lateral)):
                outer.replace(exp.Cast(this=outer.copy(), to=_userdefined(name)))

    def shift_subscript(self, bracket: exp.Bracket) -> None:
        """`indkey[0]` is the first: one more than what the parser made of an array's subscript.

        So is `typname[0]` the first character.
        """
        kind = self._known.of(bracket.this) or ""
        held = self._system_types.get(kind)
        is_zero_based = kind == "name" or (held is not None and held.is_zero_based)
        if not is_zero_based or len(bracket.expressions) != 1:
            return
        index = bracket.expressions[0]
        if isinstance(index, exp.Slice):
            return
        if isinstance(index, (exp.Literal, exp.Neg)):
            shifted: exp.Expr = exp.Literal.number(int(index.to_py()) + 1)
        else:
            shifted = exp.Add(this=exp.paren(index.copy()), expression=exp.Literal.number(1))
        bracket.set("expressions", [shifted])

    def plain_array(self, cast: exp.Cast) -> None:
        """`x::pg_catalog.int2[]`: the engine knows the element's type by another name."""
        elements = cast.to.expressions if cast.to.this is exp.DType.ARRAY else []
        name = catalog_type_name(elements[0]) if len(elements) == 1 else None
        if name == "regtype" and is_shown(cast):
            cast.replace(exp.Anonymous(this=_REGTYPE_TEXTS, expressions=[cast.this]))
            return
        known = type_by_name(name) if name is not None else None
        if name is not None and known is not None:
            held = self._system_types.get(name)
            element = held.engine_type if held is not None else engine_type_of(known.oid)
            cast.set("to", exp.DataType.build(f"{element}[]", dialect="duckdb"))

    def shift_bounds(self, called: exp.Anonymous) -> None:
        """A vector's subscripts, and their bounds, as numbers from 0."""
        held = (
            self._system_types.get(self._known.of(called.expressions[0]) or "")
            if called.expressions
            else None
        )
        in_from = isinstance(called.parent, (exp.Table, exp.Lateral))
        if held is not None and held.is_zero_based and not in_from and called.name.lower() in _BOUNDS:
            called.replace(exp.Paren(this=exp.Sub(this=called.copy(), expression=exp.Literal.number(1))))

    def vector_text(self, cast: exp.Cast) -> None:
        """`indkey::text` is `1 2`, not an array's text."""
        held = self._system_types.get(self._known.of(cast.this) or "")
        if held is not None and held.is_zero_based and cast.to.this in exp.DataType.TEXT_TYPES:
            joined = exp.Anonymous(this="array_to_string", expressions=[cast.this, exp.Literal.string(" ")])
            cast.set("this", joined)

    def name_columns(self, tree: exp.Expr) -> None:
        """`x::text` and `x || …` where x is a column of a reg* type: the name, not the number."""
        for holder in list(tree.find_all(exp.Cast, exp.DPipe)):
            if isinstance(holder, exp.DPipe):
                self._name_column(holder.expression)
            if not isinstance(holder, exp.Cast) or holder.to.this in exp.DataType.TEXT_TYPES:
                self._name_column(holder.this)

    def _name_column(self, value: exp.Expr) -> None:
        name = self._known.of(value) if isinstance(value, exp.Column) else None
        if name is not None and name in REG_TYPES:
            value.replace(exp.Cast(this=value.copy(), to=_userdefined(name)))

    def read_name(self, cast: exp.Cast) -> None:
        """`format('%I.%I', a, b)::regclass`: the name of an object, computed."""
        held = self._system_types.get(catalog_type_name(cast.to) or "")
        is_read = held is not None and held.input is not None and not isinstance(cast.this, exp.Literal)
        if is_read and held is not None and self._known.of(cast.this) in TEXTS:
            cast.set("this", exp.Anonymous(this=held.input, expressions=[cast.this]))

    def plain_age(self, called: exp.Anonymous) -> None:
        """`age(xmin)` counts transactions; here the catalog's last change is one old."""
        arguments = called.expressions
        if called.name.lower() == "age" and len(arguments) == 1 and self._name(arguments[0]) == "xid":
            outer = called.parent if isinstance(called.parent, exp.Dot) else called
            outer.replace(exp.cast(exp.Literal.number(1), "INTEGER"))

    def type_constant(self, comparison: exp.Expr) -> None:
        """`polroles = '{0}'`: the constant is an array like the column beside it."""
        for value, other in (
            (comparison.this, comparison.expression),
            (comparison.expression, comparison.this),
        ):
            held = self._system_types.get(self._known.of(other) or "")
            is_text = isinstance(value, exp.Literal) and value.is_string
            if is_text and held is not None and held.engine_type.endswith("[]"):
                kind = exp.DataType.build(held.engine_type, dialect="duckdb")
                value.replace(exp.Cast(this=value.copy(), to=kind))

    def star(self, select: exp.Select) -> list[int | None] | None:
        """Give the OIDs of what `*` stands for; a reg* column in it stays a number."""
        items = self._known.star_items(select)
        return [self._oid(item.unalias()) for item in items] if items is not None else None

    def _oid(self, value: exp.Expr) -> int | None:
        name = self._name(value) or ""
        held = self._system_types.get(name.removesuffix("[]"))
        if held is None or held.output is not None or name in _UNSENT:
            return _PLAIN_OIDS.get(name)
        return held.array_oid if name.endswith("[]") else held.oid

    def show(self, item: exp.Expr) -> int | None:
        """Give the OID of an output column's type. A column of a reg* type becomes a cast to it."""
        value = item.unalias()
        if isinstance(value, exp.Anonymous) and value.name == _REGTYPE_TEXTS:
            return _REGTYPE_ARRAY
        name = self._name(value)
        held = self._system_types.get(name or "")
        if held is None or held.output is None:
            return self._oid(value)
        if name is not None and isinstance(value, (exp.Column, exp.Case, exp.Coalesce)):
            value.replace(exp.Cast(this=value.copy(), to=_userdefined(name)))
        elif not isinstance(value, (exp.Cast, exp.Subquery)):
            return None
        return held.oid

    def _name(self, value: exp.Expr) -> str | None:
        if isinstance(value, exp.Cast):
            named = catalog_type_name(value.to)
            return named.strip('"') if named is not None else None
        return (
            _session_type(value)
            or self._function_type(value)
            or self._element(value)
            or self._of_subquery(value)
            or self._known.of(value)
        )

    def _of_subquery(self, value: exp.Expr) -> str | None:
        query = value.this if isinstance(value, exp.Subquery) else None
        is_scalar = isinstance(query, exp.Select) and len(query.expressions) == 1
        return self._name(query.expressions[0].unalias()) if query is not None and is_scalar else None

    def _element(self, value: exp.Expr) -> str | None:
        """One entry of a vector, and the array that a subquery gives."""
        if isinstance(value, exp.Bracket) and (held := self._known.of(value.this)) in _VECTOR_ELEMENTS:
            return _VECTOR_ELEMENTS[str(held)]
        query = value.expressions[0] if isinstance(value, exp.Array) and len(value.expressions) == 1 else None
        if not isinstance(query, exp.Select) or len(query.expressions) != 1:
            return None
        inner = self._known.of(query.expressions[0])
        return f"{inner}[]" if inner in self._system_types else None

    def _function_type(self, value: exp.Expr) -> str | None:
        """What a catalog function gives, where that is a type of the catalog itself."""
        called = value.expression if isinstance(value, exp.Dot) else value
        function = self._functions.get(called.name.lower()) if isinstance(called, exp.Anonymous) else None
        return _NAMES_OF_OIDS.get(function.result_type_oid) if function is not None else None


def _named_type(called: exp.Anonymous) -> str | None:
    """The type that a function gives whose name says it: `to_regclass`."""
    name = called.name.lower().removeprefix("to_")
    return name if name in REG_TYPES and called.name.lower() != name else None


def _userdefined(name: str) -> exp.DataType:
    return exp.DataType(this=exp.DType.USERDEFINED, kind=exp.to_identifier(name))


def _is_star(item: exp.Expr) -> bool:
    return item.is_star and not isinstance(item, (exp.Alias, exp.Count))


def _is_whole_star(item: exp.Expr, select: exp.Select) -> bool:
    """`*`, or `t.*` where t is all that the query reads."""
    if isinstance(item, exp.Star):
        return True
    source = select.args["from_"].this if select.args.get("from_") else None
    if source is None:
        return False
    is_alone = not select.args.get("joins") and not source.args.get("joins")
    return is_alone and isinstance(item, exp.Column) and item.table == source.alias_or_name


def _session_type(value: exp.Expr) -> str | None:
    """`current_user` and its like are of type name, with and without parentheses and schema."""
    if isinstance(value, exp.Dot):
        value = value.expression
    if isinstance(value, exp.Column):
        is_bare = not value.table and not value.this.args.get("quoted")
        word = value.name.lower() if is_bare else ""
        return "name" if word in BARE_SESSION_WORDS else None
    if isinstance(value, exp.CurrentSchemas):
        return "_name"
    kind = SESSION_CLASSES.get(type(value).__name__)
    if kind is None and isinstance(value, exp.Anonymous):
        kind = SESSION_NAMES.get(value.name.lower())
    return "name" if kind is not None and kind not in _OTHER_SESSION_TYPES else None

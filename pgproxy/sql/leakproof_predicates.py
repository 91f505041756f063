"""Predicates and expressions over unmasked columns that give a value for every row: nothing of them can fail.

What `pgproxy.sql.leakproof` asks of each predicate of a statement.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache

from sqlglot import exp

from pgproxy.catalog.snapshot import RelationKind, SystemRelation, TableInfo
from pgproxy.sql.draft import Draft

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_OF_GROUPS = (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Window)
_TOTALS = (exp.Count, exp.Sum, exp.Min, exp.Max)
_NUMBERING = (exp.RowNumber, exp.Rank, exp.DenseRank)
_FAMILIES = {
    "TINYINT": "smallint", "SMALLINT": "smallint", "INTEGER": "int", "BIGINT": "int", "INT": "int",
    "DOUBLE": "float", "FLOAT": "float", "VARCHAR": "text", "TEXT": "text", "DATE": "date",
    "TIMESTAMP": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamptz", "TIMESTAMPTZ": "timestamptz",
    "BOOLEAN": "bool", "UUID": "uuid",
}  # fmt: skip
_WRITTEN = {
    exp.DType.INT: "INTEGER", exp.DType.BIGINT: "BIGINT", exp.DType.DOUBLE: "DOUBLE", exp.DType.DATE: "DATE",
    exp.DType.TEXT: "TEXT", exp.DType.VARCHAR: "VARCHAR", exp.DType.TIMESTAMP: "TIMESTAMP",
    exp.DType.BOOLEAN: "BOOLEAN",
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*\d+\)\Z")
_SAFE_DIGITS = 18
"""Two decimals of at most 18 digits have a common type within DuckDB's 38; wider ones may overflow in the
cast."""

_SAFE_TEXT_DIGITS = 9
"""Any number of so many digits is an integer."""

_DATE_LIKE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?\Z")


@dataclass(frozen=True, slots=True)
class _Names:
    """What a statement gives names to. aliases: of relations.

    given: columns by their new names, and what is computed of groups and windows and nothing beside them.
    computed: names that may stand for any other expression. passed_on: qualified columns in select lists.
    DuckDB's WHERE sees the aliases of the select list, too.
    """

    aliases: set[str]
    given: list[tuple[str, exp.Expr]] = field(default_factory=list)
    computed: set[str] = field(default_factory=set)
    passed_on: list[exp.Column] = field(default_factory=list)

    def take(self, name: str, source: exp.Expr) -> None:
        """Take in an item of a select list."""
        is_column = isinstance(source, exp.Column)
        if not is_column and not _is_of_one_call(source):
            self.computed.add(name)
        elif not is_column or source.name.lower() != name:
            self.given.append((name, source))


@dataclass
class Predicates:
    """Judges the predicates of one statement, after translation."""

    draft: Draft

    def is_leakproof(self, node: exp.Expr, *, above_groups: bool = False) -> bool:
        """Judge a predicate. above_groups: of HAVING or QUALIFY, whose aggregates cannot move to the rows."""
        match node:
            case exp.Paren() | exp.Not():
                return self.is_leakproof(node.this, above_groups=above_groups)
            case exp.And() | exp.Or():
                return self.is_leakproof(node.this, above_groups=above_groups) and self.is_leakproof(
                    node.expression, above_groups=above_groups
                )
            case _ if above_groups and _is_of_groups(node):
                return True
            case exp.Is():
                family = self.family(node.this)
                # `text IS TRUE` casts the text.
                known = (exp.Null, exp.Boolean) if family == "bool" else (exp.Null,)
                return family is not None and isinstance(node.expression, known)
            case exp.Between():
                return self._same_family(node.this, node.args["low"], node.args["high"])
            case exp.In() | exp.Exists():
                return self._is_membership(node)
            case exp.Escape():
                return self.is_leakproof(node.this) and node.expression.name == "\\"
            case exp.Like() | exp.ILike():
                pattern = node.expression
                is_constant = (
                    isinstance(pattern, exp.Literal) and pattern.is_string and "\\" not in pattern.name
                )
                return is_constant and self.family(node.this) == "text"
            case _:
                return isinstance(node, exp.Boolean) or (
                    isinstance(node, _COMPARISONS) and self._same_family(node.this, node.expression)
                )

    def _is_membership(self, node: exp.In | exp.Exists) -> bool:
        """IN and EXISTS, whose queries are judged by themselves."""
        if isinstance(node, exp.Exists):
            return isinstance(node.this, exp.Query)
        if node.args.get("query") is None:
            return bool(node.expressions) and self._same_family(node.this, *node.expressions)
        output = only_output(node.args["query"])
        return isinstance(output, exp.Column) and self._same_family(node.this, output)

    def _same_family(self, *operands: exp.Expr) -> bool:
        families = [self.family(operand) for operand in operands]
        known = {family for family in families if family not in (None, "string", "number")}
        if None in families or len(known) != 1:
            return False
        (family,) = known
        literals = [
            operand for operand, kind in zip(operands, families, strict=True) if kind in ("string", "number")
        ]
        return all(_literal_fits(literal, family) for literal in literals)

    def family(self, node: exp.Expr) -> str | None:
        match node:
            case exp.Paren():
                return self.family(node.this)
            case exp.Column():
                return None if self._may_be_field(node) else self.families.get(node.name.lower())
            case exp.Literal():
                return "string" if node.is_string else "number"
            case exp.Neg():
                return "number" if isinstance(node.this, exp.Literal) else None
            case exp.Add() | exp.Sub():
                return "number" if _is_short_sum(node) else None
            case exp.Subquery():
                output = only_output(node)
                is_extreme = isinstance(output, (exp.Min, exp.Max)) and not output.expressions
                return self.family(output.this) if output is not None and is_extreme else None
            case exp.Boolean():
                return "bool"
            case exp.Cast() if isinstance(node.this, exp.Parameter) and type(node) is exp.Cast:
                return _family_of(_type_text(node.to))
            case exp.Cast() if isinstance(node.this, exp.Literal) and type(node) is exp.Cast:
                return _constant_family(node.this, _type_text(node.to))
            case _:
                return self._total_call(node)

    def _may_be_field(self, node: exp.Column) -> bool:
        """Whether `a.b` may be a field of a column a, also where a relation is called a, too."""
        alias = node.table.lower()
        if not alias:
            return False
        if alias not in self._names.aliases:
            return True
        known = self._columns.get(alias)
        return node.name.lower() not in known if known is not None else self._is_column(alias)

    def _is_column(self, name: str) -> bool:
        """Whether a column may have this name, of a relation or in a query of FROM."""
        names = self._names
        is_stored = any(name in columns for columns in self._columns.values())
        return is_stored or name in names.computed or any(name == given for given, _ in names.given)

    @cached_property
    def _columns(self) -> dict[str, set[str]]:
        """The columns of each relation, by what the statement calls it."""
        found: dict[str, set[str]] = {}
        for use in self.draft.uses:
            found.setdefault(use.alias.lower(), set()).update(_engine_types(use.info))
        return found

    def _total_call(self, node: exp.Expr) -> str | None:
        """The family of a call that gives a value for every argument, or None.

        `length` is cast to PostgreSQL's integer: no cell of 2^31 characters passes through the gateway.
        """
        match node:
            case exp.Upper() | exp.Lower():
                return "text" if self.family(node.this) == "text" else None
            case exp.Trim() if not any(value for part, value in node.args.items() if part != "this"):
                return "text" if self.family(node.this) == "text" else None
            case exp.Cast() if isinstance(node.this, exp.Length) and node.to.is_type("INT", "BIGINT"):
                is_plain = not any(value for part, value in node.this.args.items() if part != "this")
                return "int" if is_plain and self.family(node.this.this) == "text" else None
            case exp.Coalesce() | exp.Nullif():
                operands = [node.this, *(node.expressions or [node.expression])]
                family = self.family(node.this)
                return family if self._same_family(*operands) else None
            case _:
                return None

    @cached_property
    def families(self) -> dict[str, str | None]:
        """The family of each column name.

        None where two relations disagree or something is computed under it.
        """
        found: dict[str, str | None] = {}
        for use in self.draft.uses:
            # What stands under a view's column may be computed, and fail.
            is_view = isinstance(use.info, TableInfo) and use.info.kind is RelationKind.VIEW
            for name, kind in _engine_types(use.info).items():
                family = None if is_view else _family_of(kind)
                found[name] = family if found.get(name, family) == family else None
            # A mask is an expression: a predicate on it would evaluate it on hidden rows.
            for name in use.policy.masks if use.policy is not None else ():
                found[name.lower()] = None
        for name, family in self._given_families(found).items():
            found[name] = family if found.get(name, family) == family else None
        for name in self._names.computed:
            found[name] = None
        return found

    def _given_families(self, stored: Mapping[str, str | None]) -> dict[str, str | None]:
        """Of the names that select lists give. stored: of the relations' columns.

        A total is comparable with itself: nobody here knows its type. None where one name is given twice.
        """
        names = self._names
        given = {name for name, _ in names.given} | names.computed
        found: dict[str, str | None] = {}
        for name, source in names.given:
            family: str | None = f"total {name}"
            if isinstance(source, exp.Column):
                is_known = source.name.lower() not in given and not self._may_be_field(source)
                family = stored.get(source.name.lower()) if is_known else None
            elif _counts(source):
                family = "int"
            found[name] = family if name not in found else None
        for column in names.passed_on:
            if self._may_be_field(column):
                found[column.name.lower()] = None
        return found

    @cached_property
    def _names(self) -> "_Names":
        """What the statement itself gives names to."""
        names = _Names({use.alias.lower() for use in self.draft.uses})
        for node in self.draft.tree.find_all(exp.Alias, exp.Select, exp.TableAlias):
            if node.key == "alias":
                names.take(node.alias.lower(), node.this)
            elif node.key == "select":
                items = (item.unalias() for item in node.expressions)
                names.passed_on.extend(c for c in items if isinstance(c, exp.Column) and c.table)
            elif node.key == "tablealias":
                names.aliases.add(node.name.lower())
                names.computed.update(name.name.lower() for name in node.args.get("columns") or ())
        return names


def _engine_types(info: TableInfo | SystemRelation | None) -> Mapping[str, str]:
    """The engine's types of a relation's columns, by lower-case name."""
    if isinstance(info, TableInfo):
        return info.engine_types
    return {column.name.lower(): column.engine_type for column in info.columns} if info is not None else {}


def _type_text(kind: exp.DataType) -> str:
    """A plain type by its name, without the generator."""
    if kind.expressions or kind.args.get("nested") or not isinstance(kind.this, exp.DType):
        return kind.sql(dialect="duckdb")
    return _WRITTEN.get(kind.this, "") or kind.sql(dialect="duckdb")


@lru_cache(maxsize=4096)
def _family_of(engine_type: str) -> str | None:
    text = engine_type.upper().strip()
    decimal = _DECIMAL.match(text)
    if decimal is not None:
        return "decimal" if int(decimal[1]) <= _SAFE_DIGITS else None
    return _FAMILIES.get(text)


def _literal_fits(literal: exp.Expr, family: str) -> bool:
    """Whether comparing with this constant casts the constant, never the column, and cannot fail.

    A constant that cannot be cast fails when the first row meets it, which the other predicates choose: a
    hidden row, perhaps.
    """
    text = literal.this.name if isinstance(literal, exp.Neg) else literal.name
    if isinstance(literal, exp.Literal) and literal.is_string:
        return _text_fits(text, family)
    if isinstance(literal, (exp.Add, exp.Sub)):
        return family in ("decimal", "float", "int")
    digits = text.replace(".", "")
    is_short = _is_number(digits) and len(digits) <= _SAFE_DIGITS
    return is_short and (
        family in ("decimal", "float") or (family in ("int", "smallint") and "." not in text)
    )


def _text_fits(text: str, family: str) -> bool:
    match family:
        case "text":
            return True
        case "date" | "timestamp":
            return _is_date(text)
        case "int":
            return _is_number(text) and len(text) <= _SAFE_TEXT_DIGITS
        case _:
            return False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_date(text: str) -> bool:
    if _DATE_LIKE.match(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _constant_family(literal: exp.Literal, type_text: str) -> str | None:
    """The family of `CAST(constant AS type)`; None where the cast may fail."""
    family, text = _family_of(type_text), literal.name
    if family is None or literal.is_string:
        return family if family is not None and _text_fits(text, family) else None
    if family == "int":
        return family if _is_number(text) and len(text) <= _SAFE_TEXT_DIGITS else None
    return family if family == "float" and _literal_fits(literal, family) else None


def _is_of_groups(node: exp.Expr) -> bool:
    """Whether every column stands inside an aggregate or a window: nothing of this can move below them."""
    pending = [node]
    while pending:
        found = pending.pop()
        if isinstance(found, (exp.Column, exp.Query, exp.Star)):
            return False
        if not isinstance(found, _OF_GROUPS):
            pending += found.iter_expressions()
        elif found.find(exp.Query) is not None:
            return False
    return True


def only_output(query: exp.Expr) -> exp.Expr | None:
    """What a subquery of one column gives."""
    select = query.unnest() if isinstance(query, exp.Subquery) else query
    if not isinstance(select, exp.Select) or len(select.expressions) != 1:
        return None
    output: exp.Expr = select.expressions[0]
    return output.unalias()


def _is_of_one_call(node: exp.Expr) -> bool:
    """Whether it is one aggregate, or one over windows: it fails, if at all, where it is computed."""
    call = node.this if isinstance(node, exp.Window) else node
    is_known = isinstance(call, (*_TOTALS, *(_NUMBERING if call is not node else ())))
    return is_known and not call.args.get("expressions")


def _counts(node: exp.Expr) -> bool:
    call = node.this if isinstance(node, exp.Window) else node
    return isinstance(call, (exp.Count, *_NUMBERING))


def _is_short_sum(node: exp.Expr) -> bool:
    """`1 + 10`: of two integers of so few digits that their sum is one."""
    return all(
        isinstance(side, exp.Literal) and not side.is_string
        and _is_number(side.name) and len(side.name) <= _SAFE_TEXT_DIGITS
        for side in (node.this, node.expression)
    )  # fmt: skip

"""Which of the client's predicates may run on rows that a filter hides.

Because they can tell nothing of them.

A predicate is leakproof if it cannot fail and depends on bare columns and constants of one type:
comparisons, BETWEEN,
IN (constants), IS NULL, LIKE with a constant pattern that has no escape, joined by AND, OR and NOT.
PostgreSQL marks
functions LEAKPROOF for the same reason (docs, "Rules and Privileges"). If all predicates of a statement
are, the
filtered tables need no barrier and the engine prunes by zone maps; if not, the leakproof conjuncts are
copied inside
the barrier. The list is short on purpose: what is not on it only costs time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from pgproxy.catalog.snapshot import TableInfo
from pgproxy.policy.effective import TablePolicy
from pgproxy.sql.authorise import readable_columns
from pgproxy.sql.draft import USE_KEY, Draft, RelationUse, quoted
from pgproxy.sql.policy_expressions import BASE_ALIAS

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_COMPUTED_SAFELY = (exp.Column, exp.Star, exp.Literal, exp.Boolean, exp.Null)
_PREDICATES = (exp.Where, exp.Having, exp.Qualify)
_FAMILIES = {
    "TINYINT": "int", "SMALLINT": "int", "INTEGER": "int", "BIGINT": "int", "INT": "int", "DOUBLE": "float",
    "FLOAT": "float", "VARCHAR": "text", "TEXT": "text", "DATE": "date", "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz", "TIMESTAMPTZ": "timestamptz", "BOOLEAN": "bool",
    "UUID": "uuid",
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*\d+\)\Z")
_SAFE_DIGITS = 18
"""Two decimals of at most 18 digits have a common type within DuckDB's 38; wider ones may overflow in the
cast."""

_DATE_LIKE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?\Z")


@dataclass
class LeakproofPredicates:
    """Analysis of one statement, after translation: what is looked at is what will run."""

    draft: Draft

    def needs_barrier(self, policy: TablePolicy) -> bool:
        """Whether a filtered derived table needs OFFSET 0: always, unless every predicate is leakproof."""
        del policy  # a filter of any shape may be moved by the optimiser; only the client's side decides
        return not self._statement_is_leakproof

    def pushable(self, node: exp.Table, use: RelationUse) -> exp.Expr | None:
        """The conjuncts of the WHERE that may run inside the barrier, over raw columns; None: none.

        Only for a relation that its query reads alone or joins inward, and only over columns that are not
        masked.
        """
        select = node.parent_select
        if (
            not isinstance(select, exp.Select)
            or not isinstance(use.info, TableInfo)
            or not _is_inner(node, select)
        ):
            return None
        where = select.args.get("where")
        if where is None:
            return None
        raw = self._raw_columns(use)
        alone = not select.args.get("joins") and not select.args.get("laterals")
        found = []
        for conjunct in _conjuncts(where.this):
            columns = list(conjunct.find_all(exp.Column))
            mine = all(self._belongs(column, use, raw, alone=alone) for column in columns)
            if columns and mine and self._is_leakproof(conjunct):
                found.append(_over_base(conjunct.copy(), raw))
        return exp.and_(*found, copy=False) if found else None

    @cached_property
    def _statement_is_leakproof(self) -> bool:
        tree = self.draft.tree
        if (
            self.draft.views
            or not isinstance(tree, exp.Query)
            or any(tree.find_all(exp.Pivot, exp.Lateral, exp.Unnest, exp.Values))
        ):
            return False
        selects = list(tree.find_all(exp.Select))
        if any(select is not tree and not _is_plain(select) for select in selects):
            return False
        predicates = [node.this for node in tree.find_all(*_PREDICATES)]
        for join in tree.find_all(exp.Join):
            if join.args.get("method") or not self._using_is_safe(join):
                return False
            if join.args.get("on") is not None:
                predicates.append(join.args["on"])
        return all(self._is_leakproof(predicate) for predicate in predicates)

    def _using_is_safe(self, join: exp.Join) -> bool:
        return all(self._families.get(name.name.lower()) for name in join.args.get("using") or ())

    def _is_leakproof(self, node: exp.Expr) -> bool:
        match node:
            case exp.Paren() | exp.Not():
                return self._is_leakproof(node.this)
            case exp.And() | exp.Or():
                return self._is_leakproof(node.this) and self._is_leakproof(node.expression)
            case exp.Is():
                return self._family(node.this) is not None and isinstance(
                    node.expression, (exp.Null, exp.Boolean)
                )
            case exp.Between():
                return self._same_family(node.this, node.args["low"], node.args["high"])
            case exp.In():
                return not node.args.get("query") and bool(node.expressions) and self._same_family(
                    node.this, *node.expressions
                )  # fmt: skip
            case exp.Escape():
                return self._is_leakproof(node.this) and node.expression.name == "\\"
            case exp.Like():
                pattern = node.expression
                is_constant = (
                    isinstance(pattern, exp.Literal) and pattern.is_string and "\\" not in pattern.name
                )
                return is_constant and self._family(node.this) == "text" and isinstance(node.this, exp.Column)
            case exp.Boolean():
                return True
            case _:
                return isinstance(node, _COMPARISONS) and self._same_family(node.this, node.expression)

    def _same_family(self, *operands: exp.Expr) -> bool:
        families = [self._family(operand) for operand in operands]
        known = {family for family in families if family not in (None, "string", "number")}
        if None in families or len(known) != 1:
            return False
        (family,) = known
        literals = [
            operand for operand, kind in zip(operands, families, strict=True) if kind in ("string", "number")
        ]
        return all(_literal_fits(literal, family) for literal in literals)

    def _family(self, node: exp.Expr) -> str | None:
        match node:
            case exp.Paren():
                return self._family(node.this)
            case exp.Column():
                return self._families.get(node.name.lower())
            case exp.Literal():
                return "string" if node.is_string else "number"
            case exp.Neg():
                return "number" if isinstance(node.this, exp.Literal) else None
            case exp.Boolean():
                return "bool"
            case exp.Cast() if isinstance(node.this, (exp.Parameter, exp.Literal)) and type(node) is exp.Cast:
                return _family_of(node.to.sql(dialect="duckdb"))
            case _:
                return None

    @cached_property
    def _families(self) -> dict[str, str | None]:
        """The family of each column name.

        None where two relations disagree or something is computed under it.
        """
        found: dict[str, str | None] = {}
        for use in self.draft.uses:
            for column in use.info.columns if use.info is not None else ():
                family = _family_of(column.engine_type)
                name = column.name.lower()
                found[name] = family if found.get(name, family) == family else None
            # A mask is an expression: a predicate on it would evaluate it on hidden rows.
            for name in use.policy.masks if use.policy is not None else ():
                found[name.lower()] = None
        for name in self._computed_names():
            found[name] = None
        return found

    def _computed_names(self) -> Iterator[str]:
        """Names that may stand for an expression: DuckDB's WHERE sees the aliases of the select list, too."""
        for alias in self.draft.tree.find_all(exp.Alias):
            source = alias.this
            if not (isinstance(source, exp.Column) and source.name.lower() == alias.alias.lower()):
                yield alias.alias.lower()
        for renaming in self.draft.tree.find_all(exp.TableAlias):
            yield from (name.name.lower() for name in renaming.args.get("columns") or ())

    def _raw_columns(self, use: RelationUse) -> dict[str, str]:
        masked = {name.lower() for name in use.policy.masks} if use.policy is not None else set()
        return {name.lower(): name for name in readable_columns(use) if name.lower() not in masked}

    def _belongs(self, column: exp.Column, use: RelationUse, raw: dict[str, str], *, alone: bool) -> bool:
        if column.name.lower() not in raw or column.args.get("db") is not None:
            return False
        return column.table.lower() == use.alias.lower() if column.table else alone


def _family_of(engine_type: str) -> str | None:
    text = engine_type.upper().strip()
    decimal = _DECIMAL.match(text)
    if decimal is not None:
        return "decimal" if int(decimal[1]) <= _SAFE_DIGITS else None
    return _FAMILIES.get(text)


def _literal_fits(literal: exp.Expr, family: str) -> bool:
    """Whether comparing with this constant casts the constant, never the column, and cannot overflow."""
    text = literal.this.name if isinstance(literal, exp.Neg) else literal.name
    if isinstance(literal, exp.Literal) and literal.is_string:
        return family == "text" or (family in ("date", "timestamp") and _DATE_LIKE.match(text) is not None)
    digits = text.replace(".", "")
    is_short = digits.isdigit() and len(digits) <= _SAFE_DIGITS
    return is_short and (family in ("decimal", "float") or (family == "int" and "." not in text))


def _is_plain(select: exp.Select) -> bool:
    """Whether a nested query only passes columns on: then a predicate above it meets bare columns."""
    return all(
        isinstance(item, _COMPUTED_SAFELY) or isinstance(item.unalias(), exp.Column)
        for item in select.expressions
    )


def _is_inner(node: exp.Table, select: exp.Select) -> bool:
    """Whether no outer join of the query may keep rows of this relation that the WHERE would drop.

    Or add NULLs.
    """
    source = node.parent
    joins = select.args.get("joins") or []
    is_direct = source is select.args.get("from_") or source in joins
    is_inward = not any(
        join.args.get("side") or join.args.get("method") or join.args.get("kind") in ("SEMI", "ANTI")
        for join in joins
    )
    return is_direct and is_inward and node.meta.get(USE_KEY) is not None


def _conjuncts(predicate: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(predicate, exp.And):
        yield from _conjuncts(predicate.this)
        yield from _conjuncts(predicate.expression)
    elif isinstance(predicate, exp.Paren):
        yield from _conjuncts(predicate.this)
    else:
        yield predicate


def _over_base(conjunct: exp.Expr, raw: dict[str, str]) -> exp.Expr:
    holder = exp.Paren(this=conjunct)
    for column in list(holder.find_all(exp.Column)):
        column.replace(exp.column(quoted(raw[column.name.lower()]), table=quoted(BASE_ALIAS)))
    return holder

"""The types of expressions that hold parameters, and of the parameters by them.

A parameter takes its type from the context in which it is first used: what the operator or function chosen
for it takes there. PostgreSQL docs, "PREPARE", "Type Conversion"; source, parse_expr.c, parse_param.c
`variable_coerce_param_hook`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlglot import exp

from pgproxy.sql.dialect.calls import call_of
from pgproxy.sql.dialect.places import blame
from pgproxy.sql.dialect.spelled_tokens import UNKNOWN_KEY
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.typing.choice import Ambiguous, Undetermined, choose_function, choose_operator
from pgproxy.sql.typing.errors import no_subscripts, not_unique, undetermined
from pgproxy.sql.typing.names import OPERATORS, PREFIXES, TRUTHS, name_of, oid_of
from pgproxy.sql.typing.signatures import Signature, argument_by_name
from pgproxy.sql.typing.types import UNKNOWN, array_of, common_type, element_of
from pgwire.types import Oid

Kind: TypeAlias = int | None
"""An OID; UNKNOWN of what has no type yet; None where it cannot be said."""

_MOMENTS = {exp.CurrentDate: Oid.DATE, exp.CurrentTimestamp: Oid.TIMESTAMPTZ, exp.Interval: Oid.INTERVAL}
_ALIKE = (exp.Coalesce, exp.Greatest, exp.Least, exp.Array)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known from elsewhere.

    parameters: OIDs by number, UNKNOWN where nothing has fixed them yet; fixed in place. known: types of what
    holds no parameter. cast_type: of a cast's target. targets: types of the columns that an INSERT fills.
    """

    parameters: dict[int, int]
    known: KnownTypes
    cast_type: Callable[[exp.DataType], Kind]
    targets: Callable[[exp.Expr], Sequence[Kind]]


class ExpressionTypes:
    """Types of one statement's expressions; fixes the parameters on the way.

    query: types a query inside an expression, gives the types of its columns.
    """

    def __init__(
        self, tree: exp.Expr, around: Surroundings, query: Callable[[exp.Expr], Sequence[Kind]]
    ) -> None:
        self._parameters = around.parameters
        self._known = around.known
        self._cast_type = around.cast_type
        self._query = query
        self._found: dict[int, Kind] = {}
        self._places: dict[int, list[exp.Expr]] = {}
        self._holding: set[int] = set()
        for parameter in tree.find_all(exp.Parameter):
            self._places.setdefault(int(parameter.name), []).append(parameter)
            node: exp.Expr | None = parameter
            while node is not None and id(node) not in self._holding:
                self._holding.add(id(node))
                node = node.parent

    def holds(self, node: object) -> bool:
        """Whether a parameter stands in a node."""
        return id(node) in self._holding

    def assign(self, node: exp.Expr | None, kind: Kind) -> None:
        """Let a parameter that has no type yet take this one."""
        while isinstance(node, (exp.Paren, exp.Alias)):
            node = node.this
        if not isinstance(node, exp.Parameter) or not kind or self._parameters.get(int(node.name)):
            return
        if name_of(kind) is None:
            return
        self._parameters[int(node.name)] = kind
        for place in self._places[int(node.name)]:
            self._known.know(place, name_of(kind))

    def of(self, node: exp.Expr | None) -> Kind:
        """Give a node's type; parameters in it take theirs.

        Raises:
            StatementError: 42725 or 42804, what PostgreSQL cannot decide either.
        """
        if node is None:
            return None
        if isinstance(node, exp.Parameter):
            return self._parameters.get(int(node.name), UNKNOWN)
        if id(node) not in self._found:
            kind = self._plain(node) if not self.holds(node) else None
            kind = self._typed(node) if kind is None else kind
            self._found[id(node)] = kind
            if kind and self.holds(node):
                self._known.know(node, name_of(kind))
        return self._found[id(node)]

    def truth(self, node: exp.Expr | None) -> None:
        """Type what must be true or false."""
        if self.holds(node) and node is not None:
            self.of(node)
            self.assign(node, int(Oid.BOOL))

    def alike(self, nodes: Sequence[exp.Expr]) -> Kind:
        """Type what must have one type together."""
        kinds = [self.of(node) for node in nodes]
        known = [kind for kind in kinds if kind is not None]
        if len(known) < len(kinds):
            return None
        common = common_type(known)
        for node in nodes:
            self.assign(node, common)
        return common

    def operator(self, name: str, operands: Sequence[exp.Expr], place: exp.Expr | None = None) -> Kind:
        """Type what an operator takes and gives."""
        kinds = [self.of(operand) for operand in operands]
        chosen = self._chosen(choose_operator, name, kinds, place or operands[0])
        if chosen is None:
            return None
        for operand, kind in zip(operands, chosen.arguments, strict=True):
            self.assign(operand, kind)
        return chosen.result

    def _chosen(
        self,
        choose: Callable[[str, Sequence[int]], Signature | None],
        name: str,
        kinds: Sequence[Kind],
        place: exp.Expr,
    ) -> Signature | None:
        known = [kind for kind in kinds if kind is not None]
        if len(known) < len(kinds):
            return None
        try:
            return choose(name, known)
        except Ambiguous:
            raise blame(not_unique(name, known, is_operator=choose is choose_operator), place) from None
        except Undetermined:
            raise undetermined() from None

    def _plain(self, node: exp.Expr) -> Kind:
        if isinstance(node, exp.Null) or (isinstance(node, exp.Literal) and node.is_string):
            return UNKNOWN
        if isinstance(node, exp.JSONPath):
            is_index = isinstance(node.expressions[-1], exp.JSONPathSubscript)
            return int(Oid.INT4) if is_index else UNKNOWN
        if type(node) in _MOMENTS:
            return int(_MOMENTS[type(node)])
        return oid_of(self._known.of(node))

    def _typed(self, node: exp.Expr) -> Kind:  # noqa: C901, PLR0912 - one arm per form
        match node:
            case exp.Paren() | exp.Alias() | exp.Filter() | exp.Window() | exp.Order() | exp.Ordered():
                return self._wrapped(node)
            case exp.Cast() | exp.TryCast():
                kind = self._cast_type(node.args["to"])
                self.of(node.this)
                self.assign(node.this, kind)
                return kind
            case exp.Subquery() | exp.Select() | exp.SetOperation():
                return next(iter(self._query(node)), None)
            case exp.Exists():
                self._query(node.this)
                return int(Oid.BOOL)
            case exp.Case() | exp.If():
                return self._case(node)
            case exp.In() | exp.Between():
                return self._ranged(node)
            case exp.Is():
                self.of(node.this)
                if isinstance(node.expression, exp.Boolean) or node.expression.meta.get(UNKNOWN_KEY):
                    self.assign(node.this, int(Oid.BOOL))
                return int(Oid.BOOL)
            case exp.SimilarTo() | exp.Escape():
                return self._pattern(node)
            case exp.Bracket():
                return self._subscripted(node)
            case exp.Collate():
                kind = self.of(node.this)
                self.assign(node.this, int(Oid.TEXT))
                return kind or int(Oid.TEXT)
            case exp.Extract():
                self._call(node, "extract", (exp.Literal.string(""), node.expression))
                return int(Oid.NUMERIC)
            case exp.WithinGroup():
                return self._within_group(node)
            case _ if isinstance(node, TRUTHS):
                for operand in node.iter_expressions():
                    self.truth(operand)
                return int(Oid.BOOL)
            case _ if isinstance(node, _ALIKE) and not self._holds_query(node):
                common = self.alike(_operands(node))
                return array_of(common) if common and isinstance(node, exp.Array) else common
            case _:
                return self._operator_or_call(node)

    def _wrapped(self, node: exp.Expr) -> Kind:
        kind = self.of(node.this) if isinstance(node.this, exp.Expr) else None
        for other in node.iter_expressions():
            if other is not node.this:
                self._below(other)
        return kind

    def _holds_query(self, node: exp.Expr) -> bool:
        return any(isinstance(item, exp.Query) for item in node.expressions)

    def _case(self, node: exp.Expr) -> Kind:
        branches = node.args.get("ifs") or [node]
        for branch in branches:
            if isinstance(node, exp.Case) and node.this is not None:
                self.operator("=", (node.this, branch.this))
            else:
                self.truth(branch.this)
        default = node.args.get("default") or node.args.get("false")
        return self.alike([*(branch.args["true"] for branch in branches), *([default] if default else [])])

    def _ranged(self, node: exp.Expr) -> Kind:
        if isinstance(node, exp.Between):
            self.operator(">=", (node.this, node.args["low"]))
            self.operator("<=", (node.this, node.args["high"]))
        elif node.args.get("query") is not None:
            self.compare_query("=", node.this, node.args["query"])
        else:
            constants = [item for item in node.expressions if item.find(exp.Column) is None]
            if len(constants) > 1 and not isinstance(node.this, exp.Tuple):
                self.alike([node.this, *constants])
            for item in node.expressions:
                self._compare("=", node.this, item)
        return int(Oid.BOOL)

    def compare_query(self, name: str, left: exp.Expr, query: exp.Expr) -> None:
        """Type what is compared with a query's columns."""
        columns = self._query(query)
        operands = left.expressions if isinstance(left, exp.Tuple) else [left]
        for operand, column in zip(operands, columns, strict=False):
            kinds = (self.of(operand), column)
            chosen = self._chosen(choose_operator, name, kinds, left)
            self.assign(operand, chosen.arguments[0] if chosen is not None else None)

    def _compare(self, name: str, left: exp.Expr, right: exp.Expr) -> Kind:
        ours, theirs = _row(left), _row(right)
        if ours is not None and theirs is not None:
            for pair in zip(ours, theirs, strict=False):
                self.operator(name, pair)
            return int(Oid.BOOL)
        each = _each(right)
        if each is not None:
            self._compare_any(name, left, each)
            return int(Oid.BOOL)
        return self.operator(name, (left, right), left)

    def _compare_any(self, name: str, left: exp.Expr, right: exp.Expr) -> None:
        """PostgreSQL source, parse_oper.c `make_scalar_array_op`."""
        inner = right.this if isinstance(right, exp.Paren) else right
        if isinstance(inner, exp.Query):
            self.compare_query(name, left, inner)
            return
        array, kind = self.of(inner), self.of(left)
        element = element_of(array) if array else array
        chosen = self._chosen(choose_operator, name, (kind, element), left)
        if chosen is not None:
            self.assign(left, chosen.arguments[0])
            self.assign(inner, array_of(chosen.arguments[1]))

    def _pattern(self, node: exp.Expr) -> Kind:
        if isinstance(node, exp.SimilarTo):
            return self.operator("~", (node.this, node.expression))
        matched = node.this
        self.of(matched.expression)
        for pattern in (matched.expression, node.expression):
            self.assign(pattern, int(Oid.TEXT))
        return self.of(matched)

    def _subscripted(self, node: exp.Bracket) -> Kind:
        array = self.of(node.this)
        if array == UNKNOWN:
            raise blame(no_subscripts(), node)
        places = [place for index in node.expressions for place in _bounds(index)]
        for place in places:
            self.of(place)
            self.assign(place, int(Oid.INT4))
        if any(isinstance(index, exp.Slice) for index in node.expressions):
            return array
        return (element_of(array) or None) if array else None

    def _within_group(self, node: exp.WithinGroup) -> Kind:
        call = call_of(node.this)
        ordered = [item.this for item in node.expression.expressions]
        return self._call(node, call[0], (*call[1], *ordered)) if call is not None else None

    def _operator_or_call(self, node: exp.Expr) -> Kind:
        if isinstance(node, exp.Nullif):
            self._compare("=", node.this, node.expression)
            return self.of(node.this)
        call = call_of(node) if isinstance(node, (exp.Func, exp.AtTimeZone)) else None
        if call is not None:
            return self._call(node, *call)
        name = OPERATORS.get(type(node)) or _written_operator(node)
        if name is not None:
            return self._compare(name, node.this, node.expression)
        if type(node) in PREFIXES:
            return self.operator(PREFIXES[type(node)], (node.this,))
        self._below(node)
        return None

    def _below(self, node: exp.Expr) -> None:
        """Type what stands in a node that says nothing of it."""
        for inner in node.iter_expressions():
            if self.holds(inner):
                self.of(inner)

    def _call(self, node: exp.Expr, name: str, arguments: Sequence[exp.Expr]) -> Kind:
        if any(isinstance(argument, exp.Kwarg) for argument in arguments):
            for argument in arguments:
                value = argument.expression if isinstance(argument, exp.Kwarg) else argument
                self.of(value)
                self.assign(value, argument_by_name(name, argument.name))
            return None
        chosen = self._chosen(choose_function, name, [self.of(one) for one in arguments], node)
        if chosen is None:
            return None
        for argument, kind in zip(arguments, chosen.arguments, strict=True):
            self.assign(argument, kind)
        return chosen.result


def _operands(node: exp.Expr) -> list[exp.Expr]:
    first = node.args.get("this")
    return [*([first] if isinstance(first, exp.Expr) else []), *node.expressions]


def _row(node: exp.Expr) -> list[exp.Expr] | None:
    """The fields of a row as it is written out."""
    if isinstance(node, exp.Paren):
        return _row(node.this)
    is_row = isinstance(node, exp.Anonymous) and str(node.this).lower() == "row"
    return list(node.expressions) if is_row or isinstance(node, exp.Tuple) else None


def _each(right: exp.Expr) -> exp.Expr | None:
    """What ANY or ALL goes through."""
    if isinstance(right, exp.Anonymous) and str(right.this).lower() == "all":
        return right.expressions[0] if len(right.expressions) == 1 else None
    return right.this if isinstance(right, (exp.Any, exp.All)) else None


def _bounds(index: exp.Expr) -> list[exp.Expr]:
    if not isinstance(index, exp.Slice):
        return [index]
    return [bound for bound in (index.this, index.expression) if isinstance(bound, exp.Expr)]


def _written_operator(node: exp.Expr) -> str | None:
    """The operator of `OPERATOR(pg_catalog.~)`."""
    if not isinstance(node, exp.Operator):
        return None
    return str(node.args["operator"]).rpartition(".")[2]

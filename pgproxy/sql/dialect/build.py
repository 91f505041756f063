"""Small builders of engine expressions, shared by the rules."""

from functools import cache

from sqlglot import exp

ERROR_PREFIX = "\x02pgproxy:"
"""How an engine error raised on purpose begins; SQLSTATE, a colon and PostgreSQL's message follow."""


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A call of one of the engine's functions, which the renderer leaves as it is."""
    return exp.Anonymous(this=name, expressions=list(arguments))


FUNCTION_CATALOG = "pgproxy_functions"
"""Where every engine keeps the macros of `execnode.engine.functions`."""


def macro(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of one of the engine's macros, under a name that nothing can stand before."""
    path = [exp.to_identifier(FUNCTION_CATALOG, quoted=True), exp.to_identifier("main", quoted=True)]
    return exp.Dot.build([*path, call(name, *arguments)])


def cast(expression: exp.Expr, engine_type: str) -> exp.Cast:
    """A cast to one of the engine's types."""
    known = _engine_type(engine_type)
    if not any(isinstance(value, (exp.Expr, list)) for value in known.args.values()):
        return exp.Cast(this=expression, to=exp.DataType(**known.args))
    return exp.Cast(this=expression, to=copied(known))


@cache
def _engine_type(name: str) -> exp.DataType:
    """Parsed once: building a type costs as much as several rules."""
    return exp.DataType.build(name, dialect="duckdb")


def string(text: str) -> exp.Literal:
    """A string constant."""
    return exp.Literal.string(text)


def number(value: int | str) -> exp.Expr:
    """A number constant."""
    text = str(value)
    return exp.Neg(this=exp.Literal.number(text[1:])) if text.startswith("-") else exp.Literal.number(text)


def case(*branches: tuple[exp.Expr, exp.Expr], default: exp.Expr | None = None) -> exp.Case:
    """CASE WHEN … THEN …; a missing default is NULL."""
    ifs = [exp.If(this=condition, true=result) for condition, result in branches]
    return exp.Case(ifs=ifs, default=default)


def raise_error(sqlstate: str, message: str) -> exp.Anonymous:
    """An expression that fails when it is evaluated, with PostgreSQL's SQLSTATE and message."""
    return call("error", string(f"{ERROR_PREFIX}{sqlstate}:{message}"))


def paren(expression: exp.Expr) -> exp.Expr:
    """Parentheses, where the operand is not a plain term."""
    plain = (exp.Column, exp.Literal, exp.Func, exp.Paren, exp.Cast, exp.Parameter, exp.Placeholder)
    is_plain = isinstance(expression, plain) and not isinstance(expression, (exp.Binary, exp.Case))
    return expression if is_plain else exp.Paren(this=expression)


def constant_text(node: exp.Expr | None) -> str | None:
    """The value of a string constant, or None."""
    if type(node) is exp.Column:  # most of all that is asked
        return None
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Literal) and node.is_string:
        return node.name
    return str(node.this) if isinstance(node, exp.ByteString) else None


def constant_integer(node: exp.Expr | None) -> int | None:
    """The value of an integer constant, or None."""
    if isinstance(node, exp.Paren):
        return constant_integer(node.this)
    if isinstance(node, exp.Neg):
        inner = constant_integer(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit() and len(node.name) < 19:
        return int(node.name)
    return None


def function_name(node: exp.Expr) -> str:
    """The lower-case name of a call that stayed a call; empty for all else."""
    if isinstance(node, exp.Anonymous) and isinstance(node.this, str):
        return node.this.lower()
    return ""


def joined(*pieces: exp.Expr) -> exp.Expr:
    """Texts one after the other, in parentheses."""
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = exp.DPipe(this=whole, expression=piece, safe=True)
    return exp.Paren(this=whole)


def copied(node: exp.Expr) -> exp.Expr:
    """`Expr.copy` of what is written twice. What `meta` holds are plain values, which need no deep copy."""
    made = _bare(node)
    pending = [(node, made)]
    while pending:
        old, new = pending.pop()
        for key, value in old.args.items():
            if isinstance(value, exp.Expr):
                new.args[key] = child = _bare(value)
                child.parent, child.arg_key = new, key
                pending.append((value, child))
            elif type(value) is list:
                new.args[key] = items = [
                    _bare(item) if isinstance(item, exp.Expr) else item for item in value
                ]
                for index, (item, child) in enumerate(zip(value, items, strict=True)):
                    if child is not item:
                        child.parent, child.arg_key, child.index = new, key, index
                        pending.append((item, child))
            else:
                new.args[key] = value
    return made


def _bare(node: exp.Expr) -> exp.Expr:
    made = type(node)()
    if node.meta:
        made.meta.update(node.meta)
    return made


def put(parent: exp.Expr, key: str, index: int | None, new: exp.Expr) -> None:
    """Put a node where another stood; sqlglot's own `set` goes through the whole list for each item."""
    if index is None:
        parent.set(key, new)
        return
    parent.args[key][index] = new
    new.parent, new.arg_key, new.index = parent, key, index


def first_character(value: exp.Expr) -> exp.Expr:
    """What the type "char" holds of a text."""
    if isinstance(value, exp.Literal) and value.is_string:
        return exp.Literal.string(value.name[:1])
    return exp.Left(
        this=exp.cast(value.copy(), "VARCHAR", dialect="duckdb"), expression=exp.Literal.number(1)
    )

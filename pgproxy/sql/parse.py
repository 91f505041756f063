"""Text to a tree: limits first, then PostgreSQL's grammar, then DuckDB's.

sqlglot accepts much that neither engine means; what it would read wrongly is refused here, on tokens
(docs/security.md, "Layers"). PostgreSQL docs, "Lexical Structure".
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from pgproxy.policy.denial import DenialRule
from pgproxy.sql.dialect.checks import FUNCTION_HINT
from pgproxy.sql.dialect.grammar import (
    SourceDialect,
    protect_calls,
    restore_calls,
    without_comment,
    without_denials,
)
from pgproxy.sql.dialect.spelled_tokens import kept_tokens, restore_unknown
from pgproxy.sql.methods import call_methods
from pgproxy.sql.node_kinds import classes_below, kinds_of
from pgproxy.sql.parse_work import is_too_much_work
from pgproxy.sql.plan import PlanContext
from pgproxy.sql.sequence_parsing import parse_alter_sequence
from pgproxy.sql.tokens import tokens_of
from pgproxy.sql.utility.scan import truncate_identifier
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import type_by_name

MAX_TEXT_CHARS = 1_000_000
MAX_TOKENS = 400_000
"""What an INSERT with 65,535 parameters, the protocol's most, has room in."""
MAX_NESTING = 120
"""Python's recursion limit is 1,000 frames, and one level of parentheses costs the parser about fifteen in
the
interpreter; the compiled sqlglot costs fewer. Measured: 200 levels still parse."""

_LONG_WORD, _LONG_WORD_OF_ASCII = re.compile(r"(?<![\w$])[\w$]{16}"), re.compile(r"(?<![\w$])[\w$]{64}")
"""What may be a name of more than 63 bytes."""

_STATEMENT_WORDS = frozenset(
    {"select", "with", "values", "table", "from", "(", "insert", "update", "delete", "truncate"}
)
_FOLLOWERS = {
    "create": frozenset(
        {"table", "view", "schema", "temp", "temporary", "replace", "index", "unique", "sequence"}
    ),
    "drop": frozenset({"table", "view", "schema", "index", "sequence"}),
    "alter": frozenset({"table", "view"}),
    "comment": frozenset({"on"}),
}
_REFUSED_WORDS = frozenset(
    [
        "abort",
        "alter",
        "analyze",
        "attach",
        "begin",
        "call",
        "checkpoint",
        "close",
        "cluster",
        "commit",
        "copy",
        "deallocate",
        "declare",
        "describe",
        "detach",
        "discard",
        "do",
        "end",
        "execute",
        "explain",
        "export",
        "fetch",
        "force",
        "grant",
        "import",
        "install",
        "listen",
        "load",
        "lock",
        "merge",
        "move",
        "notify",
        "pivot",
        "pragma",
        "prepare",
        "reassign",
        "refresh",
        "reindex",
        "release",
        "reset",
        "revoke",
        "rollback",
        "savepoint",
        "security",
        "set",
        "show",
        "start",
        "summarize",
        "unlisten",
        "unpivot",
        "use",
        "vacuum",
    ]
)
"""Statements that the session handles itself, before the planner, or nobody does."""

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_BOOLEANS = frozenset({TokenType.TRUE, TokenType.FALSE})
_PREFIXES = frozenset({TokenType.NOT, TokenType.DASH, TokenType.TILDE})
_COUNTED = _OPENING | _PREFIXES
"""What nests; fewer of them than may be inside each other cannot be too many."""
_LIST_ENDS = frozenset(
    {
        TokenType.FROM,
        TokenType.WHERE,
        TokenType.GROUP_BY,
        TokenType.ORDER_BY,
        TokenType.HAVING,
        TokenType.LIMIT,
        TokenType.UNION,
        TokenType.R_PAREN,
    }
)
_RESPELLED = (exp.ObjectIdentifier, exp.DataType, exp.Update, exp.Ordered)
_BEHIND_ENGINES = frozenset({TokenType.JOIN, TokenType.L_PAREN})
_DUCKDB_JOINS = frozenset({"positional", "asof", "semi", "anti"})
_CALLS, _TESTS, _DOTS = classes_below(exp.Anonymous), classes_below(exp.Is), classes_below(exp.Dot)
_BOOLEAN_NODES, _RESPELLED_NODES = classes_below(exp.Boolean), classes_below(*_RESPELLED)


def parse_statement(text: str, context: PlanContext) -> tuple[exp.Expr, str]:
    """Parse exactly one statement; gives the tree and the dialect that accepted it.

    Raises:
        StatementError: 42601 with PostgreSQL's words and position; 54001 for a statement too long or too
        deep.
        FeatureNotSupported: text that the parsers are known to misread.
    """
    return parse_text(text, context.dialect)


def parse_text(text: str, wanted: str) -> tuple[exp.Expr, str]:
    """`parse_statement` in a dialect: auto, postgres or duckdb."""
    if len(text) > MAX_TEXT_CHARS:
        raise too_complex()
    first_error: GrammarError | None = None
    for dialect in _dialects(wanted):
        try:
            return _cut_names(_parse_one(text, dialect), text, dialect), dialect
        except GrammarError as error:
            first_error = first_error or error
    raise (first_error.error if first_error is not None else StatementError("syntax error"))


def _cut_names(tree: exp.Expr, text: str, dialect: str) -> exp.Expr:
    """Cut unquoted names to PostgreSQL's 63 bytes, before anything is decided by them.

    Quoted ones stay: the engine has longer names, which only so can be meant.
    """
    long_word = _LONG_WORD_OF_ASCII if text.isascii() else _LONG_WORD
    if dialect != "postgres" or not long_word.search(text):
        return tree
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted") and isinstance(name.this, str):
            name.set("this", truncate_identifier(name.this))
    return tree


def parse_fragment(text: str, dialect: str) -> exp.Expr:
    """Parse stored text: a policy expression or a view's query. The same limits hold.

    Raises:
        StatementError: it does not parse.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise too_complex()
    try:
        return _parse_one(text, dialect)
    except GrammarError as error:
        raise error.error from None


def too_complex() -> StatementError:
    """What a statement beyond the limits is answered with."""
    return StatementError("stack depth limit exceeded", sqlstate=SqlState.STATEMENT_TOO_COMPLEX)


class GrammarError(Exception):
    """A dialect does not accept the text; `error` is what the client sees if no other dialect does."""

    def __init__(self, error: StatementError) -> None:
        super().__init__(error.message)
        self.error = error


def _dialects(wanted: str) -> Sequence[str]:
    return (wanted,) if wanted in ("postgres", "duckdb") else ("postgres", "duckdb")


def _parse_one(text: str, dialect: str) -> exp.Expr:
    tokens = _tokenize(text, dialect)
    _check_limits(tokens)
    if [token.text.lower() for token in tokens[:2]] == ["alter", "sequence"]:
        return parse_alter_sequence(text)
    _check_first_word(text, tokens)
    _check_tokens(text, tokens, dialect)
    try:
        parser = _grammar(dialect).parser(
            error_level=sqlglot.ErrorLevel.RAISE, error_message_context=len(text)
        )
        kept = without_comment(
            protect_calls(kept_tokens(without_denials(tokens))) if dialect == "postgres" else tokens
        )
        trees = [tree for tree in parser.parse(kept, text) if tree is not None]
    except ParseError as error:
        raise GrammarError(_syntax_error(text, tokens, error)) from None
    except RecursionError:
        raise too_complex() from None
    except (SqlglotError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        # sqlglot's builders raise these on arguments of unexpected shape.
        raise GrammarError(StatementError("syntax error")) from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Expr):
        raise GrammarError(StatementError("cannot insert multiple commands into a prepared statement"))
    return _completed(trees[0], tokens, dialect)


def _completed(tree: exp.Expr, tokens: Sequence[Token], dialect: str) -> exp.Expr:
    """Undo what was done to the tokens, and say in one way what the parser says in several."""
    kinds = kinds_of(tree)  # most statements have nothing of all this: one walk instead of five
    if not kinds.isdisjoint(_BOOLEAN_NODES):
        _place_booleans(tree, tokens)
    if not kinds.isdisjoint(_CALLS):
        restore_calls(tree)
    if not kinds.isdisjoint(_TESTS):
        restore_unknown(tree)
    if not kinds.isdisjoint(_DOTS):
        return _with_plain_types(call_methods(tree, dialect))
    return _with_plain_types(tree) if not kinds.isdisjoint(_RESPELLED_NODES) else tree


def _place_booleans(tree: exp.Expr, tokens: Sequence[Token]) -> None:
    """Note where TRUE and FALSE stand, as sqlglot does for other constants: errors point there."""
    words = [token for token in tokens if token.token_type in _BOOLEANS]
    nodes = list(tree.find_all(exp.Boolean, bfs=False)) if words else []
    values = [token.token_type is TokenType.TRUE for token in words]
    if [bool(node.this) for node in nodes] == values:
        for node, token in zip(nodes, words, strict=True):
            node.meta.update(start=token.start, end=token.end)


def _with_plain_types(tree: exp.Expr) -> exp.Expr:
    """`x::regclass` and `x::pg_catalog.regclass` as one shape, a type of the catalog; ALL as a word."""
    for node in [node for node in tree.walk() if type(node) in _RESPELLED_NODES]:
        if isinstance(node, exp.ObjectIdentifier):
            name = exp.to_identifier(str(node.this).lower())
            node.replace(exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=name))
        elif isinstance(node, exp.DataType):
            if (element := _array_element(node)) is not None:
                node.replace(exp.DataType(this=exp.DType.ARRAY, expressions=[element], nested=True))
            elif node.this is exp.DType.INTERVAL and node.expressions:
                _drop_precision(node)
            elif node.this in (exp.DType.FLOAT, exp.DType.DOUBLE) and node.expressions:
                _choose_float(node)
        elif isinstance(node, exp.Update):
            _write_defaults(node)
        elif isinstance(node, exp.Ordered) and _is_word_all(node.this):
            node.this.replace(exp.Var(this="ALL"))  # DuckDB's ORDER BY ALL; a reserved word in PostgreSQL
    return tree


def _write_defaults(update: exp.Update) -> None:
    """`SET name = DEFAULT`, in which sqlglot reads a column."""
    for item in update.expressions:
        value = item.args.get("expression")
        if not isinstance(value, exp.Column) or value.table or value.this.args.get("quoted"):
            continue
        if value.name.lower() == "default":
            value.replace(exp.Var(this="DEFAULT"))


def _array_element(kind: exp.DataType) -> exp.DataType | None:
    """The type of the elements, where an array type goes by its name in pg_type: `_int4`."""
    named = kind.args.get("kind")
    if not isinstance(named, (exp.Dot, exp.Identifier)):
        return None
    *schema, name = (part.name.lower() for part in named.find_all(exp.Identifier))
    if schema not in ([], ["pg_catalog"]) or not name.startswith("_") or type_by_name(name[1:]) is None:
        return None
    return exp.DataType.build(name[1:], dialect="postgres")


def _drop_precision(kind: exp.DataType) -> None:
    """`interval(6)` is what an interval has anyhow; the engine knows no other."""
    if kind.expressions[0].name != "6":
        raise FeatureNotSupported(
            "an interval of fewer than six digits is not supported", hint="Leave the precision out."
        )
    kind.set("expressions", None)


def _choose_float(kind: exp.DataType) -> None:
    """`float(p)` is real or double precision, by its bits. PostgreSQL docs, "Floating-Point Types"."""
    bits = int(kind.expressions[0].name) if kind.expressions[0].name.isdigit() else 0
    if not 1 <= bits <= 53:
        bound = "at least 1 bit" if bits < 1 else "less than 54 bits"
        raise StatementError(
            f"precision for type float must be {bound}", sqlstate=SqlState.INVALID_PARAMETER_VALUE
        )
    kind.set("this", exp.DType.FLOAT if bits <= 24 else exp.DType.DOUBLE)
    kind.set("expressions", None)


def _is_word_all(node: exp.Expr) -> bool:
    is_bare = isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and not node.table
    return is_bare and str(node.this.this).upper() == "ALL" and not node.this.args.get("quoted")


@cache
def _grammar(dialect: str) -> sqlglot.Dialect:
    """PostgreSQL's grammar keeps what the client wrote, for output names and exact meaning."""
    return SourceDialect() if dialect == "postgres" else sqlglot.Dialect.get_or_raise(dialect)


def _tokenize(text: str, dialect: str) -> list[Token]:
    try:
        return tokens_of(text, _grammar(dialect))
    except TokenError:
        raise GrammarError(StatementError("syntax error at end of input", position=len(text) + 1)) from None
    except RecursionError:
        raise too_complex() from None


def _check_limits(tokens: Sequence[Token]) -> None:
    if len(tokens) > MAX_TOKENS:
        raise too_complex()
    kinds = [token.token_type for token in tokens]
    if sum(map(kinds.count, _COUNTED)) > MAX_NESTING:
        _check_nesting(kinds)
    if is_too_much_work(tokens):
        raise too_complex()


def _check_nesting(kinds: Iterable[TokenType]) -> None:
    depth = run = 0
    for kind in kinds:
        if kind in _OPENING:
            depth += 1
        elif kind in _CLOSING:
            depth -= 1
        run = run + 1 if kind in _PREFIXES else 0
        if depth > MAX_NESTING or run > MAX_NESTING:
            raise too_complex()


def _check_first_word(text: str, tokens: Sequence[Token]) -> None:
    """Refuse what is no statement of ours before sqlglot sees it.

    It logs the text of what it does not know.
    """
    words = [token.text.lower() for token in tokens[:3]]
    if not words:
        raise StatementError("syntax error at end of input", position=len(text) + 1)
    first, second = words[0], next((word for word in words[1:] if word not in ("or", "global", "local")), "")
    if first in _FOLLOWERS and second not in _FOLLOWERS[first]:
        raise AccessDenied(
            f"statement is not permitted: {first.upper()} of this kind", rule=DenialRule.STATEMENT
        )
    if first in _STATEMENT_WORDS or first in _FOLLOWERS:
        return
    if first in _REFUSED_WORDS:
        raise AccessDenied(f"statement is not permitted: {first.upper()}", rule=DenialRule.STATEMENT)
    raise GrammarError(_near(text, tokens[0].start, text[tokens[0].start : tokens[0].end + 1]))


def _check_tokens(text: str, tokens: Sequence[Token], dialect: str) -> None:
    is_postgres = dialect == "postgres"
    may_escape = "&'" in text or '&"' in text
    for token, following in pairwise(tokens):
        kind = token.token_type
        # `U&'…'` and `U&"…"`: one token in PostgreSQL; sqlglot reads the column u, an operator and a name.
        if may_escape and token.text.lower() in ("u", "u&") and _is_escape(text, token):
            raise FeatureNotSupported(
                "Unicode escapes in literals and names are not supported",
                hint="Write the characters themselves.",
                position=token.start + 1,
            )
        if kind is TokenType.STRING:
            if not token.text and text[token.start : token.end + 1] == "":
                raise GrammarError(StatementError("syntax error", position=token.start + 1))
            if following.token_type is TokenType.STRING and is_postgres:
                _check_adjacent(text, token, following)
        # What cannot stand behind a comma: both grammars of sqlglot let a list end with one.
        if kind is TokenType.COMMA and is_postgres and following.token_type in _LIST_ENDS:
            raise _near(text, following.start, text[following.start : following.end + 1])
        # In PostgreSQL's grammar `a POSITIONAL JOIN b` is an alias, in DuckDB's a kind of join. `COLUMNS(…)`
        # stands for several columns there, and for no function here.
        if is_postgres and following.token_type in _BEHIND_ENGINES and _is_engines(token, following):
            raise GrammarError(_near(text, token.start, token.text))


def _is_engines(token: Token, following: Token) -> bool:
    word = token.text.lower()
    if following.token_type is TokenType.L_PAREN:
        return word == "columns"
    return token.token_type is not TokenType.STRING and word in _DUCKDB_JOINS


def _is_escape(text: str, token: Token) -> bool:
    behind = text[token.start + 1 : token.start + 3]
    return token.text.lower() in ("u", "u&") and behind in ("&'", '&"')


def _check_adjacent(text: str, token: Token, following: Token) -> None:
    """Two string constants are one if a line break is between them, and an error if only blanks are."""
    between = text[token.end + 1 : following.start]
    if between.strip() == "" and "\n" not in between:
        raise _near(text, following.start, text[following.start : following.end + 1])


def _syntax_error(text: str, tokens: Sequence[Token], error: ParseError) -> StatementError:
    if not error.errors:
        return StatementError("syntax error")
    found = error.errors[0]
    prefix, word = found.get("start_context") or "", found.get("highlight") or ""
    start = len(prefix)
    if (found.get("description") or "").startswith("The number of provided arguments"):
        return _too_many_arguments(tokens, start)
    after = next((token for token in tokens if token.start > start), None)
    if "SENTINEL" in (found.get("description") or "") or (after is None and _expects_more(found)):
        return StatementError("syntax error at end of input", position=len(text) + 1)
    if _expects_more(found) and after is not None and word.lower() != after.text.lower():
        # sqlglot points at the last good token where something is missing; PostgreSQL at the next one.
        return _near(text, after.start, text[after.start : after.end + 1])
    return _near(text, start, word)


def _too_many_arguments(tokens: Sequence[Token], end: int) -> StatementError:
    """A known function with more arguments than any of its name takes. end: of its closing parenthesis."""
    depth, commas, name = 0, 0, None
    inside = [token for token in tokens if token.start <= end]
    for before, token in reversed(list(pairwise(inside))):
        depth += (token.token_type in _CLOSING) - (token.token_type in _OPENING)
        commas += depth == 1 and token.token_type is TokenType.COMMA
        if not depth:
            name = before
            break
    if name is None:
        return StatementError("syntax error")
    return StatementError(
        f"function {name.text.lower()} with {commas + 1} arguments does not exist",
        sqlstate=SqlState.UNDEFINED_FUNCTION,
        position=name.start + 1,
        hint=FUNCTION_HINT,
    )


def _expects_more(found: dict[str, object]) -> bool:
    return str(found.get("description", "")).startswith(("Expecting", "Expected", "Required keyword"))


def _near(text: str, start: int, word: str) -> StatementError:
    if not word:
        return StatementError("syntax error at end of input", position=len(text) + 1)
    return StatementError(f'syntax error at or near "{word}"', position=start + 1)

"""PostgreSQL's grammar as sqlglot reads it, without the steps that lose what the client wrote.

sqlglot turns many calls into a neutral class and forgets the name (`date_part`), or converts an argument on
the way (`to_char`'s pattern). Output names and exact meanings need both, so here those calls stay calls:
`exp.Anonymous` with the client's arguments. Every other function keeps its name in `meta["name"]`. sqlglot's
compiled parser cannot be subclassed; tokens are marked before it runs and the marks are taken off the tree.
"""

from collections.abc import Sequence
from itertools import pairwise, zip_longest

import sqlglot
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.tokenizer_core import Token, TokenType

from pgproxy.sql.dialect.spelled_tokens import kept_tokens, restore_unknown

NAME_KEY = "name"
"""Where a function node's `meta` holds the name that the client wrote."""

_MARK = "pgproxy_call_"
_KEPT_AS_CALLS = frozenset(
    [
        "age",
        "array_append",
        "array_cat",
        "array_length",
        "array_position",
        "array_prepend",
        "array_remove",
        "array_to_string",
        "bool_and",
        "bool_or",
        "date_add",
        "date_bin",
        "date_diff",
        "date_part",
        "date_sub",
        "date_trunc",
        "datediff",
        "datesub",
        "decode",
        "div",
        "encode",
        "every",
        "format",
        "initcap",
        "json_agg",
        "json_object_agg",
        "jsonb_agg",
        "jsonb_object_agg",
        "json_build_object",
        "jsonb_build_object",
        "make_interval",
        "regexp_replace",
        "split_part",
        "string_to_array",
        "to_char",
        "to_date",
        "to_hex",
        "to_number",
        "to_timestamp",
        "jsonb_set",
        "jsonb_insert",
        "jsonb_pretty",
        "jsonb_strip_nulls",
        "json_strip_nulls",
        "width_bucket",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "normalize",
        "chr",
        "make_date",
        "lpad",
        "rpad",
        "regexp_count",
        "regexp_instr",
        "regexp_like",
        "regexp_substr",
    ]
)
_TYPED_CONSTANTS = frozenset({"date", "time", "timestamp", "timestamptz", "timetz"})
_FIELDS = frozenset({"year", "month", "day", "hour", "minute", "second"})


_RESERVED = frozenset(
    {
        "all",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "both",
        "case",
        "cast",
        "check",
        "collate",
        "column",
        "constraint",
        "create",
        "cross",
        "default",
        "desc",
        "delete",
        "distinct",
        "do",
        "drop",
        "else",
        "end",
        "except",
        "exists",
        "false",
        "fetch",
        "for",
        "foreign",
        "from",
        "full",
        "grant",
        "group",
        "having",
        "in",
        "inner",
        "insert",
        "intersect",
        "into",
        "is",
        "join",
        "lateral",
        "left",
        "like",
        "limit",
        "natural",
        "not",
        "null",
        "offset",
        "on",
        "or",
        "order",
        "outer",
        "primary",
        "references",
        "returning",
        "right",
        "select",
        "set",
        "some",
        "table",
        "then",
        "to",
        "trailing",
        "true",
        "union",
        "unique",
        "update",
        "user",
        "using",
        "values",
        "when",
        "where",
        "window",
        "with",
    }
)
_AFTER_LABEL = frozenset({TokenType.COMMA, TokenType.FROM, TokenType.R_PAREN, TokenType.SEMICOLON})
_CATALOG_ELEMENTS = frozenset({"oid", "regclass", "regtype", "regproc", "regnamespace", "regrole", "xid"})


class SourceDialect(Postgres):
    """What clients write."""

    ORIGINAL_NAME_META_KEY = NAME_KEY


def keeps_call(name: str) -> bool:
    """Whether a call of this name stays a call, with the client's arguments."""
    return name.lower() in _KEPT_AS_CALLS


def protect_calls(tokens: Sequence[Token]) -> list[Token]:
    """Mark the calls that sqlglot would convert, so that it reads them as unknown functions."""
    protected: list[Token] = []
    add, before = protected.append, None
    for index, (token, following) in enumerate(zip_longest(tokens, tokens[1:])):
        kind, ahead = token.token_type, following.token_type if following is not None else None
        if before is TokenType.ALIAS and _is_label(token, following):
            # Any word may follow AS; sqlglot stops at a reserved one.
            protected.append(_like(token, TokenType.VAR, token.text))
        elif ahead is TokenType.L_PAREN and _is_kept(token):
            protected.append(_like(token, TokenType.VAR, _MARK + token.text))
        elif kind is TokenType.STRING:
            _protect_constant(tokens, index, protected)
        elif ahead is TokenType.L_BRACKET and _is_catalog_array(tokens, index):
            # `oid[]` does not parse, `pg_catalog.oid[]` does.
            protected += [_like(token, TokenType.VAR, "pg_catalog"), _like(token, TokenType.DOT, "."), token]
        else:
            add(token)
        before = kind
    return protected


def _is_kept(token: Token) -> bool:
    return token.text.lower() in _KEPT_AS_CALLS and token.token_type is not TokenType.IDENTIFIER


def _protect_constant(tokens: Sequence[Token], index: int, protected: list[Token]) -> None:
    """Add a string, in such a way that the words of its type before it are a cast of it."""
    token = tokens[index]
    if index and _is_interval_constant(tokens, index - 1):
        # `interval '…'` becomes `'…'::interval`: sqlglot drops what it does not know (`1 day ago`).
        word = protected.pop()
        protected += [token, _like(word, TokenType.DCOLON, "::"), word]
    elif (count := _words_of_typed_constant(tokens, index)) > 0:
        # `date '…'::text` casts the date; sqlglot would cast the string first.
        words = protected[-count:]
        del protected[-count:]
        protected += [token, _like(words[0], TokenType.DCOLON, "::"), *words]
    else:
        protected.append(token)


def _is_label(token: Token, following: Token | None) -> bool:
    """Whether a word behind AS ends an output, so that it can only be the output's name."""
    is_word = token.token_type is not TokenType.IDENTIFIER and token.text.lower() in _RESERVED
    return is_word and (following is None or following.token_type in _AFTER_LABEL)


def _is_catalog_array(tokens: Sequence[Token], index: int) -> bool:
    """Whether this is the unqualified name of a catalog type before `[]`, in a cast."""
    if tokens[index].text.lower() not in _CATALOG_ELEMENTS or index == 0:
        return False
    brackets = [token.token_type for token in tokens[index + 1 : index + 3]]
    is_cast = tokens[index - 1].token_type in (TokenType.DCOLON, TokenType.ALIAS)
    return is_cast and brackets == [TokenType.L_BRACKET, TokenType.R_BRACKET]


def _is_interval_constant(tokens: Sequence[Token], index: int) -> bool:
    if (
        tokens[index].token_type is not TokenType.INTERVAL
        or tokens[index + 1].token_type is not TokenType.STRING
    ):
        return False
    following = tokens[index + 2] if index + 2 < len(tokens) else None
    return following is None or following.text.lower() not in _FIELDS


def _words_of_typed_constant(tokens: Sequence[Token], index: int) -> int:
    """How many words before a string that is cast on name the type of the constant; 0 where none do."""
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if (
        tokens[index].token_type is not TokenType.STRING
        or following is None
        or following.token_type is not TokenType.DCOLON
    ):
        return 0
    words = [token.text.lower() for token in tokens[max(index - 4, 0) : index]]
    count = 0
    if words[-3:] in (["with", "time", "zone"], ["without", "time", "zone"]):
        count = 4 if words[:1] and words[0] in ("time", "timestamp") and len(words) == 4 else 0
    elif words[-1:] and words[-1] in _TYPED_CONSTANTS:
        count = 1
    before = tokens[index - count - 1] if index - count >= 1 else None
    is_part = before is not None and before.token_type in (TokenType.DOT, TokenType.DCOLON, TokenType.ALIAS)
    return 0 if is_part else count


def _like(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end, [])


def without_comment(tokens: list[Token]) -> list[Token]:
    """`COMMENT … IS NULL` takes a comment away as an empty one does; sqlglot knows only a string there."""
    is_comment = len(tokens) > 2 and tokens[0].text.lower() == "comment"
    if not is_comment or tokens[-1].token_type is not TokenType.NULL:
        return tokens
    return [*tokens[:-1], _like(tokens[-1], TokenType.STRING, "")]


def without_denials(tokens: list[Token]) -> list[Token]:
    """`NO MINVALUE` and the like are the defaults of a sequence; sqlglot takes NO for a value."""
    words = [token.text.lower() for token in tokens[:3]]
    if words[:1] != ["create"] or "sequence" not in words:
        return tokens
    denied = {
        place
        for place, (token, following) in enumerate(pairwise(tokens))
        if token.text.lower() == "no" and following.text.lower() in ("minvalue", "maxvalue", "cycle")
    }
    return [t for place, t in enumerate(tokens) if place not in denied and place - 1 not in denied]


def restore_calls(tree: exp.Expr) -> exp.Expr:
    """Take the marks off again, in place."""
    for call in tree.find_all(exp.Anonymous):
        if isinstance(call.this, str) and call.this.startswith(_MARK):
            call.set("this", call.this.removeprefix(_MARK))
    return tree


def parse_source(text: str) -> exp.Expr:
    """Parse one statement without the planner's limits; for tests and stored expressions.

    Raises:
        sqlglot.errors.ParseError: it does not parse.
    """
    dialect = SourceDialect()
    tokens = protect_calls(kept_tokens(dialect.tokenize(text)))
    (tree,) = dialect.parser(error_level=sqlglot.ErrorLevel.RAISE).parse(tokens, text)
    if not isinstance(tree, exp.Expr):
        raise sqlglot.errors.ParseError("no statement")
    return restore_unknown(restore_calls(tree))

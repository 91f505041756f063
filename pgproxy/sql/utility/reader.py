"""A position in a statement's tokens, and the rules of PostgreSQL's grammar that many statements share."""

from collections.abc import Callable
from typing import TypeVar

from pgproxy.sql.utility.keywords import KEYWORDS, NOT_A_COLUMN_NAME, RESERVED
from pgproxy.sql.utility.scan import Token, TokenKind, scan
from pgwire.errors import StatementError

Item = TypeVar("Item")


class TokenReader:
    """Reads the tokens of one statement from left to right. Every refusal is a 42601 with its position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = scan(text)
        self._at = 0

    @property
    def current(self) -> Token | None:
        """The token that comes next; None at the end."""
        return self.ahead(0)

    @property
    def position(self) -> int:
        """1-based position of the next token, or just behind the text."""
        return self.current.start + 1 if self.current else len(self.text) + 1

    @property
    def offset(self) -> int:
        """Where the next token starts, in characters; the text's length at the end."""
        return self.position - 1

    @property
    def previous_end(self) -> int:
        """Where the last taken token ends, in characters; 0 at the beginning."""
        return self._tokens[self._at - 1].end if self._at else 0

    def ahead(self, distance: int) -> Token | None:
        """Look at a later token."""
        return self._tokens[self._at + distance] if self._at + distance < len(self._tokens) else None

    def advance(self) -> Token:
        """Take the next token, whatever it is."""
        token = self.current
        if token is None:
            raise self.error()
        self._at += 1
        return token

    def error(self) -> StatementError:
        """The syntax error at the next token. A literal's own text is never repeated."""
        token = self.current
        if token is None:
            return StatementError("syntax error at end of input", position=self.position)
        if token.kind in {TokenKind.WORD, TokenKind.SYMBOL, TokenKind.OPERATOR}:
            return StatementError(f'syntax error at or near "{token.value}"', position=self.position)
        return StatementError("syntax error", position=self.position)

    def is_word(self, *words: str, distance: int = 0) -> bool:
        """Tell whether a token is one of these unquoted words."""
        token = self.ahead(distance)
        return token is not None and token.kind is TokenKind.WORD and token.value in words

    def is_symbol(self, symbol: str, distance: int = 0) -> bool:
        """Tell whether a token is this symbol."""
        token = self.ahead(distance)
        return token is not None and token.kind is TokenKind.SYMBOL and token.value == symbol

    def is_string(self, distance: int = 0) -> bool:
        """Tell whether a token is a string literal."""
        token = self.ahead(distance)
        return token is not None and token.kind is TokenKind.STRING

    def accept(self, *words: str) -> bool:
        """Take this sequence of words if all of it comes next."""
        if all(self.is_word(word, distance=distance) for distance, word in enumerate(words)):
            self._at += len(words)
            return True
        return False

    def accept_any(self, *words: str) -> str | None:
        """Take one of these words if it comes next."""
        return self.advance().value if self.is_word(*words) else None

    def accept_symbol(self, symbol: str) -> bool:
        """Take this symbol if it comes next."""
        if self.is_symbol(symbol):
            self._at += 1
            return True
        return False

    def expect(self, *words: str) -> None:
        """Take this sequence of words."""
        for word in words:
            if not self.accept(word):
                raise self.error()

    def expect_symbol(self, symbol: str) -> None:
        """Take this symbol."""
        if not self.accept_symbol(symbol):
            raise self.error()

    def expect_end(self) -> None:
        """Refuse what is left over."""
        if self.current is not None:
            raise self.error()

    def is_name(self, distance: int = 0) -> bool:
        """Tell whether a token is a `ColId`."""
        return self._is_identifier(self.ahead(distance), NOT_A_COLUMN_NAME)

    def is_non_reserved_word(self, distance: int = 0) -> bool:
        """Tell whether a token is a `NonReservedWord`."""
        return self._is_identifier(self.ahead(distance), RESERVED)

    def is_plain_identifier(self) -> bool:
        """Tell whether the next token is an `IDENT`: a word that is no keyword, or a quoted name."""
        return self._is_identifier(self.current, KEYWORDS)

    @staticmethod
    def _is_identifier(token: Token | None, excluded: frozenset[str]) -> bool:
        if token is None:
            return False
        return token.kind is TokenKind.QUOTED_NAME or (
            token.kind is TokenKind.WORD and token.value not in excluded
        )

    def name(self) -> str:
        """Take a `ColId`."""
        if not self.is_name():
            raise self.error()
        return self.advance().value

    def label(self) -> str:
        """Take a `ColLabel`: any word at all, or a quoted name."""
        token = self.current
        if token is None or token.kind not in {TokenKind.WORD, TokenKind.QUOTED_NAME}:
            raise self.error()
        return self.advance().value

    def string(self) -> str:
        """Take a string literal."""
        if not self.is_string():
            raise self.error()
        return self.advance().value

    def word_or_string(self) -> str:
        """Take a `NonReservedWord_or_Sconst`."""
        if self.is_string() or self.is_non_reserved_word():
            return self.advance().value
        raise self.error()

    def number_ahead(self) -> bool:
        """Tell whether a `NumericOnly` comes next."""
        distance = 1 if self.is_symbol("+") or self.is_symbol("-") else 0
        token = self.ahead(distance)
        return token is not None and token.kind in {TokenKind.INTEGER, TokenKind.FLOAT}

    def number(self) -> str:
        """Take a `NumericOnly`; a plus sign is dropped."""
        if not self.number_ahead():
            raise self.sign_then_error()
        sign = "-" if self.is_symbol("-") else ""
        if self.is_symbol("+") or self.is_symbol("-"):
            self.advance()
        return sign + self.advance().value

    def integer_ahead(self) -> bool:
        """Tell whether a `SignedIconst` comes next."""
        distance = 1 if self.is_symbol("+") or self.is_symbol("-") else 0
        token = self.ahead(distance)
        return token is not None and token.kind is TokenKind.INTEGER

    def integer(self) -> int:
        """Take a `SignedIconst`."""
        if not self.integer_ahead():
            raise self.sign_then_error()
        return int(self.number())

    def sign_then_error(self) -> StatementError:
        """The syntax error behind a sign that no number follows."""
        if self.is_symbol("+") or self.is_symbol("-"):
            self.advance()
        return self.error()

    def boolean_or_word(self) -> str:
        """Take an `opt_boolean_or_string`: TRUE, FALSE, ON, a word that is not reserved, or a string."""
        return self.accept_any("true", "false", "on") or self.word_or_string()

    def dotted_name(self) -> tuple[str, ...]:
        """Take a `qualified_name` of up to three parts."""
        position = self.position
        parts = [self.name()]
        while self.accept_symbol("."):
            parts.append(self.label())
        if len(parts) > 3:
            raise StatementError("improper qualified name (too many dotted names)", position=position)
        return tuple(parts)

    def list_of(self, item: Callable[[], Item]) -> tuple[Item, ...]:
        """Take one or more, with commas between."""
        items = [item()]
        while self.accept_symbol(","):
            items.append(item())
        return tuple(items)

    def parenthesised(self, item: Callable[[], Item]) -> tuple[Item, ...]:
        """Take `( item, … )`."""
        self.expect_symbol("(")
        items = self.list_of(item)
        self.expect_symbol(")")
        return items

    def balanced_text(self) -> str:
        """Take the text up to the comma or parenthesis that ends it at this depth; it may not be empty."""
        first = self.current
        depth = 0
        last = None
        while (token := self.current) is not None:
            if depth == 0 and token.kind is TokenKind.SYMBOL and token.value in {",", ")"}:
                break
            depth += self._depth_change(token)
            last = self.advance()
        if first is None or last is None:
            raise self.error()
        return self.text[first.start : last.end]

    @staticmethod
    def _depth_change(token: Token) -> int:
        if token.kind is not TokenKind.SYMBOL:
            return 0
        return {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.value, 0)

    def text_to_closing_parenthesis(self) -> str:
        """Take the text, commas and all, up to the parenthesis that closes what was open before it."""
        start = self.offset
        while True:
            self.balanced_text()
            end = self._tokens[self._at - 1].end
            if not self.accept_symbol(","):
                return self.text[start:end]

    def rest(self) -> str:
        """Take all that is left, from the next token to the last."""
        if self.current is None:
            raise self.error()
        start = self.current.start
        self._at = len(self._tokens)
        return self.text[start : self._tokens[-1].end]

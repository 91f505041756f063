"""ALTER SEQUENCE, of which sqlglot reads nothing. PostgreSQL docs, "ALTER SEQUENCE"; gram.y, SeqOptElem."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from pgproxy.sql.utility.reader import TokenReader
from pgwire.errors import FeatureNotSupported, StatementError

CHANGE_KEY = "pgproxy_change"
"""Key of the `meta` of an ALTER SEQUENCE's tree: the `SequenceChange`."""
_TYPES = {"smallint": "SMALLINT", "int2": "SMALLINT", "int": "INT", "integer": "INT", "int4": "INT",
          "bigint": "BIGINT", "int8": "BIGINT"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SequenceChange:
    """ALTER SEQUENCE as it is written; None: as it was.

    restart: the number of RESTART; starts_over: it has none. resets_minimum, resets_maximum: NO MINVALUE, NO
    MAXVALUE. owner: the column of OWNED BY, by its parts; empty: NONE.
    """

    type_name: str | None = None
    increment: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    resets_minimum: bool = False
    resets_maximum: bool = False
    start: int | None = None
    restart: int | None = None
    starts_over: bool = False
    is_cycled: bool | None = None
    owner: tuple[str, ...] | None = None

    @property
    def is_of_the_mark(self) -> bool:
        """Whether nothing changes but what the sequence's comment tells."""
        return replace(self, start=None, owner=None) == SequenceChange()


def parse_alter_sequence(text: str) -> exp.Alter:
    """Read one statement.

    Raises:
        StatementError: 42601, with the position.
        FeatureNotSupported: what moves or renames a sequence.
    """
    reader = TokenReader(text)
    reader.expect("alter", "sequence")
    may_be_missing = reader.accept("if", "exists")
    parts = reader.dotted_name()
    if reader.is_word("rename", "set", "owner"):
        raise FeatureNotSupported("renaming and moving sequences is not supported")
    change = SequenceChange()
    while reader.current is not None:
        change = _option(reader, change)
    if change == SequenceChange():
        raise reader.error()
    names = [exp.Identifier(this=part, quoted=True) for part in parts[-3:]]
    table = exp.Table(**dict(zip(("this", "db", "catalog"), reversed(names), strict=False)))
    tree = exp.Alter(this=table, kind="SEQUENCE", exists=may_be_missing, actions=[])
    tree.meta[CHANGE_KEY] = change
    return tree


def _option(reader: TokenReader, change: SequenceChange) -> SequenceChange:
    """Take one option. Raises: 42601; one that comes twice."""
    start = reader.position
    for words, read in _OPTIONS.items():
        if reader.accept(*words):
            found = read(reader)
            if any(getattr(change, name) not in (None, False) for name in found):
                raise StatementError("conflicting or redundant options", position=start)
            return replace(change, **found)  # type: ignore[arg-type]  # each reader gives fields of the class
    raise reader.error()


def _number(name: str, *optional: str) -> Callable[[TokenReader], dict[str, object]]:
    def read(reader: TokenReader) -> dict[str, object]:
        if optional:
            reader.accept(*optional)
        return {name: reader.integer()}

    return read


def _restart(reader: TokenReader) -> dict[str, object]:
    reader.accept("with")
    return {"restart": reader.integer()} if reader.integer_ahead() else {"starts_over": True}


def _owner(reader: TokenReader) -> dict[str, object]:
    return {"owner": () if reader.accept("none") else reader.dotted_name()}


def _type(reader: TokenReader) -> dict[str, object]:
    word = reader.advance().value
    return {"type_name": _TYPES.get(word, word)}


_OPTIONS: Mapping[tuple[str, ...], Callable[[TokenReader], dict[str, object]]] = {
    ("as",): _type,
    ("increment",): _number("increment", "by"),
    ("minvalue",): _number("minimum"),
    ("maxvalue",): _number("maximum"),
    ("no", "minvalue"): lambda _: {"resets_minimum": True},
    ("no", "maxvalue"): lambda _: {"resets_maximum": True},
    ("no", "cycle"): lambda _: {"is_cycled": False},
    ("start",): _number("start", "with"),
    ("restart",): _restart,
    ("cycle",): lambda _: {"is_cycled": True},
    ("owned", "by"): _owner,
}

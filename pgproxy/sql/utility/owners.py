"""ALTER … OWNER TO and REASSIGN OWNED. PostgreSQL docs, under these names."""

from dataclasses import dataclass
from enum import StrEnum

from pgproxy.sql.utility.admin_roles import role_list, role_name
from pgproxy.sql.utility.reader import TokenReader


class OwnedKind(StrEnum):
    """What has an owner, by the word after ALTER."""

    TABLE = "TABLE"
    VIEW = "VIEW"
    SEQUENCE = "SEQUENCE"
    SCHEMA = "SCHEMA"


@dataclass(frozen=True, slots=True)
class AlterOwner:
    """ALTER kind name OWNER TO owner. owner: as written, CURRENT_USER and the like too."""

    kind: OwnedKind
    name: tuple[str, ...]
    owner: str
    if_exists: bool = False

    @property
    def tag(self) -> str:
        """The tag of CommandComplete."""
        return f"ALTER {self.kind.value}"


@dataclass(frozen=True, slots=True)
class ReassignOwned:
    """REASSIGN OWNED BY names TO owner."""

    names: tuple[str, ...]
    owner: str

    @property
    def tag(self) -> str:
        """The tag of CommandComplete."""
        return "REASSIGN OWNED"


def parse_owner_change(reader: TokenReader) -> AlterOwner | ReassignOwned | None:
    """Parse one; None, and nothing taken, where it is none.

    Raises:
        StatementError: 42601 with its position.
    """
    if reader.accept("reassign", "owned", "by"):
        names = role_list(reader)
        reader.expect("to")
        return ReassignOwned(names, role_name(reader))
    if not _is_owner_change(reader):
        return None
    reader.expect("alter")
    kind = OwnedKind(reader.label().upper())
    if_exists = reader.accept("if", "exists")
    reader.accept("only")
    name = reader.dotted_name()
    reader.expect("owner", "to")
    return AlterOwner(kind, name, role_name(reader), if_exists)


def _is_owner_change(reader: TokenReader) -> bool:
    """Whether OWNER TO follows the name: `RENAME owner TO x` is another statement."""
    if not reader.is_word("alter") or not reader.is_word(*map(str.lower, OwnedKind), distance=1):
        return False
    at = 4 if reader.is_word("if", distance=2) and reader.is_word("exists", distance=3) else 2
    at += 1 if reader.is_word("only", distance=at) and not reader.is_word("owner", distance=at + 1) else 0
    at += 1
    while reader.is_symbol(".", at):
        at += 2
    return reader.is_word("owner", distance=at) and reader.is_word("to", distance=at + 1)

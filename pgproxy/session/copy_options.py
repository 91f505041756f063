"""COPY's options and relation, from the utility statement to what plans and codecs take."""

from collections.abc import Sequence

from pgproxy.sql.utility import statements as u
from pgwire.copy import CopyOptions, CopyOptionValue, read_copy_options


def copy_options(statement: u.CopyTo | u.CopyFrom) -> CopyOptions:
    """Check a statement's options.

    Raises:
        GatewayError: 42601, 22023 or 0A000, in PostgreSQL's words.
    """
    values = [CopyOptionValue(option.name, option.value, option.position) for option in statement.options]
    return read_copy_options(values, is_from=isinstance(statement, u.CopyFrom))


def quoted_name(parts: Sequence[str]) -> str:
    """Spell a name that was already folded, so that the planner reads exactly it."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def quoted_list(names: Sequence[str]) -> str:
    """Spell a list of columns."""
    return ", ".join(quoted_name((name,)) for name in names)

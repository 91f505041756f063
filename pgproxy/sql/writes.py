"""INSERT, UPDATE and DELETE with PostgreSQL's row security semantics."""

from typing import TYPE_CHECKING

from sqlglot import exp

from pgproxy.sql.draft import Draft
from pgwire.errors import FeatureNotSupported

if TYPE_CHECKING:
    from pgproxy.sql.secure import Securing


def secure_write(draft: Draft, tree: exp.Expr, securing: "Securing") -> exp.Expr:
    """Secure one write."""
    raise FeatureNotSupported("writes are not supported")

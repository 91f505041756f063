"""Arrow record batch → one buffer of DataRow messages, vectorised."""

from pgwire.rows.encoder import EncodedRows, RowEncoder

__all__ = ["EncodedRows", "RowEncoder"]

"""Arrow record batch → one buffer of DataRow messages.

In the compiled kernel where it was built, else vectorised in pyarrow.
"""

from pgwire.rows.compiled import KERNEL
from pgwire.rows.encoder import RowEncoder
from pgwire.rows.message import EncodedRows

__all__ = ["KERNEL", "EncodedRows", "RowEncoder"]

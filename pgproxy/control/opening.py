"""Choose the metastore by its URL."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.control.postgres import open_postgres_metastore
from pgproxy.control.sqlite import open_sqlite_metastore


def open_metastore(
    url: str, *, secret_key_file: Path | None = None
) -> AbstractAsyncContextManager[Metastore]:
    """Open `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://…`, and migrate it.

    secret_key_file: None: `<file>.key` next to the database, made with mode 0600 where it does not exist;
    a PostgreSQL metastore needs one.

    Raises:
        MetastoreError: an unknown scheme; on entering: a newer schema, an unreadable file, a key that does
        not fit.
    """
    if url.startswith(("postgresql://", "postgres://")):
        return open_postgres_metastore(url, secret_key_file)
    scheme, separator, path = url.partition(":///")
    if scheme != "sqlite" or not separator or not path:
        raise MetastoreError("METASTORE_URL must be sqlite:///PATH or postgresql://…")
    return open_sqlite_metastore(Path(path), secret_key_file)

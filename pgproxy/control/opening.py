"""Choose the metastore by its URL."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.control.sqlite import open_sqlite_metastore


def open_metastore(
    url: str, *, secret_key_file: Path | None = None
) -> AbstractAsyncContextManager[Metastore]:
    """Open `sqlite:///relative/path` or `sqlite:////absolute/path`, migrated to this program's schema.

    secret_key_file: None: `<file>.key` next to the database, made with mode 0600 where it does not exist.

    Raises:
        MetastoreError: an unknown scheme; on entering: a newer schema, an unreadable file, a key that does
        not fit.
    """
    scheme, separator, path = url.partition(":///")
    if scheme != "sqlite" or not separator or not path:
        raise MetastoreError("METASTORE_URL must be sqlite:///PATH")
    return open_sqlite_metastore(Path(path), secret_key_file)

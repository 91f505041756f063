"""The control plane: who exists, who may see what, where statements run, and the history of all of it."""

from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.control.opening import open_metastore

__all__ = ["Metastore", "MetastoreError", "open_metastore"]

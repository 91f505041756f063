"""The compiled row kernel. The module is absent where the package was built without a compiler."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pgwire.rows.lines import Line
from pgwire.rows.plans import ColumnPlan

REVISION: int

class OutOfRange(Exception):
    """A value does not fit its column's declared integer type. args: the column's number."""

class TooLarge(Exception):
    """The rows are more than the caller's limit together."""

class RowKernel:
    """The writers of one result's columns. Safe to use from several threads at once."""

    def __init__(
        self, plans: tuple[ColumnPlan, ...], tag: int, max_bytes: int, line: Line | None = None
    ) -> None: ...
    def encode(
        self,
        batch: pa.RecordBatch,
        rendered: tuple[tuple[int, int, int], ...],
        offsets: npt.NDArray[np.int32],
    ) -> memoryview: ...

"""Rows through the compiled kernel: plans per schema, what is rendered first, and its errors in our words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pgwire.rows.cells import Mask, join
from pgwire.rows.codecs import Encode
from pgwire.rows.lines import DATA_ROW, Layout
from pgwire.rows.message import MAX_ENCODED_BYTES, EncodedRows, rows_too_large
from pgwire.rows.plans import RENDERED, ColumnPlan, column_plan
from pgwire.types import OutputSettings, ResultColumn

_REVISION = 3
"""Of what plans and lines ask of the kernel. One that was built from other sources would misread them."""

try:
    from pgwire.rows._kernel import REVISION, OutOfRange, RowKernel, TooLarge
except ImportError:
    KERNEL = "pyarrow"
else:
    KERNEL = "cython" if REVISION == _REVISION else "pyarrow"


class CompiledRows:
    """Encodes batches of one result through the kernel."""

    def __init__(
        self,
        columns: Sequence[ResultColumn],
        formats: Sequence[int],
        output: OutputSettings,
        encoders: Sequence[Encode],
        layout: Layout = DATA_ROW,
    ) -> None:
        """Keep what is planned from once the first batch tells its schema.

        encoders: the pyarrow path's, for the columns that the kernel has no writer for.
        """
        self._columns = tuple(zip(columns, formats, strict=True))
        self._output = output
        self._encoders = tuple(encoders)
        self._layout = layout
        self._planned: _Planned | None = None

    def encode(self, batch: pa.RecordBatch) -> EncodedRows:
        """Encode all rows of one batch.

        Raises:
            StatementError: as `RowEncoder.encode`.
        """
        planned = self._plan(batch.schema)
        rendered = [self._render(place, batch) for place in planned.rendered]
        addresses = tuple([column.addresses for column in rendered])
        offsets = np.empty(batch.num_rows + 1, np.int32)
        try:
            data = planned.kernel.encode(batch, addresses, offsets)
        except OutOfRange as error:
            place = error.args[0]
            self._encoders[place](batch.column(place))  # raises with the type's name
            raise
        except TooLarge as error:
            raise rows_too_large() from error
        return EncodedRows(data, batch.num_rows, offsets)

    def _plan(self, schema: pa.Schema) -> "_Planned":
        """Plan anew if the schema is another; a result's batches have one."""
        planned = self._planned
        if planned is None or not planned.schema.equals(schema):
            plans = tuple(
                [
                    column_plan(column, code, self._output, kind)
                    for (column, code), kind in zip(self._columns, schema.types, strict=True)
                ]
            )
            rendered = tuple([place for place, plan in enumerate(plans) if plan is RENDERED])
            kernel = _kernel(plans, self._layout)
            planned = self._planned = _Planned(schema, kernel, rendered)
        return planned

    def _render(self, place: int, batch: pa.RecordBatch) -> "_Rendered":
        cells = self._encoders[place](batch.column(place))
        joined = join(cells.pieces, batch.num_rows)
        mask = None if cells.valid is None else np.ascontiguousarray(cells.valid)
        _, offsets, data = joined.buffers()
        return _Rendered(
            (joined, mask),
            (
                offsets.address + joined.offset * 4 if offsets is not None else 0,
                data.address if data is not None else 0,
                mask.ctypes.data if mask is not None else 0,
            ),
        )


def _kernel(plans: tuple[ColumnPlan, ...], layout: Layout) -> "RowKernel":
    if layout.line is None:
        return RowKernel(plans, layout.tag, MAX_ENCODED_BYTES)
    return RowKernel(plans, layout.tag, MAX_ENCODED_BYTES, layout.line)


def compiled_rows(
    columns: Sequence[ResultColumn],
    formats: Sequence[int],
    output: OutputSettings,
    encoders: Sequence[Encode],
    layout: Layout = DATA_ROW,
) -> CompiledRows | None:
    """Give an encoder through the kernel, or None where it was not built."""
    if KERNEL == "pyarrow":
        return None
    return CompiledRows(columns, formats, output, encoders, layout)


@dataclass(frozen=True, slots=True)
class _Planned:
    """rendered: the places of the columns that the pyarrow path renders."""

    schema: pa.Schema
    kernel: "RowKernel"
    rendered: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Rendered:
    """kept: what the addresses point into."""

    kept: tuple[Any, Mask | None]
    addresses: tuple[int, int, int]

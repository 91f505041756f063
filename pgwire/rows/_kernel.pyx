"""Arrow batch → rows on the wire, in one pass over the batch and without the GIL.

A column's `ColumnPlan` says once how its values are stored and written. A batch is read through the Arrow C
data interface; columns that the kernel has no writer for come rendered by the pyarrow path and are copied.
The rows' bytes are bounded before the first is written, so that no cell asks whether there is room.
"""

cimport cython
from cpython.buffer cimport (
    PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport int32_t, int64_t, uint8_t, uintptr_t
from libc.stdlib cimport calloc, free, getenv, malloc
from libc.string cimport memcpy

from pgwire.rows._arrow cimport *
from pgwire.rows._constant cimport constant_row_bytes, write_constant_rows
from pgwire.rows._lists cimport list_start, put_item_quotes
from pgwire.rows._lines cimport Line, bound_of_lines, write_lines
from pgwire.rows._rows cimport TOO_LARGE, bound_of, column_bound, write_rows
from pgwire.rows._values cimport is_null, place_of, write_value

cdef const char* _wish = getenv("PGWIRE_PURE")
if _wish != NULL and bytes(_wish) not in {b"", b"0"}:
    raise ImportError("PGWIRE_PURE asks for the pyarrow path")

REVISION = 3  # as in `pgwire.rows.compiled`

class OutOfRange(Exception):
    """A value does not fit its column's declared integer type. args: the column's number."""


class TooLarge(Exception):
    """The rows are more than the caller's limit together."""


cdef enum:
    KEPT_BLOCKS = 8
    MAX_KEPT_BYTES = 8 << 20
    # What is written in a few microseconds: less than another thread takes to give the GIL back.
    MOST_SHORT_CELLS = 128
    MOST_SHORT_BYTES = 16 << 10


cdef class _Blocks:
    """Memory that one result's buffers hand on: fresh pages cost as much as the rows that fill them.

    Touched only with the GIL held.
    """

    cdef void* _blocks[KEPT_BLOCKS]
    cdef int64_t _sizes[KEPT_BLOCKS]
    cdef int _count

    cdef void* take(self, int64_t size, int64_t* given) noexcept:
        """Give a block of at least `size` bytes, or NULL."""
        given[0] = size
        while self._count:
            self._count -= 1
            if self._sizes[self._count] >= size:
                given[0] = self._sizes[self._count]
                return self._blocks[self._count]
            free(self._blocks[self._count])
        return malloc(size)

    cdef void give_back(self, void* block, int64_t size) noexcept:
        if self._count == KEPT_BLOCKS or size > MAX_KEPT_BYTES:
            free(block)
            return
        self._blocks[self._count] = block
        self._sizes[self._count] = size
        self._count += 1

    def __dealloc__(self):
        while self._count:
            self._count -= 1
            free(self._blocks[self._count])


@cython.no_gc  # it refers to nothing that could refer back; a collector that cleared _blocks first would crash
cdef class RowBuffer:
    """Rows in memory that Python reads through the buffer protocol."""

    cdef uint8_t* _data
    cdef Py_ssize_t _size
    cdef int64_t _capacity
    cdef _Blocks _blocks

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self._data, self._size, 1, flags)

    def __dealloc__(self):
        if self._data != NULL:
            self._blocks.give_back(self._data, self._capacity)


cdef class RowKernel:
    """The writers of one result's columns. Safe to use from several threads at once."""

    cdef Column* _plan
    cdef int _count
    cdef int _total  # with the columns of lists' items, which stand behind the batch's own
    cdef uint8_t _tag
    cdef bint _has_lines
    cdef Line _line
    cdef int64_t _max_bytes
    cdef tuple _kept
    cdef _Blocks _blocks

    def __cinit__(self, tuple plans, int tag, int64_t max_bytes, line=None):
        self._count = len(plans)
        self._tag = <uint8_t>tag
        self._max_bytes = max_bytes
        self._kept = (plans, line)
        self._blocks = _Blocks.__new__(_Blocks)
        self._total = self._count + sum([_depth(plan) for plan in plans])
        self._plan = <Column*>calloc(max(self._total, 1), sizeof(Column))
        if self._plan == NULL:
            raise MemoryError
        cdef int next_item = self._count
        for place in range(self._count):
            next_item = _read_plans(self._plan, place, plans[place], next_item)
        self._has_lines = line is not None
        if self._has_lines:
            self._read_line(line)

    cdef int _read_line(self, line) except -1:
        cdef bytes null = line.null
        if len(line.checks) != self._count:
            raise ValueError("the line has another number of columns")
        self._line.is_framed, self._line.is_csv = line.is_framed, line.is_csv
        self._line.delimiter, self._line.quote = line.delimiter, line.quote
        self._line.escape = line.escape
        self._line.null, self._line.null_size = null, len(null)  # the line keeps these bytes alive
        for place in range(self._count):
            self._plan[place].check = line.checks[place]
        return 0

    def __dealloc__(self):
        free(self._plan)

    def encode(self, batch, tuple rendered, offsets):
        """Write all rows of a batch.

        rendered: for each column that has Form.RENDERED, in order: the addresses of a binary array's 32-bit
            offsets (at its first row) and bytes, and of a byte a row that is 0 where NULL, or 0.
        offsets: room for row_count + 1 int32: where each row begins, and the end.

        Raises:
            OutOfRange, TooLarge, MemoryError.
        """
        cdef ArrowArray array
        cdef Py_buffer view
        batch._export_to_c(<uintptr_t>&array)
        try:
            if array.n_children != self._count:
                raise ValueError("the batch has another number of columns")
            PyObject_GetBuffer(offsets, &view, PyBUF_SIMPLE | PyBUF_WRITABLE)
            try:
                if view.len < (array.length + 1) * 4:
                    raise ValueError("there is no room for the rows' offsets")
                return self._encode(&array, rendered, <int32_t*>view.buf)
            finally:
                PyBuffer_Release(&view)
        finally:
            if array.release != NULL:
                array.release(&array)

    cdef object _encode(self, ArrowArray* array, tuple rendered, int32_t* offsets):
        cdef Column* columns = <Column*>malloc(max(self._total, 1) * sizeof(Column))
        cdef RowBuffer buffer = RowBuffer.__new__(RowBuffer)
        cdef int64_t bound
        cdef int problem = 0
        cdef bint is_short
        cdef uint8_t* end
        if columns == NULL:
            raise MemoryError
        try:
            memcpy(columns, self._plan, self._total * sizeof(Column))
            _attach(columns, self._count, array, rendered)
            is_short = array.length * self._count <= MOST_SHORT_CELLS and self._total == self._count
            if is_short:
                bound = self._bound(columns, array.length)
            else:
                with nogil:
                    bound = self._bound(columns, array.length)
            buffer._blocks = self._blocks
            buffer._data = <uint8_t*>self._blocks.take(bound, &buffer._capacity)
            if buffer._data == NULL:
                raise MemoryError
            if is_short and bound <= MOST_SHORT_BYTES:
                end = self._write(columns, array.length, buffer._data, offsets, &problem)
            else:
                with nogil:
                    end = self._write(columns, array.length, buffer._data, offsets, &problem)
        finally:
            free(columns)
        if end == NULL:
            raise TooLarge() if problem == TOO_LARGE else OutOfRange(problem)
        buffer._size = end - buffer._data
        return memoryview(buffer)


    cdef int64_t _bound(self, const Column* columns, int64_t row_count) noexcept nogil:
        if self._has_lines:
            return bound_of_lines(columns, self._count, row_count, &self._line)
        return bound_of(columns, self._count, row_count)

    cdef uint8_t* _write(
        self, const Column* columns, int64_t row_count, uint8_t* out, int32_t* offsets, int* problem
    ) noexcept nogil:
        if self._has_lines:
            return write_lines(
                columns, self._count, row_count, &self._line, self._max_bytes, out, offsets, problem
            )
        cdef int row_bytes = constant_row_bytes(columns, self._count)
        if row_bytes and row_bytes * row_count <= self._max_bytes:
            return write_constant_rows(
                columns, self._count, row_bytes, row_count, self._tag, out, offsets, problem
            )
        return write_rows(
            columns, self._count, row_count, self._tag, self._max_bytes, out, offsets, problem
        )


def _depth(plan):
    return 0 if plan.item is None else 1 + _depth(plan.item)


cdef int _read_plans(Column* columns, int place, plan, int next_item) except -1:
    """Read a column's plan, and those of its items from `next_item` on. Gives where the next ones go."""
    _read_plan(&columns[place], plan)
    if plan.item is None:
        return next_item
    columns[place].item_at = next_item
    columns[place].quotes_items = plan.quotes_items
    columns[place].put_list, columns[place].bound_list = _put_list, _bound_list
    return _read_plans(columns, next_item, plan.item, next_item + 1)


cdef int _read_plan(Column* column, plan) except -1:
    cdef Py_buffer view
    column.form = plan.form
    column.storage = plan.storage
    column.low, column.high = plan.low, plan.high
    column.scale = plan.scale
    column.trims_zeros = plan.trims_zeros
    column.micros_per_unit = plan.micros_per_unit
    column.is_dictionary = plan.index_storage is not None
    if column.is_dictionary:
        column.index_storage = plan.index_storage
    if plan.zone is not None:
        # The plan keeps these arrays alive, and nobody writes to them.
        PyObject_GetBuffer(plan.zone.transitions_s, &view, PyBUF_SIMPLE)
        column.transitions_s = <const int64_t*>view.buf
        column.transition_count = view.len // 8
        PyBuffer_Release(&view)
        PyObject_GetBuffer(plan.zone.offsets_s, &view, PyBUF_SIMPLE)
        column.offsets_s = <const int64_t*>view.buf
        PyBuffer_Release(&view)
    return 0


cdef int _attach(Column* columns, int count, ArrowArray* batch, tuple rendered) except -1:
    """Point the columns at a batch's buffers."""
    cdef int place, at = 0
    cdef ArrowArray* child
    for place in range(count):
        if columns[place].form == RENDERED:
            columns[place].storage = OFFSETS32
            columns[place].values = <const void*><uintptr_t>rendered[at][0]
            columns[place].data = <const uint8_t*><uintptr_t>rendered[at][1]
            columns[place].mask = <const uint8_t*><uintptr_t>rendered[at][2]
            columns[place].is_plain = columns[place].mask == NULL
            at += 1
            continue
        child = batch.children[place]
        _attach_array(columns, place, child, child.offset + batch.offset)
    return 0


cdef void _attach_array(Column* columns, int place, ArrowArray* array, int64_t offset) noexcept:
    cdef Column* column = &columns[place]
    column.offset = offset
    if array.null_count != 0:
        column.bitmap = <const uint8_t*>array.buffers[0]
    if column.is_dictionary:
        column.indices = array.buffers[1]
        array = array.dictionary
        column.dictionary_offset = array.offset
        if array.null_count != 0:
            column.dictionary_bitmap = <const uint8_t*>array.buffers[0]
    column.is_plain = column.bitmap == NULL and not column.is_dictionary
    if column.form == LIST_TEXT:
        if column.storage != FIXED:
            column.values = array.buffers[1]
        column.item = &columns[column.item_at]
        _attach_array(columns, column.item_at, array.children[0], array.children[0].offset)
    else:
        _attach_values(column, array)


cdef void _attach_values(Column* column, ArrowArray* array) noexcept:
    column.values = array.buffers[1]
    if column.storage == VIEWS:
        column.variadic = <const void* const*>(array.buffers + 2)
    elif column.storage == OFFSETS32 or column.storage == OFFSETS64:
        column.data = <const uint8_t*>array.buffers[2]


cdef int64_t _bound_list(const Column* column, int64_t row_count) noexcept nogil:
    """Braces around each list; each item doubled and quoted, or NULL; a comma."""
    cdef Column item
    cdef int64_t first, count
    if row_count == 0:
        return 0
    first = list_start(column, column.offset)
    count = list_start(column, column.offset + row_count) - first
    item = column.item[0]
    item.offset += first
    return 2 * row_count + 7 * count + 2 * column_bound(&item, count)


cdef uint8_t* _put_list(const Column* column, int64_t place, uint8_t* out) noexcept nogil:
    cdef const Column* item = column.item
    cdef int64_t at = list_start(column, place), last = list_start(column, place + 1)
    cdef uint8_t* end
    out[0] = 123
    out += 1
    while at < last:
        if is_null(item, at):
            memcpy(out, b"NULL", 4)
            out += 4
        else:
            end = write_value(item, place_of(item, at), out)
            if end == NULL:
                return NULL
            out = put_item_quotes(out, end) if column.quotes_items else end
        at += 1
        if at < last:
            out[0] = 44
            out += 1
    out[0] = 125
    return out + 1

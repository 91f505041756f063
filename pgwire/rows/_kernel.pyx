"""Arrow batch → rows on the wire, in one pass over the batch and without the GIL.

A column's `ColumnPlan` says once how its values are stored and written. A batch is read through the Arrow C
data interface; columns that the kernel has no writer for come rendered by the pyarrow path and are copied.
The rows' bytes are bounded before the first is written, so that no cell asks whether there is room.
"""

cimport cython
from cpython.buffer cimport (
    PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, getenv, malloc
from libc.string cimport memcpy

from pgwire.rows._arrow cimport *
from pgwire.rows._calendar cimport (
    EPOCH_DAYS, DAY_US, INFINITE, put_date_text, put_time, put_timestamp, put_timestamptz,
)
from pgwire.rows._digits cimport put_signed, store_16, store_32, store_64
from pgwire.rows._floats cimport put_float
from pgwire.rows._numeric cimport put_numeric, put_numeric_binary
from pgwire.rows._storage cimport is_set, read_bytes, read_integer, read_micros, read_wide
from pgwire.rows._strings cimport put_bytea, put_uuid

cdef const char* _wish = getenv("PGWIRE_PURE")
if _wish != NULL and bytes(_wish) not in {b"", b"0"}:
    raise ImportError("PGWIRE_PURE asks for the pyarrow path")

cdef enum:
    TOO_LARGE = -1  # else the number of the column that does not fit


class OutOfRange(Exception):
    """A value does not fit its column's declared integer type. args: the column's number."""


class TooLarge(Exception):
    """The rows are more than the caller's limit together."""


cdef enum:
    KEPT_BLOCKS = 8
    MAX_KEPT_BYTES = 8 << 20


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
    cdef uint8_t _tag
    cdef int64_t _max_bytes
    cdef tuple _kept
    cdef _Blocks _blocks

    def __cinit__(self, tuple plans, int tag, int64_t max_bytes):
        self._count = len(plans)
        self._tag = <uint8_t>tag
        self._max_bytes = max_bytes
        self._kept = plans
        self._blocks = _Blocks.__new__(_Blocks)
        self._plan = <Column*>calloc(max(self._count, 1), sizeof(Column))
        if self._plan == NULL:
            raise MemoryError
        for place in range(self._count):
            _read_plan(&self._plan[place], plans[place])

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
        cdef Column* columns = <Column*>malloc(max(self._count, 1) * sizeof(Column))
        cdef RowBuffer buffer = RowBuffer.__new__(RowBuffer)
        cdef int64_t bound
        cdef int problem = 0
        cdef uint8_t* end
        if columns == NULL:
            raise MemoryError
        try:
            memcpy(columns, self._plan, self._count * sizeof(Column))
            _attach(columns, self._count, array, rendered)
            with nogil:
                bound = _bound(columns, self._count, array.length)
            buffer._blocks = self._blocks
            buffer._data = <uint8_t*>self._blocks.take(bound, &buffer._capacity)
            if buffer._data == NULL:
                raise MemoryError
            with nogil:
                end = _write_rows(
                    columns, self._count, array.length, self._tag, self._max_bytes, buffer._data, offsets,
                    &problem,
                )
        finally:
            free(columns)
        if end == NULL:
            raise TooLarge() if problem == TOO_LARGE else OutOfRange(problem)
        buffer._size = end - buffer._data
        return memoryview(buffer)


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
        columns[place].offset = child.offset + batch.offset
        if child.null_count != 0:
            columns[place].bitmap = <const uint8_t*>child.buffers[0]
        if columns[place].is_dictionary:
            columns[place].indices = child.buffers[1]
            child = child.dictionary
            columns[place].dictionary_offset = child.offset
            if child.null_count != 0:
                columns[place].dictionary_bitmap = <const uint8_t*>child.buffers[0]
        _attach_values(&columns[place], child)
        columns[place].is_plain = columns[place].bitmap == NULL and not columns[place].is_dictionary
    return 0


cdef void _attach_values(Column* column, ArrowArray* array) noexcept:
    column.values = array.buffers[1]
    if column.storage == VIEWS:
        column.variadic = <const void* const*>(array.buffers + 2)
    elif column.storage == OFFSETS32 or column.storage == OFFSETS64:
        column.data = <const uint8_t*>array.buffers[2]


cdef inline bint _is_null(const Column* column, int64_t row) noexcept nogil:
    if column.bitmap != NULL and not is_set(column.bitmap, column.offset + row):
        return True
    if column.mask != NULL and not column.mask[row]:
        return True
    if column.dictionary_bitmap != NULL:
        return not is_set(column.dictionary_bitmap, _place(column, row))
    return False


cdef inline int64_t _place(const Column* column, int64_t row) noexcept nogil:
    """Where a row's value stands."""
    if column.is_dictionary:
        row = read_integer(column.index_storage, column.indices, column.offset + row)
        return column.dictionary_offset + row
    return column.offset + row


cdef int64_t _bound(const Column* columns, int count, int64_t row_count) noexcept nogil:
    """How many bytes the rows can have at most."""
    cdef int64_t total = 16 + row_count * (7 + 4 * count)
    cdef int place
    for place in range(count):
        total += _column_bound(&columns[place], row_count)
    return total


cdef int64_t _column_bound(const Column* column, int64_t row_count) noexcept nogil:
    cdef Form form = column.form
    cdef int64_t total = 0, row, size = 0
    if form == RENDERED or form == BYTES or form == BYTEA_HEX or form == JSONB_BINARY:
        if row_count == 0:
            return 0
        if column.storage == OFFSETS32 and not column.is_dictionary:
            total = (<const int32_t*>column.values)[column.offset + row_count]
            total -= (<const int32_t*>column.values)[column.offset]
        elif column.storage == FIXED and not column.is_dictionary:
            total = column.scale * row_count
        else:
            for row in range(row_count):
                if not _is_null(column, row):
                    read_bytes(column, _place(column, row), &size)
                    total += size
        return total * 2 + 2 * row_count if form == BYTEA_HEX else total + row_count
    if form == NUMERIC_TEXT or form == TIMESTAMP_TEXT or form == TIMESTAMPTZ_TEXT:
        return 64 * row_count
    if form == INTEGER_TEXT:
        return 20 * row_count
    if form == UUID_TEXT or form == NUMERIC_BINARY or form == FLOAT4_TEXT or form == FLOAT8_TEXT:
        return 36 * row_count
    return 16 * row_count


cdef uint8_t* _write_rows(
    const Column* columns, int count, int64_t row_count, uint8_t tag, int64_t max_bytes, uint8_t* out,
    int32_t* offsets, int* problem,
) noexcept nogil:
    """Write messages of a tag, their length, the number of columns, and each value after its length."""
    cdef const uint8_t* base = out
    cdef uint8_t* start
    cdef uint8_t* end
    cdef const Column* column
    cdef int64_t row, at
    cdef int place
    offsets[0] = 0
    for row in range(row_count):
        start = out
        start[0] = tag
        out = store_16(start + 5, <uint16_t>count)
        for place in range(count):
            column = &columns[place]
            at = column.offset + row
            if not column.is_plain:
                if _is_null(column, row):
                    out = store_32(out, 0xFFFFFFFF)
                    continue
                at = _place(column, row)
            end = _write_value(column, at, out + 4)
            if end == NULL:
                problem[0] = place
                return NULL
            store_32(out, <uint32_t>(end - out - 4))
            out = end
        store_32(start + 1, <uint32_t>(out - start - 1))
        if out - base > max_bytes:
            problem[0] = TOO_LARGE
            return NULL
        offsets[row + 1] = <int32_t>(out - base)
    return out


cdef inline uint8_t* _write_value(const Column* column, int64_t place, uint8_t* out) noexcept nogil:
    """Write one value. Gives its end, or NULL where it does not fit the declared type."""
    cdef Form form = column.form
    cdef const uint8_t* value
    cdef int64_t size = 0
    if form == INTEGER_TEXT or form == INT2_BINARY or form == INT4_BINARY or form == INT8_BINARY:
        return _write_integer(column, read_integer(column.storage, column.values, place), out)
    elif form == BYTES or form == RENDERED:
        value = read_bytes(column, place, &size)
        memcpy(out, value, size)
        return out + size
    elif form == NUMERIC_TEXT:
        return put_numeric(
            out, read_wide(column.storage, column.values, place), column.scale, column.trims_zeros
        )
    elif form == NUMERIC_BINARY:
        return put_numeric_binary(out, read_wide(column.storage, column.values, place), column.scale)
    elif form == DATE_TEXT:
        return put_date_text(out, (<const int32_t*>column.values)[place])
    elif form == DATE_BINARY:
        return _put_date_binary(out, (<const int32_t*>column.values)[place])
    elif form == TIMESTAMP_TEXT:
        return put_timestamp(out, read_micros(column, place))
    elif form == TIMESTAMPTZ_TEXT:
        return put_timestamptz(out, read_micros(column, place), column)
    elif form == TIMESTAMP_BINARY:
        return _put_timestamp_binary(out, read_micros(column, place))
    elif form == TIME_TEXT:
        return put_time(out, <uint64_t>read_micros(column, place))
    elif form == TIME_BINARY:
        return store_64(out, <uint64_t>read_micros(column, place))
    elif form == BOOL_TEXT:
        out[0] = 116 if _read_bool(column, place) else 102
        return out + 1
    elif form == BOOL_BINARY:
        out[0] = _read_bool(column, place)
        return out + 1
    elif form == FLOAT8_TEXT:
        return put_float(out, _read_float(column, place), False)
    elif form == FLOAT4_TEXT:
        return put_float(out, _read_float(column, place), True)
    elif form == FLOAT8_BINARY:
        return _put_float8_binary(out, _read_float(column, place))
    elif form == FLOAT4_BINARY:
        return store_32(out, (<const uint32_t*>column.values)[place])
    value = read_bytes(column, place, &size)
    if form == BYTEA_HEX:
        return put_bytea(out, value, size)
    elif form == UUID_TEXT:
        return put_uuid(out, value)
    out[0] = 1  # JSONB_BINARY: its version
    memcpy(out + 1, value, size)
    return out + 1 + size


cdef inline uint8_t* _write_integer(const Column* column, int64_t value, uint8_t* out) noexcept nogil:
    if value < column.low or value > column.high:
        return NULL
    if column.form == INTEGER_TEXT:
        return put_signed(out, value)
    elif column.form == INT8_BINARY:
        return store_64(out, <uint64_t>value)
    elif column.form == INT4_BINARY:
        return store_32(out, <uint32_t>value)
    return store_16(out, <uint16_t>value)


cdef inline bint _read_bool(const Column* column, int64_t place) noexcept nogil:
    if column.storage == BITS:
        return is_set(<const uint8_t*>column.values, place)
    return (<const uint8_t*>column.values)[place] != 0


cdef inline double _read_float(const Column* column, int64_t place) noexcept nogil:
    if column.storage == FLOAT:
        return (<const float*>column.values)[place]
    return (<const double*>column.values)[place]


cdef inline uint8_t* _put_float8_binary(uint8_t* out, double value) noexcept nogil:
    cdef uint64_t bits
    memcpy(&bits, &value, 8)
    return store_64(out, bits)


cdef inline uint8_t* _put_date_binary(uint8_t* out, int32_t days) noexcept nogil:
    """Days since 2000-01-01; the greatest and the smallest int4 are infinity and -infinity."""
    if days == 2147483647:
        return store_32(out, 0x7FFFFFFF)
    if days <= -2147483647:
        return store_32(out, 0x80000000)
    return store_32(out, <uint32_t>days - EPOCH_DAYS)


cdef inline uint8_t* _put_timestamp_binary(uint8_t* out, int64_t micros) noexcept nogil:
    """Microseconds since 2000-01-01, infinities likewise."""
    if micros == INFINITE:
        return store_64(out, <uint64_t>micros)
    if micros <= -INFINITE:
        return store_64(out, <uint64_t>1 << 63)
    return store_64(out, <uint64_t>micros - <uint64_t>(EPOCH_DAYS * DAY_US))

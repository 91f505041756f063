"""Rows that all have one width, as of numbers and dates without NULLs in binary: column by column.

A row's constant bytes are laid out once and copied; then each column's values are put in their places, some
hundred rows at a time, which stay in the nearest cache.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from pgwire.rows._arrow cimport *
from pgwire.rows._digits cimport store_16, store_32, store_64
from pgwire.rows._strings cimport copy_bytes
from pgwire.rows._values cimport write_value

cdef enum:
    MAX_ROW_BYTES = 256
    BLOCK_ROWS = 128


cdef inline int constant_row_bytes(const Column* columns, int count) noexcept nogil:
    """Give the bytes of every row, or 0 where they may differ or are many."""
    cdef int place, size, total = 7
    for place in range(count):
        size = _constant_bytes(&columns[place])
        if size == 0:
            return 0
        total += 4 + size
        if total > MAX_ROW_BYTES:
            return 0
    return total


cdef inline int _constant_bytes(const Column* column) noexcept nogil:
    cdef Form form = column.form
    if not column.is_plain:
        return 0
    if form == INT8_BINARY or form == FLOAT8_BINARY or form == TIMESTAMP_BINARY or form == TIME_BINARY:
        return 8
    if form == INT4_BINARY or form == FLOAT4_BINARY or form == DATE_BINARY:
        return 4
    if form == INT2_BINARY:
        return 2
    return form == BOOL_BINARY


cdef inline uint8_t* write_constant_rows(
    const Column* columns, int count, int row_bytes, int64_t row_count, uint8_t tag, uint8_t* out,
    int32_t* offsets, int* problem,
) noexcept nogil:
    """Write as `write_rows` does. Gives the end, or NULL where the column `problem` has a value out of range."""
    cdef uint8_t row[MAX_ROW_BYTES]
    cdef int64_t start = 0, at, size
    cdef int place
    cdef uint8_t* value
    _lay_out(columns, count, row_bytes, tag, row)
    while start < row_count:
        size = min(row_count - start, <int64_t>BLOCK_ROWS)
        for at in range(size):
            copy_bytes(out + at * row_bytes, row, row_bytes)
            offsets[start + at] = <int32_t>((start + at) * row_bytes)
        value = out + 7
        for place in range(count):
            if not _put_column(&columns[place], start, size, row_bytes, value + 4):
                problem[0] = place
                return NULL
            value += 4 + _constant_bytes(&columns[place])
        out += size * row_bytes
        start += size
    offsets[row_count] = <int32_t>(row_count * row_bytes)
    return out


cdef inline void _lay_out(
    const Column* columns, int count, int row_bytes, uint8_t tag, uint8_t* row
) noexcept nogil:
    cdef uint8_t* at
    cdef int place, size
    row[0] = tag
    at = store_32(row + 1, row_bytes - 1)
    at = store_16(at, <uint16_t>count)
    for place in range(count):
        size = _constant_bytes(&columns[place])
        at = store_32(at, size) + size


cdef inline bint _put_column(
    const Column* column, int64_t start, int64_t size, int row_bytes, uint8_t* out
) noexcept nogil:
    cdef int64_t at, first = column.offset + start
    cdef const int64_t* longs = <const int64_t*>column.values + first
    cdef const int32_t* words = <const int32_t*>column.values + first
    if column.form == INT8_BINARY and column.storage == INT64:
        for at in range(size):
            store_64(out + at * row_bytes, <uint64_t>longs[at])
        return True
    if column.form == INT4_BINARY and column.storage == INT32 and column.low < 0:  # not an oid
        for at in range(size):
            store_32(out + at * row_bytes, <uint32_t>words[at])
        return True
    for at in range(size):
        if write_value(column, first + at, out + at * row_bytes) == NULL:
            return False
    return True

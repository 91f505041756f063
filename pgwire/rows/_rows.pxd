"""Rows whose values each follow their length: DataRow, and COPY's binary format."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from pgwire.rows._arrow cimport *
from pgwire.rows._digits cimport store_16, store_32
from pgwire.rows._storage cimport read_bytes
from pgwire.rows._values cimport is_null, place_of, write_value

cdef enum:
    TOO_LARGE = -1  # else the number of the column that does not fit
    SLACK = 64  # bytes that are looked at, or written and then taken back, beyond a row's end


cdef inline int64_t bound_of(const Column* columns, int count, int64_t row_count) noexcept nogil:
    """How many bytes the rows can have at most."""
    cdef int64_t total = SLACK + row_count * (7 + 4 * count)
    cdef int place
    for place in range(count):
        total += column_bound(&columns[place], row_count)
    return total


cdef inline int64_t column_bound(const Column* column, int64_t row_count) noexcept nogil:
    cdef Form form = column.form
    cdef int64_t total = 0, row, size = 0
    if form == LIST_TEXT:
        return column.bound_list(column, row_count)
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
                if not is_null(column, row):
                    read_bytes(column, place_of(column, row), &size)
                    total += size
        return total * 2 + 2 * row_count if form == BYTEA_HEX else total + row_count
    if form == NUMERIC_TEXT or form == TIMESTAMP_TEXT or form == TIMESTAMPTZ_TEXT:
        return 64 * row_count
    if form == INTEGER_TEXT:
        return 20 * row_count
    if form == UUID_TEXT or form == NUMERIC_BINARY or form == FLOAT4_TEXT or form == FLOAT8_TEXT:
        return 36 * row_count
    return 16 * row_count


cdef inline uint8_t* write_rows(
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
                if is_null(column, row):
                    out = store_32(out, 0xFFFFFFFF)
                    continue
                at = place_of(column, row)
            end = write_value(column, at, out + 4)
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

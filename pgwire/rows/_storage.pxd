"""Reading one value of an Arrow array. Arrow docs, "Arrow Columnar Format"."""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from pgwire.rows._arrow cimport (
    FIXED, INT8, INT16, INT32, INT64, INT128, OFFSETS32, OFFSETS64, UINT8, UINT16, UINT32, UINT64, Column,
    Storage, int128,
)
from pgwire.rows._calendar cimport INFINITE, floor_divide


cdef inline bint is_set(const uint8_t* bitmap, int64_t place) noexcept nogil:
    return (bitmap[place >> 3] >> (place & 7)) & 1


cdef inline int64_t read_integer(Storage storage, const void* values, int64_t place) noexcept nogil:
    """Read any integer; one of 64 unsigned bits keeps its bits."""
    if storage == INT64 or storage == UINT64:
        return (<const int64_t*>values)[place]
    elif storage == INT32:
        return (<const int32_t*>values)[place]
    elif storage == INT16:
        return (<const int16_t*>values)[place]
    elif storage == INT8:
        return (<const int8_t*>values)[place]
    elif storage == UINT32:
        return (<const uint32_t*>values)[place]
    elif storage == UINT16:
        return (<const uint16_t*>values)[place]
    return (<const uint8_t*>values)[place]


cdef inline int128 read_wide(Storage storage, const void* values, int64_t place) noexcept nogil:
    if storage == INT128:
        return (<const int128*>values)[place]
    if storage == UINT64:
        return <int128>(<const uint64_t*>values)[place]
    return <int128>read_integer(storage, values, place)


cdef inline int64_t read_micros(const Column* column, int64_t place) noexcept nogil:
    """Read a timestamp or time in microseconds; infinity stays as it is in every unit."""
    cdef int64_t value = read_integer(column.storage, column.values, place)
    if column.micros_per_unit == 1 or value == INFINITE or value <= -INFINITE:
        return value
    if column.micros_per_unit == 0:
        return floor_divide(value, 1000)
    return <int64_t>(<uint64_t>value * <uint64_t>column.micros_per_unit)


cdef inline const uint8_t* read_bytes(const Column* column, int64_t place, int64_t* size) noexcept nogil:
    """Find a string or binary value."""
    cdef int64_t start
    cdef const int32_t* view
    if column.storage == OFFSETS32:
        start = (<const int32_t*>column.values)[place]
        size[0] = (<const int32_t*>column.values)[place + 1] - start
        return column.data + start
    if column.storage == OFFSETS64:
        start = (<const int64_t*>column.values)[place]
        size[0] = (<const int64_t*>column.values)[place + 1] - start
        return column.data + start
    if column.storage == FIXED:
        size[0] = column.scale
        return <const uint8_t*>column.values + place * column.scale
    # A view is a length, then 12 bytes of text, or four of them, the buffer's number and the place in it.
    view = <const int32_t*>column.values + place * 4
    size[0] = view[0]
    if view[0] <= 12:
        return <const uint8_t*>(view + 1)
    return <const uint8_t*>column.variadic[view[2]] + view[3]

"""Lists as PostgreSQL's array text: what is written around their items. PostgreSQL source: `array_out`."""

from libc.stdint cimport int32_t, int64_t, uint8_t

from pgwire.rows._arrow cimport FIXED, OFFSETS32, Column
from pgwire.rows._marks cimport MARKED_ITEM, is_marked, put_quotes


cdef inline int64_t list_start(const Column* column, int64_t place) noexcept nogil:
    """Where a list's items begin, and the list before it ends."""
    if column.storage == OFFSETS32:
        return (<const int32_t*>column.values)[place]
    if column.storage == FIXED:
        return place * column.scale
    return (<const int64_t*>column.values)[place]


cdef inline uint8_t* put_item_quotes(uint8_t* start, uint8_t* end) noexcept nogil:
    """Put quotes around an item that holds a special byte, is empty or reads NULL."""
    if start == end or _reads_null(start, end) or is_marked(start, end, 34, 44, MARKED_ITEM):
        return put_quotes(start, end, 34, 92)
    return end


cdef inline bint _reads_null(const uint8_t* at, const uint8_t* end) noexcept nogil:
    return (
        end - at == 4 and (at[0] | 32) == 110 and (at[1] | 32) == 117 and (at[2] | 32) == 108
        and (at[3] | 32) == 108
    )

"""What could be misread in a text that is written already: finding it, and quotes around it."""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memmove

cdef extern from *:
    """
    typedef uint8_t pgwire_v16 __attribute__((vector_size(16)));
    static const pgwire_v16 pgwire_iota = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    static inline pgwire_v16 pgwire_all(uint8_t value) {
        pgwire_v16 zero = {0};
        return zero + value;
    }

    enum { PGWIRE_TEXT, PGWIRE_CSV, PGWIRE_ITEM };

    /* Whether a value holds one of two bytes; or one of the bytes 8 to 13 (text); a line's end (csv); a brace,
       a backslash or a blank (an array's item). Up to 15 bytes behind it are read. */
    static inline bool pgwire_is_marked(
        const uint8_t* at, const uint8_t* end, uint8_t first, uint8_t second, int what
    ) {
        const pgwire_v16 a = pgwire_all(first), b = pgwire_all(second);
        const pgwire_v16 low = pgwire_all(8), span = pgwire_all(6);
        const pgwire_v16 newline = pgwire_all(10), feed = pgwire_all(13);
        const pgwire_v16 left = pgwire_all('{'), right = pgwire_all('}'), backslash = pgwire_all(92);
        const pgwire_v16 blank = pgwire_all(' '), tab = pgwire_all(9), one = pgwire_all(1);
        pgwire_v16 found = pgwire_all(0), block, hits;
        uint64_t halves[2];
        for (; at < end; at += 16) {
            memcpy(&block, at, 16);
            hits = (pgwire_v16)(block == a) | (pgwire_v16)(block == b);
            if (what == PGWIRE_CSV)
                hits |= (pgwire_v16)(block == newline) | (pgwire_v16)(block == feed);
            else if (what == PGWIRE_ITEM)
                hits |= (pgwire_v16)(block == left) | (pgwire_v16)(block == right)
                    | (pgwire_v16)(block == backslash) | (pgwire_v16)(block == blank)
                    | (pgwire_v16)((block - tab) < (span - one));
            else
                hits |= (pgwire_v16)((block - low) < span);
            if (end - at < 16)
                hits &= (pgwire_v16)(pgwire_iota < pgwire_all((uint8_t)(end - at)));
            found |= hits;
        }
        memcpy(halves, &found, 16);
        return (halves[0] | halves[1]) != 0;
    }
    """
    enum:
        MARKED_TEXT "PGWIRE_TEXT"
        MARKED_CSV "PGWIRE_CSV"
        MARKED_ITEM "PGWIRE_ITEM"
    bint is_marked "pgwire_is_marked"(
        const uint8_t* at, const uint8_t* end, uint8_t first, uint8_t second, int what
    ) noexcept nogil


cdef inline uint8_t* put_quotes(uint8_t* start, uint8_t* end, uint8_t quote, uint8_t escape) noexcept nogil:
    """Put quotes around, and an escape before each quote and escape."""
    cdef int64_t more = 0
    cdef uint8_t* at = start
    cdef uint8_t* to
    while at < end:
        more += at[0] == quote or at[0] == escape
        at += 1
    to = end + more + 1
    to[0] = quote
    if more == 0:
        memmove(start + 1, start, end - start)
    else:
        _spread(start, end, to, quote, escape)
    start[0] = quote
    return to + 1


cdef inline void _spread(
    uint8_t* start, uint8_t* end, uint8_t* to, uint8_t quote, uint8_t escape
) noexcept nogil:
    while end > start:
        end -= 1
        to -= 1
        to[0] = end[0]
        if to[0] == quote or to[0] == escape:
            to -= 1
            to[0] = escape

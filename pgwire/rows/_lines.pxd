"""Rows as COPY's text and csv have them: values behind each other, with what could be misread marked.

PostgreSQL source, copyto.c: `CopyAttributeOutText`, `CopyAttributeOutCSV`. A value is written as it is and
looked through where it stands, sixteen bytes at a time; the few that need more are spread out from their end.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memcmp, memcpy

from pgwire.rows._arrow cimport *
from pgwire.rows._digits cimport store_32
from pgwire.rows._marks cimport MARKED_CSV, MARKED_TEXT, is_marked, put_quotes
from pgwire.rows._rows cimport SLACK, TOO_LARGE, column_bound
from pgwire.rows._values cimport is_null, place_of, write_value

cdef extern from *:
    """
    static const char pgwire_named[] = "btnvfr";
    """
    const char NAMED "pgwire_named"[7]


cdef struct Line:
    bint is_framed   # each in a CopyData message
    bint is_csv
    uint8_t delimiter
    uint8_t quote    # of csv; text has its backslash here
    uint8_t escape
    int null_size
    const uint8_t* null


cdef inline int64_t bound_of_lines(
    const Column* columns, int count, int64_t row_count, const Line* line
) noexcept nogil:
    """How many bytes the lines can have at most: every byte may become two, and quotes stand around."""
    cdef int64_t total = SLACK + row_count * (6 + count * (3 + line.null_size))
    cdef int place
    for place in range(count):
        total += 2 * column_bound(&columns[place], row_count)
    return total


cdef inline uint8_t* write_lines(
    const Column* columns, int count, int64_t row_count, const Line* line, int64_t max_bytes, uint8_t* out,
    int32_t* offsets, int* problem,
) noexcept nogil:
    """Write a line a row. Gives the end, or NULL: `problem` is as in `write_rows`."""
    cdef const uint8_t* base = out
    cdef uint8_t* start
    cdef int64_t row
    cdef int place
    offsets[0] = 0
    for row in range(row_count):
        start = out
        if line.is_framed:
            out += 5
        for place in range(count):
            if place:
                out[0] = line.delimiter
                out += 1
            out = _put_field(&columns[place], row, line, out)
            if out == NULL:
                problem[0] = place
                return NULL
        out[0] = 10
        out += 1
        if line.is_framed:
            start[0] = 100
            store_32(start + 1, <uint32_t>(out - start - 1))
        if out - base > max_bytes:
            problem[0] = TOO_LARGE
            return NULL
        offsets[row + 1] = <int32_t>(out - base)
    return out


cdef inline uint8_t* _put_field(
    const Column* column, int64_t row, const Line* line, uint8_t* out
) noexcept nogil:
    cdef int64_t at = column.offset + row
    cdef uint8_t* end
    if not column.is_plain:
        if is_null(column, row):
            memcpy(out, line.null, line.null_size)
            return out + line.null_size
        at = place_of(column, row)
    end = write_value(column, at, out)
    if column.check == CLEAN or end == NULL:
        return end
    if line.is_csv:
        if column.check == FORCED or _needs_quotes(column, line, out, end):
            return put_quotes(out, end, line.quote, line.escape)
        return end
    if is_marked(out, end, line.delimiter, line.quote, MARKED_TEXT):
        return _escape(out, end, line.delimiter)
    return end


cdef inline bint _needs_quotes(
    const Column* column, const Line* line, const uint8_t* at, const uint8_t* end
) noexcept nogil:
    if end - at == line.null_size and memcmp(at, line.null, line.null_size) == 0:
        return True
    if column.check == ALONE and end - at == 2 and at[0] == 92 and at[1] == 46:
        return True  # \. alone in a line was once the end of the data
    return is_marked(at, end, line.delimiter, line.quote, MARKED_CSV)


cdef inline uint8_t* _escape(uint8_t* start, uint8_t* end, uint8_t delimiter) noexcept nogil:
    """Put a backslash before each delimiter and backslash, and letters for the bytes 8 to 13."""
    cdef int64_t more = 0
    cdef uint8_t byte
    cdef uint8_t* at = start
    cdef uint8_t* to
    while at < end:
        more += _is_escaped(at[0], delimiter)
        at += 1
    to = at = end + more
    while end > start:
        end -= 1
        at -= 1
        byte = end[0]
        at[0] = byte
        if _is_escaped(byte, delimiter):
            if 8 <= byte <= 13:
                at[0] = NAMED[byte - 8]
            at -= 1
            at[0] = 92
    return to


cdef inline bint _is_escaped(uint8_t byte, uint8_t delimiter) noexcept nogil:
    return byte == 92 or byte == delimiter or 8 <= byte <= 13

"""One value of a column on the wire."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from pgwire.rows._arrow cimport *
from pgwire.rows._calendar cimport (
    EPOCH_DAYS, DAY_US, INFINITE, put_date_text, put_time, put_timestamp, put_timestamptz,
)
from pgwire.rows._digits cimport put_signed, store_16, store_32, store_64
from pgwire.rows._floats cimport put_float
from pgwire.rows._numeric cimport put_numeric, put_numeric_binary
from pgwire.rows._storage cimport is_set, read_bytes, read_integer, read_micros, read_wide
from pgwire.rows._strings cimport copy_bytes, put_bytea, put_uuid


cdef inline bint is_null(const Column* column, int64_t row) noexcept nogil:
    if column.bitmap != NULL and not is_set(column.bitmap, column.offset + row):
        return True
    if column.mask != NULL and not column.mask[row]:
        return True
    if column.dictionary_bitmap != NULL:
        return not is_set(column.dictionary_bitmap, place_of(column, row))
    return False


cdef inline int64_t place_of(const Column* column, int64_t row) noexcept nogil:
    """Where a row's value stands."""
    if column.is_dictionary:
        row = read_integer(column.index_storage, column.indices, column.offset + row)
        return column.dictionary_offset + row
    return column.offset + row


cdef inline uint8_t* write_value(const Column* column, int64_t place, uint8_t* out) noexcept nogil:
    """Write one value. Gives its end, or NULL where it does not fit the declared type."""
    cdef Form form = column.form
    cdef const uint8_t* value
    cdef int64_t size = 0
    if form == INTEGER_TEXT or form == INT2_BINARY or form == INT4_BINARY or form == INT8_BINARY:
        return _write_integer(column, read_integer(column.storage, column.values, place), out)
    elif form == BYTES or form == RENDERED:
        value = read_bytes(column, place, &size)
        copy_bytes(out, value, size)
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
    elif form == LIST_TEXT:
        return column.put_list(column, place, out)
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

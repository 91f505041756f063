"""bytea and uuid as text."""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy

cdef extern from *:
    """
    static const char pgwire_hex[] = "0123456789abcdef";
    """
    const char HEX "pgwire_hex"[17]


cdef inline uint8_t* put_hex(uint8_t* out, const uint8_t* value, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t place
    for place in range(size):
        out[0] = HEX[value[place] >> 4]
        out[1] = HEX[value[place] & 15]
        out += 2
    return out


cdef inline uint8_t* put_bytea(uint8_t* out, const uint8_t* value, Py_ssize_t size) noexcept nogil:
    memcpy(out, b"\\x", 2)
    return put_hex(out + 2, value, size)


cdef inline uint8_t* put_uuid(uint8_t* out, const uint8_t* value) noexcept nogil:
    out = put_hex(out, value, 4)
    out[0] = 45
    out = put_hex(out + 1, value + 4, 2)
    out[0] = 45
    out = put_hex(out + 1, value + 6, 2)
    out[0] = 45
    out = put_hex(out + 1, value + 8, 2)
    out[0] = 45
    return put_hex(out + 1, value + 10, 6)

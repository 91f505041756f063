"""bytea and uuid as text."""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy

cdef extern from *:
    """
    /* Most texts are short, and a call of memcpy costs more than they do. Nothing beyond either end is touched. */
    static inline void pgwire_copy(uint8_t* to, const uint8_t* from, int64_t size) {
        if (size > 32)
            memcpy(to, from, size);
        else if (size >= 16) {
            memcpy(to, from, 16);
            memcpy(to + size - 16, from + size - 16, 16);
        } else if (size >= 8) {
            memcpy(to, from, 8);
            memcpy(to + size - 8, from + size - 8, 8);
        } else if (size >= 4) {
            memcpy(to, from, 4);
            memcpy(to + size - 4, from + size - 4, 4);
        } else if (size > 0) {
            to[0] = from[0];
            to[size >> 1] = from[size >> 1];
            to[size - 1] = from[size - 1];
        }
    }
    static const char pgwire_hex[] = "0123456789abcdef";
    """
    void copy_bytes "pgwire_copy"(uint8_t* to, const uint8_t* from_, int64_t size) noexcept nogil
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

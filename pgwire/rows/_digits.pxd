"""Integers as decimal digits, and words in network byte order."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset


cdef extern from *:
    """
    /* Words in network byte order. Put byte by byte the compiler does not see a swap everywhere. */
    #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define PGWIRE_SWAP(bits, value) (value)
    #else
    #define PGWIRE_SWAP(bits, value) __builtin_bswap##bits(value)
    #endif
    #define PGWIRE_STORE(bits)                                                      \\
        static inline uint8_t* pgwire_store_##bits(uint8_t* out, uint##bits##_t value) { \\
            value = PGWIRE_SWAP(bits, value);                                       \\
            memcpy(out, &value, sizeof value);                                      \\
            return out + sizeof value;                                              \\
        }
    PGWIRE_STORE(16)
    PGWIRE_STORE(32)
    PGWIRE_STORE(64)
    static const char pgwire_pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    static const uint64_t pgwire_powers[20] = {
        1ULL, 10ULL, 100ULL, 1000ULL, 10000ULL, 100000ULL, 1000000ULL, 10000000ULL, 100000000ULL,
        1000000000ULL, 10000000000ULL, 100000000000ULL, 1000000000000ULL, 10000000000000ULL,
        100000000000000ULL, 1000000000000000ULL, 10000000000000000ULL, 100000000000000000ULL,
        1000000000000000000ULL, 10000000000000000000ULL};
    """
    uint8_t* store_16 "pgwire_store_16"(uint8_t* out, uint16_t value) noexcept nogil
    uint8_t* store_32 "pgwire_store_32"(uint8_t* out, uint32_t value) noexcept nogil
    uint8_t* store_64 "pgwire_store_64"(uint8_t* out, uint64_t value) noexcept nogil
    const char PAIRS "pgwire_pairs"[201]
    const uint64_t POWERS "pgwire_powers"[20]
    int count_leading_zeros "__builtin_clzll"(uint64_t value) noexcept nogil


cdef inline uint8_t* put_2(uint8_t* out, uint32_t value) noexcept nogil:
    memcpy(out, PAIRS + 2 * value, 2)
    return out + 2


cdef inline uint8_t* put_4(uint8_t* out, uint32_t value) noexcept nogil:
    cdef uint32_t high = value / 100
    put_2(out, high)
    return put_2(out + 2, value - high * 100)


cdef inline uint8_t* put_8(uint8_t* out, uint32_t value) noexcept nogil:
    cdef uint32_t high = value / 10000
    put_4(out, high)
    return put_4(out + 4, value - high * 10000)


cdef inline int digit_count(uint64_t value) noexcept nogil:
    """Bits times log10(2), corrected by one comparison."""
    cdef int guess = ((64 - count_leading_zeros(value | 1)) * 1233) >> 12
    return guess + (value >= POWERS[guess]) if guess else 1


cdef inline void fill_digits(uint8_t* out, uint64_t value, int width) noexcept nogil:
    """Write exactly `width` digits."""
    cdef uint64_t rest
    while width >= 8:
        rest = value / 100000000
        width -= 8
        put_8(out + width, <uint32_t>(value - rest * 100000000))
        value = rest
    while width >= 2:
        rest = value / 100
        width -= 2
        put_2(out + width, <uint32_t>(value - rest * 100))
        value = rest
    if width:
        out[0] = <uint8_t>(48 + value)


cdef inline uint8_t* put_unsigned(uint8_t* out, uint64_t value) noexcept nogil:
    cdef int width
    if value < 10:
        out[0] = <uint8_t>(48 + value)
        return out + 1
    if value < 100:
        return put_2(out, <uint32_t>value)
    width = digit_count(value)
    fill_digits(out, value, width)
    return out + width


cdef inline uint8_t* put_signed(uint8_t* out, int64_t value) noexcept nogil:
    cdef uint64_t size = <uint64_t>value
    if value < 0:
        out[0] = 45
        out += 1
        size = 0 - size
    return put_unsigned(out, size)


cdef inline uint8_t* put_padded(uint8_t* out, uint64_t value, int least) noexcept nogil:
    """Write at least so many digits."""
    cdef int width = digit_count(value)
    if width < least:
        memset(out, 48, least - width)
        out += least - width
    fill_digits(out, value, width)
    return out + width

"""numeric as text and in binary. PostgreSQL source: numeric.c `get_str_from_var`, `numeric_send`."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memmove

from pgwire.rows._arrow cimport int128, uint128
from pgwire.rows._digits cimport POWERS, fill_digits, put_2, put_padded, put_unsigned, store_16


cdef inline uint8_t* put_numeric(uint8_t* out, int128 unscaled, int scale, bint trims_zeros) noexcept nogil:
    """Write all digits of the scale, or without the zeros that end the fraction."""
    cdef uint128 size = <uint128>unscaled
    cdef uint64_t low, high
    cdef uint8_t* start
    if unscaled < 0:
        out[0] = 45
        out += 1
        size = 0 - size
    start = out
    if (size >> 64) == 0:
        low = <uint64_t>size
        if scale == 2:
            high = low / 100
            out = put_unsigned(out, high)
            out[0] = 46
            out = put_2(out + 1, <uint32_t>(low - high * 100))
        else:
            out = put_padded(out, low, scale + 1)
            out = _place_point(start, out, scale)
    else:
        high = <uint64_t>(size / <uint128>POWERS[19])
        low = <uint64_t>(size - <uint128>high * <uint128>POWERS[19])
        out = put_padded(out, high, scale + 1 - 19)
        fill_digits(out, low, 19)
        out = _place_point(start, out + 19, scale)
    if trims_zeros and scale > 0:
        while (out - 1)[0] == 48:
            out -= 1
        if (out - 1)[0] == 46:
            out -= 1
    return out


cdef inline uint8_t* _place_point(uint8_t* start, uint8_t* end, int scale) noexcept nogil:
    if scale == 0:
        return end
    memmove(end - scale + 1, end - scale, scale)
    (end - scale)[0] = 46
    return end + 1


cdef inline uint8_t* put_numeric_binary(uint8_t* out, int128 unscaled, int scale) noexcept nogil:
    """Write count, weight, sign and scale, then digits in base 10,000 without zeros at either end."""
    cdef uint16_t groups[12]
    cdef int first = 12, last = 12, fraction_groups = (scale + 3) // 4
    cdef uint128 size = <uint128>unscaled
    cdef uint64_t small
    cdef uint16_t sign = 0
    cdef int filler = fraction_groups * 4 - scale
    if unscaled < 0:
        sign = 0x4000
        size = 0 - size
    if filler:
        # The last group is filled up with zeros; splitting it off first keeps all within the word.
        first -= 1
        small = POWERS[4 - filler]
        if (size >> 64) == 0:
            groups[first] = <uint16_t>(_remainder(<uint64_t>size, filler) * POWERS[filler])
            size = _quotient(<uint64_t>size, filler)
        else:
            groups[first] = <uint16_t>(<uint64_t>(size % <uint128>small) * POWERS[filler])
            size = size / <uint128>small
    while (size >> 64) != 0:
        first -= 1
        groups[first] = <uint16_t>(size % <uint128>10000)
        size = size / <uint128>10000
    small = <uint64_t>size
    while small:
        first -= 1
        groups[first] = <uint16_t>(small % 10000)
        small = small / 10000
    # The most significant group that was split off is not 0 unless it is a part of the last one.
    cdef int weight = 12 - fraction_groups - 1 - first
    while first < last and groups[first] == 0:
        first += 1
        weight -= 1
    while last > first and groups[last - 1] == 0:
        last -= 1
    if first == last:
        weight = 0
        sign = 0
    store_16(out, <uint16_t>(last - first))
    store_16(out + 2, <uint16_t>weight)
    store_16(out + 4, sign)
    out = store_16(out + 6, <uint16_t>scale)
    while first < last:
        out = store_16(out, groups[first])
        first += 1
    return out


cdef inline uint64_t _quotient(uint64_t value, int filler) noexcept nogil:
    """Divide by 10^(4 - filler): constants, because a division by a variable costs three times as much."""
    if filler == 1:
        return value / 1000
    if filler == 2:
        return value / 100
    return value / 10


cdef inline uint64_t _remainder(uint64_t value, int filler) noexcept nogil:
    if filler == 1:
        return value % 1000
    if filler == 2:
        return value % 100
    return value % 10

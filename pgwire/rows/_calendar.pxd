"""Dates, times and timestamps as text. PostgreSQL source: datetime.c `EncodeDateOnly`, `EncodeDateTime`."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from pgwire.rows._arrow cimport Column
from pgwire.rows._digits cimport put_2, put_4, put_padded

cdef enum:
    EPOCH_DAYS = 10957  # PostgreSQL counts from 2000-01-01

cdef extern from *:
    """
    static const int64_t pgwire_day_us = 86400000000LL;
    static const int64_t pgwire_infinite = INT64_MAX;
    static const int64_t pgwire_cycle_s = 146097LL * 86400;  // the calendar, weekdays included, repeats
    """
    const int64_t DAY_US "pgwire_day_us"
    const int64_t INFINITE "pgwire_infinite"
    const int64_t CYCLE_S "pgwire_cycle_s"


cdef inline int64_t floor_divide(int64_t value, int64_t by) noexcept nogil:
    """Divide by a positive number towards minus infinity."""
    cdef int64_t result = value / by
    return result - (result * by > value)


cdef inline uint8_t* put_infinity(uint8_t* out, bint is_negative) noexcept nogil:
    if is_negative:
        out[0] = 45
        out += 1
    memcpy(out, b"infinity", 8)
    return out + 8


cdef inline uint8_t* put_date(uint8_t* out, int64_t days, bint* is_bc) noexcept nogil:
    """Write `2024-02-29`; the caller writes ` BC`. days: since 1970-01-01, proleptic Gregorian."""
    cdef int64_t shifted = days + 719468
    cdef int64_t era = floor_divide(shifted, 146097)
    cdef uint32_t of_era = <uint32_t>(shifted - era * 146097)
    cdef uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365
    cdef uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100)
    cdef uint32_t month = (5 * of_year + 2) / 153
    cdef uint32_t day = of_year - (153 * month + 2) / 5 + 1
    month = month + 3 if month < 10 else month - 9
    cdef int64_t year = year_of_era + era * 400 + (month <= 2)
    is_bc[0] = year < 1
    if year < 1:
        year = 1 - year
    out = put_4(out, <uint32_t>year) if year < 10000 else put_padded(out, <uint64_t>year, 4)
    out[0] = 45
    out = put_2(out + 1, month)
    out[0] = 45
    return put_2(out + 1, day)


cdef inline uint8_t* put_time(uint8_t* out, uint64_t micros) noexcept nogil:
    """Write `04:05:06.7`."""
    cdef uint64_t all_seconds = micros / 1000000
    cdef uint32_t fraction = <uint32_t>(micros - all_seconds * 1000000)
    cdef uint32_t seconds = <uint32_t>all_seconds
    cdef uint32_t minutes = seconds / 60
    cdef uint32_t hours = minutes / 60
    out = put_2(out, hours % 100)  # a time beyond the day is no reason to read beyond a table
    out[0] = 58
    out = put_2(out + 1, minutes - hours * 60)
    out[0] = 58
    out = put_2(out + 1, seconds - minutes * 60)
    if fraction:
        out[0] = 46
        put_2(out + 1, fraction / 10000)
        out = put_4(out + 3, fraction % 10000)
        while (out - 1)[0] == 48:
            out -= 1
    return out


cdef inline uint8_t* _put_era(uint8_t* out, bint is_bc) noexcept nogil:
    if is_bc:
        memcpy(out, b" BC", 3)
        out += 3
    return out


cdef inline uint8_t* put_date_text(uint8_t* out, int32_t days) noexcept nogil:
    cdef bint is_bc = False
    if days == 2147483647 or days <= -2147483647:
        return put_infinity(out, days < 0)
    out = put_date(out, days, &is_bc)
    return _put_era(out, is_bc)


cdef inline uint8_t* put_timestamp(uint8_t* out, int64_t micros) noexcept nogil:
    cdef bint is_bc = False
    if micros == INFINITE or micros <= -INFINITE:
        return put_infinity(out, micros < 0)
    cdef int64_t days = floor_divide(micros, DAY_US)
    out = put_date(out, days, &is_bc)
    out[0] = 32
    out = put_time(out + 1, <uint64_t>(micros - days * DAY_US))
    return _put_era(out, is_bc)


cdef inline uint8_t* put_timestamptz(uint8_t* out, int64_t micros, const Column* column) noexcept nogil:
    cdef bint is_bc = False
    cdef int64_t offset_s, days
    if micros == INFINITE or micros <= -INFINITE:
        return put_infinity(out, micros < 0)
    offset_s = _zone_offset(floor_divide(micros, 1000000), column)
    # Unsigned, because a value a few hours before the end of time may wrap, which is no error here.
    micros = <int64_t>(<uint64_t>micros + <uint64_t>(offset_s * 1000000))
    days = floor_divide(micros, DAY_US)
    out = put_date(out, days, &is_bc)
    out[0] = 32
    out = put_time(out + 1, <uint64_t>(micros - days * DAY_US))
    return _put_era(_put_offset(out, offset_s), is_bc)


cdef inline int64_t _zone_offset(int64_t second, const Column* column) noexcept nogil:
    """Find the offset by binary search; instants after the table move back by whole calendar cycles."""
    cdef int64_t low = 0, high = column.transition_count, middle, late
    if high == 0:
        return column.offsets_s[0]
    late = column.transitions_s[high - 1]
    if second > late:
        second -= (second - late + CYCLE_S - 1) / CYCLE_S * CYCLE_S
    while low < high:
        middle = (low + high) // 2
        if column.transitions_s[middle] <= second:
            low = middle + 1
        else:
            high = middle
    return column.offsets_s[low]


cdef inline uint8_t* _put_offset(uint8_t* out, int64_t offset_s) noexcept nogil:
    """Write `+00`, `-05:30` or `+00:53:28`."""
    cdef uint32_t size = <uint32_t>(-offset_s if offset_s < 0 else offset_s)
    cdef uint32_t seconds = size % 60
    cdef uint32_t minutes = size / 60 % 60
    out[0] = 45 if offset_s < 0 else 43
    out = put_padded(out + 1, size / 3600, 2)
    if minutes or seconds:
        out[0] = 58
        out = put_2(out + 1, minutes)
    if seconds:
        out[0] = 58
        out = put_2(out + 1, seconds)
    return out

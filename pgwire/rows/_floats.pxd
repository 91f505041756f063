"""Floats as the shortest digits that read back the same. PostgreSQL source: d2s.c, f2s.c, float.c.

C++17's `to_chars` gives the shortest digits without the GIL (libstdc++ from 11: Ryu, as in PostgreSQL). Two
things differ from PostgreSQL: where the exponent begins, and that PostgreSQL never takes digits that lie
exactly between two floats.
"""

from libc.math cimport fabs, frexp, isinf, isnan, ldexp, signbit
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from pgwire.rows._arrow cimport uint128
from pgwire.rows._digits cimport put_2, put_unsigned


cdef extern from *:
    """
    #include <charconv>
    static inline char* pgwire_shortest(char* out, double value) {
        return std::to_chars(out, out + 40, value, std::chars_format::scientific).ptr;
    }
    static inline char* pgwire_shortest_single(char* out, float value) {
        return std::to_chars(out, out + 40, value, std::chars_format::scientific).ptr;
    }
    static inline bool pgwire_reads_back(const char* text, const char* end, double value, bool is_single) {
        float single = 0;
        double read = 0;
        if (is_single) {
            std::from_chars(text, end, single);
            return single == static_cast<float>(value);
        }
        std::from_chars(text, end, read);
        return read == value;
    }
    static inline char* pgwire_digits(char* out, double value, int places) {
        return std::to_chars(out, out + 40, value, std::chars_format::scientific, places).ptr;
    }
    """
    char* shortest "pgwire_shortest"(char* out, double value) noexcept nogil
    char* shortest_single "pgwire_shortest_single"(char* out, float value) noexcept nogil
    char* digits_of "pgwire_digits"(char* out, double value, int places) noexcept nogil
    bint reads_back "pgwire_reads_back"(char* text, char* end, double value, bint is_single) noexcept nogil
    int trailing_zeros "__builtin_ctzll"(uint64_t value) noexcept nogil


cdef struct Decimal:
    uint64_t digits
    int count        # of digits
    int exponent     # of the first digit


cdef inline uint8_t* put_float(uint8_t* out, double value, bint is_single) noexcept nogil:
    """Write as float8out or float4out do with extra_float_digits above 0."""
    cdef Decimal shown
    cdef char text[48]
    cdef char* end
    cdef double size = fabs(value)
    if isnan(value):
        memcpy(out, b"NaN", 3)
        return out + 3
    if signbit(value):
        out[0] = 45
        out += 1
    if isinf(value):
        memcpy(out, b"Infinity", 8)
        return out + 8
    if size < (1e6 if is_single else 1e15) and size == <double><int64_t>size:
        return put_unsigned(out, <uint64_t>size)
    end = shortest_single(text, <float>size) if is_single else shortest(text, size)
    shown = _parse(text, end)
    if size >= (16777216.0 if is_single else 9007199254740992.0) and _is_tie(shown, size, is_single):
        shown = _beside_tie(shown, size, is_single)
    return _put_decimal(out, shown, 6 if is_single else 15)


cdef inline Decimal _parse(const char* text, const char* end) noexcept nogil:
    """Read `d.ddde±xx`."""
    cdef Decimal result
    cdef bint is_negative
    result.digits = 0
    result.count = 0
    result.exponent = 0
    while text[0] != 101:
        if text[0] != 46:
            result.digits = result.digits * 10 + <uint64_t>(text[0] - 48)
            result.count += 1
        text += 1
    is_negative = text[1] == 45
    text += 2
    while text < end:
        result.exponent = result.exponent * 10 + (text[0] - 48)
        text += 1
    if is_negative:
        result.exponent = -result.exponent
    while result.count > 1 and result.digits % 10 == 0:
        result.digits = result.digits / 10
        result.count -= 1
    return result


cdef inline uint8_t* _put_decimal(uint8_t* out, Decimal shown, int exponent_from) noexcept nogil:
    cdef uint8_t digits[24]
    cdef int exponent = shown.exponent
    put_unsigned(digits, shown.digits)
    if exponent < -4 or exponent >= exponent_from:
        out[0] = digits[0]
        out += 1
        if shown.count > 1:
            out[0] = 46
            memcpy(out + 1, digits + 1, shown.count - 1)
            out += shown.count
        out[0] = 101
        out[1] = 45 if exponent < 0 else 43
        exponent = -exponent if exponent < 0 else exponent
        return put_unsigned(out + 2, exponent) if exponent >= 100 else put_2(out + 2, exponent)
    if exponent < 0:
        out[0] = 48
        out[1] = 46
        memset(out + 2, 48, -exponent - 1)
        out += 1 - exponent
        memcpy(out, digits, shown.count)
        return out + shown.count
    if shown.count <= exponent + 1:
        memcpy(out, digits, shown.count)
        memset(out + shown.count, 48, exponent + 1 - shown.count)
        return out + exponent + 1
    memcpy(out, digits, exponent + 1)
    out[exponent + 1] = 46
    memcpy(out + exponent + 2, digits + exponent + 1, shown.count - exponent - 1)
    return out + shown.count + 1


cdef inline bint _is_tie(Decimal shown, double size, bint is_single) noexcept nogil:
    """Whether the digits lie exactly between two floats. size: at least 2^24 or 2^53."""
    cdef int power = shown.exponent - shown.count + 1
    cdef int bits = 24 if is_single else 53
    cdef int exponent, twos
    cdef uint64_t mantissa
    cdef uint128 scaled
    if power < 0 or power > 23:
        return False  # an odd 54-bit number has no factor 5^24, and none of these has a fraction
    mantissa = <uint64_t>ldexp(frexp(size, &exponent), bits)
    exponent -= bits
    scaled = shown.digits
    for _ in range(power):
        scaled = scaled * <uint128>5
    twos = power + 2  # four times the decimal and its neighbours' middles are integers times 2^exponent
    while (scaled & <uint128>1) == 0:
        scaled = scaled >> 1
        twos += 1
    if _is_product(scaled, twos, 4 * mantissa + 2, exponent):
        return True
    if _is_product(scaled, twos, 4 * mantissa - 2, exponent):
        return True
    return mantissa == (<uint64_t>1 << (bits - 1)) and _is_product(scaled, twos, 4 * mantissa - 1, exponent)


cdef inline bint _is_product(uint128 odd, int twos, uint64_t middle, int exponent) noexcept nogil:
    cdef int zeros = trailing_zeros(middle)
    return odd == <uint128>(middle >> zeros) and twos == zeros + exponent


cdef inline Decimal _beside_tie(Decimal tie, double size, bint is_single) noexcept nogil:
    """Take digits more until they lie nearer to this float than to its neighbours."""
    cdef char text[48]
    cdef char* end
    cdef Decimal longer = tie
    cdef int places = tie.count
    while places < (9 if is_single else 17):
        end = digits_of(text, size, places)
        longer = _parse(text, end)
        if reads_back(text, end, size, is_single) and not _is_tie(longer, size, is_single):
            return longer
        places += 1
    return longer

"""A batch in Arrow's C form, and a column as the kernel sees it. Arrow docs, "The Arrow C data interface"."""

from libc.stdint cimport int64_t, uint8_t


cdef extern from *:
    """
    #include <cstdint>
    struct ArrowArray {
        int64_t length, null_count, offset, n_buffers, n_children;
        const void** buffers;
        struct ArrowArray** children;
        struct ArrowArray* dictionary;
        void (*release)(struct ArrowArray*);
        void* private_data;
    };
    typedef __int128 pgwire_int128;
    typedef unsigned __int128 pgwire_uint128;
    """
    ctypedef struct ArrowArray "struct ArrowArray":
        int64_t length
        int64_t null_count
        int64_t offset
        int64_t n_buffers
        int64_t n_children
        const void** buffers
        ArrowArray** children
        ArrowArray* dictionary
        void (*release)(ArrowArray*) noexcept nogil
    # Cython takes these for 64 bits and would narrow mixed operands: both sides of an operator are cast.
    ctypedef long long int128 "pgwire_int128"
    ctypedef unsigned long long uint128 "pgwire_uint128"


# The numbers are those of `pgwire.rows.plans.Form` and `Storage`.
cdef enum Form:
    RENDERED = 0
    BOOL_TEXT = 1
    BOOL_BINARY = 2
    INTEGER_TEXT = 3
    INT2_BINARY = 4
    INT4_BINARY = 5
    INT8_BINARY = 6
    FLOAT4_TEXT = 7
    FLOAT8_TEXT = 8
    FLOAT4_BINARY = 9
    FLOAT8_BINARY = 10
    NUMERIC_TEXT = 11
    NUMERIC_BINARY = 12
    DATE_TEXT = 13
    DATE_BINARY = 14
    TIME_TEXT = 15
    TIME_BINARY = 16
    TIMESTAMP_TEXT = 17
    TIMESTAMP_BINARY = 18
    TIMESTAMPTZ_TEXT = 19
    BYTES = 20
    BYTEA_HEX = 21
    JSONB_BINARY = 22
    UUID_TEXT = 23
    LIST_TEXT = 24


cdef enum Storage:
    BITS = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    INT128 = 9
    FLOAT = 10
    DOUBLE = 11
    OFFSETS32 = 12
    OFFSETS64 = 13
    VIEWS = 14
    FIXED = 15


# Of `pgwire.rows.lines.Check`: whether a value in a line must be looked through.
cdef enum Check:
    CLEAN = 0    # nothing in it can be misread
    CHECKED = 1
    FORCED = 2   # quoted whatever it is
    ALONE = 3    # checked, and the only column


cdef struct Column

# Lists lie in lists: these call themselves, which inlined functions cannot.
ctypedef uint8_t* (*PutList)(const Column* column, int64_t place, uint8_t* out) noexcept nogil
ctypedef int64_t (*BoundList)(const Column* column, int64_t row_count) noexcept nogil


cdef struct Column:
    Form form
    Storage storage
    int64_t low                  # the declared integer type's range
    int64_t high
    int scale                    # numeric: digits after the point; FIXED: bytes a value, items a list
    bint trims_zeros
    Check check
    int64_t micros_per_unit      # timestamps and times; 0: nanoseconds
    Storage index_storage        # of a dictionary's indices
    bint is_dictionary
    const int64_t* transitions_s
    const int64_t* offsets_s     # one more than there are transitions
    int64_t transition_count
    int item_at                  # of lists: where their items' column is; 0 for none
    bint quotes_items
    PutList put_list
    BoundList bound_list
    # What follows is a batch's own.
    const Column* item
    bint is_plain                # neither NULLs nor a dictionary
    int64_t offset
    const uint8_t* bitmap        # Arrow's; NULL where nothing is NULL
    const uint8_t* mask          # a byte a row, 0 where NULL: of rendered columns
    const void* values
    const uint8_t* data
    const void* const* variadic  # buffers behind string views
    const void* indices
    int64_t dictionary_offset
    const uint8_t* dictionary_bitmap

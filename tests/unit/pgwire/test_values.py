"""Parameters in text and binary."""

import struct
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pytest

from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.types import Oid
from pgwire.values import decode_parameter

TEXT = [
    (Oid.BOOL, b" on ", True),
    (Oid.BOOL, b"f", False),
    (Oid.INT4, b" +12 ", 12),
    (Oid.OID, b"4294967295", 2**32 - 1),
    (Oid.FLOAT8, b"1e3", 1000.0),
    (Oid.NUMERIC, b"1.50", Decimal("1.50")),
    (Oid.NUMERIC, b"1e3", Decimal(1000)),
    (Oid.BYTEA, b"\\x6162", b"ab"),
    (Oid.BYTEA, b"a\\\\\\001", b"a\\\x01"),
    (Oid.TEXT, "é".encode(), "é"),
    (Oid.UUID, b"{C20FD3FD-9250-46ee-9229-fe103f5a599a}", UUID("c20fd3fd-9250-46ee-9229-fe103f5a599a")),
    (Oid.DATE, b"2020-02-29", date(2020, 2, 29)),
    (Oid.DATE, b"infinity", "infinity"),
    (Oid.TIMESTAMP, b"0044-03-15 01:02:03 BC", "0044-03-15 (BC) 01:02:03"),
    (Oid.DATE, b"0044-03-15 BC", "0044-03-15 (BC)"),
    (Oid.TIMESTAMP, b"2020-01-01 01:02:03.5", datetime(2020, 1, 1, 1, 2, 3, 500_000)),
    (Oid.TIMESTAMPTZ, b"2020-01-01 00:00:00+00", datetime(2020, 1, 1, tzinfo=UTC)),
    (Oid.TIMESTAMPTZ, b"2020-01-01 00:00:00", "2020-01-01 00:00:00"),
    (Oid.INTERVAL, b"1 mon", "1 mon"),
    (1007, b"{1,NULL,3}", [1, None, 3]),
    (1009, b'{"a,\\"b", c ,"NULL",{}}'.replace(b",{}", b""), ['a,"b', "c", "NULL"]),
    (1007, b"[0:1]={1,2}", [1, 2]),
    (1007, b"{{1},{2}}", [[1], [2]]),
    (1009, b"{}", []),
    (3807, rb'{"{\"b\": 1, \"a\": \"\\\\u0000\"}",NULL}', [r'{"a":"\\u0000","b":1}', None]),
]

BINARY = [
    (Oid.BOOL, b"\x01", True),
    (Oid.INT2, b"\xff\xff", -1),
    (Oid.INT8, bytes(7) + b"\x05", 5),
    (Oid.FLOAT8, struct.pack("!d", 1.5), 1.5),
    (Oid.NUMERIC, struct.pack("!HhHHHH", 2, 0, 0, 2, 12, 3400), Decimal("12.34")),
    (Oid.NUMERIC, struct.pack("!HhHHH", 1, 1, 0x4000, 0, 5), Decimal(-50_000)),
    (Oid.NUMERIC, bytes(6) + b"\x00\x02", Decimal("0.00")),
    (Oid.DATE, bytes(4), date(2000, 1, 1)),
    (Oid.DATE, struct.pack("!i", 2**31 - 1), "infinity"),
    (Oid.DATE, struct.pack("!i", -730_120), "0001-12-31 (BC)"),
    (Oid.TIME, struct.pack("!q", 86_400_000_000), "24:00:00"),
    (Oid.TIME, struct.pack("!q", 3_600_000_001), time(1, 0, 0, 1)),
    (Oid.TIMETZ, struct.pack("!qi", 0, -19_800), "00:00:00.000000+05:30:00"),
    (Oid.TIMESTAMP, bytes(8), datetime(2000, 1, 1)),
    (Oid.TIMESTAMPTZ, bytes(8), datetime(2000, 1, 1, tzinfo=UTC)),
    (Oid.INTERVAL, struct.pack("!qii", 7, -2, 14), "14 months -2 days 7 microseconds"),
    (Oid.UUID, bytes(16), UUID(int=0)),
    (Oid.JSONB, b"\x01{}", "{}"),
    (Oid.JSONB, b'\x01 {"bb": 1, "c": [1e1, -0], "bb": "\\u00e9"}', '{"c":[10,0],"bb":"é"}'),
    (Oid.VARBIT, b"\x00\x00\x00\x03\xa0", "101"),
    (1007, struct.pack("!iiIiiiii", 1, 1, 23, 2, 1, 4, 7, -1), [7, None]),
    (1007, struct.pack("!iiI", 0, 0, 23), []),
]

BAD = [
    (Oid.INT4, 0, b"abc", "22P02", 'invalid input syntax for type integer: "abc"'),
    (Oid.INT4, 0, b"9" * 13_000, "22003", f'value "{"9" * 13_000}" is out of range for type integer'),
    (Oid.INT2, 0, b"40000", "22003", 'value "40000" is out of range for type smallint'),
    (Oid.FLOAT8, 0, b"1e999", "22003", '"1e999" is out of range for type double precision'),
    (Oid.NUMERIC, 0, b"NaN", "22003", "numeric values NaN and Infinity are not supported"),
    (Oid.UUID, 0, b"x", "22P02", 'invalid input syntax for type uuid: "x"'),
    (Oid.DATE, 0, b"abc", "22007", 'invalid input syntax for type date: "abc"'),
    (Oid.DATE, 0, b"2021-02-30", "22008", 'date/time field value out of range: "2021-02-30"'),
    (Oid.TEXT, 0, b"\xff", "22021", 'invalid byte sequence for encoding "UTF8": 0xff'),
    (Oid.INT4, 1, b"\x00", "22P03", "incorrect binary data format in bind parameter"),
    (Oid.JSONB, 0, b"{'a': 1}", "22P02", "invalid input syntax for type json"),
    (Oid.JSONB, 0, b'"\\ud83d"', "22P02", "invalid input syntax for type json"),
    (Oid.JSONB, 0, b'"\\u0000"', "22P05", "unsupported Unicode escape sequence"),
    (Oid.JSONB, 0, b"1e131072", "22003", "value overflows numeric format"),
    (Oid.JSONB, 0, b"1e-16384", "22003", "value overflows numeric format"),
    (Oid.JSONB, 0, b"1e999999999999999999999", "22003", "value overflows numeric format"),
    (
        Oid.JSONB,
        0,
        b"[" + b"1e131071," * 9 + b"1]",
        "54000",
        "total size of jsonb numbers exceeds the maximum",
    ),
    (Oid.JSONB, 0, b"[" * 100_000, "54001", "stack depth limit exceeded"),
    (1007, 0, b"{1", "22P02", 'malformed array literal: "{1"'),
    (1007, 1, bytes(11), "22P03", "incorrect binary data format in bind parameter"),
]


@pytest.mark.parametrize(("oid", "value", "expected"), TEXT)
def test_text_parameters_decode(oid: int, value: bytes, expected: object) -> None:
    assert decode_parameter(oid, 0, value) == expected


@pytest.mark.parametrize(("oid", "value", "expected"), BINARY)
def test_binary_parameters_decode(oid: int, value: bytes, expected: object) -> None:
    decoded = decode_parameter(oid, 1, value)
    assert decoded == expected
    assert str(decoded) == str(expected), "the scale of a numeric counts too"


@pytest.mark.parametrize(("oid", "code", "value", "sqlstate", "message"), BAD)
def test_bad_parameters_are_errors_in_the_words_of_postgres(
    oid: int, code: int, value: bytes, sqlstate: str, message: str
) -> None:
    with pytest.raises(StatementError) as caught:
        decode_parameter(oid, code, value)
    assert (caught.value.sqlstate, caught.value.message) == (sqlstate, message)


def test_null_is_none_and_unknown_binary_is_refused() -> None:
    assert decode_parameter(Oid.INT4, 1, None) is None
    with pytest.raises(FeatureNotSupported):
        decode_parameter(Oid.INET, 1, b"\x00")


def test_zeros_before_an_integer_do_not_count() -> None:
    assert decode_parameter(Oid.INT8, 0, b"-" + b"0" * 13_000 + b"42") == -42

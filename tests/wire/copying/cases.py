# ruff: noqa: E501  # one case a line reads best
"""COPY FROM inputs that PostgreSQL and the gateway must treat alike: the same rows, or the same error."""

from dataclasses import dataclass

TEXT = "a integer, b text"
TYPES = (
    "i2 smallint, i8 bigint, f4 real, f8 double precision, n numeric(8,2), t boolean, d date, "
    "ts timestamp, tz timestamptz, tm time, by bytea, u uuid, iv interval, arr integer[]"
)


@dataclass(frozen=True)
class Case:
    """columns: of the table `copied`. options: after FROM STDIN. target: what stands between COPY and FROM."""

    name: str
    data: bytes
    columns: str = TEXT
    options: str = ""
    target: str = "copied"


def _value(kind: str, value: str) -> Case:
    return Case(f"{kind} {value!r}", value.encode() + b"\n", f"v {kind}")


LAYOUT = [
    Case("plain", b"1\tx\n2\ty\n"),
    Case("no last line end", b"1\tx\n2\ty"),
    Case("null marker", b"1\t\\N\n\\N\tx\n"),
    Case("empty string", b"1\t\n"),
    Case("carriage returns and newlines", b"1\tx\r\n2\ty\r\n"),
    Case("carriage returns", b"1\tx\r2\ty\r"),
    Case("mixed line ends", b"1\tx\n2\ty\r\n"),
    Case("bare newline after cr lf", b"1\tx\r\n2\ty\n"),
    Case("newline after cr", b"1\tx\r2\ty\n3\tz\r"),
    Case("escapes", b"1\ta\\tb\\nc\\\\d\\x41\\101\\q\n"),
    Case("escaped delimiter", b"1\ta\\\tb\n"),
    Case("escaped newline", b"1\ta\\\nb\n2\tc\n"),
    Case("end mark", b"1\tx\n\\.\n2\ty\n"),
    Case("end mark amid a line", b"1\tx\n2\ty\\.\n3\tz\n"),
    Case("corrupt end mark", b"1\tx\n\\.x\n"),
    Case("missing column", b"1\tx\n2\n"),
    Case("extra column", b"1\tx\n2\ty\tz\n"),
    Case("empty line", b"1\tx\n\n"),
    Case("no data", b""),
    Case("invalid utf-8", b"1\tx\n2\t\xff\xfe\n"),
    Case("zero byte", b"1\tx\n2\ta\x00b\n"),
    Case("escape gives invalid utf-8", b"1\t\\377\n"),
    Case("bad integer", b"1\tx\n2x\ty\n"),
    Case("bad integer before a missing column", b"z\tx\n2\n"),
    Case("missing column before a bad integer", b"2\nz\tx\n"),
    Case("long value in the context", b"1\tx\n" + b"9" * 150 + b"\ty\n"),
    Case("long line in the context", b"1\tx\n2" + b"y" * 150 + b"\n"),
    Case("a line cut inside a character", b"1\tx\n2" + "é".encode() * 80 + b"\n"),
    Case("not null", b"1\tx\n\\N\ty\n", "a integer NOT NULL, b text"),
    Case("delimiter and null", b"1|x\n2|-\n", options="(DELIMITER '|', NULL '-')"),
    Case("header", b"anything\n1\tx\n", options="(HEADER)"),
    Case("header match", b"a\tb\n1\tx\n", options="(HEADER match)"),
    Case("header mismatch", b"a\tc\n1\tx\n", options="(HEADER match)"),
    Case("header with too few names", b"a\n1\tx\n", options="(HEADER match)"),
    Case("header with a null", b"a\t\\N\n1\tx\n", options="(HEADER match)"),
    Case("only a header", b"a\tb\n", options="(HEADER)"),
    Case("column list", b"x\t1\n", target="copied (b, a)"),
    Case("part of the columns", b"x\n", target="copied (b)"),
    Case("unknown column", b"x\n", target="copied (c)"),
    Case("doubled column", b"x\n", target="copied (a, a)"),
    Case("condition", b"1\tx\n2\ty\n3\tz\n", options="WHERE a > 1 AND b <> 'z'"),
]

CSV = [
    Case(name, data, options=f"(FORMAT csv{more})")
    for name, data, more in [
        ("csv plain", b"1,x\n2,y\n", ""),
        ("csv nulls", b'1,\n2,""\n,z\n', ""),
        ("csv quotes", b'1,"a""b"\n2,"l1\nl2"\n3,"x,y"\n', ""),
        ("csv quotes amid a field", b'1,a"b,c"d\n2,"x"y"z"\n', ""),
        ("csv unterminated", b'1,x\n2,"abc\n', ""),
        ("csv line numbers", b'1,"a\nb\nc"\nx,y\n', ""),
        ("csv cr lf", b'1,"a\r\nb"\r\n2,y\r\n', ""),
        ("csv stray cr", b"1,a\rb\n", ""),
        ("csv cr after the first line", b"1,a\n2,a\rb\n", ""),
        ("csv blanks", b"1, x \n", ""),
        ("csv end mark", b"1,x\n\\.\n2,y\n", ""),
        ("csv quoted end mark", b'1,"\\."\n', ""),
        ("csv end mark in a field", b"1,\\.\n2,a\\.\n", ""),
        ("csv missing", b"1\n", ""),
        ("csv extra", b"1,2,3\n", ""),
        ("csv escape", b'1,"a\\"b"\n2,"c\\\\"\n3,d\\e\n', ", ESCAPE '\\'"),
        ("csv escape of a newline", b'1,"a\\"\nb"\n2,c\n', ", ESCAPE '\\'"),
        ("csv quote", b"1,'a''b'\n2,'x,y'\n", ", QUOTE ''''"),
        ("csv semicolon", b"1;x\n", ", DELIMITER ';'"),
        ("csv null word", b'1,none\n2,"none"\n', ", NULL 'none'"),
        ("csv force null", b'1,""\n2,x\n', ", FORCE_NULL (b)"),
        ("csv force not null", b"1,\n2,x\n", ", FORCE_NOT_NULL (b)"),
        ("csv header", b'a,"b"\n1,x\n', ", HEADER"),
        ("csv header over two lines", b'a,"b\nc"\n1,x\nz,y\n', ", HEADER"),
        ("csv header match", b'a,"b"\n1,x\n', ", HEADER match"),
        ("csv forced column unknown", b"1,x\n", ", FORCE_NULL (c)"),
    ]
]

OPTIONS = [
    Case(f"option {options}", b"1\tx\n", options=f"({options})")
    for options in [
        "FORMAT xml", "NONE true", "FORMAT text, FORMAT csv", "DELIMITER 'ab'", "DELIMITER ''", "DELIMITER 'a'",
        "DELIMITER E'\\n'", "NULL E'a\\nb'", "QUOTE 'x'", "ESCAPE 'x'", "FORMAT csv, QUOTE 'ab'",
        "FORMAT csv, QUOTE ','", "FORMAT csv, NULL 'a,b'", "FORMAT csv, NULL 'a\"b'", "FORCE_QUOTE (a)",
        "FORMAT csv, FORCE_QUOTE (a)", "FORCE_NULL (a)", "FORCE_NOT_NULL (a)", "FORMAT binary, DELIMITER ','",
        "FORMAT binary, NULL ''", "FORMAT binary, HEADER", "HEADER maybe", "FORMAT csv, FORCE_NULL a",
        "FORMAT csv, FORCE_NULL (a), FORCE_NOT_NULL (a)",
    ]
]  # fmt: skip

VALUES = [
    _value(kind, value)
    for kind, values in {
        "smallint": ["7", " 7 ", "+7", "-0", "32768", "1.0", "0x1F", "", "1e2"],
        "bigint": ["9223372036854775807", "9223372036854775808", "007"],
        "real": ["1.5", "1e39", "1e-60", "NaN", "-Infinity", "abc"],
        "double precision": ["1e400", "1e-400", ".5", "5.", "inf", "0e0", "1e", "-0"],
        "numeric(8,2)": ["1.255", "-1.255", "1e3", "999999.994", "999999.995", "1000000", " 3 ", "x", "1.2.3"],
        "boolean": ["t", "FALSE", "yes", "of", "on", "1", "0", "o", "tru", "2"],
        "date": ["2024-02-29", "2023-02-29", "2024-1-5", "20240105", "1/5/2024", "Jan 5, 2024", "0044-03-15 BC",
                 "infinity", "-infinity", "0000-01-01", "10000-01-01", "2024-13-01", "abc", "2024-01-05 10:00:00"],
        "timestamp": ["2024-01-05 10:00:00.1234567", "2024-01-05T10:00:00Z", "2024-01-05 24:00:00", "2024-01-05",
                      "2024-01-05 10:00", "2024-01-05 25:00:00", "infinity", "2024-01-05 10:00:60", "99999-01-01"],
        "timestamptz": ["2024-01-05 10:00:00+05:30", "2024-01-05 10:00:00", "2024-07-05 10:00:00-08", "x",
                        "2024-01-05 10:00:00 UTC", "0044-03-15 00:00:00+00 BC"],
        "time": ["10:00:00.5", "24:00:00", "10:00", "04:05 PM", "25:00:00", "10:61:00", ""],
        "bytea": ["\\\\x6162", "\\\\x616", "\\\\xzz", "abc", "a\\\\\\\\b", "\\\\101"],
        "uuid": ["00000000-0000-0000-0000-00000000000A", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}", "xyz"],
        "interval": ["1 year 2 mons 3 days 04:05:06.7", "P1Y2M3DT4H5M6S", "1-2", "2 days ago", "x", "-1 mons"],
        "integer[]": ["{1,2,NULL}", "{}", "{1,x}", "1,2", "{ 1 , 2 }"],
        "text[]": ['{a,"b c",NULL,"NULL"}', '{"a\\\\"b"}'],
    }.items()
    for value in values
]  # fmt: skip

ALL = [*LAYOUT, *CSV, *OPTIONS, *VALUES]

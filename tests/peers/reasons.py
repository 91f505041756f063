"""Why upstream tests fail here: the first pattern that a failure's name or text matches gives its reason.

What matches none is shown by the command as it is, and is to be looked into.
"""

import re
from collections.abc import Sequence

REASONS: Sequence[tuple[str, str]] = (
    (
        r"(CREATE|DROP|ALTER) of this kind|procedural language|DO is not supported",
        "types, domains, functions, triggers and sequences cannot be defined; no procedural language",
    ),
    (r'type "\w*range"|[Rr]ange', "no range types"),
    (
        r'type "(inet|cidr|macaddr|hstore|void|box|point|money|xml|tsvector)"|hstore|types\.test_net|shapely',
        "no network, geometric and other types that the engine lacks",
    ),
    (r"Only the ISO date style|datestyle", "DateStyle other than ISO"),
    (r"Use client_encoding UTF8|client_encoding|encoding\[", "client encodings other than UTF8"),
    (r"Available values: on\.", "standard_conforming_strings = off"),
    (r"NaN and Infinity|Use double precision|s?nan\b", "numeric `NaN` and infinity"),
    (
        r"38 digits|DECIMAL type|DECIMAL\(38|overflows numeric|numeric\(|test_numeric",
        "numeric of more than 38 digits, and the scale of a computed numeric",
    ),
    (r"Use array_to_string", "casts of arrays to text"),
    (
        r"malformed array literal|Unimplemented type for cast|nested_array|no_comma_separator",
        "arrays of several dimensions or with bounds in a constant",
    ),
    (
        r"Select the fields|row\(|record|composite|STRUCT\(|concurrent_calls|override_tuple",
        "row values as results",
    ),
    (r"test_details|repr\(<Column", "RowDescription's type modifiers of casts: varchar(n), time(n), bit(n)"),
    (r"empty select list|test_prepare_22_empty", "a select list without columns"),
    (
        r"pg_terminate_backend|test_broken|remote_close|interrupted_by_server|idle_connection",
        "pg_terminate_backend()",
    ),
    (r"cancel_conn|pg_stat_activity", "pg_stat_activity lists no sessions' statements"),
    (r"Roll back the whole transaction|psycopg\.Rollback|test_transaction", "savepoints after a write"),
    (r"EXPLAIN option|FORMAT is not supported", "EXPLAIN's options"),
    (r"timetz|TimeTz|time field value", "time with time zone: casts to it, texts without seconds"),
    (r"sql_standard|to INTERVAL", "interval constants in sql_standard form"),
    (
        r"timestamp field format|datetimetz.*(max|min)|overflow_message",
        "texts of timestamps beyond year 9999",
    ),
    (r"pg_typeof", "pg_typeof() of what has no type before the run"),
    (r"not supported", "other statements that are refused with 0A000"),
    (r"No function matches|No operator matches|does not exist", "functions and types that are not there"),
    (
        r"No module named|own the server process|proxy didn't start|mypy|timeout'$",
        "the suite wants a server of its own, or a package that is not there",
    ),
)
"""(pattern, reason)."""


_LAST_LINES = 6
"""What a failure says at its end; the calls above it name many things that have nothing to do with it."""


def reason_of(test: str, text: str) -> str | None:
    """Give the reason of one failure, or None where it is not known."""
    said = "\n".join((test, *text.strip().splitlines()[-_LAST_LINES:]))
    return next((reason for pattern, reason in REASONS if re.search(pattern, said)), None)

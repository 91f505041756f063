"""Every setting that a session knows: the one table of names, defaults and rules.

PostgreSQL docs, "Server Configuration". Settings without effect here are accepted with PostgreSQL's own
rules, so that what a driver sends by habit does not fail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from pgproxy.session.setting_values import (
    ValueParser,
    boolean,
    choice,
    client_encoding,
    date_style,
    identifier_text,
    integer,
    kilobytes,
    milliseconds,
    real,
    text_value,
    time_zone,
)

SERVER_VERSION = "15.18"
"""The PostgreSQL release whose behaviour is the reference."""


class Context(Enum):
    """Who may change a setting. PostgreSQL docs, "pg_settings", column context."""

    USER = "user"
    SUPERUSER = "superuser"
    INTERNAL = "internal"
    BACKEND = "backend"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. is_reported: the client is told of every change by ParameterStatus (GUC_REPORT)."""

    name: str
    default: str
    parse: ValueParser
    is_reported: bool = False
    context: Context = Context.USER
    description: str = ""


_ISOLATION = choice("serializable", "repeatable read", "read committed", "read uncommitted")
_MESSAGES = choice(
    "debug5",
    "debug4",
    "debug3",
    "debug2",
    "debug1",
    "log",
    "notice",
    "warning",
    "error",
    hidden=("info", "debug"),
)
_INTERNAL = Context.INTERNAL


def _settings() -> Iterator[Setting]:
    yield from _reported()
    yield from _honoured()
    yield from _accepted()
    yield from _fixed()


def _reported() -> Iterator[Setting]:
    yield Setting("application_name", "", identifier_text, True)
    yield Setting("client_encoding", "UTF8", client_encoding, True)
    yield Setting("DateStyle", "ISO, MDY", date_style, True)
    yield Setting("default_transaction_read_only", "off", boolean, True)
    yield Setting("in_hot_standby", "off", boolean, True, _INTERNAL)
    yield Setting("integer_datetimes", "on", boolean, True, _INTERNAL)
    styles = choice("postgres", "postgres_verbose", "sql_standard", "iso_8601")
    yield Setting("IntervalStyle", "postgres", styles, True)
    yield Setting("is_superuser", "off", boolean, True, _INTERNAL)
    yield Setting("server_encoding", "UTF8", text_value, True, _INTERNAL)
    yield Setting("server_version", SERVER_VERSION, text_value, True, _INTERNAL)
    yield Setting("session_authorization", "", text_value, True)
    yield Setting("standard_conforming_strings", "on", choice("on"), True)
    yield Setting("TimeZone", "UTC", time_zone, True)


_DIALECT = "Sets the dialect in which statements are read."
_ROUTE = "Shows where the last statement ran, and why."


def _honoured() -> Iterator[Setting]:
    yield Setting("search_path", '"$user", public', text_value)
    yield Setting("statement_timeout", "0", milliseconds())
    yield Setting("idle_in_transaction_session_timeout", "0", milliseconds())
    yield Setting("idle_session_timeout", "0", milliseconds())
    yield Setting("extra_float_digits", "1", integer(-15, 3))
    yield Setting("bytea_output", "hex", choice("hex", "escape"))
    yield Setting("client_min_messages", "notice", _MESSAGES)
    yield Setting("default_transaction_isolation", "read committed", _ISOLATION)
    yield Setting("transaction_isolation", "read committed", _ISOLATION)
    yield Setting("transaction_read_only", "off", boolean)
    yield Setting("transaction_deferrable", "off", boolean)
    yield Setting("default_transaction_deferrable", "off", boolean)
    yield Setting("pgproxy.dialect", "auto", choice("auto", "postgres", "duckdb"), description=_DIALECT)
    yield Setting("pgproxy.last_route", "", text_value, context=_INTERNAL, description=_ROUTE)


_SWITCHES_ON = [
    "array_nulls",
    "check_function_bodies",
    "escape_string_warning",
    "enable_async_append",
    "enable_bitmapscan",
    "enable_gathermerge",
    "enable_hashagg",
    "enable_hashjoin",
    "enable_incremental_sort",
    "enable_indexonlyscan",
    "enable_indexscan",
    "enable_material",
    "enable_memoize",
    "enable_mergejoin",
    "enable_nestloop",
    "enable_parallel_append",
    "enable_parallel_hash",
    "enable_partition_pruning",
    "enable_seqscan",
    "enable_sort",
    "enable_tidscan",
    "geqo",
    "jit",
    "parallel_leader_participation",
    "row_security",
    "synchronize_seqscans",
]
_SWITCHES_OFF = [
    "quote_all_identifiers",
    "transform_null_equals",
    "enable_partitionwise_aggregate",
    "enable_partitionwise_join",
    "log_duration",
    "log_statement_stats",
]
_MAX_INT = 2**31 - 1
_COUNTS = (  # name, default, highest
    ("from_collapse_limit", "8", _MAX_INT),
    ("join_collapse_limit", "8", _MAX_INT),
    ("geqo_threshold", "12", _MAX_INT),
    ("max_parallel_workers_per_gather", "2", 1024),
    ("max_parallel_workers", "8", 1024),
    ("effective_io_concurrency", "1", 1000),
    ("default_statistics_target", "100", 10_000),
    ("gin_fuzzy_search_limit", "0", _MAX_INT),
    ("tcp_keepalives_idle", "0", _MAX_INT),
    ("tcp_keepalives_interval", "0", _MAX_INT),
    ("tcp_keepalives_count", "0", _MAX_INT),
)
_WORDS = (  # name, default, choices
    ("backslash_quote", "safe_encoding", ("safe_encoding", "on", "off")),
    ("xmlbinary", "base64", ("base64", "hex")),
    ("xmloption", "content", ("content", "document")),
    ("plan_cache_mode", "auto", ("auto", "force_generic_plan", "force_custom_plan")),
    ("password_encryption", "scram-sha-256", ("md5", "scram-sha-256")),
    ("default_toast_compression", "pglz", ("pglz", "lz4")),
)
_TEXTS = (  # name, default
    ("default_table_access_method", "heap"),
    ("default_tablespace", ""),
    ("temp_tablespaces", ""),
    ("default_text_search_config", "pg_catalog.english"),
    ("role", "none"),
    *((name, "C.UTF-8") for name in ("lc_messages", "lc_monetary", "lc_numeric", "lc_time")),
)


def _accepted() -> Iterator[Setting]:
    for name in _SWITCHES_ON:
        yield Setting(name, "on", boolean)
    for name in _SWITCHES_OFF:
        yield Setting(name, "off", boolean)
    for name, default, highest in _COUNTS:
        yield Setting(name, default, integer(0, highest))
    for name, default, choices in _WORDS:
        yield Setting(name, default, choice(*choices))
    for name, default in _TEXTS:
        yield Setting(name, default, text_value)
    for name, default in (("random_page_cost", "4"), ("seq_page_cost", "1"), ("cpu_tuple_cost", "0.01")):
        yield Setting(name, default, real(0, 1.79769e308))
    for name, default in (("cursor_tuple_fraction", "0.1"), ("seed", "0")):
        yield Setting(name, default, real(-1, 1))
    commit_levels = choice("local", "remote_write", "remote_apply", "on", "off", hidden=_BOOLEAN_WORDS)
    yield Setting("synchronous_commit", "on", commit_levels)
    yield from _quantities()
    yield from _superusers()


_BOOLEAN_WORDS = ("true", "false", "1", "0", "yes", "no")


def _quantities() -> Iterator[Setting]:
    yield Setting("lock_timeout", "0", milliseconds())
    yield Setting("tcp_user_timeout", "0", milliseconds())
    yield Setting("work_mem", "4MB", kilobytes())
    yield Setting("maintenance_work_mem", "64MB", kilobytes(1024))
    yield Setting("temp_buffers", "8MB", kilobytes())
    yield Setting("effective_cache_size", "4GB", kilobytes(8))


def _superusers() -> Iterator[Setting]:
    context = Context.SUPERUSER
    yield Setting("deadlock_timeout", "1s", milliseconds(1), context=context)
    yield Setting("log_statement", "none", choice("none", "ddl", "mod", "all"), context=context)
    yield Setting("log_min_messages", "warning", _MESSAGES, context=context)
    yield Setting("log_min_duration_statement", "-1", milliseconds(-1), context=context)
    roles = choice("origin", "replica", "local")
    yield Setting("session_replication_role", "origin", roles, context=context)


def _fixed() -> Iterator[Setting]:
    fixed = {
        "server_version_num": "150018",
        "max_identifier_length": "63",
        "max_index_keys": "32",
        "max_function_args": "100",
        "block_size": "8192",
        "wal_block_size": "8192",
        "segment_size": "1GB",
        "lc_collate": "C.UTF-8",
        "lc_ctype": "C.UTF-8",
        "data_checksums": "off",
        "debug_assertions": "off",
        "max_connections": "100",
        "max_prepared_transactions": "0",
        "superuser_reserved_connections": "3",
        "wal_level": "replica",
        "ssl": "off",
        "port": "5433",
        "listen_addresses": "localhost",
        "max_locks_per_transaction": "64",
        "shared_buffers": "128MB",
        "fsync": "on",
        "hot_standby": "on",
        "archive_mode": "off",
        "timezone_abbreviations": "Default",
        "autovacuum": "on",
        "default_with_oids": "off",
        "bonjour": "off",
    }
    for name, value in fixed.items():
        yield Setting(name, value, text_value, context=_INTERNAL)


SETTINGS: dict[str, Setting] = {setting.name.lower(): setting for setting in _settings()}
"""By lower-case name; setting names are case-insensitive."""

"""Statements of every fate, sent by several connections, and how many of each there were."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg

MARKER = "zz-literal-marker-9401"
"""In every statement and parameter; it may be in no audit row."""


def run_load(dsn: str, count: int, workers: int = 4) -> tuple[Counter[tuple[int, str]], int]:
    """Send about `count` statements.

    Gives how many of each (backend pid, outcome) were sent, and how many carried the marker.
    """
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda index: _work(dsn, count // workers, index), range(workers)))
    sent: Counter[tuple[int, str]] = Counter()
    for part in parts:
        sent.update(part)
    return sent, sum(sent.values())


def _work(dsn: str, count: int, index: int) -> Counter[tuple[int, str]]:
    sent: Counter[tuple[int, str]] = Counter()
    with psycopg.connect(dsn, autocommit=True) as connection:
        pid = connection.info.backend_pid
        while sum(sent.values()) < count:
            for number in range(100):
                _one(connection, sent, pid, number, is_canceling=number == 99 and index == 0)
    return sent


def _one(
    connection: "psycopg.Connection[tuple[object, ...]]",
    sent: Counter[tuple[int, str]],
    pid: int,
    number: int,
    *,
    is_canceling: bool,
) -> None:
    def send(outcome: str, sql: str, *parameters: object, prepare: bool | None = None) -> None:
        sent[pid, outcome] += 1
        is_ok = True
        try:
            connection.execute(sql, parameters or None, prepare=prepare)  # type: ignore[call-overload]
        except psycopg.Error:
            is_ok = False
        assert is_ok is (outcome == "ok"), sql

    match number % 25:
        case 3:
            send("denied", f"INSERT INTO sales.orders VALUES (1, 2, 3, NULL, length('{MARKER}'))")
        case 7:
            send("error", f"SELECT CAST(name || '{MARKER}' AS INTEGER) FROM sales.customers")
        case 11:
            send("error", f"SELECT '{MARKER}' FROM sales.nowhere")
        case 15:
            send("error", f"SELEC '{MARKER}'")
        case 16:
            send("error", "SELECT %s::integer + 1", MARKER, prepare=True)
        case 17:
            send("denied", f"ALTER ROLE admin PASSWORD '{MARKER}'")
        case 19:
            send("ok", "BEGIN")
            send("error", f"SELECT 1 / length(replace('{MARKER}', '{MARKER}', ''))")
            send("error", f"SELECT '{MARKER}'")
            send("ok", "ROLLBACK")
        case 21:
            send("ok", f"SET application_name = 'load {number}'")
        case 24 if number == 99:
            _cancel(connection, sent, pid, by_request=is_canceling)
        case _:
            send("ok", "SELECT name FROM sales.customers WHERE name <> %s AND id = %s", MARKER, number)


def _cancel(
    connection: "psycopg.Connection[tuple[object, ...]]",
    sent: Counter[tuple[int, str]],
    pid: int,
    *,
    by_request: bool,
) -> None:
    """One statement that is stopped: by CancelRequest, or by its timeout."""
    sent[pid, "ok"] += 2
    sent[pid, "canceled"] += 1
    timeout = "0" if by_request else "20ms"
    connection.execute(f"SET statement_timeout = '{timeout}'")
    timer = threading.Timer(0.05, connection.cancel)
    if by_request:
        timer.start()
    try:
        connection.execute(
            f"SELECT count(*) FROM numbers a, numbers b, numbers c WHERE a.label <> '{MARKER}'"
        )
        raise AssertionError("the statement was not canceled")
    except psycopg.errors.QueryCanceled:
        pass
    finally:
        if by_request:
            timer.join()
    connection.execute("SET statement_timeout = 0")

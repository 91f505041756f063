"""What every metastore does, whatever its database: whole changes, epochs, history, watching, audit."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pgproxy.control import Metastore, MetastoreError
from pgproxy.control.audit import AUDIT_COLUMNS, AuditRecord
from pgproxy.control.fleet import EndpointState
from pgproxy.control.migration import load_migrations
from pgproxy.control.notes import Note
from pgproxy.control.state import ControlState
from pgwire.errors import StatementError
from tests.unit.control.states import VERIFIER, sample_state, user


async def write(metastore: Metastore, state: ControlState) -> int:
    return (await metastore.change("tester", lambda _: state)).epoch


async def drain(metastore: Metastore, name: str = "node") -> int:
    def transform(state: ControlState) -> ControlState:
        endpoint = replace(state.endpoints[name], state=EndpointState.DRAINING)
        return replace(state, endpoints={**state.endpoints, name: endpoint})

    return (await metastore.change("tester", transform)).epoch


def audit_record(request_id: str, ended: datetime, **facts: Any) -> AuditRecord:
    moment = ended.isoformat(timespec="microseconds")
    values: dict[str, Any] = dict.fromkeys(AUDIT_COLUMNS, "")
    values |= {"pid": 1, "rows": 3, "bytes": 9, "total_ms": 1.5, "queue_ms": None, "first_row_ms": 0.5}
    values["attempts"] = 1
    values |= {"query": None, "objects": "[]", "policies": "[]", "started_at": moment, "ended_at": moment}
    return AuditRecord(**values | {"request_id": request_id, "event": "statement"} | facts)


async def check_rows_of_the_old_table_are_carried_over(
    opened: Callable[[], AbstractAsyncContextManager[Metastore]], database: str, patched: pytest.MonkeyPatch
) -> None:
    """Write rows into the audit log as it was before batches, and find them there after the migration.

    database: whose migrations these are, and where they are loaded.
    """
    steps = load_migrations(database)
    last = next(number for number, step in enumerate(steps) if "CREATE TABLE audit_batches" in step.sql)
    start = datetime.now(UTC)
    records = [
        audit_record(f"a-{n}", start + timedelta(microseconds=n), principal=f"user{n % 3}", rows=n, query="é")
        for n in range(603)
    ]
    names = ", ".join(AUDIT_COLUMNS)
    values = ", ".join(f"${place}" for place in range(1, len(AUDIT_COLUMNS) + 1))
    with patched.context() as older:
        module = {"sqlite": "sqlite_file"}.get(database, database)
        older.setattr(f"pgproxy.control.{module}.load_migrations", lambda _: steps[:last])
        async with opened() as metastore:
            for record in records:
                await metastore.run_statement(f"INSERT INTO audit_log ({names}) VALUES ({values})", record)
            await metastore.run_statement("DELETE FROM audit_log WHERE rows BETWEEN 300 AND 310")
    kept = tuple(records[:300] + records[311:])
    async with opened() as metastore:
        assert (await metastore.audit.page(0, 5000)).records == kept
        assert await metastore.audit.last(1) == kept[-1:]
        _, last_id = await metastore.audit.bounds()
        await metastore.audit.write([records[0].to_write()])
        assert (await metastore.audit.bounds())[1] > last_id
        assert await metastore.audit.purge(start - timedelta(days=1)) == 0


class MetastoreContract:
    """Tests over a fixture `metastore`: a new, empty one."""

    async def test_a_new_metastore_is_empty_at_epoch_zero(self, metastore: Metastore) -> None:
        assert await metastore.epoch() == 0
        assert await metastore.state() == ControlState()
        assert (await metastore.policy_set()).epoch == 0

    async def test_a_change_that_changes_nothing_moves_no_epoch(self, metastore: Metastore) -> None:
        assert await write(metastore, sample_state()) == 1
        assert await write(metastore, sample_state()) == 1
        assert len(await metastore.history()) == 1

    async def test_a_refused_change_writes_nothing(self, metastore: Metastore) -> None:
        def refuse(_: ControlState) -> ControlState:
            raise StatementError("no")

        with pytest.raises(StatementError):
            await metastore.change("tester", refuse)
        assert await metastore.epoch() == 0
        assert await write(metastore, sample_state()) == 1

    async def test_a_dangling_reference_is_refused_by_the_database_too(self, metastore: Metastore) -> None:
        dangling = replace(sample_state(), principals={})
        with pytest.raises(MetastoreError, match=r"(?i)foreign key"):
            await write(metastore, dangling)
        assert await metastore.state() == ControlState()

    async def test_endpoints_move_the_epoch_but_not_that_of_the_policy(self, metastore: Metastore) -> None:
        await write(metastore, sample_state())
        assert await drain(metastore) == 2
        assert await metastore.epoch() == 2
        assert (await metastore.policy_set()).epoch == 1
        assert (await metastore.endpoints())[0].state is EndpointState.DRAINING

    async def test_the_history_says_who_and_what_without_secrets(self, metastore: Metastore) -> None:
        before = datetime.now(UTC)
        await write(metastore, sample_state())
        await drain(metastore)
        latest, first = await metastore.history()
        assert (latest.epoch, latest.actor, first.epoch) == (2, "tester", 1)
        assert before <= first.changed_at <= latest.changed_at
        assert '"ACTIVE"' in latest.before
        assert '"DRAINING"' in latest.after
        assert VERIFIER not in first.after
        assert '"token": "<redacted>"' in first.after
        assert [v.epoch for v in await metastore.history(limit=1)] == [2]

    async def test_credentials_move_the_epoch_but_not_that_of_the_policy(self, metastore: Metastore) -> None:
        state = sample_state()
        await write(metastore, replace(state, api_keys={}, hba_rules=()))
        assert await write(metastore, state) == 2
        assert (await metastore.policy_set()).epoch == 1
        assert await metastore.state() == state
        (latest, _) = await metastore.history()
        assert '"key": "<redacted>"' in latest.after
        for key in state.api_keys.values():
            assert key.digest not in latest.after
            assert key.verifier not in latest.after

    async def test_of_two_notes_the_newer_wins_and_no_epoch_moves(self, metastore: Metastore) -> None:
        now = datetime.now(UTC)
        first, second = Note("login", "k", "1", now), Note("login", "k", "2", now + timedelta(seconds=1))
        other = Note("key_use", "é", "", now)
        notes = metastore.notes
        await notes.put([second, other])
        await notes.put([first])
        assert await notes.of("login") == (second,)
        assert await notes.of("key_use") == (other,)
        assert await notes.of("login", now + timedelta(seconds=2)) == ()
        await notes.purge("login", now + timedelta(seconds=2))
        assert await notes.of("login") == ()
        assert await metastore.epoch() == 0

    async def test_concurrent_changes_all_count(self, metastore: Metastore) -> None:
        async def add(name: str) -> None:
            await metastore.change(name, lambda s: replace(s, principals={**s.principals, name: user(name)}))

        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(add(f"user{number}"))
        assert await metastore.epoch() == 20
        assert len((await metastore.state()).principals) == 20

    async def test_a_cancelled_change_is_whole_or_not_there(self, metastore: Metastore) -> None:
        states = (sample_state(), replace(sample_state(), grants=frozenset()))
        for steps in range(12):
            before = await metastore.epoch()
            async with asyncio.TaskGroup() as group:
                task = group.create_task(write(metastore, states[steps % 2]))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
            after = await metastore.epoch()
            assert after - before in {0, 1}
            assert len(await metastore.history()) == after

    async def test_a_watcher_that_lags_sees_the_latest_epoch_only(self, metastore: Metastore) -> None:
        await write(metastore, sample_state())
        await drain(metastore)
        epochs = metastore.watch(since=0)
        async with asyncio.timeout(5):
            assert await anext(epochs) == 2
        await epochs.aclose()

    async def test_audit_records_wake_no_watcher_and_can_be_purged(self, metastore: Metastore) -> None:
        now, audit = datetime.now(UTC), metastore.audit
        old = audit_record("a-1", now - timedelta(days=9), principal="ann")
        new = audit_record("a-2", now, principal="bob", objects='[{"table": "demo.sales.é"}]')
        await audit.write([old.to_write()])
        await audit.write([new.to_write()])
        assert await audit.last() == (new, old)
        assert await audit.last(limit=1) == (new,)
        assert await metastore.epoch() == 0
        assert await audit.purge(now - timedelta(days=1)) == 1
        assert await audit.last() == (new,)
        _, last_id = await audit.bounds()
        assert await audit.purge(now + timedelta(days=1)) == 1
        await audit.write([old.to_write()])
        assert await audit.bounds() == (last_id + 1, last_id + 1), "who follows the log sees no number twice"

    async def test_a_batch_that_is_written_again_is_there_once(self, metastore: Metastore) -> None:
        records = [audit_record(f"a-{n}", datetime.now(UTC)) for n in range(1040)]
        rows = [record.to_write() for record in records]
        for part in (rows[:19], rows[:19], rows[19:], rows[19:]):
            await metastore.audit.write(part)
        assert await metastore.audit.last(2000) == tuple(reversed(records))

    async def test_rows_of_a_batch_keep_what_is_their_own_and_what_they_share(
        self, metastore: Metastore
    ) -> None:
        now = datetime.now(UTC)
        shared = {"principal": 'o"brien', "objects": '[{"table": "é"}]', "kind": "SELECT"}
        records = tuple(
            audit_record(f"a-{n}", now + timedelta(microseconds=n), **shared | facts)
            for n, facts in enumerate(
                ({}, {"queue_ms": 0.001, "rows": 2**40}, {"query": "SELECT ?", "engine_text": "no\n"},
                 {"outcome": "denied", "reason": "no_rule", "attempts": 7, "first_row_ms": None})
            )
        )  # fmt: skip
        await metastore.audit.write([record.to_write() for record in records])
        assert await metastore.audit.last() == records[::-1]
        names = ", ".join(AUDIT_COLUMNS)
        found = await metastore.run_statement(f"SELECT {names} FROM audit_log ORDER BY id")
        assert tuple(AuditRecord.of_row(row) for row in found) == records

    async def test_the_audit_log_is_read_page_by_page(self, metastore: Metastore) -> None:
        assert await metastore.audit.bounds() == (0, 0)
        records = tuple(audit_record(f"a-{n}", datetime.now(UTC)) for n in range(5))
        await metastore.audit.write([record.to_write() for record in records[:2]])
        await metastore.audit.write([record.to_write() for record in records[2:]])
        first = await metastore.audit.page(0, 3)
        second = await metastore.audit.page(first.last_id, 3)
        assert first.records + second.records == records
        assert first.ids + second.ids == tuple(range(1, 6))
        assert (await metastore.audit.bounds())[1] == second.last_id
        assert not (await metastore.audit.page(second.last_id, 3)).records

    async def test_figures_of_a_stage_are_kept_by_gateway_and_move_no_epoch(
        self, metastore: Metastore
    ) -> None:
        await metastore.record_figures("r", 10.5, "a", "1")
        await metastore.record_figures("r", 10.5, "b", "2")
        await metastore.record_figures("r", 10.5, "a", "3")
        await metastore.record_figures("r", 11.5, "a", "4")
        assert sorted(await metastore.figures("r", 10.5)) == ["2", "3"]
        assert await metastore.figures("s", 10.5) == ()
        assert await metastore.epoch() == 0

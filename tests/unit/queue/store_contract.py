"""What the queue's table does, whatever the metastore's database: each move once, by one of many."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgproxy.control import Metastore
from pgproxy.control.state import ControlState
from pgproxy.queue.fairness import Waiting
from pgproxy.queue.model import TRANSITIONS, Facts, QueryState, QueuedQuery, Slot, Statement, Submission
from pgproxy.queue.store import QueryStore, after_loss
from tests.unit.control.states import user

MOVES = ("claim", "finish", "fail", "cancel", "reap", "release")
OVER = -1.0
"""A lease that has ended when it begins."""
SECRET = "hidden-literal-4711"


def submission(**more: object) -> Submission:
    found = Submission("ann", Statement(f"SELECT '{SECRET}'", ("1", None)), ttl_s=60, may_write=False)
    return replace(found, **more)  # type: ignore[arg-type]


class StoreContract:
    """Tests over a fixture `metastore`: a new, empty one."""

    @pytest.fixture
    async def store(self, metastore: Metastore) -> QueryStore:
        await metastore.change("tester", lambda _: ControlState({"ann": user("ann")}))
        return QueryStore(metastore)

    async def test_a_query_comes_back_as_it_was_submitted(self, store: QueryStore) -> None:
        asked = submission(priority=3, idempotency_key="k")
        assert await store.insert("q1", asked, 100.0)
        found = await store.get("q1")
        assert found == QueuedQuery(
            "q1", "ann", 3, 60.0, False, QueryState.QUEUED, 0, 100.0, idempotency_key="k"
        )
        assert await store.statement("q1") == asked.statement
        assert await store.get("q2") is None

    async def test_a_statements_text_is_not_readable_in_the_metastore(
        self, store: QueryStore, metastore: Metastore
    ) -> None:
        await store.insert("q1", submission(), 100.0)
        (row,) = await metastore.run_statement("SELECT * FROM async_queries")
        assert SECRET not in repr(row)

    async def test_an_idempotency_key_is_taken_once_by_each_principal(self, store: QueryStore) -> None:
        assert await store.insert("q1", submission(idempotency_key="k"), 1.0)
        assert not await store.insert("q2", submission(idempotency_key="k"), 2.0)
        assert await store.insert("q3", submission(), 3.0)
        assert await store.insert("q4", submission(), 4.0)
        known = await store.by_key("ann", "k")
        assert known is not None
        assert (known[0].id, known[1]) == ("q1", store.digest(submission().statement))

    async def test_only_one_of_many_claims_a_query(self, store: QueryStore) -> None:
        await store.insert("q1", submission(), 1.0)
        claims = await asyncio.gather(*(store.claim("q1", f"g{i}", 5.0, 10.0) for i in range(8)))
        (winner,) = (claim for claim in claims if claim is not None)
        assert (winner.state, winner.attempts, winner.started_at) == (QueryState.RUNNING, 1, 5.0)
        await store.insert("q2", submission(), 6.0)
        assert await store.waiting(1, 2) == ((Waiting("q2", "ann", 0, 6.0),), {"ann": 1})

    async def test_one_that_finds_a_slot_runs_from_the_first(self, store: QueryStore) -> None:
        slot = Slot("g", 60.0, 2)
        added = [await store.insert(f"q{n}", submission(), 2.0, slot) for n in range(3)]
        assert [(a.state, a.attempts, a.started_at) for a in added if a is not None] == [
            (QueryState.RUNNING, 1, 2.0),
            (QueryState.RUNNING, 1, 2.0),
            (QueryState.QUEUED, 0, None),
        ]
        assert await store.claim("q0", "other", 3.0, 10.0) is None
        assert await store.lapsed() == ()
        assert await store.renew("g", ("q0", "q1", "q2"), OVER) == {"q0", "q1"}
        assert {query.id for query in await store.lapsed()} == {"q0", "q1"}

    async def test_the_first_few_of_each_principal_wait_in_front(self, store: QueryStore) -> None:
        for n in range(5):
            await store.insert(f"q{n}", submission(priority=n % 2), float(n))
        waiting, running = await store.waiting(2, 1)
        assert ({w.id for w in waiting}, running) == ({"q1", "q3"}, {"ann": 0})
        assert await store.count_queued("ann") == 5
        assert await store.oldest_queued_at() == 0.0

    async def test_who_may_have_no_more_running_is_left_out(
        self, store: QueryStore, metastore: Metastore
    ) -> None:
        await metastore.change("tester", lambda _: ControlState({n: user(n) for n in ("ann", "bob")}))
        for query_id, principal in (("q1", "ann"), ("q2", "ann"), ("q3", "bob")):
            await store.insert(query_id, submission(principal=principal), 1.0)
        await store.claim("q1", "g", 2.0, 10.0)
        waiting, running = await store.waiting(9, 1)
        assert ({w.id for w in waiting}, running) == ({"q3"}, {"bob": 0})
        waiting, running = await store.waiting(9, 2)
        assert ({w.id for w in waiting}, running) == ({"q2", "q3"}, {"ann": 1, "bob": 0})

    async def test_only_the_leases_that_are_named_are_renewed(self, store: QueryStore) -> None:
        """What was claimed here, and nobody here knows of, is to be found by its lease."""
        for query_id in ("q1", "q2"):
            await store.insert(query_id, submission(), 1.0)
            await store.claim(query_id, "g", 2.0, OVER)
        assert len(await store.lapsed()) == 2
        assert await store.renew("g", ("q1", "q3"), 30.0) == {"q1"}
        assert [query.id for query in await store.lapsed()] == ["q2"]

    async def test_a_cancel_sticks_whatever_the_worker_says(self, store: QueryStore) -> None:
        await store.insert("q1", submission(), 1.0)
        query = await store.claim("q1", "g", 2.0, 10.0)
        assert query is not None
        assert await store.cancel("q1", 3.0)
        assert not await store.finish(query, "g", QueryState.SUCCEEDED, 4.0)
        assert not await store.note("q1", "g", Facts(), may_write=False)
        assert await store.renew("g", ("q1",), 20.0) == frozenset()
        found = await store.get("q1")
        assert found is not None
        assert (found.state, found.ended_at, found.expires_at) == (QueryState.CANCELED, 3.0, 63.0)
        assert not await store.cancel("q1", 5.0)

    async def test_the_time_to_live_counts_from_the_end(self, store: QueryStore) -> None:
        for name in ("ended", "running", "queued"):
            await store.insert(name, submission(), 1.0)
        for name in ("ended", "running"):
            query = await store.claim(name, "g", 2.0, 10.0)
            assert query is not None
            if name == "ended":
                assert await store.finish(query, "g", QueryState.SUCCEEDED, 100.0)
        assert await store.delete_expired(160.0) == ()
        assert await store.delete_expired(160.1) == ("ended",)
        assert await store.ids() == {"running", "queued"}

    async def test_a_lost_read_waits_again_and_a_lost_write_fails(self, store: QueryStore) -> None:
        for name in ("read", "write"):
            await store.insert(name, submission(may_write=name == "write"), 1.0)
            assert await store.claim(name, "gone", 2.0, 10.0)
        assert await store.lapsed() == ()
        assert len(await store.lapsed(("other", "gone"))) == 2
        await store.renew("gone", ("read", "write"), OVER)
        lost = await store.lapsed()
        for query in lost:
            reaped = await asyncio.gather(*(store.reap(query, after_loss(query), 13.0) for _ in range(8)))
            assert sum(reaped) == 1, "by one gateway only"
        read, write = await store.get("read"), await store.get("write")
        assert read is not None
        assert write is not None
        assert (read.state, read.facts.retries) == (QueryState.QUEUED, ("gateway_lost",))
        assert (write.state, write.facts.sqlstate) == (QueryState.FAILED, "08007")
        assert write.expires_at == 73.0

    async def test_a_read_is_lost_three_times_at_most(self, store: QueryStore) -> None:
        await store.insert("q", submission(), 1.0)
        for _ in range(3):
            assert await store.claim("q", "gone", 2.0, OVER)
            (query,) = await store.lapsed()
            await store.reap(query, after_loss(query), 5.0)
        found = await store.get("q")
        assert found is not None
        assert (found.state, found.attempts) == (QueryState.FAILED, 3)

    async def test_a_principals_queries_go_with_it(self, store: QueryStore, metastore: Metastore) -> None:
        await store.insert("q", submission(), 1.0)
        await metastore.change("tester", lambda _: ControlState())
        assert await store.ids() == frozenset()

    @settings(
        max_examples=15,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(
        moves=st.lists(st.sampled_from(("claim", "finish", "fail", "cancel", "reap", "release")), max_size=8)
    )
    async def test_every_move_is_one_of_the_table(self, store: QueryStore, moves: list[str]) -> None:
        await store.delete("m")
        await store.insert("m", submission(), 1.0)
        for move in moves:
            before = await store.get("m")
            assert before is not None
            moved = await _make(store, before, move)
            after = await store.get("m")
            assert after is not None
            if moved:
                assert after.state in TRANSITIONS[before.state]
            else:
                assert after == before


async def _make(store: QueryStore, query: QueuedQuery, move: str) -> bool:
    match move:
        case "claim":
            return await store.claim("m", "g", 2.0, 10.0) is not None
        case "finish":
            return await store.finish(query, "g", QueryState.SUCCEEDED, 3.0)
        case "fail":
            return await store.finish(query, "g", QueryState.FAILED, 3.0)
        case "cancel":
            return await store.cancel("m", 3.0)
        case "reap":
            return await store.reap(query, after_loss(query), 3.0)
        case _:
            return await store.release(query, "g")

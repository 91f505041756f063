"""The queue in the metastore: every move is one compare-and-set statement, so two gateways never both win.

A running query belongs to its owner, a gateway's process, for as long as the lease is renewed. Leases are set
and looked at by the metastore's own clock: those of gateways may differ by more than a lease.
"""

import hmac
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pgproxy.control.metastore import Metastore, Scalar
from pgproxy.queue.fairness import Waiting
from pgproxy.queue.model import (
    MAX_ATTEMPTS,
    Facts,
    QueryState,
    QueuedQuery,
    Slot,
    Statement,
    Submission,
    scope_text,
)

_COLUMNS = (
    "id, principal, priority, ttl_s, may_write, state, attempts, submitted_at, idempotency_key, started_at, "
    "ended_at, expires_at, facts"
)


GATEWAY_LOST = "gateway_lost"
"""Why a query is tried again whose gateway died."""

_NO_SLOT = Slot("", 0.0, 0)


class QueryStore:
    """The table `async_queries`."""

    def __init__(self, metastore: Metastore) -> None:
        self._metastore = metastore
        self._clock = metastore.clock_sql
        self._box = metastore.secret_box
        self._digest_key = self._box.derive("digests of submitted statements")

    async def insert(
        self, query_id: str, submission: Submission, now: float, slot: Slot | None = None
    ) -> QueuedQuery | None:
        """Add a query; None where its principal has used its idempotency key before.

        slot: it is RUNNING there from the first, and never waits, if its principal may have another one.
        """
        slot = slot or _NO_SLOT
        text = submission.statement.to_json()
        added = await self._run(
            "INSERT INTO async_queries (id, principal, idempotency_key, digest, statement, priority, ttl_s, "
            "may_write, submitted_at, facts, state, attempts, owner, lease_until, started_at) "
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
            "CASE WHEN begins THEN 'RUNNING' ELSE 'QUEUED' END, CASE WHEN begins THEN 1 ELSE 0 END, "
            "CASE WHEN begins THEN $11 ELSE '' END, "
            f"CASE WHEN begins THEN {self._clock} + CAST($12 AS double precision) ELSE 0 END, "
            "CASE WHEN begins THEN CAST($13 AS double precision) END "
            "FROM (SELECT count(*) < $14 AS begins FROM async_queries "
            "WHERE state = 'RUNNING' AND principal = $15) AS others WHERE true "
            f"ON CONFLICT (principal, idempotency_key) DO NOTHING RETURNING {_COLUMNS}",
            query_id,
            submission.principal,
            submission.idempotency_key,
            self.digest(submission.statement),
            self._box.seal(text, query_id),
            submission.priority,
            submission.ttl_s,
            int(submission.may_write),
            now,
            Facts(scope=scope_text(submission.statement.scope)).to_json(),
            slot.owner,
            slot.lease_s,
            now,
            slot.limit,
            submission.principal,
        )
        return _query(added[0]) if added else None

    def digest(self, statement: Statement) -> str:
        """Tell whether two statements are the same without keeping their text readable."""
        return hmac.new(self._digest_key, statement.to_json().encode(), "sha256").hexdigest()

    async def by_key(self, principal: str, key: str) -> tuple[QueuedQuery, str] | None:
        """Find the query of an idempotency key, and its statement's digest."""
        found = await self._run(
            f"SELECT {_COLUMNS}, digest FROM async_queries WHERE principal = $1 AND idempotency_key = $2",
            principal,
            key,
        )
        return (_query(found[0][:-1]), str(found[0][-1])) if found else None

    async def get(self, query_id: str) -> QueuedQuery | None:
        """Find a query."""
        found = await self._run(f"SELECT {_COLUMNS} FROM async_queries WHERE id = $1", query_id)
        return _query(found[0]) if found else None

    async def statement(self, query_id: str) -> Statement | None:
        """What was submitted."""
        found = await self._run("SELECT statement FROM async_queries WHERE id = $1", query_id)
        return Statement.from_json(self._box.open(bytes(found[0][0]), query_id)) if found else None

    async def page(
        self, principal: str | None, state: QueryState | None, before_id: str, limit: int
    ) -> tuple[QueuedQuery, ...]:
        """List queries, newest first. principal, state: None for any. before_id: only older ones; '' for all.

        Ids sort by submission.
        """
        where, parameters = ["1 = 1"], list[Scalar]()
        for condition, value in (
            ("principal =", principal),
            ("state =", state.value if state is not None else None),
            ("id <", before_id or None),
        ):
            if value is not None:
                parameters.append(value)
                where.append(f"{condition} ${len(parameters)}")
        parameters.append(limit)
        found = await self._run(
            f"SELECT {_COLUMNS} FROM async_queries WHERE {' AND '.join(where)} "
            f"ORDER BY id DESC LIMIT ${len(parameters)}",
            *parameters,
        )
        return tuple(_query(row) for row in found)

    async def waiting(self, per_principal: int, limit: int) -> tuple[tuple[Waiting, ...], dict[str, int]]:
        """The first few of each principal that waits: enough to choose from, however many there are.

        limit: who has so many running is left out, else all that a busy role has waiting would be sorted at
        each turn of another. Gives also how many queries of these principals run, on any gateway.
        """
        found = await self._run(
            "SELECT id, principal, priority, submitted_at, (SELECT count(*) FROM async_queries AS others "
            "WHERE others.state = 'RUNNING' AND others.principal = ranked.principal) FROM ("
            "SELECT id, principal, priority, submitted_at, row_number() OVER "
            "(PARTITION BY principal ORDER BY priority DESC, submitted_at, id) AS place "
            "FROM async_queries WHERE state = 'QUEUED' AND principal NOT IN (SELECT principal "
            "FROM async_queries WHERE state = 'RUNNING' GROUP BY principal HAVING count(*) >= $2)) AS ranked "
            "WHERE place <= $1",
            per_principal,
            limit,
        )
        return tuple(Waiting(*row[:4]) for row in found), {row[1]: int(row[4]) for row in found}

    async def count_queued(self, principal: str) -> int:
        """How many queries of a principal wait."""
        found = await self._run(
            "SELECT count(*) FROM async_queries WHERE state = 'QUEUED' AND principal = $1", principal
        )
        return int(found[0][0])

    async def counts(self) -> dict[QueryState, int]:
        """How many queries are in each state."""
        found = await self._run("SELECT state, count(*) FROM async_queries GROUP BY state")
        return {QueryState(state): int(count) for state, count in found}

    async def oldest_queued_at(self) -> float | None:
        """When the query that waits longest was submitted."""
        found = await self._run("SELECT min(submitted_at) FROM async_queries WHERE state = 'QUEUED'")
        return found[0][0] if found else None

    async def claim(self, query_id: str, owner: str, now: float, lease_s: float) -> QueuedQuery | None:
        """QUEUED → RUNNING; None where another gateway was faster, or it was cancelled."""
        found = await self._run(
            "UPDATE async_queries SET state = 'RUNNING', owner = $2, "
            f"lease_until = {self._clock} + $3, started_at = $4, "
            f"attempts = attempts + 1 WHERE id = $1 AND state = 'QUEUED' RETURNING {_COLUMNS}",
            query_id,
            owner,
            lease_s,
            now,
        )
        return _query(found[0]) if found else None

    async def renew(self, owner: str, ids: Sequence[str], lease_s: float) -> frozenset[str]:
        """Renew the leases of these; gives which still run here: the others were cancelled, or are lost."""
        found = await self._run(
            f"UPDATE async_queries SET lease_until = {self._clock} + $2 "
            "WHERE owner = $1 AND state = 'RUNNING' "
            f"AND id IN ({_marks(ids, 3)}) RETURNING id",
            owner,
            lease_s,
            *ids,
        )
        return frozenset(str(row[0]) for row in found)

    async def note(self, query_id: str, owner: str, facts: Facts, *, may_write: bool) -> bool:
        """Keep what is known of a running query; False where it runs here no more."""
        found = await self._run(
            "UPDATE async_queries SET facts = $3, may_write = $4 "
            "WHERE id = $1 AND owner = $2 AND state = 'RUNNING' RETURNING id",
            query_id,
            owner,
            facts.to_json(),
            int(may_write),
        )
        return bool(found)

    async def finish(self, query: QueuedQuery, owner: str, state: QueryState, now: float) -> bool:
        """RUNNING → an end; False where it runs here no more: cancelled meanwhile, or its lease was lost."""
        found = await self._run(
            "UPDATE async_queries SET state = $3, facts = $4, ended_at = $5, expires_at = $6, owner = '' "
            "WHERE id = $1 AND owner = $2 AND state = 'RUNNING' RETURNING id",
            query.id,
            owner,
            state.value,
            query.facts.to_json(),
            now,
            now + query.ttl_s,
        )
        return bool(found)

    async def cancel(self, query_id: str, now: float) -> bool:
        """QUEUED or RUNNING → CANCELED, which sticks; False where it had ended."""
        found = await self._run(
            "UPDATE async_queries SET state = 'CANCELED', ended_at = $2, expires_at = $3 + ttl_s, owner = '' "
            "WHERE id = $1 AND state IN ('QUEUED', 'RUNNING') RETURNING id",
            query_id,
            now,
            now,
        )
        return bool(found)

    async def delete(self, query_id: str) -> None:
        """Forget a query."""
        await self._run("DELETE FROM async_queries WHERE id = $1", query_id)

    async def delete_expired(self, now: float) -> tuple[str, ...]:
        """Forget what ended longer ago than its time to live; gives the ids."""
        found = await self._run("DELETE FROM async_queries WHERE expires_at < $1 RETURNING id", now)
        return tuple(str(row[0]) for row in found)

    async def ids(self) -> frozenset[str]:
        """Every id."""
        return frozenset(str(row[0]) for row in await self._run("SELECT id FROM async_queries"))

    async def lapsed(self, dead_owners: Sequence[str] = ()) -> tuple[QueuedQuery, ...]:
        """Running queries whose gateway is lost: its lease has ended, or it is known to be dead."""
        is_dead = f" OR owner IN ({_marks(dead_owners, 1)})" if dead_owners else ""
        found = await self._run(
            f"SELECT {_COLUMNS} FROM async_queries "
            f"WHERE state = 'RUNNING' AND (lease_until < {self._clock}{is_dead})",
            *dead_owners,
        )
        return tuple(_query(row) for row in found)

    async def reap(self, query: QueuedQuery, failure: Facts | None, now: float) -> bool:
        """Take a query from a lost gateway: to the queue again, or, with a `failure`, to its end.

        The attempt is compared, so that of two gateways that see it only one does it.
        """
        facts = failure or replace(query.facts, progress=None, retries=(*query.facts.retries, GATEWAY_LOST))
        state = QueryState.QUEUED if failure is None else QueryState.FAILED
        found = await self._run(
            "UPDATE async_queries SET state = $4, facts = $3, owner = '', "
            "ended_at = CASE WHEN $4 = 'FAILED' THEN CAST($5 AS double precision) END, "
            "expires_at = CASE WHEN $4 = 'FAILED' THEN CAST($5 AS double precision) + ttl_s END "
            "WHERE id = $1 AND attempts = $2 AND state = 'RUNNING' RETURNING id",
            query.id,
            query.attempts,
            facts.to_json(),
            state.value,
            now,
        )
        return bool(found)

    async def release(self, query: QueuedQuery, owner: str) -> bool:
        """RUNNING → QUEUED without counting the attempt: its gateway shuts down."""
        found = await self._run(
            "UPDATE async_queries SET state = 'QUEUED', owner = '', attempts = attempts - 1 "
            "WHERE id = $1 AND owner = $2 AND state = 'RUNNING' RETURNING id",
            query.id,
            owner,
        )
        return bool(found)

    async def _run(self, sql: str, *parameters: Scalar) -> list[tuple[Any, ...]]:
        return await self._metastore.run_statement(sql, parameters)


UNKNOWN_OUTCOME = Facts(
    sqlstate="08007",
    message="unknown outcome: the gateway was lost while the statement may have been writing",
)


def after_loss(query: QueuedQuery) -> Facts | None:
    """What becomes of a query whose gateway was lost: None to try again, else why it has failed. Pure."""
    if query.may_write:
        return replace(query.facts, sqlstate=UNKNOWN_OUTCOME.sqlstate, message=UNKNOWN_OUTCOME.message)
    if query.attempts >= MAX_ATTEMPTS:
        message = "the statement was lost with its gateway as often as it may be tried"
        return replace(query.facts, sqlstate="08006", message=message)
    return None


def _marks(values: Sequence[str], first: int) -> str:
    """Give the parameters' places of a list."""
    return ", ".join(f"${place}" for place in range(first, first + len(values)))


def _query(row: Sequence[Any]) -> QueuedQuery:
    """Read a row of `_COLUMNS`."""
    (
        query_id,
        principal,
        priority,
        ttl_s,
        may_write,
        state,
        attempts,
        submitted_at,
        key,
        started_at,
        ended_at,
        expires_at,
        facts,
    ) = row
    return QueuedQuery(
        id=query_id,
        principal=principal,
        priority=priority,
        ttl_s=ttl_s,
        may_write=bool(may_write),
        state=QueryState(state),
        attempts=attempts,
        submitted_at=submitted_at,
        idempotency_key=key,
        started_at=started_at,
        ended_at=ended_at,
        expires_at=expires_at,
        facts=Facts.from_json(facts),
    )

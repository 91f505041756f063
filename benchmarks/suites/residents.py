"""Short statements while much stands by: grants that the role has, and sessions that do nothing."""

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import count

from benchmarks.raw_client import RawClient, simple_query
from benchmarks.suites.base import Case, Probe
from benchmarks.targets.base import RunningTarget
from benchmarks.targets.gateway import ADMIN, ADMIN_PASSWORD, USER

_STATEMENTS = 40
_IDLE_BUFFER_BYTES = 1024
_GROUPS = 20
_numbers = count()


class ShortStatementProbe:
    """Runs a short statement many times, and gives the median. sql: with `{}` for a new name each time."""

    def __init__(self, client: RawClient, sql: str) -> None:
        self._client = client
        self._sql = sql

    def check(self) -> Mapping[str, str]:
        rows = self._client.fetch_text(self._sql.format(0))
        return {"rows": str(len(rows)), "digest": repr(rows)}

    def measure(self) -> Mapping[str, float]:
        return {"wall_s": statistics.median(self._one() for _ in range(_STATEMENTS))}

    def _one(self) -> float:
        statement = simple_query(self._sql.format(next(_numbers)))
        start = time.perf_counter()
        self._client.run(statement)
        return time.perf_counter() - start


def sessions_case(sessions: int, sql: str, not_on: frozenset[str]) -> Case:
    """A statement beside so many sessions that do nothing."""
    opened = partial(_open_beside_sessions, sessions, sql)
    return Case(f"sessions_{sessions}", f"{sessions:,} idle sessions", opened, not_on)


def grants_case(grants: int, table: str, sql: str, not_on: frozenset[str]) -> Case:
    """A statement of a role that has so many grants, each of a column, by the groups that it is in.

    grants: a multiple of the number of groups. What an earlier case has granted stays.
    """
    opened = partial(_open_with_grants, grants // _GROUPS, table, sql)
    return Case(f"grants_{grants}", f"{grants:,} grants", opened, not_on)


@contextmanager
def _open_beside_sessions(sessions: int, sql: str, target: RunningTarget) -> Iterator[Probe]:
    address = target.wire_address
    with ExitStack() as stack:
        for _ in range(sessions):
            stack.enter_context(RawClient(address, _IDLE_BUFFER_BYTES))
        yield ShortStatementProbe(stack.enter_context(RawClient(address)), sql)


@contextmanager
def _open_with_grants(columns: int, table: str, sql: str, target: RunningTarget) -> Iterator[Probe]:
    address = target.wire_address
    names = ", ".join(f"c{number}" for number in range(1, columns + 1))
    with RawClient(replace(address, user=ADMIN, password=ADMIN_PASSWORD)) as admin:
        roles = {str(name) for (name,) in admin.fetch_text("SELECT rolname FROM pg_roles")}
        for group in (f"group{number}" for number in range(_GROUPS)):
            if group not in roles:
                admin.run(simple_query(f"CREATE ROLE {group}"))
                admin.run(simple_query(f"GRANT {group} TO {USER}"))
            admin.run(simple_query(f"GRANT SELECT ({names}) ON {table} TO {group}"))
    with RawClient(address) as client:
        yield ShortStatementProbe(client, sql)

"""The query API of a real gateway, by HTTP: submit, look, results, cancel, delete, and who may do it."""

import csv
import datetime
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, pgproxy
from tests.query_api import QueryApiClient

LONG = "SELECT sum((a.n * b.n) % 7)::bigint FROM numbers a, numbers b"
KINDS = """
SELECT n, doubled, (n * 1.25)::numeric(12, 2) AS money, n / 7.0::float8 AS ratio, n % 2 = 0 AS is_even,
    CASE WHEN n % 3 = 0 THEN NULL ELSE label || ' "quoted", äöü' END AS words, DATE '2024-02-27' + n AS day,
    TIMESTAMP '2024-01-01 00:00:00' + n * INTERVAL '1 hour 1 microsecond' AS moment,
    n * INTERVAL '1 day' AS span, ARRAY[n, NULL, n + 1] AS list, label::bytea AS raw,
    CASE WHEN n % 2 = 0 THEN '10110'::bit ELSE '011'::bit END AS bits
FROM numbers WHERE n < 20000 ORDER BY n
"""


@pytest.fixture
def api(gateway: RunningGateway) -> QueryApiClient:
    return QueryApiClient(gateway.http_port)


@pytest.fixture
def embedded_api(embedded: RunningGateway) -> QueryApiClient:
    return QueryApiClient(embedded.http_port)


def test_the_four_formats_and_the_synchronous_answer_are_equal(
    gateway: RunningGateway, api: QueryApiClient
) -> None:
    query_id = api.run(KINDS)
    arrow = pa.ipc.open_stream(api.results(query_id, "?format=arrow").body).read_all()
    parquet = pq.read_table(io.BytesIO(api.results(query_id, "?format=parquet").body))
    table = list(csv.reader(io.StringIO(api.results(query_id, "?format=csv").body.decode())))
    document = json.loads(api.results(query_id).body, parse_float=str)
    with psycopg.connect(gateway.dsn()) as connection:
        cursor = connection.execute(KINDS)
        names = [column.name for column in cursor.description or ()]
        direct = cursor.fetchall()
        texts = io.BytesIO()
        with connection.cursor().copy(f"COPY ({KINDS}) TO STDOUT (FORMAT csv, HEADER)") as copy:
            for part in copy:
                texts.write(part)
    assert arrow.schema.names == parquet.schema.names == table[0] == names
    assert arrow.num_rows == parquet.num_rows == len(document["rows"]) == len(direct) == 20000
    assert api.results(query_id, "?format=csv").body == texts.getvalue()
    assert [c["type"] for c in document["columns"]] == [
        "int4", "int8", "numeric", "float8", "bool", "text", "date", "timestamp", "interval", "_int4",
        "bytea", "bit",
    ]  # fmt: skip
    plain = [name for name in names if name != "span"]
    assert arrow.select(plain).to_pylist() == parquet.select(plain).to_pylist()
    for name in plain:
        place = names.index(name)
        assert arrow.column(name).to_pylist() == [_as_arrow(row[place]) for row in direct], name
    for row, cells, shown in zip(direct, table[1:], document["rows"], strict=True):
        as_csv = [_csv_text(cell) for cell in shown]
        assert as_csv == cells
        assert shown[0] == row[0]
        assert shown[4] is row[4]
        assert shown[5] == row[5]
    assert parquet.column("span").to_pylist()[:3] == ["00:00:00", "1 day", "2 days"]


def _as_arrow(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) and value.as_tuple().exponent == 0 else value


def _csv_text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "t" if cell else "f"
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else repr(cell)


def test_pages_and_ranges_give_every_row_once(api: QueryApiClient) -> None:
    query_id = api.run("SELECT n, label FROM numbers ORDER BY n")
    seen: list[int] = []
    token = ""
    while True:
        reply = api.results(query_id, f"?limit=30011{token}")
        seen += [row[0] for row in reply.json()["rows"]]
        if "x-next-page-token" not in reply.headers:
            assert reply.json()["next_page_token"] is None
            break
        token = f"&page_token={reply.headers['x-next-page-token']}"
    assert seen == list(range(100_000))
    page = api.results(query_id, f"?format=arrow&limit=7{token}")
    assert pa.ipc.open_stream(page.body).read_all().column("n").to_pylist() == list(range(90_033, 90_040))
    whole = api.results(query_id, "?format=csv").body
    cut, parts = 0, []
    while cut < len(whole):
        part = api.results(query_id, "?format=csv", Range=f"bytes={cut}-{cut + 500_000}")
        assert part.status == 206
        parts.append(part.body)
        cut += len(part.body)
    assert b"".join(parts) == whole


def test_a_page_token_is_of_use_only_where_it_was_given(embedded_api: QueryApiClient) -> None:
    one, other = (embedded_api.run("SELECT n FROM numbers ORDER BY n LIMIT 10") for _ in range(2))
    token = embedded_api.results(one, "?limit=3").headers["x-next-page-token"]
    assert embedded_api.results(one, f"?limit=3&page_token={token}").json()["rows"] == [[3], [4], [5]]
    for wrong in (token[:-2] + "AA", "garbage", "", "%00"):
        reply = embedded_api.results(one, f"?limit=3&page_token={wrong}x")
        assert reply.json()["error"]["sqlstate"] == "22023"
    assert embedded_api.results(other, f"?limit=3&page_token={token}").status == 400


def test_an_analysts_query_sees_only_masked_and_filtered_rows(
    gateway: RunningGateway, api: QueryApiClient
) -> None:
    sql = "SELECT id, email, region FROM sales.customers ORDER BY id"
    rows = api.results(api.run(sql)).json()["rows"]
    assert {row[2] for row in rows} == {"EU"}
    assert {row[1] for row in rows} == {"u***"}
    with psycopg.connect(gateway.dsn()) as connection:
        assert [tuple(row) for row in rows] == connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("sql", "status", "sqlstate"),
    [
        ("SELECT * FROM sales.secrets", 400, "42P01"),
        ("SELECT credit_limit FROM sales.customers", 400, "42703"),
        ("DELETE FROM sales.orders", 403, "42501"),
        ("SELEC 1", 400, "42601"),
        ("SELECT 1; SELECT 2", 400, "42601"),
        ("SET search_path = sales", 400, "0A000"),
        ("BEGIN", 400, "0A000"),
        ("CREATE TEMP TABLE t (n int)", 400, "0A000"),
        ("COPY numbers TO STDOUT", 400, "0A000"),
        ("SELECT * FROM read_csv('/etc/passwd')", 400, "42883"),
    ],
)
def test_what_is_wrong_or_denied_is_refused_at_once(
    embedded_api: QueryApiClient, sql: str, status: int, sqlstate: str
) -> None:
    reply = embedded_api.call("POST", "/queries", {"sql": sql})
    assert (reply.status, reply.json()["error"]["sqlstate"]) == (status, sqlstate)


def test_another_principal_finds_nothing_and_an_administrator_everything(
    embedded: RunningGateway, embedded_api: QueryApiClient
) -> None:
    query_id = embedded_api.run("SELECT 1 AS one")
    intern = QueryApiClient(embedded.http_port, "intern")
    for method, path in (("GET", ""), ("GET", "/results"), ("POST", "/cancel"), ("DELETE", "")):
        theirs = intern.call(method, f"/queries/{query_id}{path}")
        nobodys = intern.call(method, f"/queries/01890a5d-ac96-774b-bcce-b302099a8057{path}")
        assert theirs.status == nobodys.status == 404
        assert theirs.body == nobodys.body
    assert query_id not in str(intern.call("GET", "/queries").body)
    admin = QueryApiClient(embedded.http_port, ADMIN, ADMIN_PASSWORD)
    assert admin.results(query_id).json()["rows"] == [[1]]
    assert query_id in [query["id"] for query in admin.call("GET", "/queries").json()["queries"]]


def test_nobody_comes_in_without_credentials(embedded: RunningGateway) -> None:
    for client in (
        QueryApiClient(embedded.http_port, "analyst", "wrong"),
        QueryApiClient(embedded.http_port, "nobody"),
    ):
        reply = client.call("GET", "/queries")
        assert reply.status == 401
        assert reply.headers["www-authenticate"].startswith("Basic")


def test_an_idempotency_key_gives_the_same_query_and_runs_it_once(
    embedded: RunningGateway, embedded_api: QueryApiClient
) -> None:
    admin = QueryApiClient(embedded.http_port, ADMIN, ADMIN_PASSWORD)
    admin.run("CREATE TABLE public.once (n int)")
    body = {"sql": "INSERT INTO public.once VALUES ($1)", "parameters": [7], "idempotency_key": "key-1"}
    first = admin.call("POST", "/queries", body)
    assert first.status == 202
    admin.wait(first.json()["id"])
    again = admin.call("POST", "/queries", body)
    assert (again.status, again.json()["id"]) == (200, first.json()["id"])
    other = admin.call("POST", "/queries", {**body, "parameters": [8]})
    assert other.status == 400
    assert "another statement" in other.json()["error"]["message"]
    by_header = admin.call("POST", "/queries", {"sql": "SELECT 1"}, {"Idempotency-Key": "key-1"})
    assert by_header.status == 400
    assert embedded_api.submit("SELECT 1", idempotency_key="key-1") != first.json()["id"], (
        "keys are a role's own"
    )
    assert admin.results(admin.run("SELECT count(*), sum(n) FROM public.once")).json()["rows"] == [[1, 7]]
    assert admin.status(first.json()["id"])["command_tag"] == "INSERT 0 1"
    admin.run("DROP TABLE public.once")


def test_parameters_are_values_of_any_kind(embedded_api: QueryApiClient) -> None:
    query_id = embedded_api.run(
        "SELECT $1::int + 1, $2::text, $3::bool, $4::date, $5::int[], $6::numeric, "
        "$7::text IS NULL, $8::json",
        parameters=[41, 'it\'s "x" $1', True, "2024-02-29", [1, None, 3], 1.5, None, {"a": [1]}],
    )
    (row,) = embedded_api.results(query_id).json()["rows"]
    assert row == [42, 'it\'s "x" $1', True, "2024-02-29", "{1,NULL,3}", 1.5, True, {"a": [1]}]
    wrong = embedded_api.call("POST", "/queries", {"sql": "SELECT $1::int", "parameters": ["x"]})
    assert (wrong.status, wrong.json()["error"]["sqlstate"]) == (400, "22P02")
    missing = embedded_api.call("POST", "/queries", {"sql": "SELECT $1::int"})
    assert missing.json()["error"]["sqlstate"] == "08P01"


def test_a_running_query_tells_its_progress_and_is_cancelled_for_good(
    gateway: RunningGateway, api: QueryApiClient
) -> None:
    query_id = api.submit(LONG)
    api.wait(query_id, "RUNNING")
    early = api.results(query_id)
    assert (early.status, early.json()["error"]["sqlstate"]) == (409, "55000")
    while api.status(query_id)["progress"] is None:
        pass
    assert 0 <= api.status(query_id)["progress"] <= 1
    canceled = api.call("POST", f"/queries/{query_id}/cancel")
    assert canceled.json()["state"] == "CANCELED"
    assert api.call("POST", f"/queries/{query_id}/cancel").json()["state"] == "CANCELED"
    assert api.results(query_id).status == 409
    for node in gateway.nodes:
        assert node.health()["active_queries"] == 0, "cancel answers when nothing runs any more"
    assert api.call("DELETE", f"/queries/{query_id}").status == 204
    assert api.call("GET", f"/queries/{query_id}").status == 404


def test_what_waits_is_cancelled_before_it_starts_and_limits_hold(
    embedded: RunningGateway, embedded_api: QueryApiClient
) -> None:
    running = [embedded_api.submit(LONG) for _ in range(2)]
    for query_id in running:
        embedded_api.wait(query_id, "RUNNING")
    waiting = embedded_api.submit("SELECT 1")
    assert embedded_api.status(waiting)["state"] == "QUEUED", "two of one role run at once"
    intern = QueryApiClient(embedded.http_port, "intern")
    assert intern.run("SELECT 1"), "a role that waits for nothing goes before"
    assert embedded_api.call("POST", f"/queries/{waiting}/cancel").json()["state"] == "CANCELED"
    sooner, later = embedded_api.submit("SELECT 1", priority=5), embedded_api.submit("SELECT 2", priority=-5)
    listed = embedded_api.call("GET", "/queries?state=queued").json()["queries"]
    assert [query["id"] for query in listed] == [later, sooner]
    for query_id in running:
        embedded_api.call("DELETE", f"/queries/{query_id}")
    ended = [embedded_api.wait(query_id) for query_id in (sooner, later)]
    assert ended[0]["started_at"] <= ended[1]["started_at"]


def test_a_failure_says_why_and_shows_no_hidden_value(embedded_api: QueryApiClient) -> None:
    query_id = embedded_api.submit("SELECT 1 / (id - 3) FROM sales.customers ORDER BY id")
    found = embedded_api.wait(query_id)
    assert found["state"] == "FAILED"
    assert found["error"] == {"sqlstate": "22012", "message": "division by zero"}
    assert embedded_api.results(query_id).status == 409


def test_requests_that_are_malformed_are_400(embedded_api: QueryApiClient) -> None:
    nul = embedded_api.call("POST", "/queries", {"sql": "SELECT $1", "parameters": ["\0"]})
    assert (nul.status, nul.json()["error"]["sqlstate"]) == (400, "22021")
    wrong_members = ({"ttl": "soon"}, {"ttl": "999h"}, {"priority": 1000}, {"more": 1}, {"sql": ""})
    for body in ({}, [1], "x", *({"sql": "SELECT 1", **members} for members in wrong_members)):
        assert embedded_api.call("POST", "/queries", body).status == 400, body
    assert (
        embedded_api.call("POST", "/queries", {"sql": "SELECT 1"}, {"Sec-Fetch-Site": "cross-site"}).status
        == 403
    )
    half = '{"sql": "SELECT $1::text", %s}'
    for members in (
        r'"parameters": ["\ud800"]', r'"parameters": [{"a": "\udfff"}]', r'"database": "\ud800"',
        r'"idempotency_key": "a\u0000b"',
    ):  # fmt: skip
        reply = embedded_api.call("POST", "/queries", (half % members).encode())
        assert reply.status == 400, members
        assert reply.json()["error"]["sqlstate"] in ("22021", "22023"), members
    for depth in (900, 100_000):
        deep = f'{{"sql": "SELECT $1", "parameters": {"[" * depth}{"]" * depth}}}'
        reply = embedded_api.call("POST", "/queries", deep.encode())
        assert (reply.status, reply.json()["error"]["sqlstate"]) == (400, "54001")
    kind = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert embedded_api.call("POST", "/queries", {"sql": "SELECT 1"}, kind).status == 202
    assert embedded_api.call("GET", "/queries/%00").status == 404
    assert embedded_api.call("GET", "/queries", headers={"Authorization": "Basic \xff\xfe"}).status == 401
    assert embedded_api.call("GET", "/queries", headers={"Authorization": "Bearer \xff"}).status == 401
    query_id = embedded_api.run("SELECT 1")
    for wrong in ("?format=xml", "?limit=0", "?limit=x", f"?limit={'1' * 5000}"):
        assert embedded_api.results(query_id, wrong).status == 400
    assert embedded_api.call("GET", "/queries?state=asleep").status == 400


def test_results_without_rows_have_every_format(embedded_api: QueryApiClient) -> None:
    query_id = embedded_api.run("SELECT n, label FROM numbers WHERE n < 0")
    assert embedded_api.results(query_id).json()["rows"] == []
    assert embedded_api.results(query_id, "?format=csv").body == b"n,label\n"
    assert pa.ipc.open_stream(embedded_api.results(query_id, "?format=arrow").body).read_all().num_rows == 0
    assert pq.read_table(io.BytesIO(embedded_api.results(query_id, "?format=parquet").body)).num_rows == 0


def test_health_has_every_number_of_the_runbook(gateway: RunningGateway, api: QueryApiClient) -> None:
    api.run("SELECT 1")
    health = gateway.health()
    names = {
        "queued_jobs", "running_jobs", "completed_jobs", "stored_jobs", "cleaned_jobs", "uptime_seconds",
        "active_queries",
        "query_result_ttl_seconds", "memory_used_bytes", "memory_cap_bytes", "versions", "draining",
        "oldest_queued_seconds", "spool_bytes",
    }  # fmt: skip
    assert names | {"policy_epoch", "policy_epoch_lag", "audit_waiting", "connections"} <= health.keys()
    assert health["stored_jobs"] >= 1
    assert health["completed_jobs"] >= 1
    for node in gateway.nodes:
        assert names | {"active_queries"} <= node.health().keys()


def test_moments_are_of_now(embedded_api: QueryApiClient) -> None:
    found = embedded_api.status(embedded_api.run("SELECT 1", ttl="90s"))
    moments = [
        datetime.datetime.fromisoformat(found[name])
        for name in ("submitted_at", "started_at", "ended_at", "expires_at")
    ]
    assert moments == sorted(moments)
    assert (moments[3] - moments[2]).total_seconds() == 90
    assert abs((moments[0] - datetime.datetime.now(datetime.UTC)).total_seconds()) < 60


def test_the_command_line_runs_follows_lists_fetches_and_cancels(
    gateway: RunningGateway, tmp_path: Path
) -> None:
    environment = {**gateway.environment, "PGPROXY_URL": f"http://127.0.0.1:{gateway.http_port}"}
    environment |= {"PGUSER": "analyst", "PGPASSWORD": "analyst-secret"}
    rows = pgproxy(environment, "query", "run", "SELECT $1::int AS n, 'x' AS v", "-p", "41", "--follow")
    assert rows == "n,v\n41,x\n"
    query_id = pgproxy(environment, "query", "run", LONG).strip()
    assert query_id in pgproxy(environment, "query", "list")
    assert "state" in pgproxy(environment, "query", "show", query_id)
    assert pgproxy(environment, "query", "cancel", query_id) == "CANCELED\n"
    stored = pgproxy(
        environment, "query", "run", "SELECT 7 AS seven", "--follow", "-o", str(tmp_path / "rows")
    )
    assert stored == ""
    assert (tmp_path / "rows").read_text() == "seven\n7\n"

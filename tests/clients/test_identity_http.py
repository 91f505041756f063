"""The query API over TLS: keys and tokens that end while a caller submits and reads on."""

import json
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any

import pytest

from tests.clients.identity_world import World, key_id, token, until, world

__all__ = ["world"]

PAGE = 3
ENDLESS = "SELECT sum(a.i % 7) FROM generate_series(1, 1000000) a(i), generate_series(1, 1000000) b(i)"


def call(
    world: World, secret: str, method: str, path: str, body: dict[str, Any] | None = None
) -> tuple[int, dict[str, Any]]:
    """Send one request with a bearer credential, over TLS that is verified."""
    context = ssl.create_default_context(cafile=str(world.authority.file))
    connection = HTTPSConnection("127.0.0.1", world.gateway.http_port, timeout=60, context=context)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text else {}
    finally:
        connection.close()


def made_key(world: World) -> str:
    """An API key of etl."""
    return world.gateway.cli("key", "create", "etl").strip()


def submitted(world: World, secret: str) -> str:
    """Submit a statement and wait for its end; gives its id."""
    sql = f"SELECT i FROM generate_series(1, {3 * PAGE}) s(i) ORDER BY i"
    status, said = call(world, secret, "POST", "/queries", {"sql": sql})
    assert status == 202, said
    query_id = str(said["id"])
    until(
        lambda: call(world, secret, "GET", f"/queries/{query_id}")[1]["state"] == "SUCCEEDED", "it never ends"
    )
    return query_id


def first_page(world: World, secret: str, query_id: str) -> str:
    """Read it; gives the path of the next one."""
    path = f"/queries/{query_id}/results?limit={PAGE}"
    status, page = call(world, secret, "GET", path)
    assert (status, page["rows"]) == (200, [[1], [2], [3]])
    return f"{path}&page_token={page['next_page_token']}"


def test_a_key_that_is_revoked_between_two_pages_reads_no_further_and_submits_nothing(world: World) -> None:
    key = made_key(world)
    following = first_page(world, key, submitted(world, key))
    status, page = call(world, key, "GET", following)
    assert (status, page["rows"]) == (200, [[4], [5], [6]])
    world.gateway.cli("key", "revoke", key_id(key))
    until(lambda: call(world, key, "GET", following)[0] == 401, "a revoked key still reads")
    for method, path, body in (
        ("GET", following, None),
        ("POST", "/queries", {"sql": "SELECT 1"}),
        ("GET", "/queries", None),
    ):
        status, said = call(world, key, method, path, body)
        assert (status, said["error"]["sqlstate"]) == (401, "28P01")


def test_what_waits_when_its_key_is_revoked_does_not_run(world: World) -> None:
    key, other = made_key(world), made_key(world)
    running = [str(call(world, other, "POST", "/queries", {"sql": ENDLESS})[1]["id"]) for _ in range(2)]
    for query_id in running:
        until(
            lambda: call(world, other, "GET", f"/queries/{query_id}")[1]["state"] == "RUNNING",  # noqa: B023
            "it never starts",
        )
    waiting = str(call(world, key, "POST", "/queries", {"sql": "SELECT 42"})[1]["id"])
    assert call(world, other, "GET", f"/queries/{waiting}")[1]["state"] == "QUEUED"
    world.gateway.cli("key", "revoke", key_id(key))
    for query_id in running:
        assert call(world, other, "DELETE", f"/queries/{query_id}")[0] == 204
    until(lambda: call(world, other, "GET", f"/queries/{waiting}")[1]["state"] == "FAILED", "it ran")
    assert call(world, other, "GET", f"/queries/{waiting}")[1]["error"]["sqlstate"] == "28P01"


def test_a_token_that_runs_out_between_two_pages_reads_no_further(world: World) -> None:
    lasting = token()
    following = first_page(world, lasting, submitted(world, lasting))
    short = token(exp=int(time.time()) + 5)
    assert call(world, short, "GET", following)[0] == 200
    until(lambda: call(world, short, "GET", following)[0] == 401, "an expired token still reads")
    assert call(world, short, "POST", "/queries", {"sql": "SELECT 1"})[0] == 401
    assert call(world, lasting, "GET", following)[0] == 200


def test_without_tls_nothing_is_answered_on_the_port_of_tls(world: World) -> None:
    connection = HTTPConnection("127.0.0.1", world.gateway.http_port, timeout=60)
    connection.request("GET", "/queries", headers={"Authorization": f"Bearer {token()}"})
    with pytest.raises((HTTPException, OSError)):
        connection.getresponse()
    connection.close()

"""A client of the gateway's query API, by plain HTTP."""

import json
import time
from base64 import b64encode
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

ENDED = ("SUCCEEDED", "FAILED", "CANCELED")


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class QueryApiClient:
    """Calls as one user."""

    port: int
    user: str = "analyst"
    password: str | None = None

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send one request. body: bytes as they are, else as JSON."""
        secret = self.password if self.password is not None else f"{self.user}-secret"
        basic = b64encode(f"{self.user}:{secret}".encode()).decode()
        sent = {"Authorization": f"Basic {basic}", **(headers or {})}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            raw = body if body is None or isinstance(body, bytes) else json.dumps(body)
            connection.request(method, path, raw, sent)
            reply = connection.getresponse()
            names = {name.lower(): value for name, value in reply.getheaders()}
            return Reply(reply.status, names, reply.read())
        finally:
            connection.close()

    def submit(self, sql: str, **more: Any) -> str:
        """Submit a statement; gives its id."""
        reply = self.call("POST", "/queries", {"sql": sql, **more})
        assert reply.status in (200, 202), reply.body
        return str(reply.json()["id"])

    def status(self, query_id: str) -> dict[str, Any]:
        """How it stands."""
        reply = self.call("GET", f"/queries/{query_id}")
        assert reply.status == 200, reply.body
        found: dict[str, Any] = reply.json()
        return found

    def wait(self, query_id: str, *states: str, timeout_s: float = 60) -> dict[str, Any]:
        """Wait until it is in one of these states, or has ended."""
        deadline = time.monotonic() + timeout_s
        while (found := self.status(query_id))["state"] not in (*states, *ENDED):
            assert time.monotonic() < deadline, f"the query is still {found['state']}"
            time.sleep(0.02)
        return found

    def run(self, sql: str, **more: Any) -> str:
        """Submit a statement and wait until it has succeeded; gives its id."""
        query_id = self.submit(sql, **more)
        found = self.wait(query_id)
        assert found["state"] == "SUCCEEDED", found
        return query_id

    def results(self, query_id: str, query: str = "", **headers: str) -> Reply:
        """GET its results."""
        return self.call("GET", f"/queries/{query_id}/results{query}", headers=headers)

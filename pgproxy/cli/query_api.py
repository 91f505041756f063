"""How `pgproxy query` talks to a gateway: its HTTP interface, with the caller's own credentials."""

import json
import os
import ssl
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import typer

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED"})
_TIMEOUT_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0


class ApiError(Exception):
    """The gateway refused, or was not reached. The text may be shown."""


@dataclass(frozen=True, slots=True)
class QueryApi:
    """One gateway as one caller."""

    url: str
    authorization: str
    ca_file: Path | None = None

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Call, and read the answer as JSON.

        Raises:
            ApiError: anything but an answer that is well.
        """
        with self.open(method, path, body) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def open(self, method: str, path: str, body: Mapping[str, object] | None = None) -> IO[bytes]:
        """Call, and give the answer as a file.

        Raises:
            ApiError: anything but an answer that is well.
        """
        if not self.url.startswith(("http://", "https://")):
            raise ApiError("the gateway's URL begins with http:// or https://")
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url.rstrip("/") + path, data, method=method)  # noqa: S310  # checked above
        request.add_header("Authorization", self.authorization)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            found: IO[bytes] = urlopen(request, timeout=_TIMEOUT_S, context=self._tls())  # noqa: S310
        except HTTPError as error:
            raise ApiError(_explain(error)) from None
        except OSError as error:
            raise ApiError(f"cannot reach the gateway: {_cause(error)}") from None
        return found

    def follow(self, query_id: str) -> Iterator[dict[str, Any]]:
        """Give the query's status again and again, the last time when it has ended."""
        pause_s = _FIRST_PAUSE_S
        while True:
            found: dict[str, Any] = self.call("GET", f"/queries/{query_id}")
            yield found
            if found["state"] in ENDED:
                return
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.ca_file) if self.url.startswith("https:") else None


def open_api(url: str, user: str | None, ca_file: Path | None) -> QueryApi:
    """Take the credentials: PGPROXY_API_KEY, else the user's password from PGPASSWORD or the terminal."""
    key = os.environ.get("PGPROXY_API_KEY")
    if key:
        return QueryApi(url, f"Bearer {key}", ca_file)
    name = user or os.environ.get("PGUSER")
    if not name:
        raise ApiError("give --user, or set PGUSER or PGPROXY_API_KEY")
    password = os.environ.get("PGPASSWORD")
    if password is None:
        if not sys.stdin.isatty():
            raise ApiError("set PGPASSWORD: there is no terminal to ask for the password")
        password = typer.prompt("Password", hide_input=True, err=True)
    return QueryApi(url, "Basic " + b64encode(f"{name}:{password}".encode()).decode(), ca_file)


def _cause(error: OSError) -> str:
    """Say what went wrong in the system's words; a `URLError` holds the error of the connection."""
    reason = error.reason if isinstance(error, URLError) else error
    return str(getattr(reason, "strerror", None) or reason)


def _explain(error: HTTPError) -> str:
    try:
        found = json.loads(error.read())["error"]
        hint = f"\nhint: {found['hint']}" if found.get("hint") else ""
        state = f" (SQLSTATE {found['sqlstate']})" if found.get("sqlstate") else ""
        return f"{found['message']}{state}{hint}"
    except (ValueError, KeyError, TypeError, OSError):
        return f"the gateway answered {error.code}"

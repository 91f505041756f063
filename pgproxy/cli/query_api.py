"""How `pgproxy query` talks to a gateway: its HTTP interface, with the caller's own credentials."""

import json
import os
import ssl
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import typer

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED"})
_TIMEOUT_S = 60.0
_BLOCK_BYTES = 1 << 20
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
        with self.open(method, path, body) as reply, _failures():
            text = reply.read()
            return json.loads(text) if text else None

    def copy(self, path: str, sink: IO[bytes]) -> None:
        """Get an answer and write it to `sink`, which may fail by itself.

        Raises:
            ApiError: anything but an answer that is well and whole.
        """
        with self.open("GET", path) as reply:
            expected, copied = reply.headers.get("Content-Length"), 0
            while True:
                with _failures():
                    block = reply.read(_BLOCK_BYTES)
                if not block:
                    break
                sink.write(block)
                copied += len(block)
        if expected is not None and copied != int(expected):  # a short body is no error to http.client
            raise ApiError("the answer broke off: the gateway was lost")

    def open(self, method: str, path: str, body: Mapping[str, object] | None = None) -> HTTPResponse:
        """Call, and give the answer as a file.

        Raises:
            ApiError: anything but an answer that is well.
        """
        if not self.url.startswith(("http://", "https://")):
            raise ApiError("the gateway's URL begins with http:// or https://")
        data = None if body is None else json.dumps(body).encode()
        with _failures():
            request = Request(self.url.rstrip("/") + path, data, method=method)  # noqa: S310  # checked above
            request.add_header("Authorization", self.authorization)
            if data is not None:
                request.add_header("Content-Type", "application/json")
            return cast(HTTPResponse, urlopen(request, timeout=_TIMEOUT_S, context=self._tls()))  # noqa: S310

    def follow(self, query_id: str) -> Iterator[dict[str, Any]]:
        """Give the query's status again and again, the last time when it has ended."""
        pause_s = _FIRST_PAUSE_S
        while True:
            found: dict[str, Any] = self.call("GET", query_path(query_id))
            yield found
            if found["state"] in ENDED:
                return
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.ca_file) if self.url.startswith("https:") else None


def query_path(query_id: str, *more: str) -> str:
    """Give the path of a query, whatever was typed for its id."""
    return "/".join(("/queries", quote(query_id, safe=""), *more))


@contextmanager
def _failures() -> Iterator[None]:
    """Say what went wrong between here and the gateway.

    Raises:
        ApiError: the gateway refused, cannot be reached, was lost, or is none.
    """
    try:
        yield
    except HTTPError as error:
        raise ApiError(_explain(error)) from None
    except OSError as error:
        raise ApiError(f"cannot reach the gateway: {_cause(error)}") from None
    except (HTTPException, ValueError):  # also JSON that is none, and a URL that is none
        raise ApiError("that is no gateway's query API, or the answer broke off: see --url") from None


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

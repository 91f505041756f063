"""The console as a program that is no browser sees it."""

import json
import re
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway


class Http:
    """A client that is no browser: it sends what it likes."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._port = gateway.http_port
        self.cookies: dict[str, str] = {}

    def send(self, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[HTTPResponse, str]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        method, body = ("GET", None) if form is None else ("POST", urlencode(form))
        connection.request(method, path, body, {"Cookie": cookies, **headers})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        for line in response.headers.get_all("Set-Cookie") or ():
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return response, text

    def log_in(self, name: str, password: str) -> tuple[HTTPResponse, str]:
        _, page = self.send("/console/login")
        return self.send("/console/login", {"csrf": csrf_of(page), "name": name, "password": password})


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page
    return found[1]


def live_facts(gateway: RunningGateway) -> dict[str, Any]:
    """What an administrator's overview shows now."""
    http = Http(gateway)
    http.log_in(ADMIN, ADMIN_PASSWORD)
    found: dict[str, Any] = json.loads(http.send("/console/live.json")[1])
    return found

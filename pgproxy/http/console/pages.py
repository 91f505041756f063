"""Rendering: jinja2 templates that escape everything, and the headers that let a page do little.

Pages have no inline script or style, so the Content-Security-Policy allows only the package's own two files.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ASSETS = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Pages:
    """The templates of the package."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("pgproxy.http.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"bytes": _bytes, "ms": _ms, "span": _span, "moment": _moment}

    def page(self, name: str, facts: Mapping[str, object], status: int = 200) -> Response:
        """Render a page."""
        text = self._templates.get_template(f"{name}.html").render(facts)
        return guarded(HTMLResponse(text, status))

    @staticmethod
    def asset(name: str) -> Response | None:
        """Give one of the package's own files."""
        kind = _ASSETS.get(name)
        if kind is None:
            return None
        content = files("pgproxy.http.console").joinpath("static", name).read_bytes()
        response = guarded(Response(content, media_type=kind))
        response.headers["Cache-Control"] = "max-age=300"
        return response


def guarded(response: Response) -> Response:
    """Add the headers that every answer has."""
    response.headers.update(_HEADERS)
    return response


def redirect(path: str) -> Response:
    """Send the browser to another page, by GET."""
    return guarded(RedirectResponse(path, 303))


def _bytes(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def _ms(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.1f} ms"


def _span(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    if minutes >= 120:
        return f"{hours:.0f} h"
    return f"{minutes:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def _moment(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

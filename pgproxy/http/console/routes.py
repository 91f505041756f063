"""The console's addresses: who may see what, forms that only our own pages can send, and nothing to cache."""

import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pgproxy.control.metastore import MetastoreError
from pgproxy.control_plane import GatewayControlPlane
from pgproxy.http.console.actions import Actions
from pgproxy.http.console.pages import Pages, guarded, redirect
from pgproxy.http.console.sessions import same_token
from pgproxy.http.console.views import ConsoleParts, Facts, Views
from pgproxy.http.console.visitors import COOKIE, Visitor, Visitors
from pgproxy.identity.authenticator import Authenticator
from pgwire.errors import AccessDenied, AuthenticationFailed, GatewayError

_HOME = "/console"
_LOGIN = "/console/login"
_FORM_COOKIE = "pgproxy_console_form"
_MAX_FORM_BYTES = 8192
_SAID = "said"
_ENDED = {
    "page": "Your session has ended. Log in again.",
    "form": "Your session had ended: nothing was done. Log in, look again, and repeat what you still want.",
}
"""What the login page says to whoever comes from a session that is no more, by what was asked for."""

Page = Callable[[Request, Visitor], Awaitable[Response]]
Form = dict[str, str]


class Console:
    """The pages and what they do."""

    def __init__(self, visitors: Visitors, views: Views, actions: Actions) -> None:
        self._visitors = visitors
        self._views = views
        self._actions = actions
        self._pages = Pages()

    def routes(self) -> tuple[BaseRoute, ...]:
        """Give the console's routes."""
        return (
            Route(_HOME, self._seen(self._overview), methods=["GET"]),
            Route("/console/live.json", self._seen(self._live), methods=["GET"]),
            Route("/console/policy", self._seen(self._policy), methods=["GET"]),
            Route("/console/audit", self._seen(self._audit), methods=["GET"]),
            Route("/console/rollout", self._acted(self._move), methods=["POST"]),
            Route("/console/cancel", self._acted(self._cancel), methods=["POST"]),
            Route("/console/logout", self._posted(self._log_out), methods=["POST"]),
            Route(_LOGIN, self._show_login, methods=["GET"]),
            Route(_LOGIN, self._log_in, methods=["POST"]),
            Route("/console/static/{name}", self._static, methods=["GET"]),
        )

    def _seen(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """For whoever may look."""

        async def see(request: Request) -> Response:
            visitor = await self._visitors.visitor(request)
            if visitor is None:
                is_script = request.url.path.endswith(".json")
                return guarded(JSONResponse({}, 401)) if is_script else _to_login(request, "page")
            try:
                return await page(request, visitor)
            except MetastoreError:
                return self._refused(visitor, "The control plane cannot be read.", 503)

        return see

    def _posted(
        self, act: Callable[[Request, Visitor, Form], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """For forms of a session's own pages."""

        async def post(request: Request) -> Response:
            visitor = await self._visitors.visitor(request)
            if visitor is None:
                return _to_login(request, "form")
            form = await _form(request)
            if _is_foreign(request) or not visitor.session.takes(form.get("csrf", "")):
                return self._refused(visitor, "The form is not from this session. Load the page again.")
            return await act(request, visitor, form)

        return post

    def _acted(
        self, act: Callable[[Visitor, Form], Awaitable[str]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """For administrators' forms; what came of it is said on the next page."""

        async def perform(_: Request, visitor: Visitor, form: Form) -> Response:
            if not visitor.is_admin:
                return self._refused(visitor, "Only administrators do that.")
            try:
                said = await act(visitor, form)
            except GatewayError as error:
                said = error.message
            response = redirect(_HOME)
            _set_cookie(response, _SAID, said.encode().hex(), is_secure=False, max_age=30)
            return response

        return self._posted(perform)

    async def _overview(self, request: Request, visitor: Visitor) -> Response:
        said = _unhex(request.cookies.get(_SAID, ""))
        response = self._show("overview", visitor, {**await self._views.overview(), "said": said})
        if said:
            response.delete_cookie(_SAID, path=_HOME)
        return response

    async def _live(self, _: Request, visitor: Visitor) -> Response:
        return guarded(JSONResponse({**await self._views.live(), "is_admin": visitor.is_admin}))

    async def _policy(self, request: Request, visitor: Visitor) -> Response:
        name = request.query_params.get("principal", "")
        facts = {"names": self._views.principals(), "chosen": name, "policy": self._views.policy(name)}
        return self._show("policy", visitor, facts)

    async def _audit(self, request: Request, visitor: Visitor) -> Response:
        asked = request.query_params
        wanted = {
            name: asked.get(name, "")[:200] for name in ("principal", "kind", "outcome", "endpoint", "text")
        }
        before = asked.get("before", "")
        found = await self._views.audit(
            wanted, int(before) if before.isdecimal() and len(before) < 19 else None
        )
        return self._show("audit", visitor, {**found, "wanted": wanted})

    async def _move(self, visitor: Visitor, form: Form) -> str:
        return await self._actions.move_rollout(visitor.principal, form.get("name", ""), form.get("move", ""))

    async def _cancel(self, visitor: Visitor, form: Form) -> str:
        pid = form.get("pid", "")
        return await self._actions.cancel(
            visitor.principal, int(pid) if pid.isdecimal() and len(pid) < 19 else 0
        )

    async def _log_out(self, request: Request, _: Visitor, __: Form) -> Response:
        self._visitors.log_out(request)
        response = redirect(_LOGIN)
        response.delete_cookie(COOKIE, path=_HOME)
        return response

    async def _show_login(self, request: Request) -> Response:
        return self._login_page(request, _ENDED.get(request.query_params.get("ended", ""), ""), 200)

    async def _log_in(self, request: Request) -> Response:
        form = await _form(request)
        if _is_foreign(request) or not same_token(
            request.cookies.get(_FORM_COOKIE, ""), form.get("csrf", "")
        ):
            return self._login_page(request, "The form was too old. Try again.", 403)
        try:
            token = await self._visitors.log_in(request, form.get("name", ""), form.get("password", ""))
        except (AuthenticationFailed, AccessDenied) as error:
            return self._login_page(request, error.message, 403)
        except GatewayError as error:
            return self._login_page(request, error.message, 503)
        response = redirect(_HOME)
        _set_cookie(response, COOKIE, token, is_secure=request.url.scheme == "https")
        response.delete_cookie(_FORM_COOKIE, path=_HOME)
        return response

    def _login_page(self, request: Request, problem: str, status: int) -> Response:
        csrf = secrets.token_urlsafe(32)
        response = self._pages.page("login", {"csrf": csrf, "problem": problem}, status)
        _set_cookie(response, _FORM_COOKIE, csrf, is_secure=request.url.scheme == "https", max_age=3600)
        return response

    async def _static(self, request: Request) -> Response:
        found = self._pages.asset(request.path_params["name"])
        return found if found is not None else guarded(Response(status_code=404))

    def _show(self, name: str, visitor: Visitor, facts: Facts, status: int = 200) -> Response:
        common = {"page": name, "visitor": visitor, "csrf": visitor.session.csrf, "said": ""}
        return self._pages.page(name, {**common, **facts}, status)

    def _refused(self, visitor: Visitor, why: str, status: int = 403) -> Response:
        return self._show("refused", visitor, {"why": why}, status)


def console_routes(
    parts: ConsoleParts, authenticator: Authenticator, control: GatewayControlPlane, gateway: str
) -> tuple[BaseRoute, ...]:
    """Put the console together. gateway: its name in the audit log."""
    visitors = Visitors(authenticator, parts.policies)
    actions = Actions(control, parts.metastore.audit, parts.policies, parts.live, gateway)
    return Console(visitors, Views(parts), actions).routes()


def _to_login(request: Request, asked: str) -> Response:
    """Send whoever has no session to log in. asked: for a page or by a form."""
    if COOKIE not in request.cookies:
        return redirect(_LOGIN)
    response = redirect(f"{_LOGIN}?ended={asked}")
    response.delete_cookie(COOKIE, path=_HOME)
    return response


async def _form(request: Request) -> Form:
    """Read a small urlencoded form; a larger one counts as empty."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MAX_FORM_BYTES:
            return {}
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _is_foreign(request: Request) -> bool:
    """Whether a browser says that another site sends this. W3C Fetch Metadata, "Sec-Fetch-Site"."""
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def _set_cookie(
    response: Response, name: str, value: str, *, is_secure: bool, max_age: int | None = None
) -> None:
    response.set_cookie(
        name, value, path=_HOME, httponly=True, samesite="strict", secure=is_secure, max_age=max_age
    )


def _unhex(text: str) -> str:
    try:
        return bytes.fromhex(text[:2000]).decode(errors="replace")
    except ValueError:
        return ""

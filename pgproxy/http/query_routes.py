"""The query API: POST and GET /queries, GET, cancel and DELETE of one, and its results.

Every call is authenticated by itself; there are no cookies. What a caller may know is decided by the queue.
"""

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Protocol

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pgproxy.http.query_replies import NO_STORE, error_response, status_of
from pgproxy.http.query_requests import MAX_PAGE_ROWS, page_limit, parse_submission, result_format
from pgproxy.queue.formats import ResultFormat, write_format
from pgproxy.queue.model import QueryState, QueuedQuery
from pgproxy.queue.page_tokens import make_page_token, read_page_token
from pgproxy.queue.results import StoredResult
from pgproxy.queue.service import AsyncQueue, Viewer
from pgwire.errors import GatewayError, InternalError, StatementError
from pgwire.sqlstate import SqlState

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 16 << 20
PAGE_BYTES = 32 << 20
"""A page ends here whatever its limit of rows, so that no answer is held that is much larger."""

_LIST_LIMIT = 1000


class HttpAuthenticator(Protocol):
    """Proves who calls."""

    async def viewer(self, request: Request) -> Viewer:
        """Give who calls.

        Raises:
            AuthenticationFailed: nobody may know why.
        """
        ...


Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class QueryApi:
    """The handlers. token_key: signs page tokens; the same for every gateway of a metastore."""

    queue: AsyncQueue
    authenticator: HttpAuthenticator
    token_key: bytes

    def routes(self) -> tuple[BaseRoute, ...]:
        """Give the routes."""
        one = "/queries/{id}"
        return (
            Route("/queries", _answering(self.submit), methods=["POST"]),
            Route("/queries", _answering(self.list), methods=["GET"]),
            Route(one, _answering(self.get), methods=["GET"]),
            Route(one, _answering(self.delete), methods=["DELETE"]),
            Route(f"{one}/results", _answering(self.results), methods=["GET"]),
            Route(f"{one}/cancel", _answering(self.cancel), methods=["POST"]),
        )

    async def submit(self, request: Request) -> Response:
        """POST /queries: 202, or 200 where the idempotency key was used before."""
        viewer = await self.authenticator.viewer(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise StatementError(
                "the content type must be application/json", sqlstate=SqlState.INVALID_PARAMETER_VALUE
            )
        asked = parse_submission(await _body(request), request.headers.get("idempotency-key"))
        query, is_new = await self.queue.submit(viewer, asked)
        headers = {**NO_STORE, "Location": f"/queries/{query.id}"}
        return JSONResponse(status_of(query), 202 if is_new else 200, headers)

    async def list(self, request: Request) -> Response:
        """GET /queries?state=&limit=&page_token=."""
        viewer = await self.authenticator.viewer(request)
        subject = f"queries of {viewer.principal}"
        state = _state(request.query_params.get("state"))
        limit = page_limit(request.query_params, 100, _LIST_LIMIT)
        token = request.query_params.get("page_token")
        before = read_page_token(self.token_key, subject, token) if token else ""
        found = await self.queue.page(viewer, state=state, before_id=before, limit=limit)
        after = make_page_token(self.token_key, subject, found[-1].id) if len(found) == limit else None
        body = {"queries": [status_of(query) for query in found], "next_page_token": after}
        return JSONResponse(body, headers=dict(NO_STORE))

    async def get(self, request: Request) -> Response:
        """GET /queries/{id}."""
        viewer = await self.authenticator.viewer(request)
        query = await self.queue.get(viewer, request.path_params["id"])
        return JSONResponse(status_of(query), headers=dict(NO_STORE))

    async def cancel(self, request: Request) -> Response:
        """POST /queries/{id}/cancel: what it has become; one that had ended stays as it was."""
        viewer = await self.authenticator.viewer(request)
        query = await self.queue.cancel(viewer, request.path_params["id"])
        return JSONResponse(status_of(query), headers=dict(NO_STORE))

    async def delete(self, request: Request) -> Response:
        """DELETE /queries/{id}."""
        viewer = await self.authenticator.viewer(request)
        await self.queue.delete(viewer, request.path_params["id"])
        return Response(status_code=204, headers=dict(NO_STORE))

    async def results(self, request: Request) -> Response:
        """GET /queries/{id}/results: the whole, with Range; with limit or page_token a page."""
        viewer = await self.authenticator.viewer(request)
        form = result_format(request.query_params, request.headers.get("accept", ""))
        query, result = await self.queue.result(viewer, request.path_params["id"])
        if "limit" in request.query_params or "page_token" in request.query_params:
            return await self._page(request, query, result, form)
        path = await self.queue.rendered(query, result, form)
        return FileResponse(path, media_type=form.media_type, headers=dict(NO_STORE))

    async def _page(
        self, request: Request, query: QueuedQuery, result: StoredResult, form: ResultFormat
    ) -> Response:
        subject = f"results of {query.id}"
        limit = page_limit(request.query_params, MAX_PAGE_ROWS, MAX_PAGE_ROWS)
        token = request.query_params.get("page_token")
        first = int(read_page_token(self.token_key, subject, token)) if token else 0
        page = _Page(query, result, form, first, limit)
        content = await self.queue.run_in_thread(partial(page.read, partial(self._next_token, subject)))
        headers = {**NO_STORE, "X-Row-Count": str(page.rows)}
        after = self._next_token(subject, page)
        if after is not None:
            headers["X-Next-Page-Token"] = after
        return Response(content, media_type=form.media_type, headers=headers)

    def _next_token(self, subject: str, page: "_Page") -> str | None:
        if page.first + page.rows >= page.result.row_count:
            return None
        return make_page_token(self.token_key, subject, str(page.first + page.rows))


@dataclass(slots=True)
class _Page:
    """Some rows of a result. rows: how many, once read."""

    query: QueuedQuery
    result: StoredResult
    form: ResultFormat
    first: int
    limit: int
    rows: int = 0

    def read(self, next_token: Callable[["_Page"], str | None]) -> bytes:
        """Read and encode the rows. Blocking."""
        batches, size = [], 0
        for batch in self.result.batches(self.first, self.limit):
            batches.append(batch)
            self.rows += batch.num_rows
            size += batch.nbytes
            if size >= PAGE_BYTES:
                break
        after = next_token(self)
        tail = f',"next_page_token":{json.dumps(after)}'
        file = BytesIO()
        write_format(self.result.schema, self.query.facts.columns, batches, self.form, file, tail)
        return file.getvalue()


def _answering(handle: Answer) -> Answer:
    """Turn a GatewayError into its answer, and refuse what a page of another site sends."""

    async def answer(request: Request) -> Response:
        is_read = request.method in {"GET", "HEAD"}
        if not is_read and request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return JSONResponse({"error": {"message": "the request comes from another site"}}, 403)
        try:
            return await handle(request)
        except GatewayError as error:
            return error_response(error)
        except Exception:  # the guard of a call: a bug is one clean answer
            error_id = secrets.token_hex(6)
            log.exception("http.bug", error_id=error_id)
            return error_response(InternalError(f"internal error {error_id}"))

    return answer


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                raise StatementError("the request is too large", sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED)
    except ClientDisconnect:
        raise StatementError("the client has gone", sqlstate=SqlState.CONNECTION_FAILURE) from None
    return bytes(body)


def _state(text: str | None) -> QueryState | None:
    if text is None:
        return None
    try:
        return QueryState(text.upper())
    except ValueError:
        names = ", ".join(state.value for state in QueryState)
        raise StatementError(f"state is one of {names}", sqlstate=SqlState.INVALID_PARAMETER_VALUE) from None

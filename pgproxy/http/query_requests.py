"""Reading requests of the query API: bodies and arguments into what the queue takes. Pure."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from execnode.durations import parse_duration_s
from pgproxy.queue.formats import ResultFormat
from pgproxy.queue.model import Statement
from pgproxy.queue.service import Request
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

MAX_PAGE_ROWS = 100_000


def _seconds(value: object) -> object:
    return parse_duration_s(value) if isinstance(value, str) else value


class SubmitBody(BaseModel):
    """The body of POST /queries. parameters: for $1, $2, …; ttl: `10m`, or seconds."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    sql: str = Field(min_length=1)
    parameters: list[Any] = Field(default_factory=list, max_length=65_535)
    idempotency_key: str | None = Field(default=None, min_length=1, max_length=200)
    priority: int = Field(default=0, ge=-100, le=100)
    ttl: Annotated[float | None, BeforeValidator(_seconds)] = None
    database: str = ""

    def to_request(self) -> Request:
        """Give what the queue takes.

        Raises:
            StatementError: 22021, a text has no UTF-8, or a NUL: no connection could have sent it.
        """
        values = tuple(parameter_text(value) for value in self.parameters)
        for text in (self.sql, self.database, self.idempotency_key, *values):
            if text is not None:
                _check_text(text)
        statement = Statement(self.sql, values, self.database)
        return Request(statement, self.ttl, self.priority, self.idempotency_key)


def parse_submission(body: bytes, idempotency_header: str | None) -> Request:
    """Read a submission. The header `Idempotency-Key` stands for the member of the body.

    Raises:
        StatementError: 22023, it is none; no value of it is repeated. 54001, it nests too deep. 22021, see
            `SubmitBody.to_request`.
    """
    try:
        found = json.loads(body)
        if isinstance(found, dict) and idempotency_header is not None:
            found.setdefault("idempotency_key", idempotency_header)
        return SubmitBody.model_validate(found).to_request()
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        faults = (f"{'.'.join(str(part) for part in p['loc']) or 'body'}: {p['msg']}" for p in problems)
        raise _invalid("; ".join(faults)) from None
    except ValueError:
        raise _invalid("the body is not a JSON object") from None
    except RecursionError:
        raise StatementError("stack depth limit exceeded", sqlstate=SqlState.STATEMENT_TOO_COMPLEX) from None


def _check_text(text: str) -> None:
    """Refuse what has no UTF-8, which JSON's escapes can write."""
    try:
        wrong = "0x00" if "\0" in text else ""
        text.encode()
    except UnicodeEncodeError as error:
        wrong = f"U+{ord(error.object[error.start]):04X}"
    if wrong:
        raise StatementError(
            f'invalid byte sequence for encoding "UTF8": {wrong}',
            sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE,
        )


def parameter_text(value: object) -> str | None:
    """Write a JSON value as PostgreSQL's text: lists as arrays, objects as JSON."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case list():
            return "{" + ",".join(_element(item) for item in value) + "}"
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)


def _element(value: object) -> str:
    """PostgreSQL docs, "Arrays", Array Input and Output Syntax."""
    text = parameter_text(value)
    if text is None:
        return "NULL"
    if isinstance(value, list):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def result_format(query: Mapping[str, str], accept: str) -> ResultFormat:
    """Choose by `format=`, else by Accept, else JSON.

    Raises:
        StatementError: 22023, there is no such format.
    """
    asked = query.get("format")
    if asked is not None:
        try:
            return ResultFormat(asked)
        except ValueError:
            names = ", ".join(form.value for form in ResultFormat)
            raise _invalid(f"format is one of {names}") from None
    kinds = [part.partition(";")[0].strip() for part in accept.split(",")]
    for kind in kinds:
        for form in ResultFormat:
            if kind == form.media_type.partition(";")[0]:
                return form
    return ResultFormat.JSON


def page_limit(query: Mapping[str, str], default: int, highest: int) -> int:
    """Read `limit=`.

    Raises:
        StatementError: 22023, it is no number from 1 to `highest`.
    """
    text = query.get("limit", str(default))
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(highest))
    if not is_number or not 1 <= int(text) <= highest:
        raise _invalid(f"limit is a number from 1 to {highest}")
    return int(text)


def _invalid(message: str) -> StatementError:
    return StatementError(message, sqlstate=SqlState.INVALID_PARAMETER_VALUE)

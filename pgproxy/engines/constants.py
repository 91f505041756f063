"""Statements of nothing but constants: the engine answers them once, and what it said is kept.

`SELECT 1`, `SELECT current_user`: what pools and drivers ask before they hand a connection out. The answer
can only ever be the same, and asking for it costs two changes of thread, which is most of such a statement.
docs/adr/0009 says why this is no more than it is.
"""

import re
from collections import OrderedDict
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from types import TracebackType
from typing import Self, TypeAlias

from execnode.statement import EngineStatement, Parameter, RowChunk, RowEncoding
from pgproxy.engines.base import ResultStream
from pgproxy.engines.entered_stream import EnteredStream
from pgwire.types import OutputSettings, ResultColumn

MAX_ANSWERS = 256
"""The one that was not asked for the longest goes."""
MAX_BYTES = 2048
"""Of a statement's text, of its values, and of an answer that is kept."""

_CONSTANT = r"(?:-?[0-9]+(?:\.[0-9]+)?|'(?:[^']|'')*'|TRUE|FALSE|NULL|\$[0-9]+)"
_TYPE = r"(?:TEXT|VARCHAR|BOOLEAN|SMALLINT|INT|INTEGER|BIGINT)"
"""Types whose values look the same whatever a session has set, and that no text reads as the time of now."""
_OUTPUT = rf'(?:{_CONSTANT}|CAST\({_CONSTANT} AS {_TYPE}\))(?: AS "(?:[^"]|"")*")?'
_STATEMENT = re.compile(rf"SELECT {_OUTPUT}(?:, {_OUTPUT})*")

_Question: TypeAlias = tuple[
    str, tuple[Parameter, ...], tuple[ResultColumn, ...], tuple[int, ...], OutputSettings, bool
]


class ConstantAnswers:
    """What the embedded engine said, by statement, values and form. Used from one event loop."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Question, RowChunk] = OrderedDict()

    def asked(
        self, statement: EngineStatement, run: AbstractAsyncContextManager[ResultStream]
    ) -> AbstractAsyncContextManager[ResultStream]:
        """Give the kept answer, or `run`, which is not entered then. A first answer is kept as it passes."""
        question = _question(statement)
        if question is None:
            return run
        kept = self._kept.get(question)
        if kept is None:
            return _FirstAnswer(self, question, run)
        self._kept.move_to_end(question)
        return _KeptAnswer(statement.result_columns, kept)

    def keep(self, question: _Question, answer: RowChunk) -> None:
        """Keep an answer that is whole."""
        if len(answer.rows) > MAX_BYTES:
            return
        self._kept[question] = RowChunk(bytes(answer.rows), answer.row_count, answer.row_offsets)
        if len(self._kept) > MAX_ANSWERS:
            self._kept.popitem(last=False)


def _question(statement: EngineStatement) -> _Question | None:
    """None: it is not all constants, or is asked in a way that nobody asks often."""
    if (
        not is_constant(statement.sql)
        or statement.encoding is not RowEncoding.DATA_ROW
        or not statement.result_columns
        or sum(len(parameter.value or b"") for parameter in statement.parameters) > MAX_BYTES
    ):
        return None
    return (
        statement.sql,
        statement.parameters,
        statement.result_columns,
        statement.result_formats,
        statement.output,
        statement.with_row_offsets,
    )


@lru_cache(maxsize=1024)
def is_constant(sql: str) -> bool:
    """Whether a rendered statement selects constants, values and casts of either, and nothing else."""
    return len(sql) <= MAX_BYTES and _STATEMENT.fullmatch(sql) is not None


class _FirstAnswer(EnteredStream):
    """The engine's run, listened to."""

    __slots__ = ("_answers", "_heard", "_question", "_run")

    def __init__(
        self, answers: ConstantAnswers, question: _Question, run: AbstractAsyncContextManager[ResultStream]
    ) -> None:
        super().__init__()
        self._answers = answers
        self._question = question
        self._run = run
        self._heard: list[RowChunk] = []

    async def __aenter__(self) -> Self:
        self._stream = await self._run.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._run.__aexit__(exc_type, exc, traceback)

    async def read(self) -> RowChunk | None:
        """The next rows; what is the whole answer is kept when its end comes."""
        chunk = await self._opened.read()
        if chunk is not None:
            self._heard.append(chunk)
        elif len(self._heard) == 1:
            self._answers.keep(self._question, self._heard[0])
        return chunk


class _KeptAnswer:
    """A kept answer as a stream of one chunk."""

    __slots__ = ("_answer", "columns")

    affected_rows = 0

    def __init__(self, columns: tuple[ResultColumn, ...], answer: RowChunk) -> None:
        self.columns = columns
        self._answer: RowChunk | None = answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing runs."""

    async def read(self) -> RowChunk | None:
        answer, self._answer = self._answer, None
        return answer

    async def read_progress(self) -> float | None:
        return None

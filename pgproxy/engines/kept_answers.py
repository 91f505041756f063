"""Answers that cannot be another one: the engine gives them once, and what it said is kept.

Of two kinds of statements. Those of nothing but constants, `SELECT 1`, `SELECT current_user`: what pools and
drivers ask before they hand a connection out. And those about the catalog that the gateway calls repeatable
(`pgproxy.sql.repeatable`), while what they are as of is the same: what every client asks when it connects or
lists. Asking costs two changes of thread, and of the catalog's questions planning, most of such a statement.
docs/adr/0009 says why this is no more than it is.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from types import TracebackType
from typing import Self, TypeAlias

from execnode.statement import EngineStatement, Parameter, RowChunk, RowEncoding
from pgproxy.engines.base import ResultStream
from pgproxy.engines.entered_stream import EnteredStream
from pgwire.types import OutputSettings, ResultColumn

MAX_BYTES = 2048
"""Of a constant statement's text, and of its values."""
MAX_QUESTION_BYTES = 65_536
"""Of any other's text and values."""
MAX_ANSWER_BYTES = 262_144
MAX_KEPT_BYTES = 16 << 20
"""Of all answers and their questions. The one that was not asked for the longest goes."""
_ENTRY_BYTES = 1024
"""What one costs besides."""

_CONSTANT = r"(?:-?[0-9]+(?:\.[0-9]+)?|'(?:[^']|'')*'|TRUE|FALSE|NULL|\$[0-9]+)"
_TYPE = r"(?:TEXT|VARCHAR|BOOLEAN|SMALLINT|INT|INTEGER|BIGINT)"
"""Types whose values look the same whatever a session has set, and that no text reads as the time of now."""
_OUTPUT = rf'(?:{_CONSTANT}|CAST\({_CONSTANT} AS {_TYPE}\))(?: AS "(?:[^"]|"")*")?'
_STATEMENT = re.compile(rf"SELECT {_OUTPUT}(?:, {_OUTPUT})*")

_Question: TypeAlias = tuple[
    str,
    tuple[Parameter, ...],
    tuple[ResultColumn, ...],
    tuple[int, ...],
    OutputSettings,
    bool,
    int | None,
]
_Answer: TypeAlias = tuple[RowChunk, ...]


class KeptAnswers:
    """What the embedded engine said, by statement, values and form. Used from one event loop."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Question, _Answer] = OrderedDict()
        self._kept_bytes = 0

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

    def keep(self, question: _Question, answer: _Answer) -> None:
        """Keep an answer that is whole."""
        if question in self._kept:
            return
        self._kept[question] = tuple(
            RowChunk(bytes(chunk.rows), chunk.row_count, chunk.row_offsets) for chunk in answer
        )
        self._kept_bytes += _size(question, answer)
        while self._kept_bytes > MAX_KEPT_BYTES:
            self._kept_bytes -= _size(*self._kept.popitem(last=False))


def _size(question: _Question, answer: _Answer) -> int:
    values = sum(len(parameter.value or b"") for parameter in question[1])
    return _ENTRY_BYTES + len(question[0]) + values + _answer_size(answer)


def _answer_size(answer: _Answer) -> int:
    return sum(len(chunk.rows) + len(chunk.row_offsets) for chunk in answer)


def _question(statement: EngineStatement) -> _Question | None:
    """None: it may have another answer each time, or is asked in a way that nobody asks often."""
    constant = is_constant(statement.sql)
    if (
        not (constant or statement.rows_as_of is not None)
        or statement.encoding is not RowEncoding.DATA_ROW
        or not statement.result_columns
    ):
        return None
    asked = len(statement.sql) + sum(len(parameter.value or b"") for parameter in statement.parameters)
    if asked > (MAX_BYTES if constant else MAX_QUESTION_BYTES):
        return None
    return (
        statement.sql,
        statement.parameters,
        statement.result_columns,
        statement.result_formats,
        statement.output,
        statement.with_row_offsets,
        None if constant else statement.rows_as_of,
    )


@lru_cache(maxsize=1024)
def is_constant(sql: str) -> bool:
    """Whether a rendered statement selects constants, values and casts of either, and nothing else."""
    return len(sql) <= MAX_BYTES and _STATEMENT.fullmatch(sql) is not None


class _FirstAnswer(EnteredStream):
    """The engine's run, listened to."""

    __slots__ = ("_answers", "_heard", "_heard_bytes", "_question", "_run")

    def __init__(
        self, answers: KeptAnswers, question: _Question, run: AbstractAsyncContextManager[ResultStream]
    ) -> None:
        super().__init__()
        self._answers = answers
        self._question = question
        self._run = run
        self._heard: list[RowChunk] = []
        self._heard_bytes = 0

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
        if chunk is None:
            if self._heard_bytes <= MAX_ANSWER_BYTES:
                self._answers.keep(self._question, tuple(self._heard))
            return None
        self._heard_bytes += len(chunk.rows) + len(chunk.row_offsets)
        if self._heard_bytes <= MAX_ANSWER_BYTES:
            self._heard.append(chunk)
        else:
            self._heard.clear()
        return chunk


class _KeptAnswer:
    """A kept answer as a stream."""

    __slots__ = ("_chunks", "columns")

    affected_rows = 0

    def __init__(self, columns: tuple[ResultColumn, ...], answer: _Answer) -> None:
        self.columns = columns
        self._chunks: Iterator[RowChunk] = iter(answer)

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
        return next(self._chunks, None)

    async def read_progress(self) -> float | None:
        return None

"""A file of cases: as whom, which query, and what must come of it. Shape and mistakes with their lines."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pgproxy.control.yaml_lines import Document, Path, PolicyFileError, parse_document

Name = Annotated[str, Field(min_length=1)]
Cell: TypeAlias = str | bool | int | float | datetime | date | time | None
SqlStateText = Annotated[str, Field(pattern=r"^[0-9A-Z]{5}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Case(_Section):
    """One query of one principal.

    rows: the whole result, in any order unless `ordered`; a number compares by value, a text as PostgreSQL
    prints it. count: how many rows. affected: how many rows a write changes; nothing is kept of it.
    error: a SQLSTATE. columns: the result's names, besides.
    """

    principal: Annotated[Name, Field(alias="as")]
    query: Name
    name: Name | None = None
    search_path: Annotated[list[Name], Field(min_length=1)] | None = None
    rows: list[list[Cell]] | None = None
    ordered: bool = False
    columns: list[str] | None = None
    count: Annotated[int, Field(ge=0)] | None = None
    affected: Annotated[int, Field(ge=0)] | None = None
    error: SqlStateText | None = None

    @property
    def title(self) -> str:
        """What the report calls it."""
        return self.name or f"{self.principal}: {' '.join(self.query.split())}"

    @model_validator(mode="after")
    def _expects_one_thing(self) -> Self:
        if sum(part is not None for part in (self.rows, self.count, self.affected, self.error)) != 1:
            raise ValueError("give one of rows, count, affected and error")
        return self


class CaseFile(_Section):
    """policy, database: paths from the file's own folder, or nothing: what the command or settings say."""

    policy: Name | None = None
    database: Name | None = None
    cases: Annotated[list[Case], Field(min_length=1)]


def parse_cases(text: str) -> CaseFile:
    """Parse a file of cases.

    Raises:
        PolicyFileError: every mistake with its line.
    """
    document = parse_document(text)
    try:
        return CaseFile.model_validate(document.data)
    except ValidationError as error:
        raise PolicyFileError(list(_explained(error, document))) from None


def _explained(error: ValidationError, document: Document) -> Iterator[str]:
    """One mistake per place: each type that a cell might have had would have its own."""
    told: set[Path] = set()
    for problem in error.errors():
        location = tuple(problem["loc"])
        path = location[:5] if location[2:3] == ("rows",) else location
        if path not in told:
            told.add(path)
            where = ".".join(map(str, path))
            yield f"line {document.line_of(path)}: {where}: {problem['msg'].removeprefix('Value error, ')}"

"""What a policy file may hold: the shape only, as pydantic models.

Every section and almost every key may be left out. A section that is there is the whole truth of its kind;
one that is not leaves that kind as it is.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from pgproxy.control.fleet import CatalogKind, EndpointState, Fallback, selector_text
from pgproxy.policy.model import Privilege

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Name], Field(min_length=1)]
CommandWord = Literal["all", "select", "insert", "update", "delete"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class PrivilegeWord(StrEnum):
    """A privilege, or ALL: every privilege that the securable has."""

    ALL = "ALL"
    SELECT = Privilege.SELECT
    INSERT = Privilege.INSERT
    UPDATE = Privilege.UPDATE
    DELETE = Privilege.DELETE
    TRUNCATE = Privilege.TRUNCATE
    USAGE = Privilege.USAGE
    CREATE = Privilege.CREATE
    CONNECT = Privilege.CONNECT
    EXECUTE = Privilege.EXECUTE


def _empty_if_left_blank(value: object) -> object:
    return {} if value is None else value


class UserEntry(_Section):
    """A user. At most one of password, verifier and password_env; none: the stored one stays."""

    password: Annotated[SecretStr, Field(min_length=1)] | None = None
    verifier: SecretStr | None = None
    password_env: Name | None = None
    groups: list[Name] = []
    attributes: dict[str, str] = {}
    admin: bool = False
    security_officer: bool = False
    auditor: bool = False
    login: bool = True
    valid_until: Annotated[AwareDatetime, Field(strict=False)] | None = None
    connection_limit: Annotated[int, Field(ge=-1)] = -1

    @model_validator(mode="after")
    def _has_one_credential(self) -> "UserEntry":
        if sum(given is not None for given in (self.password, self.verifier, self.password_env)) > 1:
            raise ValueError("give only one of password, verifier and password_env")
        return self


class GroupEntry(_Section):
    """A group. members: principals to put into it, besides those that name it in their own `groups`."""

    groups: list[Name] = []
    members: list[Name] = []
    attributes: dict[str, str] = {}
    admin: bool = False
    security_officer: bool = False
    auditor: bool = False


class GrantEntry(_Section):
    """Privileges for one principal.

    on: catalog.schema.table, catalog.schema.* or catalog.*; for USAGE, CREATE and CONNECT also
    catalog.schema or catalog.
    """

    to: Name
    privileges: Annotated[list[Annotated[PrivilegeWord, Field(strict=False)]], Field(min_length=1)]
    on: Name
    columns: Names | None = None


class RowFilterEntry(_Section):
    """A row filter. to: left out: everyone; an empty list is refused, since it could mean anything.

    using: must be there but for `for: insert`, which has a check only.
    """

    name: Name
    on: Name
    using: Name | None = None
    to: Names | None = None
    restrictive: bool = False
    check: Name | None = None
    command: Annotated[CommandWord, Field(alias="for")] = "all"

    @model_validator(mode="after")
    def _has_its_expressions(self) -> Self:
        if self.command == "insert" and self.using is not None:
            raise ValueError("`using` is of no use for insert, write `check`")
        if self.command in ("select", "delete") and self.check is not None:
            raise ValueError("`check` is of no use for select and delete")
        if self.command == "insert" and self.check is None:
            raise ValueError("`check` is missing")
        if self.command != "insert" and self.using is None:
            raise ValueError("`using` is missing")
        return self


class FunctionEntry(_Section):
    """A function of one expression. parameters: [name, type] each; an unnamed one has the name ""."""

    parameters: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = []
    returns: Name
    body: Name
    strict: bool = False
    volatility: Literal["immutable", "stable", "volatile"] = "volatile"


class ColumnMaskEntry(_Section):
    """A column mask. to: left out: everyone who is not exempt."""

    name: Name
    on: Name
    column: Name
    using: Name
    to: Names | None = None
    exempt: list[Name] = []
    strictness: int = 0


class TagMaskEntry(_Section):
    """A mask of every column that carries a tag; in `using` the column is `value`."""

    name: Name
    tag: Name
    using: Name
    to: Names | None = None
    exempt: list[Name] = []
    strictness: int = 0


class EndpointEntry(_Section):
    """An endpoint. token or token_env; neither: the stored one stays."""

    url: Name
    token: SecretStr | None = None
    token_env: Name | None = None
    state: Annotated[EndpointState, Field(strict=False)] | None = None
    labels: dict[Name, Name] = {}
    size: str = ""
    capacity: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _has_one_token(self) -> "EndpointEntry":
        if self.token is not None and self.token_env is not None:
            raise ValueError("give only one of token and token_env")
        return self


class AssignmentEntry(_Section):
    """A user's or group's endpoint, or pool by labels. Lower priority is tried first. shadow: a percent."""

    user: Name | None = None
    group: Name | None = None
    endpoint: Name | None = None
    pool: Annotated[dict[Name, Name], Field(min_length=1)] | None = None
    priority: int = 100
    fallback: Annotated[Fallback, Field(strict=False)] = Fallback.DISABLED
    weight: Annotated[int, Field(ge=1)] = 1
    shadow: Annotated[int, Field(ge=0, le=100)] = 0

    @model_validator(mode="after")
    def _has_one_principal(self) -> "AssignmentEntry":
        if (self.user is None) == (self.group is None):
            raise ValueError("give one of user and group")
        if (self.endpoint is None) == (self.pool is None):
            raise ValueError("give one of endpoint and pool")
        return self

    @property
    def target(self) -> str:
        """The endpoint's name, or the pool's selector."""
        return self.endpoint or selector_text(self.pool or {})


class CatalogEntry(_Section):
    """A catalog. credentials or credentials_env by name; neither: the stored ones stay."""

    kind: Annotated[CatalogKind, Field(strict=False)]
    location: Name
    read_only: bool = True
    options: dict[Name, str] = {}
    credentials: dict[Name, SecretStr] = {}
    credentials_env: dict[Name, Name] = {}


class PolicyFile(_Section):
    """The whole file."""

    users: dict[Name, Annotated[UserEntry, BeforeValidator(_empty_if_left_blank)]] | None = None
    groups: dict[Name, Annotated[GroupEntry, BeforeValidator(_empty_if_left_blank)]] | None = None
    grants: list[GrantEntry] | None = None
    row_filters: list[RowFilterEntry] | None = None
    row_security: list[Name] | None = None
    closed_databases: list[Name] | None = None
    functions: dict[Name, FunctionEntry] | None = None
    column_masks: list[ColumnMaskEntry] | None = None
    tags: dict[Name, Names] | None = None
    tag_masks: list[TagMaskEntry] | None = None
    endpoints: dict[Name, EndpointEntry] | None = None
    assignments: list[AssignmentEntry] | None = None
    catalogs: dict[Name, CatalogEntry] | None = None
    hba_rules: list[Name] | None = None

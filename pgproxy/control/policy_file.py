"""Policy files: read, checked with the line of each mistake, planned, applied as one change.

Applying the same file twice changes nothing the second time: a password that still fits its stored verifier
keeps it.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import SecretStr, ValidationError

from pgproxy.catalog.snapshot import CatalogSnapshot
from pgproxy.control.difference import Difference, compute_differences
from pgproxy.control.expressions import ExpressionValidator, check_expression
from pgproxy.control.metastore import ChangeResult, Transform
from pgproxy.control.passwords import check_verifier
from pgproxy.control.policy_build import Secrets, build_state
from pgproxy.control.policy_relations import missing_relations
from pgproxy.control.policy_schema import PolicyFile
from pgproxy.control.service import Actor, ControlService
from pgproxy.control.state import ControlState
from pgproxy.control.yaml_lines import Document, Path, PolicyFileError, parse_document
from pgproxy.policy.model import TableName
from pgwire.errors import GatewayError

_OF_THE_METASTORE = re.compile(r'(role|endpoint) ".*" does not exist$')
"""What a file may leave to be there already."""


@dataclass(frozen=True, slots=True)
class ParsedPolicy:
    """A file of the right shape, and where each part of it stands."""

    file: PolicyFile
    document: Document


def parse_policy(text: str) -> ParsedPolicy:
    """Parse a policy file; its shape only.

    Raises:
        PolicyFileError: every mistake with its line.
    """
    document = parse_document(text)
    try:
        return ParsedPolicy(PolicyFile.model_validate(document.data), document)
    except ValidationError as error:
        raise PolicyFileError(list(_explain(error, document))) from None


def check_policy(
    parsed: ParsedPolicy,
    catalog: CatalogSnapshot | None = None,
    bind: ExpressionValidator | None = None,
) -> None:
    """Check a file without a metastore: names, SQL, roles if it lists both users and groups.

    catalog, bind: what exists, and what binds expressions to it; None: the file by itself.

    Raises:
        PolicyFileError: every mistake with its line.
    """
    unresolved = Secrets(tokens=dict.fromkeys(parsed.file.endpoints or {}, "token"))

    def check(table: TableName, column: str | None, sql: str) -> None:
        check_expression(sql, allow_subqueries=True)
        if bind is not None:
            bind(table, column, sql)

    problems = [] if catalog is None else list(missing_relations(parsed.file, parsed.document, catalog))
    try:
        build_state(parsed.file, parsed.document, ControlState(), unresolved, check)
    except PolicyFileError as error:
        is_whole = parsed.file.users is not None and parsed.file.groups is not None
        problems += (p for p in error.problems if is_whole or not _OF_THE_METASTORE.search(p))
    if problems:
        raise PolicyFileError(problems)


def has_rules(parsed: ParsedPolicy) -> bool:
    """Whether the file holds expressions, which are bound to the catalog."""
    file = parsed.file
    return any((file.row_filters, file.column_masks, file.tags, file.tag_masks))


async def plan_policy(
    service: ControlService, parsed: ParsedPolicy, environment: Mapping[str, str] = os.environ
) -> tuple[Difference, ...]:
    """What `apply_policy` would change now; empty: nothing.

    Raises:
        PolicyFileError: every mistake with its line.
        GatewayError: the resulting state is refused.
    """
    transform = await _transform(service, parsed, environment)
    before = await service.metastore.state()
    after = service.checked(Actor("plan", is_operator=True), before, transform)
    return compute_differences(before, after)


async def apply_policy(
    service: ControlService,
    actor: Actor,
    parsed: ParsedPolicy,
    environment: Mapping[str, str] = os.environ,
) -> ChangeResult:
    """Make the control plane what the file says, in one transaction.

    Raises:
        PolicyFileError: every mistake with its line; nothing was changed.
        GatewayError: the resulting state is refused; nothing was changed.
    """
    return await service.apply(actor, await _transform(service, parsed, environment))


async def _transform(
    service: ControlService, parsed: ParsedPolicy, environment: Mapping[str, str]
) -> Transform:
    secrets = await _resolve_secrets(service, parsed, environment)
    return lambda state: build_state(
        parsed.file, parsed.document, state, secrets, service.validate_expression
    )


async def _resolve_secrets(
    service: ControlService, parsed: ParsedPolicy, environment: Mapping[str, str]
) -> Secrets:
    problems: list[str] = []
    verifiers: dict[str, str] = {}
    tokens: dict[str, str] = {}
    for name, user in (parsed.file.users or {}).items():
        path: Path = ("users", name)
        try:
            if user.verifier is not None:
                verifiers[name] = check_verifier(user.verifier.get_secret_value())
            elif password := _look_up(user.password, user.password_env, environment):
                verifiers[name] = await service.verifier_to_store(name, password)
        except (GatewayError, _NotSet) as error:
            problems.append(f"line {parsed.document.line_of(path)}: {error}")
    for name, endpoint in (parsed.file.endpoints or {}).items():
        try:
            if token := _look_up(endpoint.token, endpoint.token_env, environment):
                tokens[name] = token
        except _NotSet as error:
            problems.append(f"line {parsed.document.line_of(('endpoints', name))}: {error}")
    credentials = _credentials(parsed, environment, problems)
    if problems:
        raise PolicyFileError(problems)
    return Secrets(verifiers, tokens, credentials)


def _credentials(
    parsed: ParsedPolicy, environment: Mapping[str, str], problems: list[str]
) -> dict[str, dict[str, str]]:
    """Credentials by catalog. What is not set is added to `problems`."""
    found: dict[str, dict[str, str]] = {}
    for name, catalog in (parsed.file.catalogs or {}).items():
        found[name] = {key: secret.get_secret_value() for key, secret in catalog.credentials.items()}
        for key, variable in catalog.credentials_env.items():
            try:
                found[name][key] = _look_up(None, variable, environment) or ""
            except _NotSet as error:
                problems.append(f"line {parsed.document.line_of(('catalogs', name))}: {error}")
    return found


class _NotSet(Exception):
    """A secret is to come from the environment and is not there."""


def _look_up(given: SecretStr | None, variable: str | None, environment: Mapping[str, str]) -> str | None:
    if variable is None:
        return None if given is None else given.get_secret_value()
    found = environment.get(variable)
    if not found:
        raise _NotSet(f"the environment variable {variable} is not set")
    return found


def _explain(error: ValidationError, document: Document) -> Iterable[str]:
    """Say each mistake with its line and where it is; never a value, which may be a password."""
    found = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        path = tuple(part for part in problem["loc"] if part != "[key]")
        where = ".".join(str(part) for part in path)
        text = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            text = "no such key"
        found.append((document.line_of(path), f"{where}: {text}" if where else text))
    return [f"line {line}: {text}" for line, text in sorted(found)]

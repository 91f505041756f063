"""From a policy file and the current state to the state that the file asks for. Pure.

A section that is there is the whole truth of its kind, one that is not leaves that kind alone. Two
exceptions: administrators who are not named stay, so that no file locks them out; and an endpoint that is
not named but still assigned is retired, not forgotten, so that `fallback: disabled` keeps its meaning.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pgproxy.control import policy_schema as schema
from pgproxy.control.duties import holds_admin
from pgproxy.control.fleet import Assignment, CatalogSource, Endpoint, EndpointState
from pgproxy.control.hba import HbaRule, parse_rule
from pgproxy.control.integrity import check_grant
from pgproxy.control.mask_library import expand_masks
from pgproxy.control.securables import fold_name, parse_column_name, parse_securable, parse_table_name
from pgproxy.control.state import BoundName, ColumnName, ControlState, TagMask, merge_grants
from pgproxy.control.yaml_lines import Document, Path, PolicyFileError
from pgproxy.policy.model import (
    ColumnMask,
    Grant,
    PolicyCommand,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    StoredFunction,
    TableName,
)
from pgproxy.sql.stored_functions import check_function
from pgwire.errors import GatewayError

_CONTAINER_PRIVILEGES = frozenset({Privilege.USAGE, Privilege.CREATE, Privilege.CONNECT})
_ALL_ON_TABLES = (
    Privilege.SELECT,
    Privilege.INSERT,
    Privilege.UPDATE,
    Privilege.DELETE,
    Privilege.TRUNCATE,
)
_ALL_ON_COLUMNS = (Privilege.SELECT, Privilege.INSERT, Privilege.UPDATE)

_Parsed = TypeVar("_Parsed")
_Mask = TypeVar("_Mask", ColumnMask, TagMask)
CheckExpression = Callable[[TableName, str | None, str], None]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the file's credentials came to: verifiers by user, tokens by endpoint, credentials by catalog."""

    verifiers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)


def build_state(
    file: schema.PolicyFile,
    document: Document,
    state: ControlState,
    secrets: Secrets,
    check_expression: CheckExpression,
) -> ControlState:
    """Give the state that the file asks for.

    Raises:
        PolicyFileError: every mistake with its line: unknown role or endpoint, name twice, bad name, bad SQL.
    """
    builder = _Builder(document, check_expression)
    principals = builder.principals(file, state)
    gone = state.principals.keys() - principals.keys()
    endpoints = builder.endpoints(file, state, secrets.tokens)
    built = ControlState(
        principals=principals,
        verifiers={k: v for k, v in {**state.verifiers, **secrets.verifiers}.items() if k not in gone},
        grants=builder.grants(file, state, principals),
        row_filters=builder.row_filters(file, state, principals),
        row_security=builder.row_security(file, state),
        closed_databases=builder.closed_databases(file, state),
        functions=builder.functions(file, state),
        column_masks=builder.column_masks(file, state, principals),
        column_tags=builder.column_tags(file, state),
        tag_masks=builder.tag_masks(file, state, principals),
        endpoints=endpoints,
        assignments=builder.assignments(file, state, principals, endpoints),
        catalogs=catalogs_of_file(file, state, secrets.credentials),
        flags=state.flags,
        rollouts=state.rollouts,
        api_keys={key_id: key for key_id, key in state.api_keys.items() if key.principal not in gone},
        hba_rules=builder.hba_rules(file, state),
    )
    builder.raise_problems()
    return built


class _Builder:
    """Collects problems instead of stopping at the first."""

    def __init__(self, document: Document, check_expression: CheckExpression) -> None:
        self._document = document
        self._check_expression = check_expression
        self._problems: list[tuple[int, str]] = []

    def raise_problems(self) -> None:
        if self._problems:
            raise PolicyFileError([f"line {line}: {text}" for line, text in sorted(set(self._problems))])

    def _problem(self, path: Path, text: str) -> None:
        self._problems.append((self._document.line_of(path), text))

    def principals(self, file: schema.PolicyFile, state: ControlState) -> dict[str, Principal]:
        found = {p.name: p for p in state.principals.values() if _stays(p, file, state)}
        for name, group in (file.groups or {}).items():
            found[name] = Principal(
                name,
                PrincipalKind.GROUP,
                group.admin,
                False,
                frozenset(group.groups),
                group.attributes,
                is_security_officer=group.security_officer,
                is_auditor=group.auditor,
            )
        for name, user in (file.users or {}).items():
            if name in (file.groups or {}):
                self._problem(("users", name), f'"{name}" is a user and a group')
            found[name] = Principal(
                name,
                PrincipalKind.USER,
                user.admin,
                user.login,
                frozenset(user.groups),
                user.attributes,
                user.valid_until,
                user.connection_limit,
                user.security_officer,
                user.auditor,
            )
        for name, group in (file.groups or {}).items():
            self._known(group.members, found, ("groups", name, "members"))
            for member in found.keys() & set(group.members):
                found[member] = replace(found[member], member_of=found[member].member_of | {name})
        for section, entries in (("users", file.users), ("groups", file.groups)):
            for name, entry in (entries or {}).items():
                self._known(entry.groups, found, (section, name, "groups"), PrincipalKind.GROUP)
        groups = frozenset(p.name for p in found.values() if p.kind is PrincipalKind.GROUP)
        return {name: replace(p, member_of=p.member_of & groups) for name, p in found.items()}

    def grants(
        self, file: schema.PolicyFile, state: ControlState, principals: Mapping[str, Principal]
    ) -> frozenset[Grant]:
        if file.grants is None:
            return frozenset(grant for grant in state.grants if grant.principal in principals)
        found: list[Grant] = []
        for index, entry in enumerate(file.grants):
            path: Path = ("grants", index)
            self._known([entry.to], principals, (*path, "to"))
            try:
                found += _grants_of(entry)
            except ValueError as error:
                self._problem((*path, "on"), str(error))
            except GatewayError as error:
                self._problem((*path, "privileges"), error.message)
        return merge_grants(found)

    def row_filters(
        self, file: schema.PolicyFile, state: ControlState, principals: Mapping[str, Principal]
    ) -> Mapping[BoundName, RowFilter]:
        if file.row_filters is None:
            return {key: self._still_bound(f, principals) for key, f in state.row_filters.items()}
        found: dict[BoundName, RowFilter] = {}
        for index, entry in enumerate(file.row_filters):
            path: Path = ("row_filters", index)
            table = self._bound_table(entry.on, entry.name, found, path)
            self._known(entry.to or (), principals, (*path, "to"))
            for part, sql in (("using", entry.using), ("check", entry.check)):
                if sql is not None:
                    self._check_sql(table, None, sql, (*path, part))
            nothing_said = "true" if entry.restrictive else "false"
            found[table, entry.name] = RowFilter(
                entry.name,
                table,
                entry.using or nothing_said,
                frozenset(entry.to or ()),
                entry.restrictive,
                entry.check,
                PolicyCommand(entry.command.upper()),
            )
        return found

    def column_masks(
        self, file: schema.PolicyFile, state: ControlState, principals: Mapping[str, Principal]
    ) -> Mapping[BoundName, ColumnMask]:
        if file.column_masks is None:
            return {key: self._still_masked(m, principals) for key, m in state.column_masks.items()}
        found: dict[BoundName, ColumnMask] = {}
        for index, entry in enumerate(file.column_masks):
            path: Path = ("column_masks", index)
            table = self._bound_table(entry.on, entry.name, found, path)
            self._known(entry.to or (), principals, (*path, "to"))
            self._known(entry.exempt, principals, (*path, "exempt"))
            column = self._name(fold_name, entry.column, (*path, "column")) or entry.column
            using = self._expanded(entry.using, (*path, "using"))
            self._check_sql(table, column, using, (*path, "using"))
            found[table, entry.name] = ColumnMask(
                entry.name,
                table,
                column,
                using,
                frozenset(entry.to or ()),
                frozenset(entry.exempt),
                entry.strictness,
            )
        return found

    def row_security(self, file: schema.PolicyFile, state: ControlState) -> frozenset[TableName]:
        if file.row_security is None:
            return state.row_security
        found = (
            self._name(parse_table_name, name, ("row_security", index))
            for index, name in enumerate(file.row_security)
        )
        return frozenset(table for table in found if table is not None)

    def closed_databases(self, file: schema.PolicyFile, state: ControlState) -> frozenset[str]:
        if file.closed_databases is None:
            return state.closed_databases
        found = (
            self._name(fold_name, name, ("closed_databases", index))
            for index, name in enumerate(file.closed_databases)
        )
        return frozenset(name for name in found if name is not None)

    def functions(self, file: schema.PolicyFile, state: ControlState) -> Mapping[TableName, StoredFunction]:
        if file.functions is None:
            return state.functions
        found: dict[TableName, StoredFunction] = {}
        for text, entry in file.functions.items():
            name = self._name(parse_table_name, text, ("functions", text))
            if name is None:
                continue
            parameters = tuple((parameter, kind) for parameter, kind in entry.parameters)
            function = StoredFunction(
                name, parameters, entry.returns, entry.body, entry.strict, entry.volatility[0]
            )
            try:
                check_function(function)
            except GatewayError as error:
                self._problem(("functions", text), error.message)
            found[name] = function
        return found

    def column_tags(
        self, file: schema.PolicyFile, state: ControlState
    ) -> Mapping[ColumnName, frozenset[str]]:
        if file.tags is None:
            return state.column_tags
        found: dict[ColumnName, frozenset[str]] = {}
        for text, tags in file.tags.items():
            name = self._name(parse_column_name, text, ("tags", text))
            if name is not None:
                found[name] = frozenset(tags)
        return found

    def tag_masks(
        self, file: schema.PolicyFile, state: ControlState, principals: Mapping[str, Principal]
    ) -> Mapping[tuple[str, str], TagMask]:
        if file.tag_masks is None:
            return {key: self._still_masked(m, principals) for key, m in state.tag_masks.items()}
        found: dict[tuple[str, str], TagMask] = {}
        for index, entry in enumerate(file.tag_masks):
            path: Path = ("tag_masks", index)
            if (entry.tag, entry.name) in found:
                self._problem((*path, "name"), f'the name "{entry.name}" is there twice for one tag')
            self._known(entry.to or (), principals, (*path, "to"))
            self._known(entry.exempt, principals, (*path, "exempt"))
            using = self._expanded(entry.using, (*path, "using"))
            bound, exempt = frozenset(entry.to or ()), frozenset(entry.exempt)
            found[entry.tag, entry.name] = TagMask(
                entry.name, entry.tag, using, bound, exempt, entry.strictness
            )
        return found

    def endpoints(
        self, file: schema.PolicyFile, state: ControlState, tokens: Mapping[str, str]
    ) -> Mapping[str, Endpoint]:
        if file.endpoints is None:
            return state.endpoints
        found: dict[str, Endpoint] = {}
        for name, entry in file.endpoints.items():
            known = state.endpoints.get(name)
            token = tokens.get(name) or (known.token if known is not None else "")
            if not token:
                self._problem(("endpoints", name), "a new endpoint needs token or token_env")
            lasting = known.state if known is not None else EndpointState.REGISTERED
            found[name] = Endpoint(
                name, entry.url, token, entry.state or lasting, entry.labels, entry.size, entry.capacity
            )
        assigned = () if file.assignments is not None else {a.endpoint for a in state.assignments.values()}
        for name in state.endpoints.keys() & set(assigned) - found.keys():
            found[name] = replace(state.endpoints[name], state=EndpointState.RETIRED)
        return found

    def assignments(
        self,
        file: schema.PolicyFile,
        state: ControlState,
        principals: Mapping[str, Principal],
        endpoints: Mapping[str, Endpoint],
    ) -> Mapping[tuple[str, str], Assignment]:
        if file.assignments is None:
            return {key: a for key, a in state.assignments.items() if a.principal in principals}
        found: dict[tuple[str, str], Assignment] = {}
        for index, entry in enumerate(file.assignments):
            path: Path = ("assignments", index)
            kind = PrincipalKind.USER if entry.user is not None else PrincipalKind.GROUP
            name = entry.user or entry.group or ""
            self._known([name], principals, (*path, kind.value), kind)
            target = entry.target
            if entry.endpoint is not None and entry.endpoint not in endpoints:
                self._problem((*path, "endpoint"), f'endpoint "{entry.endpoint}" does not exist')
            if (name, target) in found:
                self._problem(path, f'"{name}" is assigned to "{target}" twice')
            found[name, target] = Assignment(
                name, target, entry.priority, entry.fallback, entry.weight, entry.shadow
            )
        return found

    def hba_rules(self, file: schema.PolicyFile, state: ControlState) -> tuple[HbaRule, ...]:
        if file.hba_rules is None:
            return state.hba_rules
        found: list[HbaRule] = []
        for index, line in enumerate(file.hba_rules):
            if (rule := self._name(parse_rule, line, ("hba_rules", index))) is not None:
                found.append(rule)
        return tuple(found)

    def _known(
        self,
        names: Iterable[str],
        principals: Mapping[str, Principal],
        path: Path,
        kind: PrincipalKind | None = None,
    ) -> None:
        for index, name in enumerate(names):
            principal = principals.get(name)
            if principal is None:
                self._problem((*path, index), f'role "{name}" does not exist')
            elif kind is not None and principal.kind is not kind:
                self._problem((*path, index), f'role "{name}" is not a {kind.value}')

    def _bound_table(self, on: str, name: str, found: Mapping[BoundName, object], path: Path) -> TableName:
        table = self._name(parse_table_name, on, (*path, "on")) or TableName("", "", on)
        if (table, name) in found:
            self._problem((*path, "name"), f'the name "{name}" is there twice for one table')
        return table

    def _name(self, parse: Callable[[str], _Parsed], text: str, path: Path) -> _Parsed | None:
        try:
            return parse(text)
        except ValueError as error:
            self._problem(path, str(error))
            return None

    def _expanded(self, sql: str, path: Path) -> str:
        try:
            return expand_masks(sql)
        except GatewayError as error:
            self._problem(path, error.message)
            return sql

    def _check_sql(self, table: TableName, column: str | None, sql: str, path: Path) -> None:
        try:
            self._check_expression(table, column, sql)
        except GatewayError as error:
            self._problem(path, error.message)

    def _still_bound(self, row_filter: RowFilter, principals: Mapping[str, Principal]) -> RowFilter:
        left = row_filter.principals & principals.keys()
        if row_filter.principals and not left:
            self._problem((), f'row filter "{row_filter.name}" is only for roles that the file removes')
        return replace(row_filter, principals=left)

    def _still_masked(self, mask: _Mask, principals: Mapping[str, Principal]) -> _Mask:
        left = mask.principals & principals.keys()
        if mask.principals and not left:
            self._problem((), f'column mask "{mask.name}" is only for roles that the file removes')
        return replace(mask, principals=left, exempt=mask.exempt & principals.keys())


def catalogs_of_file(
    file: schema.PolicyFile, state: ControlState, credentials: Mapping[str, Mapping[str, str]]
) -> Mapping[str, CatalogSource]:
    """Give the catalogs that the file asks for; one without credentials keeps its stored ones."""
    if file.catalogs is None:
        return state.catalogs
    found: dict[str, CatalogSource] = {}
    for name, entry in file.catalogs.items():
        known = state.catalogs.get(name)
        stored = known.credentials if known is not None and known.kind is entry.kind else {}
        secret = credentials.get(name) or stored
        found[name] = CatalogSource(name, entry.kind, entry.location, entry.read_only, entry.options, secret)
    return found


def _stays(principal: Principal, file: schema.PolicyFile, state: ControlState) -> bool:
    """Whether a principal that the file may not name is kept."""
    if principal.kind is PrincipalKind.GROUP:
        return file.groups is None
    return file.users is None or holds_admin(state, principal.name)


def _grants_of(entry: schema.GrantEntry) -> list[Grant]:
    """One grant a privilege.

    Raises:
        ValueError: the securable's name is wrong or could mean two things.
        GatewayError: the securable has no such privilege.
    """
    securable = parse_securable(entry.on)
    columns = None if entry.columns is None else frozenset(fold_name(column) for column in entry.columns)
    is_container = securable.table is None and not securable.has_star
    privileges: list[Privilege] = []
    for word in entry.privileges:
        if word is not schema.PrivilegeWord.ALL:
            privileges.append(Privilege(word.value))
        elif is_container:
            privileges += [Privilege.USAGE, Privilege.CREATE] if securable.schema else [Privilege.CONNECT]
        else:
            privileges += _ALL_ON_COLUMNS if columns is not None else _ALL_ON_TABLES
    if is_container and not _CONTAINER_PRIVILEGES.issuperset(privileges):
        raise ValueError(f"write {entry.on}.* to mean every table in it")
    grants = [
        Grant(entry.to, privilege, securable.catalog, securable.schema, securable.table, columns)
        for privilege in privileges
    ]
    for grant in grants:
        check_grant(grant)
    return grants

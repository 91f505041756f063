"""ALTER … OWNER TO and REASSIGN OWNED: what makes something another role's. PostgreSQL docs, "ALTER TABLE".

Whose something is stands in the engine's own catalog (`pgproxy.catalog.ownership`), so these are definitions
that run there. Grants, filters and masks are on names, and stay.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from pgproxy.catalog.ownership import SCHEMA_MARK, owned_comment
from pgproxy.catalog.sequences import SequenceInfo, sequence_comment, sequence_of_default
from pgproxy.catalog.snapshot import RelationKind, TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.draft import engine_name, engine_table, quoted
from pgproxy.sql.names import find_relation, undefined_table
from pgproxy.sql.ownership import check_kind, check_owner
from pgproxy.sql.parse import parse_fragment
from pgproxy.sql.plan import ObjectAccess, Plan, PlanContext, PlanNotice, StatementKind
from pgproxy.sql.planner import fingerprint
from pgproxy.sql.render import to_sql
from pgproxy.sql.schemas import knows_schema, schema_mark
from pgproxy.sql.sequence_definitions import goes_with, sequence_mark
from pgproxy.sql.sequences import find_sequence, undefined_sequence
from pgproxy.sql.utility.owners import AlterOwner, OwnedKind, ReassignOwned
from pgproxy.sql.verify import verify_definition
from pgproxy.sql.views import mark_query
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_KINDS = {
    OwnedKind.TABLE: StatementKind.ALTER_TABLE,
    OwnedKind.VIEW: StatementKind.ALTER_VIEW,
    OwnedKind.SEQUENCE: StatementKind.ALTER_TABLE,
    OwnedKind.SCHEMA: StatementKind.ALTER_TABLE,
}
_NOTHING = ("temp", "main", "pgproxy_nothing")


@dataclass(frozen=True, slots=True)
class _Change:
    """What an engine runs to make one object another role's."""

    name: TableName
    statements: tuple[exp.Expr, ...]


def plan_owner_change(
    statement: AlterOwner | ReassignOwned, context: PlanContext, owner: EffectivePolicy
) -> Plan:
    """Plan a change of owners. owner: who becomes it.

    Raises:
        StatementError: 42P01, 3F000, 42809; 42704, no such role that it may know of, or a locked one.
        AccessDenied: 42501, not the owner's; or not a member of the new one, or that may not create there.
        FeatureNotSupported: 0A000, a temporary relation; schema public.
    """
    if isinstance(statement, ReassignOwned) and not context.policy.is_admin:
        raise AccessDenied("permission denied to reassign objects", rule=DenialRule.ADMINISTRATION)
    if not owner.may_own or not _is_known(owner, context.policy):
        raise StatementError(f'role "{owner.principal}" does not exist', sqlstate=SqlState.UNDEFINED_OBJECT)
    if isinstance(statement, ReassignOwned):
        changes, notices = tuple(_reassigned(frozenset(statement.names), context, owner)), ()
        return _plan(changes, StatementKind.ALTER_TABLE, context, notices)
    found = _altered(statement, context, owner)
    word = "schema" if statement.kind is OwnedKind.SCHEMA else "relation"
    skipped = PlanNotice(f'{word} "{statement.name[-1]}" does not exist, skipping')
    return _plan(
        () if found is None else (found,),
        _KINDS[statement.kind],
        context,
        () if found is not None else (skipped,),
    )


def _is_known(role: EffectivePolicy, policy: EffectivePolicy) -> bool:
    """Whether the catalog shows a role to who acts; PostgreSQL shows all, and tells them from none here."""
    return policy.sees_policy or policy.owns(role.principal)


def _altered(statement: AlterOwner, context: PlanContext, owner: EffectivePolicy) -> _Change | None:
    named = (None, None, None, *statement.name)[-3:]
    catalog, schema, name = named[0], named[1], named[2] or ""
    if statement.kind is OwnedKind.SCHEMA:
        return _altered_schema(statement, context, owner)
    if statement.kind is OwnedKind.SEQUENCE:
        sequence = find_sequence((catalog, schema, name), context)
        if sequence is None:
            if statement.if_exists:
                return None
            raise undefined_sequence((catalog, schema, name))
        _check_rights(sequence.name, sequence.owner, f"sequence {sequence.name.name}", context)
        _check_new_owner(owner, sequence.name, context)
        return _of_sequence(sequence, owner)
    found = find_relation(context, catalog, schema, name)
    if found is None:
        if statement.if_exists:
            return None
        raise undefined_table(catalog, schema, name, None)
    if found.is_temporary:
        raise FeatureNotSupported("changing the owner of a temporary relation is not supported")
    if not isinstance(found.info, TableInfo):
        raise AccessDenied(f"must be owner of table {name}", rule=DenialRule.TABLE_PRIVILEGE)
    if statement.kind is OwnedKind.VIEW:
        check_kind(StatementKind.DROP_VIEW, found.info)
    check_owner(found.info, _KINDS[statement.kind], context)
    _check_new_owner(owner, found.name, context)
    return _of_relation(found.info, owner, context)


def _altered_schema(statement: AlterOwner, context: PlanContext, owner: EffectivePolicy) -> _Change | None:
    catalog, schema = (context.catalog_name, *statement.name)[-2:]
    name = (catalog, "public" if schema == "main" else schema)
    if not knows_schema(name, context.catalog, context.policy):
        if statement.if_exists:
            return None
        raise StatementError(f'schema "{schema}" does not exist', sqlstate=SqlState.INVALID_SCHEMA_NAME)
    target = TableName(*name, SCHEMA_MARK)
    _check_rights(target, context.catalog.schema_owners.get(name), f"schema {schema}", context)
    if not context.policy.is_admin:
        _check_member(owner, context)
        if not owner.schema_allows(Privilege.CREATE, catalog, ""):
            raise AccessDenied(f"permission denied for database {catalog}", rule=DenialRule.SCHEMA_PRIVILEGE)
    return _of_schema(name, owner, context)


def _check_rights(name: TableName, owner: str | None, what: str, context: PlanContext) -> None:
    policy = context.policy
    if policy.is_admin or (policy.owns(owner) and policy.scope.allows(Privilege.CREATE, name.catalog)):
        return
    raise AccessDenied(f"must be owner of {what}", rule=DenialRule.TABLE_PRIVILEGE)


def _check_new_owner(owner: EffectivePolicy, name: TableName, context: PlanContext) -> None:
    if context.policy.is_admin:
        return
    _check_member(owner, context)
    if not owner.schema_allows(Privilege.CREATE, name.catalog, name.schema):
        raise AccessDenied(f"permission denied for schema {name.schema}", rule=DenialRule.SCHEMA_PRIVILEGE)


def _check_member(owner: EffectivePolicy, context: PlanContext) -> None:
    if not context.policy.owns(owner.principal):
        raise AccessDenied(f'must be member of role "{owner.principal}"', rule=DenialRule.ADMINISTRATION)


def _reassigned(names: frozenset[str], context: PlanContext, owner: EffectivePolicy) -> Iterator[_Change]:
    """Everything of the session's database that is theirs; a table's own sequences come with it."""
    catalog = context.catalog
    done: set[TableName] = set()
    for info in catalog.tables.values():
        if info.owner in names and info.name.catalog == context.catalog_name and not info.is_read_only:
            done |= {sequence.name for sequence in _own_sequences(info, context)}
            yield _of_relation(info, owner, context)
    for sequence in catalog.sequences.values():
        is_here = sequence.name.catalog == context.catalog_name
        if sequence.owner in names and is_here and sequence.name not in done:
            yield _of_sequence(sequence, owner)
    for name, held_by in catalog.schema_owners.items():
        if held_by in names and name[0] == context.catalog_name:
            yield _of_schema(name, owner, context)


def _kept_name(owner: EffectivePolicy) -> str | None:
    """What an administrator owns is the gateway's, as all that administrators make."""
    return None if owner.holds_everything else owner.principal


def _of_relation(info: TableInfo, owner: EffectivePolicy, context: PlanContext) -> _Change:
    if info.kind is RelationKind.VIEW:
        return _Change(info.name, tuple(_remade_view(info, owner)))
    kept = _kept_name(owner)
    sequences = _own_sequences(info, context)
    marks = (
        sequence_mark(found.name, sequence_comment(kept, found.column, found.start)) for found in sequences
    )
    return _Change(info.name, (_comment(info, owned_comment(kept, info.comment, info.given_names)), *marks))


def _own_sequences(info: TableInfo, context: PlanContext) -> Iterator[SequenceInfo]:
    """The sequences that go with a table, each once."""
    named = {sequence_of_default(column.default, info.name) for column in info.columns}
    for name in sorted(found for found in named if found is not None):
        sequence = context.catalog.sequences.get(name)
        if sequence is not None and goes_with(info, sequence):
            yield sequence


def _of_sequence(info: SequenceInfo, owner: EffectivePolicy) -> _Change:
    return _Change(
        info.name, (sequence_mark(info.name, sequence_comment(_kept_name(owner), info.column, info.start)),)
    )


def _of_schema(name: tuple[str, str], owner: EffectivePolicy, context: PlanContext) -> _Change:
    if name[1] == "public":
        raise FeatureNotSupported("changing the owner of schema public is not supported")
    kept, target = _kept_name(owner), TableName(*name, SCHEMA_MARK)
    if kept is None:
        gone = exp.Drop(kind="VIEW", tables=[engine_table(engine_name(target))], exists=True)
        return _Change(target, (gone,))
    mark = schema_mark(name, kept)
    mark.set("replace", True)
    return _Change(target, (mark,))


def _remade_view(info: TableInfo, owner: EffectivePolicy) -> Iterator[exp.Expr]:
    """The view with another mark. One that has a mark keeps one: it goes on to read as its reader.

    Raises:
        FeatureNotSupported: its text is not understood.
    """
    tree = parse_fragment((info.engine_sql or "").strip().rstrip(";"), "duckdb")
    query = tree.expression if isinstance(tree, exp.Create) else None
    if not isinstance(tree, exp.Create) or not isinstance(query, (exp.Select, exp.SetOperation)):
        raise FeatureNotSupported(f"the owner of view {info.name.name} cannot be changed")
    kept = _kept_name(owner) if info.owner is None else owner.principal
    if kept is None:
        return
    mark_query(query, kept)
    table = engine_table(engine_name(info.name))
    if isinstance(tree.this, exp.Schema):
        tree.this.set("this", table)
    else:
        tree.set("this", table)
    tree.set("replace", True)
    yield tree
    if info.comment is not None:
        yield _comment(info, info.comment)
    for column in info.columns:
        if column.comment is not None:
            path = dict(zip(("catalog", "db", "table"), map(quoted, engine_name(info.name)), strict=True))
            on = exp.Column(this=quoted(column.name), **path)
            yield exp.Comment(this=on, kind="COLUMN", expression=exp.Literal.string(column.comment))


def _comment(info: TableInfo, text: str | None) -> exp.Comment:
    value = exp.null() if text is None else exp.Literal.string(text)
    return exp.Comment(this=engine_table(engine_name(info.name)), kind=info.kind.name, expression=value)


def _plan(
    changes: Iterable[_Change], kind: StatementKind, context: PlanContext, notices: tuple[PlanNotice, ...]
) -> Plan:
    """One definition and what completes it. Raises: InternalError, not what was to be written."""
    made = tuple(changes)
    trees = [tree for change in made for tree in change.statements]
    if not trees:
        trees = [exp.Drop(kind="VIEW", tables=[engine_table(_NOTHING)], exists=True)]
    texts = tuple(map(to_sql, trees))
    for tree, text in zip(trees, texts, strict=True):
        verify_definition(tree, text, context.parse_engine_sql)
    return Plan(
        kind=kind,
        sql=texts[0],
        describe_sql=texts[0],
        parameter_oids=(),
        bound_values=(),
        returns_rows=False,
        is_read_only=False,
        is_catalog=False,
        is_governed=False,
        accesses=tuple(ObjectAccess(change.name, frozenset({Privilege.CREATE})) for change in made),
        policy_epoch=context.policy.epoch,
        catalog_generation=context.catalog.generation,
        fingerprint=fingerprint(trees[0]),
        changes_catalog=True,
        following_sql=texts[1:],
        notices=notices,
    )

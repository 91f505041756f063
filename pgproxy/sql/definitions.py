"""CREATE, DROP, ALTER, COMMENT and TRUNCATE: who may, and the qualified name that the engine gets.

PostgreSQL docs, "Privileges": creating needs CREATE on the schema, altering and dropping ownership
(`pgproxy.sql.ownership`). A temporary table is its session's own; anyone may make one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from pgproxy.catalog.snapshot import TEMP_CATALOG, RelationKind, TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.alterations import alter_statements, dropped_columns, read_alteration
from pgproxy.sql.authorise import is_governed
from pgproxy.sql.column_types import alteration_types, creation_types
from pgproxy.sql.comments import ownership_statement, secure_comment
from pgproxy.sql.constraint_names import given_names
from pgproxy.sql.draft import USE_KEY, Draft, engine_name, engine_table, quoted
from pgproxy.sql.indexes import authorise_index_drop, find_index, secure_index
from pgproxy.sql.names import find_relation, known_relation, undefined_table, written_name
from pgproxy.sql.ownership import (
    authorise_change,
    check_dependents,
    check_free_name,
    check_kind,
    check_rename_by_administrator,
    check_replaced,
    undefined_target,
)
from pgproxy.sql.plan import PlanContext, PlanNotice, StatementKind
from pgproxy.sql.references import check_unreferenced, referring_first, referring_tables, secure_references
from pgproxy.sql.resolve import target_tables
from pgproxy.sql.schemas import authorise_schema, knows_schema, schema_name, secure_schema
from pgproxy.sql.sequence_changes import (
    altered_sequence,
    authorise_sequence_change,
    restarted_identities,
)
from pgproxy.sql.sequence_definitions import (
    authorise_drop,
    column_sequences,
    existing_notice,
    has_sequences,
    own_sequences,
    secure_creation,
    secure_drop,
)
from pgproxy.sql.sequence_parsing import CHANGE_KEY
from pgproxy.sql.sequences import find_sequence, undefined_sequence
from pgproxy.sql.views import mark_view
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

DEFINITIONS = frozenset(StatementKind) - {
    StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE,
    StatementKind.EXPLAIN,
    StatementKind.TRUNCATE,
}  # fmt: skip
_OF_SCHEMAS = frozenset({StatementKind.CREATE_SCHEMA, StatementKind.DROP_SCHEMA})
_CHANGES = frozenset(
    {StatementKind.ALTER_TABLE, StatementKind.ALTER_VIEW, StatementKind.DROP_TABLE, StatementKind.DROP_VIEW}
)
_DROPS = {
    StatementKind.DROP_TABLE: "table",
    StatementKind.DROP_VIEW: "view",
    StatementKind.DROP_SCHEMA: "schema",
    StatementKind.DROP_INDEX: "index",
    StatementKind.DROP_SEQUENCE: "sequence",
}
_NOTHING = TableName(TEMP_CATALOG, "public", "pgproxy_nothing")
"""What IF EXISTS names where there is nothing that the client knows of: the engine must not look itself."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition, ready for the engine.

    names: what it defines or changes, and refers to. following: what completes it in the same transaction.
    notices: for the client. looks_in: see `Plan.looks_in`. tree: what the engine gets instead.
    """

    names: frozenset[tuple[str, str, str]] = frozenset()
    following: tuple[exp.Expr, ...] = ()
    notices: tuple[PlanNotice, ...] = ()
    looks_in: tuple[str, str] | None = None
    tree: exp.Expr | None = None


def authorise_definition(tree: exp.Expr, kind: StatementKind, context: PlanContext) -> None:
    """Check the right to define.

    Raises:
        AccessDenied: 42501.
        StatementError: 42P01, 42704, 3F000 for what is absent or invisible; 2BP01.
    """
    if kind not in DEFINITIONS:
        return
    targets = list(target_tables(tree))
    if context.policy.is_admin:
        check_rename_by_administrator(tree, context)
        return
    for target in targets:
        _authorise_one(tree, kind, target, context)
    if kind in _CHANGES:
        check_dependents(tree, kind, targets, context)


def _authorise_one(tree: exp.Expr, kind: StatementKind, target: exp.Table, context: PlanContext) -> None:
    match kind:
        case StatementKind.CREATE_SCHEMA | StatementKind.DROP_SCHEMA:
            authorise_schema(tree, target, context)
        case StatementKind.DROP_INDEX:
            authorise_index_drop(target, context, may_be_missing=bool(tree.args.get("exists")))
        case StatementKind.DROP_SEQUENCE:
            authorise_drop(tree, target, context)
        case StatementKind.ALTER_SEQUENCE:
            authorise_sequence_change(target, context, may_be_missing=bool(tree.args.get("exists")))
        case StatementKind.CREATE_TABLE | StatementKind.CREATE_VIEW | StatementKind.CREATE_SEQUENCE:
            _authorise_creation(tree, target, context, is_view=kind is StatementKind.CREATE_VIEW)
        case _:
            authorise_change(tree, kind, target, context)


def _authorise_creation(tree: exp.Expr, target: exp.Table, context: PlanContext, *, is_view: bool) -> None:
    replaces = bool(tree.args.get("replace"))
    if is_temporary(tree):
        if is_view:
            raise FeatureNotSupported("temporary views are not supported")
        return
    name = defined_name(target, context)
    if replaces and not is_view:
        raise AccessDenied(
            "permission denied: CREATE OR REPLACE TABLE is for administrators", rule=DenialRule.ADMINISTRATION
        )
    if not context.policy.schema_allows(Privilege.CREATE, name.catalog, name.schema):
        raise AccessDenied(f"permission denied for schema {name.schema}", rule=DenialRule.SCHEMA_PRIVILEGE)
    if not is_view:
        check_free_name(name, context.policy)
    existing = known_relation(context, name) if replaces else None
    if existing is not None:
        check_replaced(existing, context)


def secure_definition(draft: Draft, tree: exp.Expr) -> Definition:
    """Give every defined relation its qualified name.

    Raises:
        StatementError: 42P01, 3F000.
        FeatureNotSupported: several TRUNCATEs in one; a view with parameters.
    """
    targets = list(target_tables(tree))
    if not targets:
        raise StatementError("syntax error")  # `ALTER TABLE t{i} …`: the parser read no name
    if isinstance(tree, exp.TruncateTable):
        return _truncated(draft, tree, targets)
    if draft.kind is StatementKind.ALTER_SEQUENCE:
        return _altered_sequence(draft, tree, targets[0])
    _check_form(draft, tree)
    if isinstance(tree, exp.Drop) and draft.kind is StatementKind.DROP_TABLE:
        targets = _checked_drops(tree, targets, draft.context)
    if isinstance(tree, exp.Drop) and len(targets) > 1:
        return _drop_several(draft, tree, targets)
    (target,) = targets
    return _secure_one(draft, tree, target)


def _checked_drops(tree: exp.Drop, targets: list[exp.Table], context: PlanContext) -> list[exp.Table]:
    """The tables to drop, in an order that the engine can follow; those that are not there come last.

    Raises:
        StatementError, FeatureNotSupported: see `check_unreferenced`.
    """
    found = [find_relation(context, *written_name(target)) for target in targets]
    names = [known.name if known is not None else None for known in found]
    known_names = {name for name in names if name is not None and name.catalog != TEMP_CATALOG}
    check_unreferenced(tree, known_names, context.catalog)
    places = {name: place for place, name in enumerate(referring_first(known_names, context.catalog))}
    order = sorted(range(len(targets)), key=lambda place: places.get(names[place] or _NOTHING, len(places)))
    return [targets[place] for place in order]


def _drop_several(draft: Draft, tree: exp.Drop, targets: Sequence[exp.Table]) -> Definition:
    """One statement of the engine for each: it drops one thing at a time.

    Raises:
        FeatureNotSupported: temporary tables beside others.
    """
    found = [find_relation(draft.context, *written_name(target)) for target in targets]
    if len({known.is_temporary for known in found if known is not None}) > 1:
        raise FeatureNotSupported("dropping temporary tables beside others is not supported")
    parts: dict[object, exp.Drop] = {}
    for target, known in zip(targets, found, strict=True):
        part = tree.copy()
        part.set("tables", [target.copy()])
        parts.setdefault(known.name if known is not None else written_name(target), part)
    made = [(part, _secure_one(draft, part, part.args["tables"][0])) for part in parts.values()]
    tree.set("tables", made[0][0].args["tables"])
    following = [statement for part, definition in made for statement in (part, *definition.following)][1:]
    return Definition(
        frozenset().union(*(definition.names for _, definition in made)),
        tuple(following),
        tuple(notice for _, definition in made for notice in definition.notices),
    )


def _secure_one(draft: Draft, tree: exp.Expr, target: exp.Table) -> Definition:
    notices = tuple(_notices(draft, tree, target))
    if isinstance(tree, exp.Create) and notices and not draft.context.policy.is_admin:
        catalog = TEMP_CATALOG if is_temporary(tree) else target.catalog or draft.context.catalog_name
        return _creates_nothing(tree, catalog, notices)
    if draft.kind in _OF_SCHEMAS:
        return Definition(following=secure_schema(tree, target, draft.context), notices=notices)
    if draft.kind is StatementKind.DROP_INDEX:
        found = find_index(draft.context, target)
        name = found[0] if found is not None else _NOTHING
        _set_name(target, name)
        return Definition(frozenset({engine_name(name)}), notices=notices)
    if isinstance(tree, exp.Drop) and draft.kind is StatementKind.DROP_SEQUENCE:
        name = secure_drop(tree, target, draft.context) or _NOTHING
        _set_name(target, name)
        return Definition(frozenset({engine_name(name)}), notices=notices)
    if isinstance(tree, exp.Create) and draft.kind is StatementKind.CREATE_SEQUENCE:
        name = defined_name(target, draft.context)
        following = secure_creation(tree, name, draft.context, is_there=bool(notices))
        return Definition(frozenset({engine_name(name)}), following, notices)
    if isinstance(tree, exp.Create) and draft.kind is not StatementKind.CREATE_INDEX:
        return _creation(draft, tree, target, notices)
    return _change(draft, tree, target, notices)


def _creation(
    draft: Draft, tree: exp.Create, target: exp.Table, notices: tuple[PlanNotice, ...]
) -> Definition:
    context, is_table = draft.context, draft.kind is StatementKind.CREATE_TABLE
    has_columns = tree.args.get("expression") is not None or (
        isinstance(tree.this, exp.Schema) and tree.this.expressions
    )
    if is_table and not has_columns:
        raise FeatureNotSupported("a table without columns is not supported")
    name = defined_name(target, context)
    if is_temporary(tree):
        name = TableName(TEMP_CATALOG, "public", name.name)
    referenced = secure_references(tree, name, context) if is_table else frozenset()
    following = creation_types(tree, engine_name(name)) if is_table and not notices else ()
    is_kept = is_table and name.catalog != TEMP_CATALOG
    owner = context.session_user if is_kept and not context.policy.is_admin else None
    names = given_names(tree, name.name) if is_kept else {}
    if not notices and (owner or names or following or has_sequences(tree)):
        # Were it made by somebody else meanwhile, IF NOT EXISTS would make that one the client's.
        tree.set("exists", None)
        following += column_sequences(tree, name, context)
        if owner or names:
            following += (ownership_statement(engine_name(name), owner, names),)
    _set_name(target, name)
    looks_in = engine_name(name)[:2] if referenced and name.catalog != TEMP_CATALOG else None
    return Definition(frozenset(map(engine_name, {name, *referenced})), following, notices, looks_in)


def _change(draft: Draft, tree: exp.Expr, target: exp.Table, notices: tuple[PlanNotice, ...]) -> Definition:
    """ALTER, DROP and COMMENT of a relation, and CREATE INDEX on one."""
    context = draft.context
    found = find_relation(context, *written_name(target))
    if found is None:
        if not tree.args.get("exists"):
            raise undefined_target(draft.kind, target)
        return _nothing(tree, target, _missing_name(target, context), notices)
    if not isinstance(found.info, TableInfo):
        raise undefined_table(*written_name(target), None)
    _set_name(target, found.name)
    info = found.info
    check_kind(draft.kind, info)
    names = frozenset({engine_name(found.name)})
    if isinstance(tree, exp.Comment):
        secure_comment(tree, info)
    elif isinstance(tree, exp.Create):
        secure_index(tree, info, context)
    elif isinstance(tree, exp.Alter):
        if info.kind is RelationKind.VIEW:
            # PostgreSQL's ALTER TABLE takes views too, as dbt renames them; the engine wants its own word.
            tree.set("kind", "VIEW")
        alteration = read_alteration(tree, info)
        _check_renamed(tree, found.name, context)
        notices = (*notices, *alteration.notices)
        types = alteration_types(info, [*alteration.actions, *alteration.declared], engine_name(found.name))
        if not alteration.actions and types:
            return Definition(names, types[1:], notices, tree=types[0])
        if not alteration.actions:
            return _nothing(tree, target, _NOTHING, notices)
        gone = own_sequences(info, context, dropped_columns(alteration.actions))
        following = (
            *alter_statements(tree, alteration.actions),
            *gone,
            *types,
        )
        return Definition(names, following, notices)
    gone = own_sequences(info, context) if draft.kind is StatementKind.DROP_TABLE else ()
    return Definition(names, gone, notices)


def _check_renamed(tree: exp.Alter, name: TableName, context: PlanContext) -> None:
    """Raises: 42P07, another relation has the new name."""
    renaming = tree.find(exp.AlterRename)
    if renaming is None:
        return
    wanted = (*name[:2], renaming.this.name.lower())
    if any((*known[:2], known.name.lower()) == wanted for known in context.catalog.tables):
        message = f'relation "{renaming.this.name}" already exists'
        raise StatementError(message, sqlstate=SqlState.DUPLICATE_TABLE)


def _nothing(
    tree: exp.Expr, target: exp.Table, name: TableName, notices: tuple[PlanNotice, ...]
) -> Definition:
    """A statement that changes nothing, since there is nothing to change."""
    _set_name(target, name)
    if isinstance(tree, exp.Alter):
        tree.set("exists", True)
        tree.set("actions", [exp.Var(this='DROP COLUMN IF EXISTS "pgproxy_nothing"')])
    return Definition(frozenset({engine_name(name)}), (), notices)


def _creates_nothing(tree: exp.Create, catalog: str, notices: tuple[PlanNotice, ...]) -> Definition:
    """What IF NOT EXISTS does where something is: a schema that is always there.

    Should it be gone by now, what the engine made in its place would be without an owner: an administrator's.
    """
    for part in list(tree.args):
        tree.set(part, None)
    tree.set("kind", "SCHEMA")
    tree.set("exists", True)
    tree.set("this", exp.Table(db=quoted("main"), catalog=quoted(catalog)))
    return Definition(notices=notices)


def _check_form(draft: Draft, tree: exp.Expr) -> None:
    if isinstance(tree, exp.Create) and draft.kind is StatementKind.CREATE_VIEW:
        if tree.find(exp.Parameter):
            raise FeatureNotSupported("a view cannot refer to parameters or to the session")
        mark_view(draft, tree)
    elif any(type(node) is exp.Property for node in tree.find_all(exp.Property)):
        raise FeatureNotSupported("storage parameters are not supported")
    parts = [tree] if isinstance(tree, exp.Alter) else tree.find_all(exp.ColumnDef, exp.Constraint)
    if any(part.find(exp.Query) for part in parts):
        raise FeatureNotSupported("cannot use subquery in a table's definition")
    if isinstance(tree, exp.Alter) and str(tree.args.get("kind") or "").upper() not in ("TABLE", "VIEW"):
        raise FeatureNotSupported("altering this kind of object is not supported")


def _set_name(target: exp.Table, name: TableName) -> None:
    for part, value in zip(("catalog", "db", "this"), engine_name(name), strict=True):
        target.set(part, quoted(value))
    target.set("alias", None)


def _missing_name(target: exp.Table, context: PlanContext) -> TableName:
    """What IF EXISTS is asked of: for an administrator the name itself; another gateway may have made it."""
    catalog, schema, name = written_name(target)
    if not context.policy.is_admin:
        return _NOTHING
    return TableName(catalog or context.catalog_name, schema or "public", name)


def is_temporary(tree: exp.Expr) -> bool:
    """Whether CREATE says TEMP."""
    return isinstance(tree, exp.Create) and tree.find(exp.TemporaryProperty) is not None


def defined_name(target: exp.Table, context: PlanContext) -> TableName:
    """Where a new relation goes: the schema it names, else the first of the search path that exists.

    Raises:
        StatementError: 3F000.
    """
    catalog, schema, name = written_name(target)
    catalog = catalog or context.catalog_name
    for candidate in (schema,) if schema else context.search_path:
        spelled = "public" if candidate == "main" else candidate
        if spelled in ("public", "pg_temp") or knows_schema(
            (catalog, spelled), context.catalog, context.policy
        ):
            return TableName(catalog, spelled, name)
    problem = f'schema "{schema}" does not exist' if schema else "no schema has been selected to create in"
    raise StatementError(problem, sqlstate=SqlState.INVALID_SCHEMA_NAME)


def _notices(draft: Draft, tree: exp.Expr, target: exp.Table) -> list[PlanNotice]:
    """What IF EXISTS and IF NOT EXISTS tell where nothing is to be done."""
    if not tree.args.get("exists"):
        return []
    context, kind = draft.context, draft.kind
    if kind in _OF_SCHEMAS:
        name = schema_name(target, context)
        if isinstance(tree, exp.Create):
            message = f'schema "{name[1]}" already exists, skipping'
            is_there = name in context.catalog.schemas
            return [PlanNotice(message, SqlState.DUPLICATE_SCHEMA)] if is_there else []
        return (
            []
            if knows_schema(name, context.catalog, context.policy)
            else [PlanNotice(f'schema "{name[1]}" does not exist, skipping')]
        )
    if isinstance(tree, exp.Create):
        return _already(draft, target)
    word = _DROPS.get(kind, "relation")
    if kind is StatementKind.DROP_SEQUENCE:
        is_known = find_sequence(written_name(target), context) is not None
        return [] if is_known else [PlanNotice(f'{word} "{target.name}" does not exist, skipping')]
    known = (
        find_index(context, target)
        if kind is StatementKind.DROP_INDEX
        else find_relation(context, *written_name(target))
    )
    return [] if known is not None else [PlanNotice(f'{word} "{target.name}" does not exist, skipping')]


def _already(draft: Draft, target: exp.Table) -> list[PlanNotice]:
    context = draft.context
    if draft.kind is StatementKind.CREATE_INDEX:
        name = draft.tree.this.name
        table = find_relation(context, *written_name(target))
        there = {index.name for index in context.catalog.indexes if table and index[:2] == table.name[:2]}
        return [_exists(name)] if name in there else []
    if draft.kind is StatementKind.CREATE_SEQUENCE:
        return existing_notice(defined_name(target, context), context)
    if is_temporary(draft.tree):
        return [] if target.name.lower() not in context.temp_tables else [_exists(target.name)]
    wanted = tuple(part.lower() for part in defined_name(target, context))
    is_there = any(tuple(part.lower() for part in name) == wanted for name in context.catalog.tables)
    return [_exists(target.name)] if is_there else []


def _exists(name: str) -> PlanNotice:
    return PlanNotice(f'relation "{name}" already exists, skipping', SqlState.DUPLICATE_TABLE)


def _altered_sequence(draft: Draft, tree: exp.Expr, target: exp.Table) -> Definition:
    info = find_sequence(written_name(target), draft.context)
    if info is not None:
        first, *rest = altered_sequence(info, tree.meta[CHANGE_KEY], draft.context)
        return Definition(frozenset({engine_name(info.name)}), tuple(rest), tree=first)
    if not tree.args.get("exists"):
        raise undefined_sequence(written_name(target))
    nothing, notice = exp.Create(), PlanNotice(f'relation "{target.name}" does not exist, skipping')
    return replace(_creates_nothing(nothing, draft.context.catalog_name, (notice,)), tree=nothing)


def _truncated(draft: Draft, tree: exp.TruncateTable, targets: list[exp.Table]) -> Definition:
    """One statement of the engine for each table.

    Raises:
        AccessDenied: 42501, rows that the principal may not see would go; a sequence of somebody else's.
        FeatureNotSupported: a table that others refer to: the engine looks for their rows as of before.
    """
    context = draft.context
    uses = {use.name: use for use in (draft.uses[target.meta[USE_KEY]] for target in targets)}
    for name, use in uses.items():
        if is_governed(use):
            raise AccessDenied(f"permission denied for table {name.name}", rule=DenialRule.TABLE_PRIVILEGE)
        if any(referring_tables(name, context.catalog)):
            raise FeatureNotSupported(
                "cannot truncate a table referenced in a foreign key constraint",
                hint="Truncate the tables that refer to it, and then DELETE.",
            )
    statements: list[exp.Expr] = [
        exp.TruncateTable(expressions=[engine_table(engine_name(name))]) for name in uses
    ]
    if str(tree.args.get("identity") or "").upper() == "RESTART":
        for use in uses.values():
            if isinstance(use.info, TableInfo):
                statements += restarted_identities(use.info, context)
    return Definition(frozenset(map(engine_name, uses)), tuple(statements[1:]), tree=statements[0])

"""CREATE SCHEMA and DROP SCHEMA. PostgreSQL docs, under these names: the first needs CREATE on the database.

A schema's owner is named by a view in it that no client can see or write (`pgproxy.catalog.ownership`).
"""

from sqlglot import exp

from pgproxy.catalog.ownership import SCHEMA_MARK
from pgproxy.catalog.snapshot import CatalogSnapshot
from pgproxy.catalog.view_marks import ViewMark, set_view_mark
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import Privilege
from pgproxy.sql.draft import quoted
from pgproxy.sql.names import written_name
from pgproxy.sql.plan import PlanContext
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_SchemaName = tuple[str, str]
_TAKEN = frozenset({"information_schema", "pgproxy", "main", "temp", "system"})


def schema_name(target: exp.Table, context: PlanContext) -> _SchemaName:
    """(catalog, schema) as the client means it."""
    catalog, schema, _ = written_name(target)
    return catalog or context.catalog_name, "public" if schema == "main" else schema or ""


def authorise_schema(tree: exp.Expr, target: exp.Table, context: PlanContext) -> None:
    """Check both statements, for who is no administrator.

    Raises:
        AccessDenied: 42501.
        StatementError: 3F000; 2BP01, something is in it.
    """
    name, policy = schema_name(target, context), context.policy
    if isinstance(tree, exp.Create):
        if not policy.schema_allows(Privilege.CREATE, name[0], ""):
            raise AccessDenied(f"permission denied for database {name[0]}", rule=DenialRule.SCHEMA_PRIVILEGE)
        return
    if not knows_schema(name, context.catalog, policy):
        if not tree.args.get("exists"):
            raise _missing(name)
        return
    owner = context.catalog.schema_owners.get(name)
    if not policy.owns(owner) or not policy.scope.allows(Privilege.CREATE, name[0]):
        raise AccessDenied(f"must be owner of schema {name[1]}", rule=DenialRule.SCHEMA_PRIVILEGE)


def secure_schema(tree: exp.Expr, target: exp.Table, context: PlanContext) -> tuple[exp.Expr, ...]:
    """Name the schema; gives what must follow in the same transaction.

    Raises:
        StatementError: 42P06 a catalog's name; 42939 a system's; 2BP01; 3F000.
    """
    name = schema_name(target, context)
    target.set("catalog", quoted(name[0]))
    if isinstance(tree, exp.Create):
        _check_new_name(name, context, may_be_there=bool(tree.args.get("exists")))
        target.set("db", quoted(_engine_schema(name)))
        is_there = name in context.catalog.schemas
        return () if is_there or context.policy.is_admin else (schema_mark(name, context.session_user),)
    target.set("db", quoted(_engine_schema(name)))
    if not knows_schema(name, context.catalog, context.policy):
        if not context.policy.is_admin:
            target.set("catalog", quoted("temp"))
            target.set("db", quoted("pgproxy_nothing"))
        return ()
    return _dropping(tree, target, name, context)


def _dropping(
    tree: exp.Expr, target: exp.Table, name: _SchemaName, context: PlanContext
) -> tuple[exp.Expr, ...]:
    """The mark goes first, then the schema if nothing else is in it."""
    holds_something = any(table[:2] == name for table in context.catalog.tables)
    if tree.args.get("cascade"):
        if context.policy.is_admin:
            return ()
        if holds_something:
            raise FeatureNotSupported(
                "dropping a schema with all that is in it is for administrators",
                hint="Drop the relations first.",
            )
    elif holds_something:
        raise StatementError(
            f"cannot drop schema {name[1]} because other objects depend on it",
            sqlstate=SqlState.DEPENDENT_OBJECTS_STILL_EXIST,
            hint="Use DROP ... CASCADE to drop the dependent objects too.",
        )
    if name not in context.catalog.schema_owners:
        return ()
    schema = exp.Drop(tables=[target.copy()], kind="SCHEMA")
    tree.set("kind", "VIEW")
    tree.set("cascade", None)
    target.set("this", quoted(SCHEMA_MARK))
    return (schema,)


def schema_mark(name: _SchemaName, owner: str) -> exp.Create:
    """The view that names a schema's owner."""
    query = exp.Select(expressions=[exp.alias_(exp.Literal.number(1), quoted("owned"))])
    set_view_mark(query, ViewMark(owner))
    view = exp.Table(this=quoted(SCHEMA_MARK), db=quoted(name[1]), catalog=quoted(name[0]))
    return exp.Create(this=view, kind="VIEW", expression=query)


def _engine_schema(name: _SchemaName) -> str:
    return "main" if name[1] == "public" else name[1]


def _check_new_name(name: _SchemaName, context: PlanContext, *, may_be_there: bool) -> None:
    folded = name[1].lower()
    if folded == "public" and not may_be_there:
        raise StatementError('schema "public" already exists', sqlstate=SqlState.DUPLICATE_SCHEMA)
    if folded.startswith("pg_") or folded in _TAKEN:
        raise StatementError(
            f'unacceptable schema name "{name[1]}"',
            sqlstate=SqlState.RESERVED_NAME,
            detail="The name is a system schema's.",
        )
    # `a.b` also means catalog a: a schema of that name would take its place in statements of others. And
    # names are found without their case: a schema "PUBLIC" would be found for `public`, with other grants.
    is_database = folded in {catalog.lower() for catalog, _ in context.catalog.schemas}
    is_twin = name not in context.catalog.schemas and any(
        schema.lower() == folded for catalog, schema in context.catalog.schemas if catalog == name[0]
    )
    if is_twin or is_database:
        raise StatementError(
            f'schema "{name[1]}" already exists',
            sqlstate=SqlState.DUPLICATE_SCHEMA,
            hint="Names differ by more than their case, and from databases' names.",
        )


def knows_schema(name: _SchemaName, catalog: CatalogSnapshot, policy: EffectivePolicy) -> bool:
    """Whether there is a schema that the principal may know of.

    It is its own, or the principal holds a privilege on it or owns a relation in it. What it may not know of
    is as if it were not there.
    """
    if name not in catalog.schemas:
        return False
    if policy.is_admin or policy.holds_everything or name[1] == "public":
        return True
    if policy.owns(catalog.schema_owners.get(name)) or policy.is_granted_in(*name):
        return True
    return any(table[:2] == name and policy.owns(info.owner) for table, info in catalog.tables.items())


def _missing(name: _SchemaName) -> StatementError:
    return StatementError(f'schema "{name[1]}" does not exist', sqlstate=SqlState.INVALID_SCHEMA_NAME)

"""INSERT, UPDATE and DELETE with PostgreSQL's row security semantics.

Rows are found through the same derived table that a query would see, so a WHERE touches visible rows only
and tells
nothing of the others; a row filter's check must hold for every row written, and NULL does not hold;
RETURNING gives
masked values. PostgreSQL docs, "CREATE POLICY", the table of policies applied by command type.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from pgproxy.catalog.snapshot import ColumnInfo, RelationKind, TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.model import PolicyCommand, Privilege
from pgproxy.sql.authorise import denied, is_governed, readable_columns, written_columns
from pgproxy.sql.column_types import fit_written
from pgproxy.sql.draft import ROWID, Draft, RelationUse, engine_name, engine_table, position_of, quoted
from pgproxy.sql.identities import check_identities, is_default
from pgproxy.sql.policy_expressions import PolicyScope, check_predicate, mask_expression
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

if TYPE_CHECKING:
    from pgproxy.sql.secure import Securing

TARGET = "pgproxy_target"
NEW = "pgproxy_new"
FOUND = "pgproxy_cte_found"
RAW_PREFIX = "pgproxy_raw_"
CHECK_MARKER = "\x02pgproxy:"
"""Begins the text of an error that the rendered SQL raises: marker, SQLSTATE, colon, message. The engine
adapter
knows it by this and nothing else (`execnode.engine.errors.ENGINE_ERROR_MARKER`)."""


def secure_write(draft: Draft, tree: exp.Expr, securing: "Securing") -> exp.Expr:
    """Secure one write: its sources, its target and what it returns.

    Raises:
        AccessDenied: a masked column would be written from its masked value; no privilege for what is
        returned.
        FeatureNotSupported: ON CONFLICT and the like on a governed table: they touch hidden rows through
        their keys.
    """
    use = draft.uses[0]
    _check_returning(tree, use)
    securing.secure_sources(tree)
    if not isinstance(use.info, TableInfo):
        raise denied(use)
    if use.info.kind is RelationKind.VIEW:
        raise FeatureNotSupported(
            f'writing to the view "{use.name.name}" is not supported', hint="Write to its tables."
        )
    name = engine_name(use.name)
    securing.relations.add(name)
    if isinstance(tree, exp.Insert):
        _name_first_columns(tree, use.info)
    if isinstance(tree, (exp.Insert, exp.Update)):
        fit_written(tree, use.info, written_columns(tree, use.info) or ())
    check_identities(tree, use.info)
    if not is_governed(use):
        _qualify(tree, use)
        _check_conflict_privilege(tree, use)
        _name_conflict_columns(tree, use.info)
        return tree
    securing.is_governed = True
    match tree:
        case exp.Insert():
            _secure_insert(tree, use, use.info, securing)
            return tree
        case exp.Update():
            return _secured_update(tree, use, use.info, securing)
        case _:
            return _secured_delete(tree, use, use.info, securing)


def _name_first_columns(tree: exp.Insert, table: TableInfo) -> None:
    """An INSERT without a list fills the first columns; the engine wants a value for every one."""
    if isinstance(tree.this, exp.Schema) or tree.args.get("by_name") or tree.expression is None:
        return
    columns = written_columns(tree, table) or ()
    if len(columns) < len(table.columns):
        tree.set("this", exp.Schema(this=tree.this, expressions=[quoted(name) for name in columns]))


def _check_returning(tree: exp.Expr, use: RelationUse) -> None:
    """Refuse columns of what the target is joined with: the engine's RETURNING would leave them out."""
    returning = tree.args.get("returning")
    if returning is None or not (tree.args.get("from_") or tree.args.get("using")):
        return
    for item in returning.find_all(exp.Star, exp.Column):
        own = isinstance(item, exp.Column) and item.table.lower() in ("", use.alias.lower())
        if not own and not isinstance(item.parent, (exp.Count, exp.Column)):
            raise FeatureNotSupported(
                "RETURNING columns of a relation that is not written is not supported",
                hint=f"Name columns of {use.alias}.",
                position=position_of(item),
            )


def _qualify(tree: exp.Expr, use: RelationUse) -> None:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    for part, value in zip(("catalog", "db", "this"), engine_name(use.name), strict=True):
        target.set(part, quoted(value))
    if not isinstance(tree, exp.Insert):
        if not target.alias:
            target.set("alias", exp.TableAlias(this=quoted(use.alias)))
        return
    # The engine knows an INSERT's target by its own name only.
    returning = tree.args.get("returning")
    for column in returning.find_all(exp.Column) if returning is not None else ():
        if column.table.lower() == use.alias.lower():
            column.set("table", None)


def _check_conflict_privilege(tree: exp.Expr, use: RelationUse) -> None:
    conflict, policy = tree.args.get("conflict"), use.policy
    if (conflict is None and not tree.args.get("alternative")) or policy is None:
        return
    assigned = [item.this.name for item in conflict.expressions] if conflict is not None else []
    if conflict is not None and not assigned and not tree.args.get("alternative"):
        return  # DO NOTHING changes no row
    columns = assigned or [None]
    if not all(policy.allows(Privilege.UPDATE, column) for column in columns):
        raise denied(use)


def _name_conflict_columns(tree: exp.Expr, table: TableInfo) -> None:
    """`ON CONFLICT ON CONSTRAINT name` by its columns; the engine keeps no names. Raises: 42704."""
    conflict = tree.args.get("conflict")
    if not isinstance(conflict, exp.OnConflict) or conflict.args.get("constraint") is None:
        return
    constraint = conflict.args["constraint"]
    key = next((one for one in table.constraints if one.kind in "pu" and one.name == constraint.name), None)
    if key is None:
        raise StatementError(
            f'constraint "{constraint.name}" for table "{table.name.name}" does not exist',
            sqlstate=SqlState.UNDEFINED_OBJECT,
        )
    conflict.set("constraint", None)
    conflict.set("conflict_keys", [exp.column(quoted(column)) for column in key.columns])


def _secure_insert(tree: exp.Insert, use: RelationUse, table: TableInfo, securing: "Securing") -> None:
    if tree.args.get("conflict") is not None or tree.args.get("alternative"):
        raise FeatureNotSupported("ON CONFLICT on a table with a row filter or mask is not supported")
    policy = use.policy
    if policy is not None and policy.is_filtered:
        if tree.args.get("default") or tree.args.get("by_name") or tree.expression is None:
            raise FeatureNotSupported(
                "this form of INSERT is not supported on a table with a row filter",
                hint="Name the columns and values.",
            )
        _check_new_rows(tree, use, table, securing)
    _qualify(tree, use)
    _secure_returning(tree, use, table, securing)


def _check_new_rows(tree: exp.Insert, use: RelationUse, table: TableInfo, securing: "Securing") -> None:
    source = tree.expression
    columns = list(written_columns(tree, table) or ())
    by_name = {column.name.lower(): column for column in table.columns}
    unknown = next((name for name in columns if name.lower() not in by_name), None)
    if unknown is not None:
        raise undefined_column(unknown)
    _replace_defaults(source, columns, by_name)
    values = _NewRow(by_name)
    for name in columns:
        values.given[name.lower()] = _typed(
            exp.column(quoted(name), table=quoted(NEW)), by_name[name.lower()]
        )
    scope = securing.scope(table, values)
    alias = exp.TableAlias(this=quoted(NEW), columns=[quoted(name) for name in columns])
    checked = exp.Select(
        expressions=[exp.column(quoted(name), table=quoted(NEW)) for name in columns],
        from_=exp.From(this=exp.Subquery(this=source.unnest(), alias=alias)),
        where=exp.Where(
            this=_check(use, scope, PolicyCommand.INSERT, reads=tree.args.get("returning") is not None)
        ),
    )
    tree.set("expression", checked)
    if not isinstance(tree.this, exp.Schema):
        tree.set("this", exp.Schema(this=tree.this, expressions=[quoted(name) for name in columns]))


@dataclass(slots=True)
class _NewRow(Mapping[str, exp.Expr]):
    """What each column of a new row holds: what is given, else its default, if the check reads that."""

    columns: Mapping[str, ColumnInfo]
    given: dict[str, exp.Expr] = field(default_factory=dict)

    def __getitem__(self, name: str) -> exp.Expr:
        return self.given[name] if name in self.given else default_value(self.columns[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


def _replace_defaults(source: exp.Expr, columns: list[str], by_name: Mapping[str, ColumnInfo]) -> None:
    values = source.unnest()
    if not isinstance(values, exp.Values):
        return
    for row in values.expressions:
        for name, item in zip(columns, list(row.expressions), strict=False):
            if is_default(item):
                item.replace(default_value(by_name[name.lower()]))


def default_value(column: ColumnInfo) -> exp.Expr:
    """What a column gets that an INSERT leaves out.

    Raises:
        FeatureNotSupported: a default that is not a constant cannot be checked before it is stored.
    """
    if column.default is None or column.default.upper() == "NULL":
        return _typed(exp.Null(), column)
    default = sqlglot.parse_one(column.default, dialect="duckdb")
    if any(isinstance(node, (exp.Func, exp.Column, exp.Query)) for node in default.walk()) and not isinstance(
        default, exp.Cast
    ):
        raise FeatureNotSupported(
            f'column "{column.name}" has a default that is not a constant', hint="Give its value."
        )
    return _typed(default, column)


def _typed(value: exp.Expr, column: ColumnInfo) -> exp.Expr:
    return exp.Cast(this=value, to=exp.DataType.build(column.engine_type, dialect="duckdb"))


def _check(use: RelationUse, scope: PolicyScope, command: PolicyCommand, *, reads: bool) -> exp.Expr:
    """`CASE WHEN coalesce(check, false) THEN true ELSE error(…) END`: a check that is NULL has not passed."""
    policy = use.policy
    predicate = check_predicate(policy, scope, command, reads=reads) if policy is not None else exp.false()
    message = f'{CHECK_MARKER}42501:new row violates row-level security policy for table "{use.name.name}"'
    raised = exp.Anonymous(this="error", expressions=[exp.Literal.string(message)])
    passed = exp.Coalesce(this=exp.paren(predicate, copy=False), expressions=[exp.false()])
    failed = exp.Cast(this=raised, to=exp.DataType.build("BOOLEAN"))
    return exp.Case(ifs=[exp.If(this=passed, true=exp.true())], default=failed)


def _secured_update(tree: exp.Update, use: RelationUse, table: TableInfo, securing: "Securing") -> exp.Expr:
    assignments = _assignments(tree, use, table)
    reads = _reads_its_target(tree, use, table)
    columns = {column.name.lower(): column for column in table.columns}
    found = _found_rows(tree, use, table, securing, _commands(PolicyCommand.UPDATE, reads=reads))
    for number, (name, value) in enumerate(assignments.items(), start=1):
        found.append("expressions", exp.alias_(_typed(value, columns[name]), quoted(f"pgproxy_{number}")))
    source = found
    if use.policy is not None and use.policy.is_filtered:
        source = _checked_update(found, list(assignments), use, table, securing, reads=reads)
    sets: list[exp.Expr] = []
    for number, name in enumerate(assignments, start=1):
        new = exp.column(quoted(f"pgproxy_{number}"), table=quoted(NEW))
        sets.append(exp.EQ(this=exp.column(quoted(columns[name].name)), expression=new))
    rewritten = exp.Update(
        this=engine_table(engine_name(use.name), TARGET),
        expressions=sets,
        from_=exp.From(this=exp.Subquery(this=source, alias=exp.TableAlias(this=quoted(NEW)))),
        where=exp.Where(
            this=exp.EQ(this=_rowid(TARGET), expression=exp.column(quoted(ROWID), table=quoted(NEW)))
        ),
        returning=tree.args.get("returning"),
    )
    _secure_returning(rewritten, use, table, securing)
    return rewritten


def _commands(command: PolicyCommand, *, reads: bool) -> tuple[PolicyCommand, ...]:
    """Whose row filters an existing row must pass: SELECT's, too, where the statement reads it."""
    return (PolicyCommand.SELECT, command) if reads else (command,)


def _reads_its_target(tree: exp.Expr, use: RelationUse, table: TableInfo) -> bool:
    """Whether a column of the target is read: in SET's values, WHERE or RETURNING; then it needs SELECT."""
    read = [item.expression for item in tree.expressions] if isinstance(tree, exp.Update) else []
    read += [tree.args[part] for part in ("where", "returning") if tree.args.get(part) is not None]
    names = {column.name.lower() for column in table.columns}
    has_others = tree.args.get("from_") is not None or bool(tree.args.get("using"))
    return any(
        _is_of_target(found, use, names, has_others=has_others)
        for node in read
        for found in node.find_all(exp.Column, exp.Star)
    )


def _is_of_target(found: exp.Expr, use: RelationUse, names: set[str], *, has_others: bool) -> bool:
    """Whether a column, or `*`, may be the target's: only one that says another relation is none of it."""
    if not has_others or isinstance(found, exp.Star):
        return True
    alias, name = use.alias.lower(), found.name.lower()
    qualifier = found.table.lower() if isinstance(found, exp.Column) else ""
    return qualifier == alias if qualifier else name in names or name == alias


def _assignments(tree: exp.Update, use: RelationUse, table: TableInfo) -> dict[str, exp.Expr]:
    """Column (lower case) → new value, of every SET item."""
    masks = {name.lower() for name in use.policy.masks} if use.policy is not None else set()
    columns = {column.name.lower(): column for column in table.columns}
    found: dict[str, exp.Expr] = {}
    for item in tree.expressions:
        column, value = item.this, item.expression
        name = column.name.lower()
        if name not in columns:
            raise undefined_column(column.name)
        if name in masks:
            raise AccessDenied(
                f'permission denied for column "{column.name}": it is masked', rule=DenialRule.MASKED_COLUMN
            )
        found[name] = default_value(columns[name]) if is_default(value) else value
    return found


def _found_rows(
    tree: exp.Expr,
    use: RelationUse,
    table: TableInfo,
    securing: "Securing",
    commands: Sequence[PolicyCommand],
) -> exp.Select:
    """The rows that the statement means, found as a query would find them, by row id.

    Raises:
        FeatureNotSupported: a column of the table hides the row ids.
    """
    if any(column.name.lower() == "rowid" for column in table.columns):
        raise FeatureNotSupported(
            'a table with a column "rowid" cannot be changed under a row filter or mask'
        )
    derived = securing.derived_table(use, table, with_rowid=True, commands=commands)
    others = [tree.args["from_"].this] if tree.args.get("from_") else list(tree.args.get("using") or ())
    return exp.Select(
        expressions=[exp.column(quoted(ROWID), table=quoted(use.alias))],
        from_=exp.From(this=exp.Subquery(this=derived, alias=exp.TableAlias(this=quoted(use.alias)))),
        joins=[exp.Join(this=other, kind="CROSS") for other in others],
        where=tree.args.get("where"),
        with_=tree.args.get("with_"),
    )


def _checked_update(  # noqa: PLR0913 - one call, and no part of these means anything alone
    found: exp.Select,
    names: list[str],
    use: RelationUse,
    table: TableInfo,
    securing: "Securing",
    *,
    reads: bool,
) -> exp.Select:
    """Join the found rows to what they hold, behind a barrier, and check what they would become."""
    base, inner = "pgproxy_base", "pgproxy_found"
    numbers = [f"pgproxy_{number}" for number in range(1, len(names) + 1)]
    carried = [exp.column(quoted(name), table=quoted(inner)) for name in (ROWID, *numbers)]
    raw = [
        exp.alias_(exp.column(quoted(column.name), table=quoted(base)), quoted(RAW_PREFIX + column.name))
        for column in table.columns
    ]
    matches = exp.EQ(this=_rowid(base), expression=exp.column(quoted(ROWID), table=quoted(inner)))
    rows = exp.Select(
        expressions=[*carried, *raw],
        from_=exp.From(this=exp.Subquery(this=found, alias=exp.TableAlias(this=quoted(inner)))),
        joins=[exp.Join(this=engine_table(engine_name(use.name), base), kind="INNER", on=matches)],
        offset=exp.Offset(expression=exp.Literal.number(0)),
    )
    written = dict(zip(names, numbers, strict=True))
    values: dict[str, exp.Expr] = {
        column.name.lower(): exp.column(
            quoted(written.get(column.name.lower(), RAW_PREFIX + column.name)), table=quoted(NEW)
        )
        for column in table.columns
    }
    scope = securing.scope(table, values)
    return exp.Select(
        expressions=[exp.column(quoted(name), table=quoted(NEW)) for name in (ROWID, *numbers)],
        from_=exp.From(this=exp.Subquery(this=rows, alias=exp.TableAlias(this=quoted(NEW)))),
        where=exp.Where(this=_check(use, scope, PolicyCommand.UPDATE, reads=reads)),
    )


def _secured_delete(tree: exp.Expr, use: RelationUse, table: TableInfo, securing: "Securing") -> exp.Expr:
    commands = _commands(PolicyCommand.DELETE, reads=_reads_its_target(tree, use, table))
    found = _found_rows(tree, use, table, securing, commands)
    # In WHERE, a subquery would bind the target's hidden columns, as correlated ones; a CTE sees none.
    rowids = exp.select(exp.column(quoted(ROWID))).from_(exp.Table(this=quoted(FOUND)))
    named = exp.CTE(this=found, alias=exp.TableAlias(this=quoted(FOUND)))
    rewritten = exp.Delete(
        this=engine_table(engine_name(use.name), TARGET),
        where=exp.Where(this=exp.In(this=_rowid(TARGET), query=exp.Subquery(this=rowids))),
        returning=tree.args.get("returning"),
        with_=exp.With(expressions=[named]),
    )
    _secure_returning(rewritten, use, table, securing)
    return rewritten


def _rowid(alias: str) -> exp.Column:
    return exp.column(quoted("rowid"), table=quoted(alias))


def _secure_returning(tree: exp.Expr, use: RelationUse, table: TableInfo, securing: "Securing") -> None:
    """Replace every column of RETURNING by what SELECT would give: DuckDB allows no derived table there."""
    returning = tree.args.get("returning")
    if returning is None:
        return
    visible = _visible_values(use, table, securing)
    if not visible:
        raise denied(use)
    outputs: list[exp.Expr] = []
    for item in returning.expressions:
        if item.is_star and not isinstance(item, exp.Columns):
            if any(any(star.args.values()) for star in item.find_all(exp.Star)):
                raise FeatureNotSupported("this form of RETURNING is not supported on a governed table")
            outputs += [exp.alias_(value.copy(), quoted(name)) for name, value in visible.items()]
        else:
            outputs.append(_returned(item, use, visible))
    returning.set("expressions", outputs)


def _visible_values(use: RelationUse, table: TableInfo, securing: "Securing") -> dict[str, exp.Expr]:
    values: dict[str, exp.Expr] = {name.lower(): exp.column(quoted(column.name)) for name, column in
                                   ((column.name, column) for column in table.columns)}  # fmt: skip
    unqualified = PolicyScope(securing.draft.context, table, securing.bound, values)
    masks = {name.lower(): mask for name, mask in use.policy.masks.items()} if use.policy is not None else {}
    types = {column.name: column.engine_type for column in table.columns}
    visible: dict[str, exp.Expr] = {}
    for name in readable_columns(use):
        mask = masks.get(name.lower())
        visible[name] = (
            values[name.lower()]
            if mask is None
            else mask_expression(mask.expression, types[name], unqualified)
        )
    return visible


def _returned(item: exp.Expr, use: RelationUse, visible: Mapping[str, exp.Expr]) -> exp.Expr:
    by_name = {name.lower(): value for name, value in visible.items()}
    if any(isinstance(node, (exp.Query, exp.Columns, exp.Star)) for node in item.walk()):
        raise FeatureNotSupported("this form of RETURNING is not supported on a governed table")
    holder = exp.Paren(this=item)
    for column in list(holder.find_all(exp.Column)):
        value = by_name.get(column.name.lower())
        known = column.table.lower() in ("", use.alias.lower()) and column.args.get("db") is None
        if value is None or not known:
            raise undefined_column(column.name)
        is_whole_item = column.parent is holder
        column.replace(exp.alias_(value.copy(), quoted(column.name)) if is_whole_item else value.copy())
    returned: exp.Expr = holder.this
    return returned


def undefined_column(name: str) -> StatementError:
    """PostgreSQL's words; the same for a hidden column and for none."""
    return StatementError(f'column "{name}" does not exist', sqlstate=SqlState.UNDEFINED_COLUMN)

"""ALTER TABLE, action by action: DuckDB takes one at a time, and says less of what is wrong."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from pgproxy.catalog.declared_types import is_padded, length_limit
from pgproxy.catalog.snapshot import TableInfo
from pgproxy.sql.column_types import declared_type, fit
from pgproxy.sql.draft import quoted
from pgproxy.sql.plan import PlanNotice
from pgproxy.sql.render import to_sql
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState


@dataclass(slots=True)
class Alteration:
    """One ALTER TABLE. actions: what is left to do, one statement each; notices: what needed nothing.

    declared: changes of a column's type that are none to the engine.
    """

    table: TableInfo
    actions: list[exp.Expr] = field(default_factory=list)
    notices: list[PlanNotice] = field(default_factory=list)
    declared: list[exp.AlterColumn] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)

    def take(self, action: exp.Expr) -> None:
        """Check one action and bring it into the engine's form.

        Raises:
            StatementError: 42703, 42701.
            FeatureNotSupported: what the engine cannot do to a table that exists.
        """
        match action:
            case exp.ColumnDef():
                self._add(action)
            case exp.Drop() if str(action.args.get("kind")).upper() == "COLUMN":
                self._drop(action)
            case exp.Drop():
                raise FeatureNotSupported(
                    "dropping constraints is not supported", hint="Make the table anew, or drop the index."
                )
            case exp.RenameColumn():
                self._rename(action)
            case exp.AlterColumn():
                self._check_known(action.this.name)
                self._alter_column(action)
            case exp.AddConstraint():
                self.actions.append(self._primary_key(action))
            case exp.AlterRename() if action.this.args.get("db") is not None:
                raise FeatureNotSupported("moving a relation to another schema is not supported")
            case _:
                self.actions.append(action.copy())

    def _add(self, action: exp.ColumnDef) -> None:
        name = action.this.name
        if name.lower() in self.columns:
            if action.args.get("exists"):
                message = f"{self._column(name)} already exists, skipping"
                self.notices.append(PlanNotice(message, SqlState.DUPLICATE_COLUMN))
                return
            raise self._duplicate(name)
        constraints = [constraint.copy() for constraint in action.args.get("constraints") or ()]
        kinds = [constraint.args.get("kind") for constraint in constraints]
        if any(isinstance(k, exp.DefaultColumnConstraint) and not _is_constant(k.this) for k in kinds):
            raise FeatureNotSupported(
                "adding a column with a computed default is not supported",
                hint="Add the column, update it, and set its default.",
            )
        known = (exp.NotNullColumnConstraint, exp.DefaultColumnConstraint)
        if not all(isinstance(kind, known) for kind in kinds):
            raise FeatureNotSupported("adding a column with a constraint is not supported")
        required = any(isinstance(k, known[0]) and not k.args.get("allow_null") for k in kinds)
        column = action.copy()
        column.set("constraints", [c for c in constraints if isinstance(c.args.get("kind"), known[1])])
        column.set("exists", None)
        self.columns.add(name.lower())
        self.actions += [column, _not_null(action.this)] if required else [column]

    def _drop(self, action: exp.Drop) -> None:
        (target,) = action.args["tables"]
        if target.name.lower() not in self.columns and action.args.get("exists"):
            self.notices.append(PlanNotice(f"{self._column(target.name)} does not exist, skipping"))
            return
        self._check_known(target.name)
        self.columns.discard(target.name.lower())
        self.actions.append(action.copy())

    def _rename(self, action: exp.RenameColumn) -> None:
        new = action.args["to"].name
        self._check_known(action.this.name)
        if new.lower() in self.columns:
            raise self._duplicate(new)
        self.actions.append(action.copy())

    def _alter_column(self, action: exp.AlterColumn) -> None:
        """Texts of another length are the same to the engine: shorter ones are looked at, others left."""
        altered = _altered(action)
        declared = declared_type(action.args.get("dtype"))
        kind = next(c for c in self.table.columns if c.name.lower() == action.this.name.lower())
        is_text = isinstance(action.args.get("dtype"), exp.DataType) and (
            action.args["dtype"].this in (exp.DType.TEXT, exp.DType.VARCHAR) and kind.engine_type == "VARCHAR"
        )
        if not is_text or not isinstance(altered, exp.AlterColumn):
            self.actions.append(altered)
            return
        was, limit = length_limit(kind.declared), length_limit(declared)
        if (
            not action.args.get("using")
            and not is_padded(kind.declared or "")
            and (limit is None or (was is not None and was <= limit))
        ):
            self.declared.append(altered)
            return
        value = action.args.get("using") or exp.column(quoted(kind.name))
        fitted = fit(value.copy(), declared) if declared is not None else None
        if fitted is not None:
            altered.set("using", fitted)
        self.actions.append(altered)

    def _primary_key(self, action: exp.AddConstraint) -> exp.Expr:
        """The one constraint that the engine adds to a table. It names it itself, as PostgreSQL does."""
        (added,) = action.expressions
        key = added.expressions[0] if isinstance(added, exp.Constraint) else added
        if not isinstance(key, exp.PrimaryKey):
            raise FeatureNotSupported(
                "adding this kind of constraint to a table is not supported",
                hint="A unique index keeps values unique.",
            )
        if any(constraint.kind == "p" for constraint in self.table.constraints):
            message = f'multiple primary keys for table "{self.table.name.name}" are not allowed'
            raise StatementError(message, sqlstate=SqlState.INVALID_TABLE_DEFINITION)
        names = [found.name for found in key.expressions]
        for name in names:
            if name.lower() not in self.columns:
                message = f'column "{name}" named in key does not exist'
                raise StatementError(message, sqlstate=SqlState.UNDEFINED_COLUMN)
        columns = ", ".join(to_sql(quoted(name)) for name in names)
        return exp.Var(this=f"ADD PRIMARY KEY ({columns})")

    def _check_known(self, name: str) -> None:
        if name.lower() not in self.columns:
            raise StatementError(f"{self._column(name)} does not exist", sqlstate=SqlState.UNDEFINED_COLUMN)

    def _column(self, name: str) -> str:
        return f'column "{name}" of relation "{self.table.name.name}"'

    def _duplicate(self, name: str) -> StatementError:
        return StatementError(f"{self._column(name)} already exists", sqlstate=SqlState.DUPLICATE_COLUMN)


def read_alteration(tree: exp.Alter, table: TableInfo) -> Alteration:
    """Check the actions of ALTER TABLE against the table.

    Raises:
        StatementError, FeatureNotSupported: see `Alteration.take`.
    """
    found = Alteration(table, columns={column.name.lower() for column in table.columns})
    actions = tree.args["actions"]
    if len(actions) > 1 and any(isinstance(a, (exp.AlterRename, exp.RenameColumn)) for a in actions):
        raise FeatureNotSupported("a rename beside other actions is not supported")
    for action in actions:
        found.take(action)
    return found


def alter_statements(tree: exp.Alter, actions: list[exp.Expr]) -> Iterator[exp.Expr]:
    """The statements after the first one, which stays in `tree`."""
    tree.set("actions", [actions[0]])
    for action in actions[1:]:
        statement = tree.copy()
        statement.set("actions", [action])
        yield statement


def dropped_columns(actions: list[exp.Expr]) -> frozenset[str]:
    """The columns that an ALTER TABLE takes away, in lower case."""
    drops = [action for action in actions if isinstance(action, exp.Drop)]
    named = [drop.args["tables"][0] for drop in drops if str(drop.args.get("kind")).upper() == "COLUMN"]
    return frozenset(column.name.lower() for column in named)


def _is_constant(value: exp.Expr) -> bool:
    """What DuckDB's parser takes as it is: of all else it makes a script of its own."""
    value = value.this if isinstance(value, exp.Neg) else value
    return isinstance(value, (exp.Literal, exp.Null, exp.Boolean))


def _altered(action: exp.AlterColumn) -> exp.Expr:
    if action.args.get("allow_null") is False:
        return _not_null(action.this)
    return action.copy()


def _not_null(column: exp.Expr) -> exp.Expr:
    """As text: sqlglot writes no SET NOT NULL for DuckDB."""
    return exp.Var(this=f"ALTER COLUMN {to_sql(quoted(column.name))} SET NOT NULL")

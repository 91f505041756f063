# ruff: noqa: SIM905 - a table of words reads better as words
"""The closed lists of syntax.

Which statements, which AST nodes, which parts of a node. What is not here is denied.

A class is named, not imported, where sqlglot would export it under many modules; `admit` compares class
names.
"""

from sqlglot import exp

from pgproxy.sql.plan import StatementKind

QUERY_ROOTS: tuple[type[exp.Expr], ...] = (
    exp.Select,
    exp.Union,
    exp.Intersect,
    exp.Except,
    exp.Values,
    exp.Subquery,
)
"""What a query may be. DuckDB's PIVOT statement is several statements inside, so it is none. The root is
listed because "not a Command" is
not enough: sqlglot reads `CHECKPOINT` as a column and `SAVEPOINT a` as an alias."""

CREATE_KINDS = {
    "TABLE": StatementKind.CREATE_TABLE,
    "VIEW": StatementKind.CREATE_VIEW,
    "SCHEMA": StatementKind.CREATE_SCHEMA,
    "INDEX": StatementKind.CREATE_INDEX,
    "SEQUENCE": StatementKind.CREATE_SEQUENCE,
}
DROP_KINDS = {
    "TABLE": StatementKind.DROP_TABLE,
    "VIEW": StatementKind.DROP_VIEW,
    "SCHEMA": StatementKind.DROP_SCHEMA,
    "INDEX": StatementKind.DROP_INDEX,
    "SEQUENCE": StatementKind.DROP_SEQUENCE,
}

ROOT_ONLY = frozenset({"Insert", "Update", "Delete", "Create", "Drop", "Alter", "TruncateTable", "Comment"})
"""Statements that change something: `WITH d AS (DELETE …) SELECT` parses, so they may stand at the root
only."""

EXPRESSIONS = frozenset(
    """
    Add Alias Aliases All And Any AtTimeZone Between BitString BitwiseAnd BitwiseLeftShift BitwiseNot
    BitwiseOr
    BitwiseRightShift BitwiseXor Boolean Bracket ByteString Case Collate Column Comprehension DPipe DataType
    DataTypeParam Distance Distinct Div Dot EQ Escape Exists FormatJson FromTimeZone GT GTE Glob HexString
    ILike
    Identifier IgnoreNulls In IntDiv Interval IntervalSpan Is JSONBContains JSONBContainsAllTopKeys
    JSONBContainsAnyTopKeys JSONBDeleteAtPath JSONBExists JSONKeyValue JSONPath JSONPathKey JSONPathRoot
    JSONPathSlice JSONPathSubscript JSONPathUnion JSONPathWildcard Kwarg LT LTE Lambda Like Literal Mod Mul
    NEQ Neg
    Not Null NullSafeEQ NullSafeNEQ ObjectIdentifier Operator Or Ordered Overlaps Parameter Paren
    PositionalColumn
    PropertyEQ RawString RegexpILike RegexpLike RespectNulls SimilarTo Slice Star Sub Tuple Var Window
    WindowSpec
    WithinGroup ArrayContainsAll ArrayContainedBy ArrayOverlaps ForClause PivotAlias UnpivotColumns
    """.split()
)
"""Nodes inside a statement that only compute. A comprehension and a lambda bind names of their own, nothing
else."""

STRUCTURE = frozenset(
    """
    CTE Cube Except Fetch Filter From Group GroupingSets Having Intersect Join Lateral Limit LimitOptions
    Offset
    Order Pivot Qualify Rollup Select Subquery Table TableAlias Union Unnest Values Where With
    """.split()
)
"""Nodes that shape a query."""

WRITE_STRUCTURE = frozenset({"Insert", "Update", "Delete", "Returning", "Schema", "OnConflict"})
DDL_STRUCTURE = frozenset(
    """
    Create Drop Alter TruncateTable Schema Properties Property TemporaryProperty ColumnDef ColumnConstraint
    PrimaryKeyColumnConstraint NotNullColumnConstraint UniqueColumnConstraint DefaultColumnConstraint
    CheckColumnConstraint IndexParameters PrimaryKey Constraint RenameColumn AlterRename AlterColumn
    Comment Index AddConstraint SequenceProperties ForeignKey Reference
    Opclass
    """.split()
)

_QUERY_TAIL = frozenset({"limit", "offset", "order", "with_"})
ALLOWED_PARTS: dict[str, frozenset[str]] = {
    "Select": _QUERY_TAIL
    | {"distinct", "expressions", "from_", "group", "having", "joins", "laterals", "qualify"}
    | {"where", "windows"},
    "Subquery": _QUERY_TAIL | {"alias", "this", "joins", "pivots", "laterals"},
    "Union": _QUERY_TAIL | {"this", "expression", "distinct", "by_name", "alias"},
    "Intersect": _QUERY_TAIL | {"this", "expression", "distinct", "alias"},
    "Except": _QUERY_TAIL | {"this", "expression", "distinct", "alias"},
    "Values": _QUERY_TAIL | {"expressions", "alias"},
    "Table": frozenset({"this", "db", "catalog", "alias", "joins", "laterals", "ordinality", "pivots"}),
    "Join": frozenset({"this", "kind", "side", "method", "on", "using"}),
    "With": frozenset({"expressions", "recursive"}),
    "CTE": frozenset({"this", "alias", "materialized"}),
    "Unnest": frozenset({"expressions", "alias", "offset", "explode_array"}),
    "Lateral": frozenset({"this", "alias", "ordinality"}),
    "Pivot": frozenset(
        {
            "this", "expressions", "using", "fields", "unpivot", "into", "alias", "group", "columns",
            "include_nulls",
            "default_on_null", "identify_pivot_strings", "prefixed_pivot_columns", "pivot_column_naming",
            "with_",
            "value_columns_first",
        }
    ),
    "Insert": frozenset(
        {"this", "expression", "returning", "conflict", "by_name", "default", "alternative", "with_"}
    ),
    "Update": frozenset({"this", "expressions", "from_", "where", "returning", "with_"}),
    "Delete": frozenset({"this", "using", "where", "returning", "with_"}),
    "Returning": frozenset({"expressions"}),
    "Create": frozenset({"this", "kind", "expression", "exists", "properties", "replace", "unique", "with_"}),
    "Comment": frozenset({"this", "kind", "expression"}),
    "Index": frozenset({"this", "table", "params"}),
    "IndexParameters": frozenset({"columns", "using"}),
    "Drop": frozenset({"tables", "this", "kind", "exists", "cascade", "restrict"}),
    "Alter": frozenset({"this", "kind", "actions", "exists"}),
    "TruncateTable": frozenset({"expressions", "identity", "option"}),
    "ColumnDef": frozenset({"this", "kind", "constraints", "exists"}),
    "ForeignKey": frozenset({"expressions", "reference", "options", "delete", "update"}),
    "Reference": frozenset({"this", "options"}),
    "Star": frozenset({"except_", "replace", "rename"}),
}  # fmt: skip
"""Parts that may be present (truthy) in a node. What is absent here — FOR UPDATE, SELECT INTO, TABLESAMPLE,
AT
(VERSION …), USING SAMPLE, SEARCH/CYCLE, ROWS FROM, hints — is 0A000 until it is made right."""

FEATURE_NAMES = {
    "locks": "FOR UPDATE/SHARE", "into": "SELECT INTO", "sample": "TABLESAMPLE",
    "when": "AT (VERSION | TIMESTAMP)",
    "rows_from": "ROWS FROM", "search": "SEARCH", "cycle": "CYCLE", "key_expressions": "USING KEY",
    "hint": "hints",
    "concurrently": "CONCURRENTLY", "overwrite": "INSERT OVERWRITE", "only": "ONLY",
}  # fmt: skip
"""What to call a refused part in the error."""

JOIN_METHODS = frozenset({"", "NATURAL", "ASOF", "POSITIONAL"})
JOIN_KINDS = frozenset({"", "INNER", "OUTER", "CROSS", "SEMI", "ANTI"})

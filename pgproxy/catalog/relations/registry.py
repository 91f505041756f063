"""Which system relation is what.

Rows that follow the catalogs or the policies, fixed rows, a view, or empty.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

import pyarrow as pa

from pgproxy.catalog.access import VIEWER_COLUMNS
from pgproxy.catalog.builtin import RelationDefinition, RelationKey, builtin_rows, relation_definitions
from pgproxy.catalog.model import CatalogModel
from pgproxy.catalog.relations import attributes, classes, depends, functions, principals, types
from pgproxy.catalog.relations.derived import PG_VIEWS, DerivedRelation
from pgproxy.catalog.relations.standard import STANDARD_VIEWS
from pgproxy.catalog.relations.table import Rule, build_rows, builtin_table
from pgproxy.catalog.snapshot import SystemRelation, Visibility
from pgproxy.catalog.visibility import (
    administrator_predicate,
    column_predicate,
    principal_predicate,
    row_predicate,
)
from pgproxy.policy.model import PolicySet

PHYSICAL_SCHEMAS: Mapping[str, str] = {"pg_catalog": "pg", "information_schema": "info", "pgproxy": "own"}
"""DuckDB keeps the names pg_catalog and information_schema in every database to itself."""

CATALOG_TABLES: Mapping[str, tuple[Rule, Callable[[CatalogModel], pa.Table]]] = {
    "pg_namespace": (Rule.ROW, classes.namespace_rows),
    "pg_class": (Rule.ROW, classes.class_rows),
    "pg_attribute": (Rule.COLUMN, attributes.attribute_rows),
    "pg_attrdef": (Rule.COLUMN, attributes.attrdef_rows),
    "pg_type": (Rule.ROW, types.type_rows),
    "pg_enum": (Rule.ROW, classes.enum_rows),
    "pg_index": (Rule.ROW, classes.index_rows),
    "pg_constraint": (Rule.ROW, classes.constraint_rows),
    "pg_depend": (Rule.COLUMN, depends.depend_rows),
    "_serial": (Rule.COLUMN, depends.serial_rows),
    "pg_sequence": (Rule.ROW, classes.sequence_rows),
    "pg_description": (Rule.COLUMN, classes.description_rows),
    "pg_shdescription": (Rule.ROW, classes.shared_description_rows),
    "pg_rewrite": (Rule.ROW, classes.rewrite_rows),
    "pg_database": (Rule.ROW, classes.database_rows),
}
"""Made anew whenever the catalogs change."""

POLICY_TABLES: Mapping[str, tuple[Rule, Callable[[PolicySet, CatalogModel], pa.Table]]] = {
    "pg_authid": (Rule.ROW, lambda policy_set, _: principals.authid_rows(policy_set)),
    "pg_auth_members": (Rule.ROW, lambda policy_set, _: principals.auth_members_rows(policy_set)),
    "pg_policy": (Rule.ROW, principals.policy_rows),
    "pg_proc": (Rule.ROW, functions.proc_rows),
}
"""Made anew whenever the policies or the catalogs change."""

LIVE_RELATIONS: Mapping[RelationKey, Rule] = {
    ("pg_catalog", "pg_stat_activity"): Rule.PRINCIPAL,
    ("pg_catalog", "pg_hba_file_rules"): Rule.OPEN,
    ("pgproxy", "sessions"): Rule.PRINCIPAL,
    ("pgproxy", "queries"): Rule.PRINCIPAL,
    ("pgproxy", "endpoints"): Rule.PRINCIPAL,
    ("pgproxy", "assignments"): Rule.ROW,
    ("pgproxy", "policy_versions"): Rule.PRINCIPAL,
    ("pgproxy", "api_keys"): Rule.PRINCIPAL,
    ("pgproxy", "audit_log"): Rule.JOURNAL,
}
"""What happens here now: filled before a statement that reads it runs."""

ADMIN_ONLY = frozenset(
    {
        "pg_authid",
        "pg_shadow",
        "pg_statistic",
        "pg_statistic_ext_data",
        "pg_user_mapping",
        "pg_largeobject",
        "pg_subscription",
        "pg_hba_file_rules",
        "pg_ident_file_mappings",
        "pg_file_settings",
        "pg_config",
        "pg_shmem_allocations",
        "pg_backend_memory_contexts",
        "pg_replication_origin_status",
    }
)
"""What PostgreSQL 15 grants to no ordinary role."""

SESSION_RELATIONS = frozenset(
    ("pg_catalog", name) for name in ("pg_prepared_statements", "pg_cursors", "pg_settings")
)
"""Relations whose rows each session knows of itself (`pgproxy.session.session_values`)."""


@cache
def fixed_relations() -> frozenset[str]:
    """The relations of pg_catalog whose rows are PostgreSQL's and never change."""
    files = resources.files("pgproxy.catalog.data").joinpath("rows").iterdir()
    return (
        frozenset(file.name.removesuffix(".json") for file in files)
        - CATALOG_TABLES.keys()
        - POLICY_TABLES.keys()
    )


def physical_name(relation: RelationKey) -> tuple[str, str]:
    """Where a system relation is inside SYSTEM_CATALOG."""
    return PHYSICAL_SCHEMAS[relation[0]], relation[1]


def derived_relation(relation: RelationKey) -> DerivedRelation | None:
    """The view behind a relation, where it is one with content."""
    views = PG_VIEWS if relation[0] == "pg_catalog" else STANDARD_VIEWS
    return views.get(relation[1])


def fixed_rows(definition: RelationDefinition) -> pa.Table:
    """PostgreSQL's own rows of a relation that never changes, or none."""
    if definition.schema == "pg_catalog" and definition.name in fixed_relations():
        return builtin_table(definition, Rule.OPEN, builtin_rows(definition.name))
    rule = LIVE_RELATIONS.get((definition.schema, definition.name), Rule.OPEN)
    return build_rows(definition, rule, 0, {})


@cache
def system_relations() -> Mapping[RelationKey, SystemRelation]:
    """Every system relation as the planner sees it; the same for all snapshots."""
    return {
        name: SystemRelation(
            physical_name(name),
            definition.columns,
            visibility=_visibility(name),
            admin_only=name[0] == "pg_catalog" and name[1] in ADMIN_ONLY,
            session_rows=name[1] if name in SESSION_RELATIONS else None,
            is_live=name in LIVE_RELATIONS,
            is_empty=_is_empty(name),
            viewer_columns=VIEWER_COLUMNS.get(name[1], {}) if name[0] == "pg_catalog" else {},
        )
        for name, definition in relation_definitions().items()
    }


def _is_empty(relation: RelationKey) -> bool:
    """Whether nothing fills a relation."""
    filled = CATALOG_TABLES.keys() | POLICY_TABLES.keys() | fixed_relations()
    is_filled = relation[0] == "pg_catalog" and relation[1] in filled
    has_rows = relation in LIVE_RELATIONS or relation in SESSION_RELATIONS
    return not (is_filled or has_rows or derived_relation(relation) is not None)


def _visibility(relation: RelationKey) -> Visibility | None:
    derived = derived_relation(relation)
    if derived is not None and derived.visibility is not None:
        return Visibility.for_all(derived.visibility)
    tables = {name: rule for name, (rule, _) in (*CATALOG_TABLES.items(), *POLICY_TABLES.items())}
    rule = derived.rule if derived is not None else Rule.OPEN
    if relation[0] == "pg_catalog" and relation[1] in tables:
        rule = tables[relation[1]]
    return _PREDICATES[LIVE_RELATIONS.get(relation, rule)]


_PREDICATES: Mapping[Rule, Visibility | None] = {
    Rule.OPEN: None,
    Rule.ROW: Visibility(row_predicate(), row_predicate(), administrator_predicate()),
    Rule.COLUMN: Visibility(column_predicate(), row_predicate(), administrator_predicate()),
    Rule.PRINCIPAL: Visibility.for_all(principal_predicate()),
    Rule.JOURNAL: Visibility.for_all(principal_predicate()),
}

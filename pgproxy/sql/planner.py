"""`plan_statement`: client text in, plan or denial out. The single way to an engine.

parse → admit → resolve → authorise → translate → secure → render → verify. Pure: the same text, types and
context
give the same plan, and nothing but the returned plan is changed.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlglot import exp

from pgproxy.catalog.snapshot import SYSTEM_CATALOG, TEMP_CATALOG, RelationKind
from pgproxy.policy.model import TableName
from pgproxy.sql.admit import admit
from pgproxy.sql.authorise import authorise
from pgproxy.sql.bindings import bind
from pgproxy.sql.catalog_types import type_catalog_columns
from pgproxy.sql.constant_slots import constant_slots
from pgproxy.sql.defined_columns import check_columns
from pgproxy.sql.definitions import DEFINITIONS, authorise_definition, is_temporary
from pgproxy.sql.dialect import declared_oids, declared_typmods
from pgproxy.sql.draft import BoundValues, Draft
from pgproxy.sql.outputs import result_outputs
from pgproxy.sql.parameters import PARAMETERS, cast_parameters, infer_parameters
from pgproxy.sql.parse import parse_statement, too_complex
from pgproxy.sql.plan import Origin, Plan, PlanContext, StatementKind
from pgproxy.sql.render import render
from pgproxy.sql.repeatable import is_repeatable
from pgproxy.sql.resolve import resolve, target_tables
from pgproxy.sql.secure import secure
from pgproxy.sql.sequence_changes import sequence_setting
from pgproxy.sql.sequences import asks_sequences, secure_calls
from pgproxy.sql.setting_calls import SETTING_KEY
from pgproxy.sql.spellings import plain_spelling
from pgproxy.sql.stored_functions import expand_functions
from pgproxy.sql.system_columns import expand_stars, place_system_columns
from pgproxy.sql.translation import known_types, output_names, translate
from pgproxy.sql.verify import verify
from pgproxy.sql.view_text import view_texts
from pgwire.errors import FeatureNotSupported

_WRITES = frozenset({StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE})


def plan_statement(text: str, parameter_oids: Sequence[int], context: PlanContext) -> Plan:
    """Plan exactly one statement for one principal.

    parameter_oids: declared in Parse, 0 = infer; may be shorter than the real count.

    Raises:
        StatementError: 42601, 42P01, 42883 and so on, with the position in `text`.
        AccessDenied: 42501.
        FeatureNotSupported: 0A000.
        InternalError: the rewritten text could not be verified, or a stored policy cannot be applied.
    """
    try:
        return _plan(text, tuple(parameter_oids), context)
    except RecursionError:
        raise too_complex() from None


def plan_explain(inner: Plan, *, is_admin: bool) -> Plan:
    """EXPLAIN of a planned statement.

    The engine's plan shows filters and masks, so only where there are none.

    Raises:
        FeatureNotSupported: the statement is governed for this principal.
    """
    if (inner.is_governed or inner.is_catalog) and not is_admin:
        raise FeatureNotSupported(
            "EXPLAIN of a governed statement is not supported", hint="Its plan would show the policy."
        )
    return replace(
        inner,
        kind=StatementKind.EXPLAIN,
        sql=f"EXPLAIN {inner.sql}",
        describe_sql=f"EXPLAIN {inner.describe_sql}",
        returns_rows=True,
        is_read_only=True,
        is_repeatable=False,
        changes_catalog=False,
        following_sql=(),
        notices=(),
        column_names=None,
        column_type_oids=None,
        column_origins=None,
        column_typmods=None,
    )


def _plan(text: str, parameter_oids: tuple[int, ...], context: PlanContext) -> Plan:
    tree, dialect = parse_statement(text, context)
    tree, called = expand_functions(tree, context, dialect)
    tree = plain_spelling(tree, _setting_names(context))
    kind = admit(tree, context.catalog.system_functions.keys())
    authorise_definition(tree, kind, context)
    check_columns(tree, kind)
    nodes = list(tree.dfs())
    draft = Draft(
        text, parameter_oids, context, tree, dialect, kind, frozenset(map(type, nodes)),
        fingerprint=_fingerprint(nodes), column_names=output_names(tree),
    )  # fmt: skip
    draft = authorise(resolve(draft, nodes), called)
    if expand_stars(draft):
        draft = replace(draft, column_names=output_names(draft.tree))
    place_system_columns(draft)
    has_parameters = bool(parameter_oids) or not draft.kinds.isdisjoint(PARAMETERS)
    oids = infer_parameters(draft) if has_parameters else ()
    cast_parameters(draft.tree, oids)
    bound = BoundValues(len(oids))
    names, origins = result_outputs(draft)
    if names != draft.column_names:
        draft = replace(draft, column_names=names)
    if kind is StatementKind.CREATE_VIEW:
        draft = replace(draft, view_texts=view_texts(draft))
    column_type_oids = type_catalog_columns(draft)
    known = known_types(draft)
    slots = constant_slots(draft, known) if not called else ()
    asking, draft = draft, bind(secure_calls(sequence_setting(draft)), bound)
    draft = translate(draft, known if draft is asking else known_types(draft))
    draft = secure(draft, bound)
    all_oids = (*oids, *(value.type_oid for value in bound.values))
    draft = verify(render(draft, all_oids))
    columns = _ResultColumns(
        declared_oids(column_type_oids, draft.tree), origins, declared_typmods(draft.tree)
    )
    return _plan_of(draft, oids, bound, columns, slots)


class _ResultColumns(NamedTuple):
    type_oids: tuple[int | None, ...] | None
    origins: tuple[Origin, ...] | None
    typmods: tuple[int, ...] | None


def _plan_of(
    draft: Draft, oids: tuple[int, ...], bound: BoundValues, columns: _ResultColumns, slots: tuple[int, ...]
) -> Plan:
    is_query = draft.kind is StatementKind.SELECT
    return Plan(
        kind=draft.kind,
        sql=draft.sql,
        describe_sql=draft.describe_sql,
        parameter_oids=oids,
        bound_values=tuple(bound.values),
        returns_rows=is_query or (draft.kind in _WRITES and draft.tree.args.get("returning") is not None),
        is_read_only=is_query and not asks_sequences(draft.accesses),
        is_catalog=draft.is_catalog,
        is_governed=draft.is_governed,
        accesses=draft.accesses,
        policy_epoch=draft.context.policy.epoch,
        catalog_generation=draft.context.catalog.generation,
        fingerprint=draft.fingerprint,
        column_names=draft.column_names,
        column_type_oids=columns.type_oids,
        column_origins=columns.origins,
        column_typmods=columns.typmods,
        uses_temp=any(use.is_temporary for use in draft.uses) or _defines_temporary(draft),
        changes_catalog=draft.kind in DEFINITIONS or bool(draft.following),
        fills_table=draft.kind is StatementKind.CREATE_TABLE and _has_query(draft.tree),
        setting_changes=draft.setting_changes,
        following_sql=draft.following_sql,
        looks_in=draft.looks_in,
        notices=draft.notices,
        parameter_numbers=draft.parameter_numbers,
        live_relations=draft.live_relations,
        reads=_read_catalogs(draft),
        is_repeatable=is_repeatable(draft),
        constant_slots=slots,
    )


def _has_query(tree: exp.Expr) -> bool:
    return isinstance(tree.args.get("expression"), exp.Query)


def _read_catalogs(draft: Draft) -> frozenset[str] | None:
    """By what was put into the text: a policy's subqueries read tables, too, and a view's text others."""
    tables = draft.context.catalog.tables
    found = set()
    for catalog, schema, name in draft.placed_relations:
        if catalog == SYSTEM_CATALOG:
            continue
        info = tables.get(TableName(catalog, "public" if schema == "main" else schema, name))
        if info is None or info.kind is not RelationKind.TABLE:
            return None
        found.add(catalog)
    return frozenset(found)


def _setting_names(context: PlanContext) -> frozenset[str]:
    keys = context.session_values
    return frozenset(key.removeprefix(SETTING_KEY) for key in keys if key.startswith(SETTING_KEY))


def _defines_temporary(draft: Draft) -> bool:
    """Whether a definition makes, alters or drops a temporary table of the session."""
    is_own = draft.kind in DEFINITIONS and any(
        target.catalog == TEMP_CATALOG for target in target_tables(draft.tree)
    )
    return is_own or is_temporary(draft.tree)


def fingerprint(tree: exp.Expr) -> str:
    """A hash of the statement's shape: literals and parameters left out, names folded."""
    return _fingerprint(tree.dfs())


def _fingerprint(nodes: Iterable[exp.Expr]) -> str:
    pieces: list[str] = []
    for node in nodes:
        kind = type(node)
        if kind is exp.Identifier:
            name = str(node.this)
            pieces.append(f"\0{node.arg_key}:Identifier{name if node.args.get('quoted') else name.lower()}")
            continue
        pieces.append(f"\0{node.arg_key}:{kind.__name__}")
        if kind is exp.DataType:
            pieces.append(str(node.this))
        elif kind is not exp.Literal and kind is not exp.Column:  # whose parts are nodes
            for part, value in node.args.items():
                if value is True or (type(value) is str and value):
                    pieces.append(f" {part}={value}")
    return hashlib.sha256("".join(pieces).encode("utf-8", "replace")).hexdigest()[:16]

# ruff: noqa: SIM905 - a table of words reads better as words
"""Which questions to the catalog have the same answer again, while catalog and policy stay as they are.

A closed list of functions, held against what DuckDB's own parser finds in the rendered text: whatever is not
on it, what tells the time or a random number, waits, or does something, makes the statement one that is asked
anew each time.
"""

from pgproxy.catalog.snapshot import FUNCTION_SCHEMA, IN_ONE_SCHEMA, SYSTEM_CATALOG
from pgproxy.sql.allowed_functions import GRAMMAR_FUNCTIONS, OPERATOR_FUNCTIONS
from pgproxy.sql.draft import Draft
from pgproxy.sql.plan import StatementKind

_NAMES = (
    OPERATOR_FUNCTIONS
    | GRAMMAR_FUNCTIONS
    | frozenset(
        """
        any_value array_text array_to_string avg bool_and bool_or btrim chr concat concat_ws contains count
        dense_rank ends_with epoch_us error first_value from_json generate_series greatest last_value least
        left len length list list_contains list_count list_extract list_position list_prepend list_transform
        listagg lower lpad ltrim max min nullif numeric_div numeric_text parse_ident quote_ident
        quote_literal range rank regexp_extract regexp_matches regexp_replace repeat replace right round
        row_number rpad rtrim split_part starts_with strftime string_agg string_split strpos substring sum
        to_json trim upper
        """.split()
    )
)


def is_repeatable(draft: Draft) -> bool:
    """Whether a verified statement reads nothing but the catalog, none of it live, by steady functions."""
    return (
        draft.kind is StatementKind.SELECT
        and draft.is_catalog
        and not draft.setting_changes
        and not draft.live_relations
        and all(catalog == SYSTEM_CATALOG for catalog, _, _ in draft.placed_relations)
        and all(_is_steady(draft, *function) for function in draft.engine_functions)
    )


def _is_steady(draft: Draft, schema: str, name: str) -> bool:
    if schema != FUNCTION_SCHEMA:
        return name in _NAMES
    function = draft.context.catalog.system_functions.get(name.removesuffix(IN_ONE_SCHEMA))
    return function is not None and function.is_steady

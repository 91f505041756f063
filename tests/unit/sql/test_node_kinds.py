"""Classes of nodes, and copies of them."""

import pytest
import sqlglot
from sqlglot import exp

from pgproxy.sql.dialect.build import copied
from pgproxy.sql.dialect.grammar import parse_source
from pgproxy.sql.node_kinds import classes_below, kinds_of

_TEXT = (
    "SELECT sum(a.b), CASE WHEN c THEN 1 END FROM (SELECT * FROM t) AS a(b) WHERE d IN (1, 2) AND $1 IS NULL"
)


def test_the_kinds_of_a_tree_are_those_that_a_search_finds() -> None:
    tree = sqlglot.parse_one(_TEXT, dialect="postgres")
    kinds = kinds_of(tree)
    for wanted in (exp.Func, exp.Query, exp.Condition, exp.Parameter, exp.Lambda, exp.Union, exp.Cast):
        assert (not kinds.isdisjoint(classes_below(wanted))) is (tree.find(wanted) is not None)


def test_classes_below_one_are_all_that_derive_from_it() -> None:
    known = {kind for kind in vars(exp).values() if isinstance(kind, type) and issubclass(kind, exp.Expr)}
    assert {kind for kind in known if issubclass(kind, exp.Cast)} <= classes_below(exp.Cast)
    assert exp.TryCast in classes_below(exp.Cast)


@pytest.mark.parametrize(
    "text", [_TEXT, "WITH x AS (SELECT 'a'::varchar(3)[]) SELECT * FROM x ORDER BY 1 DESC"]
)
def test_a_copy_is_what_sqlglot_would_copy(text: str) -> None:
    tree = parse_source(text)
    next(iter(tree.find_all(exp.Select))).meta["pgproxy_use"] = 3
    made = copied(tree)
    assert made == tree
    for mine, other, old in zip(made.walk(), tree.copy().walk(), tree.walk(), strict=True):
        assert mine is not old
        assert (mine.arg_key, mine.index, mine.meta) == (other.arg_key, other.index, other.meta)
        assert mine.meta is not old.meta
        assert mine.parent is None or mine in list(mine.parent.iter_expressions())

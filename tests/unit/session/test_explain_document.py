"""EXPLAIN (FORMAT JSON): names are the client's, whatever is in them."""

import json

from pgproxy.session.explain_document import plan_document
from pgproxy.sql.outline import outline_statement, outline_steps

TEXT = 'WITH c AS (SELECT 1) SELECT * FROM "a on b"."c d" AS "e on f", c WHERE EXISTS (SELECT 1 FROM t)'


def test_a_name_is_one_whatever_words_it_has() -> None:
    assert outline_statement(TEXT, "auto")[2] == "        ->  Scan on a on b.c d e on f"
    (document,) = json.loads(
        plan_document(outline_steps(TEXT, "auto"), {"Actual Rows": 1}, {"Execution Time": 2.0})
    )
    assert (document["Plan"]["Actual Rows"], document["Execution Time"]) == (1, 2.0)
    join, subplan, common = document["Plan"]["Plans"]
    assert join["Plans"][0] == {
        "Node Type": "Seq Scan", "Relation Name": "c d", "Schema": "a on b", "Alias": "e on f",
    }  # fmt: skip
    assert (subplan["Subplan Name"], common["Subplan Name"]) == ("SubPlan 1", "CTE c")
    assert common["Plans"] == [{"Node Type": "Result"}]

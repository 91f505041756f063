"""EXPLAIN (FORMAT JSON): the outline of a statement as PostgreSQL's document of nested nodes, without costs.

Graphical clients read it. PostgreSQL docs, "EXPLAIN", FORMAT.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Step = tuple[int, str]
"""How deep a node stands, and its line."""


def plan_document(steps: Sequence[Step], figures: Mapping[str, Any], times: Mapping[str, Any]) -> str:
    """Write the document. figures: of the first node; times: of the whole."""
    root: dict[str, Any] = {}
    parents: list[dict[str, Any]] = []
    for depth, line in steps:
        node = _node(line)
        if not depth:
            root = {**node, **figures}
            parents = [root]
            continue
        del parents[depth:]
        parents[-1].setdefault("Plans", []).append(node)
        parents.append(node)
    return json.dumps([{"Plan": root, **times}], indent=2)


def _node(line: str) -> dict[str, Any]:
    kind, has_relation, name = line.partition(" on ")
    if kind.startswith(("SubPlan", "CTE")):
        return {"Node Type": "Result", "Subplan Name": line}
    node: dict[str, Any] = {"Node Type": "Seq Scan" if kind == "Scan" else kind}
    if has_relation:
        dotted, _, alias = name.partition(" ")
        *schema, relation = dotted.split(".")
        node["Relation Name"] = relation
        if schema:
            node["Schema"] = schema[-1]
        node["Alias"] = alias or relation
    return node

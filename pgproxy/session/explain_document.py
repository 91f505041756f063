"""EXPLAIN (FORMAT JSON): the outline of a statement as PostgreSQL's document of nested nodes, without costs.

Graphical clients read it. PostgreSQL docs, "EXPLAIN", FORMAT.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pgproxy.sql.outline import Step


def plan_document(steps: Sequence[Step], figures: Mapping[str, Any], times: Mapping[str, Any]) -> str:
    """Write the document. figures: of the first node; times: of the whole."""
    root = {**_node(steps[0]), **figures}
    parents = [root]
    for step in steps[1:]:
        node = _node(step)
        del parents[step.depth :]
        parents[-1].setdefault("Plans", []).append(node)
        parents.append(node)
    return json.dumps([{"Plan": root, **times}], indent=2)


def _node(step: Step) -> dict[str, Any]:
    if step.is_of_subplan:
        return {"Node Type": "Result", "Subplan Name": step.node}
    node: dict[str, Any] = {"Node Type": "Seq Scan" if step.node == "Scan" else step.node}
    if step.relation is not None:
        *schema, name = step.relation.parts
        node["Relation Name"] = name
        if schema:
            node["Schema"] = schema[-1]
        node["Alias"] = step.relation.alias or name
    return node

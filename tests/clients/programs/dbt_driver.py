"""Runs dbt's commands on one server, in one process, and prints what each node came to.

python dbt_driver.py PROJECT TARGET_FOLDER; the project's profile reads the server from DBT_HOST and its like.
"""

import json
import sys
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner

project, target = sys.argv[1:3]
COMMANDS = (["debug"], ["seed"], ["run"], ["run"], ["test"], ["docs", "generate"])
PLACES = ["--project-dir", project, "--profiles-dir", project, "--log-path", target]


def outcome(command: list[str]) -> list[Any]:
    """Whether a command succeeded, and what became of each node."""
    done = dbtRunner().invoke(["--quiet", *command, *PLACES])
    nodes = getattr(done.result, "results", None) or []
    states = [
        [n.node.unique_id, str(n.status), n.message if n.status == "error" else ""]
        for n in nodes
        if hasattr(n, "node")
    ]
    return [" ".join(command), done.success, sorted(states)]


found = [outcome(command) for command in COMMANDS]
catalog = json.loads((Path(target) / "catalog.json").read_text())
tables = {
    name: [entry["metadata"]["type"], entry["metadata"]["comment"],
           [[c["name"], c["type"], c["index"]] for c in entry["columns"].values()]]
    for name, entry in {**catalog["nodes"], **catalog["sources"]}.items()
}  # fmt: skip
print("\n" + json.dumps([found, tables]))

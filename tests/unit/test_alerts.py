"""Alert rules and the dashboard: promtool takes them, and all that they ask for exists."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.unit.test_metrics import DOCS, registered

_NAME = re.compile(r"\b((?:pgproxy|execnode)_\w+)(?:\{([^}]*)\})?")
_OF_PROMETHEUS = {"job", "instance", "le"}
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian's package prometheus) is not installed"
)


def rules() -> list[dict[str, object]]:
    groups = yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (str(rule["expr"]) for rule in rules())
    dashboard = json.loads((DOCS / "grafana" / "pgproxy.json").read_text())
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ()))


def promtool(*arguments: str) -> str:
    run = subprocess.run(["promtool", *arguments], cwd=DOCS, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@needs_promtool
def test_promtool_takes_the_rules_and_they_fire_when_they_should() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


@needs_promtool
def test_promtool_parses_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    asked = [expr.replace("$__rate_interval", "5m").replace("$__range", "1h") for expr in expressions()]
    recorded = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(asked)]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in promtool("check", "rules", str(file))


def test_rules_and_dashboard_ask_only_for_what_there_is() -> None:
    known = registered()
    for expression in expressions():
        found = _NAME.findall(expression)
        assert found or expression.startswith("up{"), expression
        labels: set[str] = set(_OF_PROMETHEUS)
        for name, matchers in found:
            _, own = known[name.removesuffix("_bucket")]
            assert set(re.findall(r"(\w+)\s*(?:=|!=)", matchers)) <= own | _OF_PROMETHEUS, expression
            labels |= own
        for group in re.findall(r"by \(([^)]*)\)", expression):
            assert set(re.findall(r"\w+", group)) <= labels, expression


def test_every_alert_has_its_paragraph_in_the_runbook() -> None:
    _, _, advice = (DOCS / "runbook.md").read_text().partition("## At 3 a.m.")
    headings = re.findall(r"^### (\w+)$", advice, re.M)
    assert sorted(headings) == sorted(str(rule["alert"]) for rule in rules())
    for rule in rules():
        annotations = rule["annotations"]
        assert isinstance(annotations, dict)
        assert annotations["runbook"] == f"docs/runbook.md#{str(rule['alert']).lower()}"

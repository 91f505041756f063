"""The command line on a metastore of its own."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pgproxy.cli.main import app
from pgproxy.settings import GatewaySettings


class CommandLine:
    """Runs commands on one metastore."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runner = CliRunner()

    def __call__(self, *arguments: str, given: str | None = None) -> Result:
        return self._runner.invoke(app, arguments, input=given)

    def must(self, *arguments: str, given: str | None = None) -> str:
        result = self(*arguments, given=given)
        assert result.exit_code == 0, result.stderr
        assert result.stderr == ""
        return result.stdout

    def refused(self, *arguments: str, code: int = 1, given: str | None = None) -> str:
        result = self(*arguments, given=given)
        assert result.exit_code == code
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return result.stderr

    def file(self, text: str, name: str = "policy.yaml") -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)


@pytest.fixture
def pgproxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    for name in GatewaySettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("METASTORE_URL", f"sqlite:///{tmp_path}/m.sqlite")
    monkeypatch.setenv("NO_COLOR", "1")
    return CommandLine(tmp_path)

"""Settings: names, defaults, precedence, and what a bad value says without repeating it."""

from pathlib import Path

import pytest

from pgproxy.control.flags import Flags
from pgproxy.settings import (
    DatabaseMode,
    GatewaySettings,
    ListenAddress,
    LogFormat,
    SettingsError,
    parse_listen_address,
)
from tests.certificates import Authority

SECRET = "hunter2-very-secret"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in GatewaySettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def problem(config: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        GatewaySettings.load(config)
    return str(caught.value)


def test_defaults_are_those_of_the_external_interface() -> None:
    settings = GatewaySettings.load()
    assert settings.pg_wire_listen_addr == ListenAddress("127.0.0.1", 5433)
    assert settings.http_listen_addr == ListenAddress("127.0.0.1", 8080)
    assert settings.database_mode is DatabaseMode.READ_WRITE
    assert settings.metastore_url.startswith("sqlite:///")
    assert settings.flags == Flags()
    assert settings.remote_canary_users == settings.remote_canary_groups == frozenset()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PG_WIRE_LISTEN_ADDR", "0.0.0.0:0", ListenAddress("0.0.0.0", 0)),
        ("HTTP_LISTEN_ADDR", "[::1]:8080", ListenAddress("::1", 8080)),
        ("HTTP_LISTEN_ADDR", ":9", ListenAddress("0.0.0.0", 9)),
        ("DATABASE_MODE", "read_only", DatabaseMode.READ_ONLY),
        ("FEATURE_CURSOR_MODE", "on", True),
        ("FEATURE_CURSOR_MODE", "1", True),
        ("FEATURE_REMOTE_ROUTING", "TRUE", True),
        ("FEATURE_ASYNC_QUEUE", "off", False),
        ("FEATURE_INTERNAL_GRPC", "0", False),
        ("REMOTE_CANARY_USERS", "ann, bob,,", frozenset({"ann", "bob"})),
        ("REMOTE_CANARY_GROUPS", "", frozenset()),
        ("REMOTE_CANARY_PERCENT", "12.5", 12.5),
        ("AUTHENTICATION_TIMEOUT", "1m30s", 90.0),
        ("STATEMENT_TIMEOUT", "0", 0.0),
        ("MAX_CONNECTIONS", "7", 7),
        ("MAX_MEMORY_GB", "1.5", 1.5),
        ("LOG_FORMAT", "console", LogFormat.CONSOLE),
        ("NODE_LOST_AFTER", "5s", 5.0),
        ("HEALTH_CHECK_INTERVAL", "500ms", 0.5),
    ],
)
def test_a_variable_is_parsed(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object) -> None:
    monkeypatch.setenv(name, text)
    assert getattr(GatewaySettings.load(), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PG_WIRE_LISTEN_ADDR", "localhost"),
        ("PG_WIRE_LISTEN_ADDR", "localhost:70000"),
        ("PG_WIRE_LISTEN_ADDR", "::1:5433"),
        ("PG_WIRE_LISTEN_ADDR", "h:5x"),
        ("DATABASE_MODE", "writable"),
        ("FEATURE_CURSOR_MODE", "maybe"),
        ("AUTHENTICATION_TIMEOUT", "60"),
        ("AUTHENTICATION_TIMEOUT", "-1s"),
        ("MAX_CONNECTIONS", "0"),
        ("MAX_CONNECTIONS", "many"),
        ("SCRAM_ITERATIONS", "1000"),
        ("TLS_CERT_FILE", "/nowhere/cert.pem"),
        ("SECRET_KEY_FILE", "/nowhere/key"),
        ("LOG_LEVEL", "loud"),
        ("FEATURE_REMOTE_ROUTING", "yep"),
        ("FEATURE_ASYNC_QUEUE", "2"),
        ("FEATURE_INTERNAL_GRPC", "none"),
        ("REMOTE_CANARY_PERCENT", "101"),
        ("REMOTE_CANARY_PERCENT", "half"),
        ("NODE_TLS_CA_FILE", "/nowhere/ca.pem"),
        ("NODE_TLS_CERT_FILE", "/nowhere/gateway.pem"),
        ("NODE_LOST_AFTER", "900ms"),
        ("NODE_LOST_AFTER", "never"),
        ("HEALTH_CHECK_INTERVAL", "often"),
        ("HEALTH_CHECK_INTERVAL", "0"),
        ("NODE_TLS_KEY_FILE", "/nowhere/gateway.key"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("TRACE_SAMPLE_RATIO", "-0.1"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    assert [line.split(":")[0] for line in problem().splitlines()] == [name]


@pytest.mark.parametrize(
    ("sampler", "argument", "share"),
    [
        (None, "0.5", 0.25), ("always_on", "0.5", 1.0), ("parentbased_always_off", "0.5", 0.0),
        ("parentbased_traceidratio", "0.5", 0.5), ("traceidratio", None, 1.0),
    ],
)  # fmt: skip
def test_opentelemetrys_sampler_is_taken_before_our_own_share(
    monkeypatch: pytest.MonkeyPatch, sampler: str | None, argument: str | None, share: float
) -> None:
    monkeypatch.setenv("TRACE_SAMPLE_RATIO", "0.25")
    for name, text in (("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", argument)):
        if text is not None:
            monkeypatch.setenv(name, text)
    assert GatewaySettings.load().traced_share == share


def test_every_bad_setting_is_named_and_no_value_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_CONNECTIONS", SECRET)
    monkeypatch.setenv("STATEMENT_TIMEOUT", SECRET)
    monkeypatch.setenv("BOOTSTRAP_ADMIN_PASSWORD", SECRET)
    said = problem()
    assert [line.split(":")[0] for line in said.splitlines()] == [
        "BOOTSTRAP_ADMIN_PASSWORD",
        "MAX_CONNECTIONS",
        "STATEMENT_TIMEOUT",
    ]
    assert SECRET not in said


def test_an_admin_needs_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOTSTRAP_ADMIN", "root")
    assert problem() == "BOOTSTRAP_ADMIN_PASSWORD: needed with BOOTSTRAP_ADMIN"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["TLS_CERT_FILE"], "TLS_KEY_FILE"),
        (["TLS_KEY_FILE"], "TLS_KEY_FILE"),
        (["TLS_CLIENT_CA_FILE"], "TLS_CLIENT_CA_FILE"),
        (["NODE_TLS_CERT_FILE"], "NODE_TLS_KEY_FILE"),
        (["NODE_TLS_KEY_FILE"], "NODE_TLS_KEY_FILE"),
    ],
)
def test_tls_files_are_given_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: list[str], named: str
) -> None:
    file = Authority(tmp_path).file
    for name in given:
        monkeypatch.setenv(name, str(file))
    assert problem().split(":")[0] == named


@pytest.mark.parametrize("prefix", ["", "NODE_"])
def test_tls_files_that_are_no_certificate_or_another_ones_key_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: str
) -> None:
    authority, garbage = Authority(tmp_path), tmp_path / "garbage"
    own, other = authority.issue("gateway", "own"), authority.issue("gateway", "other")
    garbage.write_text("no certificate")
    certificate, key = f"{prefix}TLS_CERT_FILE", f"{prefix}TLS_KEY_FILE"
    trusted = f"{prefix}TLS_CA_FILE" if prefix else "TLS_CLIENT_CA_FILE"
    well = {certificate: own.certificate, key: own.key, trusted: authority.file}
    for name, file in ((certificate, garbage), (key, garbage), (key, other.key), (trusted, garbage)):
        for setting, given in {**well, name: file}.items():
            monkeypatch.setenv(setting, str(given))
        assert problem().split(":")[0] == name
    monkeypatch.setenv(trusted, str(authority.file))
    assert GatewaySettings.load().node_tls


def test_required_tls_needs_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_TLS", "on")
    assert problem() == "REQUIRE_TLS: needs TLS_CERT_FILE"


def test_http_over_tls_needs_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_TLS", "on")
    assert problem() == "HTTP_TLS: needs TLS_CERT_FILE"


def test_a_shared_queue_needs_a_folder_for_its_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASTORE_URL", "postgresql://h/db")
    monkeypatch.setenv("FEATURE_ASYNC_QUEUE", "on")
    assert problem() == "SPOOL_DIR: needed with FEATURE_ASYNC_QUEUE and a PostgreSQL metastore"
    monkeypatch.setenv("SPOOL_DIR", "/var/spool")
    assert GatewaySettings.load().results_folder == Path("/var/spool/results")


@pytest.mark.parametrize(
    "name",
    [
        "ASYNC_MAX_RUNNING", "ASYNC_MAX_RUNNING_PER_PRINCIPAL", "ASYNC_MAX_QUEUED_PER_PRINCIPAL",
        "ASYNC_LEASE", "ASYNC_MAX_RESULT_BYTES", "ASYNC_MAX_RESULT_TTL", "QUERY_RESULT_TTL",
        "QUERY_CLEANUP_INTERVAL",
    ],
)  # fmt: skip
def test_limits_of_the_queue_are_checked(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "0")
    assert problem().split(":")[0] == name


def test_settings_show_no_secret_and_are_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOTSTRAP_ADMIN", "root")
    monkeypatch.setenv("BOOTSTRAP_ADMIN_PASSWORD", SECRET)
    monkeypatch.setenv("METASTORE_URL", f"sqlite:///{SECRET}")
    monkeypatch.setenv("DATABASE", f"ducklake:postgres:password={SECRET}")
    settings = GatewaySettings.load()
    assert SECRET not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.max_connections = 1


@pytest.mark.parametrize(
    ("database", "name", "shown"),
    [
        (None, None, "memory"),
        ("/data/demo.duckdb", None, "demo"),
        ("/data/demo.duckdb", "shop", "shop"),
        ("/data/day=1/demo.duckdb", None, "demo"),
        ("ducklake:/data/lake.ducklake", None, "lake"),
        ("ducklake:postgres:dbname=lake host=h", None, "ducklake"),
    ],
)
def test_the_catalog_is_named_after_the_file(
    monkeypatch: pytest.MonkeyPatch, database: str | None, name: str | None, shown: str
) -> None:
    for variable, value in (("DATABASE", database), ("DATABASE_NAME", name)):
        if value is not None:
            monkeypatch.setenv(variable, value)
    assert GatewaySettings.load().catalog_name == shown


ENV_FILE = """
# a comment
MAX_CONNECTIONS=11
FEATURE_CURSOR_MODE="on"
REMOTE_CANARY_USERS=ann,bob
STATEMENT_TIMEOUT=5s
"""
YAML_FILE = """
MAX_CONNECTIONS: 11
feature_cursor_mode: on
REMOTE_CANARY_USERS: [ann, bob]
STATEMENT_TIMEOUT: 5s
"""


@pytest.mark.parametrize(("name", "text"), [("pgproxy.env", ENV_FILE), ("pgproxy.yaml", YAML_FILE)])
def test_a_config_file_counts_where_the_environment_is_silent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    monkeypatch.setenv("STATEMENT_TIMEOUT", "9s")
    settings = GatewaySettings.load(file)
    assert settings.max_connections == 11
    assert settings.feature_cursor_mode
    assert settings.remote_canary_users == {"ann", "bob"}
    assert settings.statement_timeout == 9.0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.env", "MAX_CONECTIONS=1", "MAX_CONECTIONS: no such setting"),
        ("a.yaml", "max_conections: 1", "MAX_CONECTIONS: no such setting"),
        ("a.yaml", "- 1", "--config: the file is not a mapping"),
        ("a.yaml", "a: [", "a.yaml:1: not valid YAML"),
        ("a.env", "MAX_CONNECTIONS=many", "MAX_CONNECTIONS: "),
    ],
)
def test_a_bad_config_file_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert said in problem(file)


def test_a_config_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert problem(tmp_path / "none.env").startswith("--config: cannot read")


def test_an_empty_yaml_file_is_all_defaults(tmp_path: Path) -> None:
    file = tmp_path / "empty.yml"
    file.touch()
    assert GatewaySettings.load(file) == GatewaySettings.load()


def test_an_address_is_written_as_it_is_read() -> None:
    for text in ("127.0.0.1:5433", "[::1]:0"):
        assert str(parse_listen_address(text)) == text

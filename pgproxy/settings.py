"""The gateway's settings: read once from the environment and `--config FILE`, checked, then frozen.

The environment wins over the file. Variable names are the field names in upper case, without a prefix; a
name that PostgreSQL has means what it means there ("Server Configuration"). Durations are Go-style
(`1m30s`), booleans true/false/1/0/on/off.
"""

import os
from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self, assert_never

import yaml
from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from execnode.durations import parse_duration_s
from execnode.memory import LEAST_MEMORY_GB, MOST_MEMORY_GB
from execnode.tls_files import check_certificates, check_key
from execnode.tracing import check_endpoint
from pgproxy.audit.options import AuditMode, AuditQueryText
from pgproxy.control.flags import Flags, parse_boolean, parse_names, parse_percent
from pgproxy.engines.node_tls import NodeTls
from pgproxy.identity.key_ring import key_source
from pgproxy.identity.tokens import ASYMMETRIC
from pgproxy.net.client_certificates import ClientCertificates


class SettingsError(ValueError):
    """A setting does not parse. The text names the setting and never repeats a value."""


class DatabaseMode(StrEnum):
    """How the database is attached."""

    READ_WRITE = "read_write"
    READ_ONLY = "read_only"


class TraceSampler(StrEnum):
    """OTEL_TRACES_SAMPLER (OpenTelemetry's specification). No client sends a parent, so both kinds agree."""

    ALWAYS_ON = "always_on"
    ALWAYS_OFF = "always_off"
    TRACEIDRATIO = "traceidratio"
    PARENTBASED_ALWAYS_ON = "parentbased_always_on"
    PARENTBASED_ALWAYS_OFF = "parentbased_always_off"
    PARENTBASED_TRACEIDRATIO = "parentbased_traceidratio"


class LogFormat(StrEnum):
    """json: one object a line, for machines. console: for a person at a terminal."""

    JSON = "json"
    CONSOLE = "console"


class ListenAddress(NamedTuple):
    """Where a server listens. port 0: any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen_address(value: object) -> object:
    """Parse `HOST:PORT`, `[IPV6]:PORT` or `:PORT` (every IPv4 interface).

    Raises:
        ValueError: it is none of these, or the port is above 65535.
    """
    if not isinstance(value, str):
        return value
    host, separator, port = value.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address is written in brackets, as in [::1]:5433")
    if not separator or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("expected HOST:PORT with a port from 0 to 65535")
    return ListenAddress(host or "0.0.0.0", int(port))  # noqa: S104  # asked for by leaving the host out


def _parse_flag(value: object) -> object:
    return parse_boolean(value) if isinstance(value, str) else value


def _parse_seconds(value: object) -> object:
    return parse_duration_s(value) if isinstance(value, str) else value


def _parse_name_list(value: object) -> object:
    return parse_names(value) if isinstance(value, str) else value


def _parse_share(value: object) -> object:
    return parse_percent(value) if isinstance(value, str) else value


def _existing_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("no such file")
    return path


def _signing_algorithms(names: frozenset[str]) -> frozenset[str]:
    if not names or not names <= ASYMMETRIC:
        raise ValueError(f"expected some of {', '.join(sorted(ASYMMETRIC))}")
    return names


Address = Annotated[ListenAddress, NoDecode, BeforeValidator(parse_listen_address)]
Flag = Annotated[bool, BeforeValidator(_parse_flag)]
Seconds = Annotated[float, BeforeValidator(_parse_seconds), Field(ge=0)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_parse_name_list)]
Percent = Annotated[float, BeforeValidator(_parse_share), Field(ge=0, le=100)]
ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
CertificateFile = Annotated[Path, AfterValidator(_existing_file), AfterValidator(check_certificates)]


class GatewaySettings(BaseSettings):
    """Every setting of `pgproxy serve`. Timeouts are in seconds, 0 meaning none.

    database: a DuckDB file or a DuckLake URL; None: an empty in-memory database named `memory`.
    bootstrap_admin: created, or given this password, at every start.
    client_cert_auth: off, or whether a client certificate may (optional) or must (required) take the
        password's place.
    jwt_jwks: a file or an https URL with the public keys of tokens; None: no tokens are taken.
    jwt_principal_claim, jwt_groups_claim: which claims name the role, and the groups that the token adds.
    login_lock_after: wrong passwords of one user from one address that lock nothing; 0: nothing locks.
    login_lock_first, login_lock_longest: the first lock, doubled by each further one up to the longest.
    max_connections_per_principal: 0: no limit; administrators have none.
    max_message_bytes: the largest message of a client, as PostgreSQL's 1 GB.
    max_connection_memory_bytes: what one connection's prepared statements and bound parameters may hold.
    secret_key_file: the key that encrypts tokens in the metastore; None: `<metastore file>.key`, made at the
        first start with mode 0600. A PostgreSQL metastore needs one, the same for every gateway.
    metastore_grace: how long the last known policy holds while the metastore cannot be read; after it every
        session ends and nobody may do anything until it is back.
    gateway_name: what the audit log calls this gateway; empty: the machine's name.
    audit_mode: best_effort, or fail_closed: no statement runs while its audit row could not be written.
    audit_query_text: what the audit log keeps of statements' texts: none, redacted (no literals) or full.
    audit_retention: audit rows that are older are deleted; 0: none are.
    feature_internal_grpc: off, no exec node is called at all.
    remote_canary_users, remote_canary_groups, remote_canary_percent: who may go remote; none: everybody.
    node_tls_ca_file: who signed the certificates of `grpcs://` endpoints; None: the system's authorities.
    node_tls_cert_file, node_tls_key_file: the gateway's own, for nodes that ask for one.
    node_lost_after: a node that answers nothing, not even a ping, for so long is given up; a slow query may
        take as long as it likes.
    audit_log_rows: how many of the newest rows the relation pgproxy.audit_log shows.
    spool_dir: where results of async queries wait; None: beside the metastore's file. Gateways that share a
        PostgreSQL metastore need one, the same for all.
    async_max_running: async queries at once on this gateway. async_max_running_per_principal: of one role,
        over all gateways. async_max_queued_per_principal: how many of one role may wait.
    async_lease: a gateway that is not heard of for so long is lost, and its async queries with it.
    async_max_result_ttl: the longest that a submission may ask for; query_result_ttl is what it gets if it
        asks for none.
    http_tls: whether HTTP is served over TLS, with TLS_CERT_FILE; without it credentials are taken from this
        machine only.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=False, hide_input_in_errors=True
    )

    pg_wire_listen_addr: Address = ListenAddress("127.0.0.1", 5433)
    http_listen_addr: Address = ListenAddress("127.0.0.1", 8080)

    metastore_url: str = Field(default="sqlite:///pgproxy.sqlite", repr=False)
    secret_key_file: ExistingFile | None = None
    metastore_grace: Seconds = 900.0
    bootstrap_admin: str | None = None
    bootstrap_admin_password: SecretStr | None = Field(default=None, validate_default=True)

    database: str | None = Field(default=None, repr=False)
    database_mode: DatabaseMode = DatabaseMode.READ_WRITE
    database_name: str | None = Field(default=None, min_length=1, max_length=63)

    tls_cert_file: CertificateFile | None = None
    tls_key_file: ExistingFile | None = Field(default=None, validate_default=True)
    tls_client_ca_file: CertificateFile | None = Field(default=None, validate_default=True)
    require_tls: Flag = Field(default=False, validate_default=True)
    client_cert_auth: ClientCertificates = Field(default=ClientCertificates.OFF, validate_default=True)

    feature_remote_routing: Flag = False
    feature_async_queue: Flag = False
    feature_cursor_mode: Flag = False
    feature_internal_grpc: Flag = True
    remote_canary_users: Names = frozenset()
    remote_canary_groups: Names = frozenset()
    remote_canary_percent: Percent | None = None

    node_tls_ca_file: CertificateFile | None = None
    node_tls_cert_file: CertificateFile | None = None
    node_tls_key_file: ExistingFile | None = Field(default=None, validate_default=True)
    node_lost_after: Annotated[float, BeforeValidator(_parse_seconds), Field(ge=1)] = 20.0

    max_connections: int = Field(default=500, ge=1)
    superuser_reserved_connections: int = Field(default=3, ge=0)
    max_connections_per_principal: int = Field(default=0, ge=0)
    max_message_bytes: int = Field(default=256 * 1024 * 1024, ge=10_000, le=0x3FFFFFFF)
    max_connection_memory_bytes: int = Field(default=64 * 1024 * 1024, ge=1024 * 1024)
    authentication_timeout: Seconds = 60.0
    idle_session_timeout: Seconds = 0.0
    idle_in_transaction_session_timeout: Seconds = 0.0
    statement_timeout: Seconds = 0.0
    tcp_keepalives_idle: Seconds = 60.0
    scram_iterations: int = Field(default=4096, ge=4096, le=10_000_000)
    jwt_jwks: str | None = Field(default=None, repr=False)
    jwt_issuer: str | None = Field(default=None, validate_default=True)
    jwt_audience: str | None = Field(default=None, validate_default=True)
    jwt_algorithms: Annotated[Names, AfterValidator(_signing_algorithms)] = frozenset({"RS256", "ES256"})
    jwt_principal_claim: str = Field(default="sub", min_length=1)
    jwt_groups_claim: str | None = None
    jwt_leeway: Seconds = 30.0
    jwt_jwks_refresh: Seconds = 300.0
    login_lock_after: int = Field(default=5, ge=0)
    login_lock_first: Seconds = 1.0
    login_lock_longest: Seconds = 900.0
    shutdown_grace_period: Seconds = 30.0

    max_memory_gb: float | None = Field(default=None, ge=LEAST_MEMORY_GB, le=MOST_MEMORY_GB)
    threads: int | None = Field(default=None, ge=1)
    spool_dir: Path | None = Field(default=None, validate_default=True)
    async_max_running: int = Field(default=4, ge=1)
    async_max_running_per_principal: int = Field(default=2, ge=1)
    async_max_queued_per_principal: int = Field(default=100, ge=1)
    async_lease: Annotated[float, BeforeValidator(_parse_seconds), Field(ge=1)] = 10.0
    async_max_result_bytes: int = Field(default=16 << 30, ge=1)
    async_max_result_ttl: Annotated[Seconds, Field(gt=0)] = 604_800.0
    http_tls: Flag = Field(default=False, validate_default=True)
    query_result_ttl: Annotated[Seconds, Field(gt=0)] = 600.0
    query_cleanup_interval: Annotated[Seconds, Field(gt=0)] = 60.0
    health_check_interval: Annotated[Seconds, Field(ge=0.05)] = 2.0

    gateway_name: str = Field(default="", max_length=255)
    audit_mode: AuditMode = AuditMode.BEST_EFFORT
    audit_query_text: AuditQueryText = AuditQueryText.NONE
    audit_retention: Seconds = 90 * 86_400.0
    audit_log_rows: int = Field(default=500_000, ge=1000)

    queries_shown: int = Field(default=1000, ge=0, le=100_000)
    otel_exporter_otlp_endpoint: Annotated[str | None, AfterValidator(check_endpoint)] = None
    otel_traces_sampler: TraceSampler | None = None
    otel_traces_sampler_arg: Annotated[float, Field(ge=0, le=1)] = 1.0
    trace_sample_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01

    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    log_format: LogFormat = LogFormat.JSON

    @property
    def catalog_name(self) -> str:
        """The name under which clients see the database: DATABASE_NAME, else the file's stem."""
        if self.database_name is not None:
            return self.database_name
        if self.database is None:
            return "memory"
        kind, _, location = self.database.rpartition(":")
        return "ducklake" if kind and "=" in location else Path(location).stem or "database"

    @property
    def traced_share(self) -> float:
        """Of statements: by OpenTelemetry's own settings where there is a sampler, else by this program's."""
        match self.otel_traces_sampler:
            case None:
                return self.trace_sample_ratio
            case TraceSampler.ALWAYS_OFF | TraceSampler.PARENTBASED_ALWAYS_OFF:
                return 0.0
            case TraceSampler.ALWAYS_ON | TraceSampler.PARENTBASED_ALWAYS_ON:
                return 1.0
            case TraceSampler.TRACEIDRATIO | TraceSampler.PARENTBASED_TRACEIDRATIO:
                return self.otel_traces_sampler_arg
            case _:
                assert_never(self.otel_traces_sampler)

    @property
    def flags(self) -> Flags:
        """The settings that may change while the gateway runs."""
        return Flags(**{field.name: getattr(self, field.name) for field in fields(Flags)})

    @property
    def node_tls(self) -> NodeTls:
        """What `grpcs://` endpoints are checked against, and shown."""
        return NodeTls(self.node_tls_ca_file, self.node_tls_cert_file, self.node_tls_key_file)

    @field_validator("bootstrap_admin_password")
    @classmethod
    def _password_has_an_admin(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        admin = info.data.get("bootstrap_admin")
        if admin is not None and password is None:
            raise ValueError("needed with BOOTSTRAP_ADMIN")
        if admin is None and password is not None:
            raise ValueError("of no use without BOOTSTRAP_ADMIN")
        return password

    @field_validator("tls_key_file")
    @classmethod
    def _key_has_a_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if "tls_cert_file" in info.data and (info.data["tls_cert_file"] is None) != (key is None):
            raise ValueError("TLS_CERT_FILE and TLS_KEY_FILE are given together")
        if key is not None and "tls_cert_file" in info.data:
            check_key(info.data["tls_cert_file"], key)
        return key

    @field_validator("node_tls_key_file")
    @classmethod
    def _node_key_has_a_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        has_no_certificate = info.data.get("node_tls_cert_file") is None
        if "node_tls_cert_file" in info.data and has_no_certificate != (key is None):
            raise ValueError("NODE_TLS_CERT_FILE and NODE_TLS_KEY_FILE are given together")
        if key is not None and "node_tls_cert_file" in info.data:
            check_key(info.data["node_tls_cert_file"], key)
        return key

    @field_validator("tls_client_ca_file", "require_tls", "http_tls")
    @classmethod
    def _needs_a_certificate(cls, value: Path | bool | None, info: ValidationInfo) -> Path | bool | None:
        if value and "tls_cert_file" in info.data and info.data["tls_cert_file"] is None:
            raise ValueError("needs TLS_CERT_FILE")
        return value

    @field_validator("jwt_jwks")
    @classmethod
    def _is_a_key_source(cls, location: str | None) -> str | None:
        if location is not None:
            key_source(location)
        return location

    @field_validator("jwt_issuer", "jwt_audience")
    @classmethod
    def _belongs_to_a_key_source(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("jwt_jwks") is not None and not value:
            raise ValueError("needed with JWT_JWKS")
        return value

    @field_validator("client_cert_auth")
    @classmethod
    def _needs_an_authority(cls, value: ClientCertificates, info: ValidationInfo) -> ClientCertificates:
        is_without = "tls_client_ca_file" in info.data and info.data["tls_client_ca_file"] is None
        if value is not ClientCertificates.OFF and is_without:
            raise ValueError("needs TLS_CLIENT_CA_FILE")
        return value

    @field_validator("spool_dir")
    @classmethod
    def _shared_queue_has_a_folder(cls, folder: Path | None, info: ValidationInfo) -> Path | None:
        is_shared = not str(info.data.get("metastore_url", "sqlite:")).startswith("sqlite:")
        if folder is None and is_shared and info.data.get("feature_async_queue"):
            raise ValueError("needed with FEATURE_ASYNC_QUEUE and a PostgreSQL metastore")
        return folder

    @property
    def results_folder(self) -> Path:
        """Where results of async queries are stored."""
        if self.spool_dir is not None:
            return self.spool_dir / "results"
        return Path(self.metastore_url.partition(":///")[2] + ".results")

    @classmethod
    def load(cls, config_file: Path | None = None) -> Self:
        """Read the environment, and `config_file` for what the environment leaves out.

        Raises:
            SettingsError: naming every setting that does not parse.
        """
        from_file = {} if config_file is None else _read_config_file(config_file, frozenset(cls.model_fields))
        given = {name.lower() for name, value in os.environ.items() if value}
        values: Mapping[str, Any] = {name: value for name, value in from_file.items() if name not in given}
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    """One line a setting: its name and what is wrong. Never a value: it may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
        lines.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _read_config_file(path: Path, known: frozenset[str]) -> dict[str, str]:
    """Read `NAME=value` lines, or a YAML mapping where the name ends in .yaml or .yml.

    Raises:
        SettingsError: the file cannot be read, or names a setting that does not exist.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = _yaml_values(text) if path.suffix in {".yaml", ".yml"} else _env_values(text)
    except UnicodeDecodeError as error:
        raise SettingsError(f"--config: cannot read {path}: it is not UTF-8") from error
    except OSError as error:
        raise SettingsError(f"--config: cannot read {path}: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise SettingsError(f"--config: {path}:{line}: not valid YAML") from None
    for name in values:
        if name not in known:
            raise SettingsError(f"{name.upper()}: no such setting (in {path})")
    return {name: value for name, value in values.items() if value}


def _env_values(text: str) -> dict[str, str]:
    pairs = dotenv_values(stream=StringIO(text), interpolate=False)
    return {name.lower(): value or "" for name, value in pairs.items()}


def _yaml_values(text: str) -> dict[str, str]:
    document = yaml.safe_load(text)
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SettingsError("--config: the file is not a mapping of settings")
    return {str(name).lower(): _as_text(value) for name, value in document.items()}


def _as_text(value: object) -> str:
    """The text that the environment would hold, so that both ways are checked by one parser."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_as_text(item) for item in value)
    return str(value)

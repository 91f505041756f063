"""The exec node's settings, read once from the environment.

There is no setting for storage: the gateway says what to attach. A value that does not parse stops the start
with the setting's name, never with the value.
"""

from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from execnode.durations import parse_duration_s
from execnode.memory import LEAST_MEMORY_GB, MOST_MEMORY_GB
from execnode.tls_files import check_certificates, check_key
from execnode.tracing import check_endpoint

DurationS = Annotated[
    float, BeforeValidator(lambda value: parse_duration_s(value) if isinstance(value, str) else value)
]


def _is_readable(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("no such file")
    return path


ReadableFile = Annotated[Path, AfterValidator(_is_readable)]
CertificateFile = Annotated[Path, AfterValidator(_is_readable), AfterValidator(check_certificates)]


class NodeSettings(BaseSettings):
    """Names are the environment's, fixed for scripts. Durations in seconds once parsed.

    agent_token: one token, or two with a comma between while it is rotated. query_timeout: 0 for none; counts
    from the start to the last row read. max_result_rows, max_result_bytes: of one statement; 0 for no limit.
    spool_dir: None makes a private temporary folder that goes with the process. spool_max_bytes: what the
    results of all statements together may hold on disk. tls_client_ca_file: gateways must show a certificate
    that it signed.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    agent_token: SecretStr
    listen_addr: str = "127.0.0.1:9443"
    grpc_listen_addr: str = "127.0.0.1:9444"
    max_memory_gb: float | None = Field(default=None, ge=LEAST_MEMORY_GB, le=MOST_MEMORY_GB)
    query_result_ttl: DurationS = Field(default=600.0, gt=0)
    query_cleanup_interval: DurationS = Field(default=60.0, gt=0)
    query_timeout: DurationS = 0.0
    max_concurrent_queries: int = Field(default=64, ge=1)
    max_queued_queries: int = Field(default=256, ge=0)
    max_result_rows: int = Field(default=0, ge=0)
    max_result_bytes: int = Field(default=0, ge=0)
    shutdown_grace: DurationS = 30.0
    otel_exporter_otlp_endpoint: Annotated[str | None, AfterValidator(check_endpoint)] = None
    spool_dir: Path | None = None
    spool_max_bytes: int = Field(default=16 << 30, ge=1 << 20)
    feature_cursor_mode: bool = True
    feature_internal_grpc: bool = True
    tls_cert_file: CertificateFile | None = None
    tls_key_file: ReadableFile | None = Field(default=None, validate_default=True)
    tls_client_ca_file: CertificateFile | None = Field(default=None, validate_default=True)

    @field_validator("agent_token")
    @classmethod
    def _has_token(cls, value: SecretStr) -> SecretStr:
        tokens = value.get_secret_value().split(",")
        if not all(token.strip() for token in tokens) or len(tokens) > 2:
            raise ValueError("must be one token, or two with a comma between")
        if not (value.get_secret_value().isascii() and value.get_secret_value().isprintable()):
            raise ValueError("must be printable ASCII: a gateway sends it in a header")
        return value

    @field_validator("listen_addr", "grpc_listen_addr")
    @classmethod
    def _is_address(cls, value: str) -> str:
        split_address(value)
        return value

    @field_validator("spool_dir")
    @classmethod
    def _is_folder(cls, value: Path | None) -> Path | None:
        if value is not None and value.exists() and not value.is_dir():
            raise ValueError("is not a directory")
        return value

    @field_validator("tls_key_file")
    @classmethod
    def _key_has_a_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if "tls_cert_file" in info.data and (info.data["tls_cert_file"] is None) != (key is None):
            raise ValueError("TLS_CERT_FILE and TLS_KEY_FILE are given together")
        if key is not None and "tls_cert_file" in info.data:
            check_key(info.data["tls_cert_file"], key)
        return key

    @field_validator("tls_client_ca_file")
    @classmethod
    def _needs_a_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("tls_cert_file", value) is None:
            raise ValueError("needs TLS_CERT_FILE")
        return value

    @property
    def tokens(self) -> tuple[bytes, ...]:
        """The accepted tokens."""
        return tuple(t.strip().encode() for t in self.agent_token.get_secret_value().split(","))

    @property
    def memory_limit_bytes(self) -> int | None:
        """DuckDB's cap; None for its own default."""
        return None if self.max_memory_gb is None else int(self.max_memory_gb * (1 << 30))


class SettingsError(Exception):
    """The settings do not allow a start; the message names each setting and holds no value."""


def split_address(text: str) -> tuple[str, int]:
    """Split `host:port`; an IPv6 host stands in brackets.

    Raises:
        ValueError: it is no such address.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError("is not HOST:PORT")
    return host.strip("[]"), int(port)


def load_settings() -> NodeSettings:
    """Read the environment.

    Raises:
        SettingsError: a setting is missing or does not parse.
    """
    try:
        return NodeSettings()  # type: ignore[call-arg]  # the fields come from the environment
    except ValidationError as error:
        faults = (f"{str(e['loc'][0]).upper()}: {_reason(e['type'], e['msg'])}" for e in error.errors())
        raise SettingsError("; ".join(faults)) from None


def _reason(kind: str, message: str) -> str:
    if kind == "missing":
        return "is required; without it the node does not start"
    return message.removeprefix("Value error, ")

"""The settings: exact names, nothing guessed, no value in a message."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from execnode.settings import NodeSettings, SettingsError, load_settings, split_address
from tests.certificates import Authority


@pytest.fixture(autouse=True)
def _only_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NodeSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AGENT_TOKEN", "s3cret")


def test_the_defaults_are_the_documented_ones() -> None:
    settings = load_settings()
    assert (settings.listen_addr, settings.grpc_listen_addr) == ("127.0.0.1:9443", "127.0.0.1:9444")
    assert (settings.query_result_ttl, settings.query_cleanup_interval) == (600, 60)
    assert settings.memory_limit_bytes is None


def test_without_a_token_there_is_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENT_TOKEN")
    with pytest.raises(SettingsError, match="AGENT_TOKEN: is required"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUERY_RESULT_TTL", "soonish"),
        ("QUERY_CLEANUP_INTERVAL", "0"),
        ("MAX_MEMORY_GB", "-1"),
        ("MAX_MEMORY_GB", "0.0001"),
        ("MAX_MEMORY_GB", "1e300"),
        ("MAX_MEMORY_GB", "inf"),
        ("MAX_MEMORY_GB", "nan"),
        ("FEATURE_CURSOR_MODE", "perhaps"),
        ("GRPC_LISTEN_ADDR", "9444x"),
        ("MAX_CONCURRENT_QUERIES", "0"),
        ("AGENT_TOKEN", "one,two,three"),
        ("AGENT_TOKEN", "one,"),
        ("AGENT_TOKEN", "t\u00f6ken"),
        ("LISTEN_ADDR", "nine"),
        ("MAX_QUEUED_QUERIES", "-1"),
        ("QUERY_TIMEOUT", "fast"),
        ("MAX_RESULT_ROWS", "-5"),
        ("MAX_RESULT_BYTES", "2MB!"),
        ("SPOOL_DIR", "/dev/null"),
        ("SPOOL_MAX_BYTES", "1000"),
        ("SHUTDOWN_GRACE", "later"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector"),
        ("FEATURE_INTERNAL_GRPC", "maybe"),
        ("TLS_CERT_FILE", "/nowhere/cert.pem"),
        ("TLS_KEY_FILE", "/nowhere/key.pem"),
        ("TLS_CLIENT_CA_FILE", "/nowhere/ca.pem"),
    ],
)
def test_a_bad_value_is_named_by_its_setting_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings()
    if len(value) > 2:
        assert value not in str(caught.value)


@pytest.mark.parametrize(("text", "expected"), [("on", True), ("off", False), ("1", True), ("0", False)])
def test_booleans_have_every_documented_spelling(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: bool
) -> None:
    monkeypatch.setenv("FEATURE_CURSOR_MODE", text)
    assert load_settings().feature_cursor_mode is expected


def test_two_tokens_are_accepted_while_one_replaces_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_TOKEN", "old, new")
    assert load_settings().tokens == (b"old", b"new")


def test_the_token_does_not_show_in_the_settings() -> None:
    assert "s3cret" not in repr(load_settings())


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert split_address("[::1]:9444") == ("::1", 9444)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["TLS_CERT_FILE"], "TLS_KEY_FILE"),
        (["TLS_KEY_FILE"], "TLS_KEY_FILE"),
        (["TLS_CLIENT_CA_FILE"], "TLS_CLIENT_CA_FILE"),
    ],
)
def test_tls_files_are_given_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: list[str], named: str
) -> None:
    file = Authority(tmp_path).file
    for name in given:
        monkeypatch.setenv(name, str(file))
    with pytest.raises(SettingsError, match=f"^{named}: "):
        load_settings()


def test_tls_files_that_are_no_certificate_or_another_ones_key_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, garbage, locked = Authority(tmp_path), tmp_path / "garbage", tmp_path / "locked"
    own, other = authority.issue("node", "own"), authority.issue("node", "other")
    garbage.write_text("no certificate")
    key = serialization.load_pem_private_key(own.key.read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"password")
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked.write_bytes(key.private_bytes(*form, encryption))
    well = {
        "TLS_CERT_FILE": own.certificate,
        "TLS_KEY_FILE": own.key,
        "TLS_CLIENT_CA_FILE": authority.file,
    }
    ill = [(name, garbage) for name in well] + [("TLS_KEY_FILE", other.key), ("TLS_KEY_FILE", locked)]
    for name, file in (*well.items(), *ill):
        for setting, given in {**well, name: file}.items():
            monkeypatch.setenv(setting, str(given))
        if (name, file) not in ill:
            assert load_settings().tls_cert_file == own.certificate
            continue
        with pytest.raises(
            SettingsError, match=f"^{name}: (holds no certificate|is not the certificate's key)"
        ):
            load_settings()

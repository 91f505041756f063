"""Passwords become verifiers, tokens are sealed, and the key file is private."""

import base64
from pathlib import Path

import pytest

from pgproxy.control.metastore import MetastoreError
from pgproxy.control.passwords import check_verifier, make_verifier, matches_verifier
from pgproxy.control.secret_box import SecretBox, load_secret_box
from pgwire.errors import GatewayError
from tests.unit.control.states import VERIFIER


async def test_a_verifier_is_postgresqls_and_fits_its_password_only() -> None:
    made = await make_verifier("pässword")
    assert check_verifier(made) == made
    assert made.startswith("SCRAM-SHA-256$4096:")
    assert await matches_verifier("pässword", made)
    assert not await matches_verifier("password", made)
    assert await make_verifier("pässword") != made


async def test_the_verifier_of_rfc_7677_fits_pencil() -> None:
    assert await matches_verifier("pencil", VERIFIER)


async def test_an_empty_password_and_a_text_that_is_no_verifier_never_match() -> None:
    with pytest.raises(GatewayError) as caught:
        await make_verifier("")
    assert caught.value.sqlstate.value == "22023"
    assert not await matches_verifier("pencil", "md5abc")


@pytest.mark.parametrize(
    "text", ["", "md5" + "0" * 32, VERIFIER[:-4], VERIFIER.replace("4096", "99999999"), VERIFIER + "\n"]
)
def test_what_is_no_verifier_is_refused(text: str) -> None:
    with pytest.raises(GatewayError):
        check_verifier(text)


def test_a_sealed_secret_opens_with_its_key_and_context_only() -> None:
    box = SecretBox(b"k" * 32)
    sealed = box.seal("token", "node")
    assert b"token" not in sealed
    assert box.open(sealed, "node") == "token"
    assert box.seal("token", "node") != sealed
    damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong_box, value, context in (
        (SecretBox(b"x" * 32), sealed, "node"),
        (box, sealed, "other"),
        (box, damaged, "node"),
        (box, b"\x02" + sealed[1:], "other"),
        (box, b"", "node"),
    ):
        with pytest.raises(MetastoreError):
            wrong_box.open(value, context)


def test_derived_secrets_differ_by_purpose_and_key() -> None:
    derived = {SecretBox(key).derive(purpose) for key in (b"k" * 32, b"x" * 32) for purpose in "ab"}
    assert len(derived) == 4
    assert SecretBox(b"k" * 32).derive("a") in derived


def test_a_key_is_made_once_and_privately(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = load_secret_box(path, create=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_secret_box(path, create=True).open(first.seal("t", "c"), "c") == "t"
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_a_key_file_that_is_missing_open_or_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(MetastoreError, match="cannot read"):
        load_secret_box(path, create=False)
    path.write_bytes(base64.b64encode(b"k" * 32))
    path.chmod(0o640)
    with pytest.raises(MetastoreError, match="chmod 600"):
        load_secret_box(path, create=False)
    path.chmod(0o600)
    load_secret_box(path, create=False)
    for content in (b"", b"not base64!", base64.b64encode(b"short")):
        path.write_bytes(content)
        with pytest.raises(MetastoreError, match="32 bytes"):
            load_secret_box(path, create=False)

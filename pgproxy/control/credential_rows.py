"""API keys and hba rules as rows of their tables, and back. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pgproxy.control.api_keys import ApiKey, Interface
from pgproxy.control.hba import HbaRule, parse_rule
from pgproxy.control.table import Row, RowSet, Table, as_number, as_text
from pgproxy.policy.model import CredentialScope

_API_KEY_COLUMNS = (
    *("principal", "label", "digest", "verifier", "created_at", "valid_until"),
    *("is_read_only", "is_for_all_catalogs", "catalogs", "interfaces"),
)
"""The lists are names with newlines between."""

CREDENTIAL_TABLES = (
    Table("api_keys", ("key_id",), _API_KEY_COLUMNS),
    Table("hba_rules", ("position",), ("rule",)),
)
"""Changes here say how one logs in, not who may see what."""


def credentials_to_rows(
    rows: Mapping[str, dict[Row, Row]], api_keys: Mapping[str, ApiKey], hba_rules: Sequence[HbaRule]
) -> None:
    """Add every key and rule to `rows`."""
    rows["api_keys"].update({(key_id,): _api_key_row(key) for key_id, key in api_keys.items()})
    rows["hba_rules"].update({(place,): (str(rule),) for place, rule in enumerate(hba_rules, 1)})


def _api_key_row(key: ApiKey) -> Row:
    catalogs = key.scope.catalogs
    return (
        key.principal,
        key.label,
        key.digest,
        key.verifier,
        key.created_at.astimezone(UTC).isoformat(),
        None if key.valid_until is None else key.valid_until.astimezone(UTC).isoformat(),
        int(key.scope.is_read_only),
        int(catalogs is None),
        "\n".join(sorted(catalogs or ())),
        "\n".join(sorted(key.interfaces)),
    )


def api_keys_of(rows: RowSet) -> dict[str, ApiKey]:
    """Rebuild the keys. Raises: ValueError, TypeError, a row makes no sense."""
    return {as_text(key_id): _api_key(as_text(key_id), row) for (key_id,), row in rows["api_keys"].items()}


def _api_key(key_id: str, row: Row) -> ApiKey:
    principal, label, digest, verifier, created, until, read_only, is_for_all, catalogs, interfaces = row
    found = frozenset(as_text(catalogs).split("\n")) if catalogs else frozenset[str]()
    if bool(is_for_all) is bool(found):
        raise ValueError("catalogs and is_for_all_catalogs disagree")
    return ApiKey(
        key_id,
        as_text(principal),
        as_text(label),
        as_text(digest),
        as_text(verifier),
        datetime.fromisoformat(as_text(created)),
        None if until is None else datetime.fromisoformat(as_text(until)),
        CredentialScope(bool(read_only), None if is_for_all else found),
        frozenset(map(Interface, as_text(interfaces).split("\n"))),
    )


def hba_rules_of(rows: RowSet) -> tuple[HbaRule, ...]:
    """Rebuild the rules, in order. Raises: ValueError, TypeError, a text is no rule."""
    ordered = sorted((as_number(place), as_text(text)) for (place,), (text,) in rows["hba_rules"].items())
    return tuple(parse_rule(text) for _, text in ordered)

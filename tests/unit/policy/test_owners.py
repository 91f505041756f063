"""What owning a table gives, and when it gives nothing; what of a table is bound to its name."""

import pytest

from pgproxy.catalog.ownership import is_mark, owned_comment, split_comment
from pgproxy.policy.effective import PolicyIndex
from pgproxy.policy.model import (
    ColumnMask,
    CredentialScope,
    Grant,
    PolicySet,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    TableName,
)

NOTES = TableName("demo", "work", "notes")
WRITING = {Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE, Privilege.TRUNCATE}


def index(*grants: Grant, **principal: bool) -> PolicyIndex:
    ann = Principal("ann", PrincipalKind.USER, **principal)
    rules = RowFilter("own", NOTES, "true", frozenset({"ann"})), ColumnMask("no", NOTES, "note", "NULL")
    return PolicyIndex.build(PolicySet(1, {"ann": ann}, grants, rules[:1], rules[1:]))


def test_an_owner_holds_every_privilege_and_stays_filtered_and_masked() -> None:
    policy = index().effective("ann")
    owned = policy.table(NOTES, "ann")
    assert owned.privileges == {Privilege.SELECT, *WRITING}
    assert owned.is_filtered
    assert owned.masks
    assert not policy.table(NOTES).is_visible
    assert not policy.table(NOTES, "bob").is_visible
    assert not policy.table(NOTES, "").is_visible


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        (CredentialScope(is_read_only=True), {Privilege.SELECT}),
        (CredentialScope(catalogs=frozenset({"other"})), set()),
        (CredentialScope(catalogs=frozenset({"demo"})), {Privilege.SELECT, *WRITING}),
    ],
)
def test_an_owner_has_what_its_credential_carries(scope: CredentialScope, held: set[Privilege]) -> None:
    assert index().effective("ann", scope).table(NOTES, "ann").privileges == held


def test_who_is_locked_or_unknown_owns_nothing() -> None:
    assert not index(can_login=False).effective("ann").table(NOTES, "ann").is_visible
    assert not index().effective("nobody").table(NOTES, "nobody").is_visible


def test_a_name_is_reached_by_grants_on_it_or_around_it() -> None:
    def reached(*grants: Grant) -> bool:
        return index(*grants).effective("ann").is_reached(NOTES)

    assert not reached(Grant("ann", Privilege.SELECT, "demo", "other"))
    assert not reached(Grant("ann", Privilege.CREATE, "demo", "work"))
    assert not reached(Grant("ann", Privilege.EXECUTE, "demo", "work", "notes"))
    assert reached(Grant("ann", Privilege.SELECT, "demo", "work", "notes"))
    assert reached(Grant("ann", Privilege.SELECT, "demo", "work"))
    assert reached(Grant("ann", Privilege.SELECT, "demo"))


@pytest.mark.parametrize("owner", ["ann", "o'x\"y", "back\\slash", "zwei\nZeilen", "größe", "pgproxy_owner:"])
@pytest.mark.parametrize("comment", [None, "what it is", "of\nlines", '"'])
def test_the_mark_gives_owner_and_comment_back(owner: str, comment: str | None) -> None:
    kept = owned_comment(owner, comment)
    assert kept is not None
    assert is_mark(kept)
    assert split_comment(kept) == (owner, comment, {})
    assert split_comment(comment) == (None, comment, {})
    names = {"u0": 'odd"\nname', "f1": "fk"}
    named = owned_comment(owner, comment, names)
    assert split_comment(named) == (owner, comment, names)
    assert split_comment(owned_comment(None, comment, names)) == (None, comment, names)


@pytest.mark.parametrize(
    "kept",
    [
        "pgproxy_owner:",
        "pgproxy_owner:ann",
        "pgproxy_owner:[1]",
        'pgproxy_owner:""\nx',
        'pgproxy_owner:[null, {"u0": "a"}]',
        "pgproxy_owner:[1, 2]",
    ],
)
def test_a_mark_that_cannot_be_read_names_nobody(kept: str) -> None:
    assert split_comment(kept)[0] is None

"""OIDs are the same everywhere and never collide."""

import pytest

from pgproxy.catalog import oids
from pgproxy.catalog.oids import FIRST_USER_OID, ObjectKey, ObjectKind, assign_oids


def test_an_oid_depends_on_the_name_alone() -> None:
    orders = ObjectKey(ObjectKind.RELATION, ("shop", "sales", "orders"))
    others = [ObjectKey(ObjectKind.RELATION, ("shop", "sales", f"t{n}")) for n in range(500)]
    assert assign_oids([orders])[orders] == assign_oids([*others, orders])[orders] == 1_772_616_373


def test_oids_stay_in_the_users_range_and_differ() -> None:
    keys = [ObjectKey(kind, ("shop", f"t{n}")) for n in range(2000) for kind in ObjectKind]
    assigned = assign_oids(keys)
    assert len(set(assigned.values())) == len(keys)
    assert all(FIRST_USER_OID <= oid < 2**31 for oid in assigned.values())


def test_keys_that_hash_alike_are_told_apart_in_the_order_of_their_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oids, "_hash", lambda key, attempt: 20_000 + attempt)
    first, second = (ObjectKey(ObjectKind.SCHEMA, ("shop", name)) for name in "ab")
    assert assign_oids([second, first]) == {first: 20_000, second: 20_001}


def test_a_schema_and_a_relation_of_one_name_have_two_oids() -> None:
    keys = [ObjectKey(kind, ("shop", "sales")) for kind in (ObjectKind.SCHEMA, ObjectKind.RELATION)]
    assert len(set(assign_oids(keys).values())) == 2

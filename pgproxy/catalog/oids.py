"""Stable object identifiers: the same object has the same OID after a restart and on every gateway.

An OID is a hash of the object's kind and qualified name, in the range that PostgreSQL leaves to users.
PostgreSQL docs, "System Catalog Declarations and Initial Contents", OID assignment.
"""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

FIRST_USER_OID = 16384
"""FirstNormalObjectId: everything below is PostgreSQL's own."""

_OID_LIMIT = 2**31
"""OIDs stay positive as int4: some drivers read them so."""

OWNER_OID = 10
PG_CATALOG_OID = 11
PG_TOAST_OID = 99
PUBLIC_ROLE_OID = 0


class ObjectKind(StrEnum):
    """What an OID names. The value is part of the hash: never change one."""

    DATABASE = "database"
    SCHEMA = "schema"
    RELATION = "relation"
    ROW_TYPE = "row_type"
    ROW_ARRAY_TYPE = "row_array_type"
    INDEX = "index"
    CONSTRAINT = "constraint"
    DEFAULT = "default"
    RULE = "rule"
    SEQUENCE = "sequence"
    ENUM = "enum"
    ENUM_ARRAY = "enum_array"
    ENUM_LABEL = "enum_label"
    ROLE = "role"
    POLICY = "policy"
    FUNCTION = "function"


class ObjectKey(NamedTuple):
    """An object by kind and qualified name: catalog, schema, name, part."""

    kind: ObjectKind
    path: tuple[str, ...]


def assign_oids(keys: Iterable[ObjectKey]) -> dict[ObjectKey, int]:
    """Give each key its OID.

    Keys that hash alike are told apart in the order of their names, so all agree.
    """
    taken: set[int] = set()
    assigned: dict[ObjectKey, int] = {}
    for key in sorted(set(keys)):
        attempt = 0
        oid = _hash(key, attempt)
        while oid in taken:
            attempt += 1
            oid = _hash(key, attempt)
        taken.add(oid)
        assigned[key] = oid
    return assigned


@lru_cache(maxsize=65_536)
def owner_oid(owner: str | None) -> int:
    """The OID of the role that owns something; None: what an administrator made belongs to the gateway."""
    if owner is None:
        return OWNER_OID
    return _hash(ObjectKey(ObjectKind.ROLE, (owner,)), 0)


def _hash(key: ObjectKey, attempt: int) -> int:
    text = "\0".join((key.kind.value, *key.path, *([str(attempt)] if attempt else [])))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return FIRST_USER_OID + int.from_bytes(digest, "big") % (_OID_LIMIT - FIRST_USER_OID)

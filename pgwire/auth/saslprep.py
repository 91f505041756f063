"""SASLprep of passwords as PostgreSQL and libpq do it, so that both sides derive the same key.

What cannot be prepared is used as it is: PostgreSQL, `pg_be_scram_build_secret`. RFC 4013 and RFC 3454.
"""

import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def prepare_password(password: str) -> str:
    """Give the normal form of a password, or the password itself where it has none.

    ASCII passes unchanged, control characters too. ZERO WIDTH SPACE is in two tables of RFC 3454; as in
    PostgreSQL it becomes a space.
    """
    if password.isascii():
        return password
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char
        for char in password
        if stringprep.in_table_c12(char) or not stringprep.in_table_b1(char)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    if not normal or _is_prohibited(normal):
        return password
    return normal


def _is_prohibited(text: str) -> bool:
    if any(prohibits(char) for char in text for prohibits in _PROHIBITED):
        return True
    if not any(map(stringprep.in_table_d1, text)):
        return False
    # Right-to-left text: none of it left-to-right, and both ends right-to-left.
    ends_match = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return not ends_match or any(map(stringprep.in_table_d2, text))

"""The versions of schema.proto that this program speaks, and whether two programs understand each other."""

CONTRACT_VERSION = 5
"""Raised with every change of meaning: of a message, or of the functions that a node gives the gateway's SQL.

Since 2 a node tells its capacity, and which versions it speaks. Since 3 it knows PostgreSQL's records.
Since 4 it stages rows for COPY FROM; one of 3 is used for everything else. Since 5 it has functions for the
text of doubles and the scale of logarithms; statements that need them fail on one before.
"""

MIN_CONTRACT_VERSION = 3
"""The oldest one that is still understood."""


def negotiate(version: int, min_version: int) -> int | None:
    """Give the newest version that both ends speak; None: there is none.

    version, min_version: the other end's; a min_version of 0 was sent by one that knew only its own.
    """
    newest = min(version, CONTRACT_VERSION)
    oldest = max(min_version or version, MIN_CONTRACT_VERSION)
    return newest if newest >= oldest else None

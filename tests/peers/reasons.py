"""Why upstream tests fail here: the first pattern that a failure's text or name matches gives its reason.

What matches none is shown as it is and is to be looked at.
"""

import re
from collections.abc import Sequence

REASONS: Sequence[tuple[str, str]] = (
    (
        r"CREATE of this kind|DROP of this kind|type \"void\" does not exist",
        "no user-defined types, domains, functions, triggers",
    ),
)
"""(pattern, reason)."""


def reason_of(test: str, text: str) -> str | None:
    """Give the reason of one failure, or None where it is not known."""
    for pattern, reason in REASONS:
        if re.search(pattern, f"{test}\n{text}"):
            return reason
    return None

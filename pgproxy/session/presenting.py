"""Errors as a client may see them.

Positions in the text it sent, and nothing that the engine wrote about hidden data.
"""

from pgproxy.sql.plan import Plan
from pgwire.errors import GatewayError


def present_error(error: GatewayError, plan: Plan | None) -> GatewayError:
    """Show the engine's first sentence where the statement touched no governed relation, else the fixed text.

    The engine's text can quote cells and the rewritten SQL, so it is cut at its first line, and only shown
    for statements that read nothing of which part is hidden.
    """
    text = str(getattr(error, "engine_text", "") or "")
    if not text or plan is None or plan.is_governed:
        return error
    first_line = text.split("\n", 1)[0]
    sentence = first_line.split("Error: ", 1)[-1].strip()
    error.message = sentence or error.message
    return error


def shift_position(error: GatewayError, offset: int) -> GatewayError:
    """Move a position inside one statement to where that statement stands in the query string."""
    if error.position is not None:
        error.position += offset
    return error

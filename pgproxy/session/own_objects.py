"""What pg_prepared_statements and pg_cursors show: the session's own statements and portals, as JSON.

PostgreSQL docs, "pg_prepared_statements", "pg_cursors".
"""

import json
from collections.abc import Iterator

from pgproxy.session.cursor_rows import Keeps
from pgproxy.session.portal import Portal
from pgproxy.session.prepared import PreparedQuery
from pgwire.session.objects import Portals, PreparedStatements
from pgwire.types import format_type


class OwnObjects:
    """Reads one session's statements and portals when asked."""

    def __init__(self, statements: PreparedStatements, portals: Portals) -> None:
        self._statements = statements
        self._portals = portals

    def rows(self, relation: str) -> str | None:
        """Give the rows of a relation as a JSON array; None: it is none of the session's own."""
        match relation:
            case "pg_prepared_statements":
                return json.dumps(list(self._statement_rows()))
            case "pg_cursors":
                return json.dumps(list(self._cursor_rows()))
            case _:
                return None

    def _statement_rows(self) -> Iterator[dict[str, object]]:
        for statement in self._statements:
            query = statement.handle
            if not statement.name or not isinstance(query, PreparedQuery):
                continue
            yield {
                "name": statement.name,
                "statement": query.text if query.source is None else query.source,
                "prepare_time": query.made_at.isoformat(),
                "parameter_types": [format_type(oid) for oid in statement.parameter_oids],
                "from_sql": query.source is not None,
                "generic_plans": 0,
                "custom_plans": 0,
            }

    def _cursor_rows(self) -> Iterator[dict[str, object]]:
        for named in self._portals:
            portal = named.handle
            if not isinstance(portal, Portal):
                continue
            declared = portal.declared
            yield {
                "name": named.name,
                "statement": portal.prepared.text if declared is None else declared.source,
                "is_holdable": portal.is_with_hold,
                "is_binary": declared is not None and declared.is_binary,
                "is_scrollable": portal.cursor is not None and portal.cursor.keeps is not Keeps.NOTHING,
                "creation_time": portal.made_at.isoformat(),
            }

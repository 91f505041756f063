"""One statement's facts as a row of the audit log."""

import json
import time
from collections.abc import Sequence
from uuid import uuid4

from pgproxy.audit.ended import EndedStatement, StatementShape
from pgproxy.audit.options import AuditOptions, AuditQueryText
from pgproxy.audit.redaction import redact
from pgproxy.control.audit import AuditRecord, AuditRow, AuditShape
from pgproxy.control.moments import US_PER_S, moment
from pgproxy.session.statement_log import MAX_TEXT
from pgproxy.session.telemetry import StatementRecord
from pgproxy.sql.plan import ObjectAccess

STATEMENT = "statement"
LOCAL = "local"
_NO_TEXT = AuditQueryText.NONE


def audit_row(statement: EndedStatement, options: AuditOptions) -> AuditRow:
    """Give the row of a statement; a text that is kept redacted has yet to be."""
    record, shape, started_us, ended_us, queue_us, first_row_us, total_us = statement
    text, engine_text = None, ""
    if options.query_text is not _NO_TEXT:
        text = record.text
        if options.query_text is AuditQueryText.FULL:
            engine_text = record.engine_text[:MAX_TEXT]
    # A named tuple's class takes three times as long to call.
    return tuple.__new__(
        AuditRow,
        (
            shape.columns or _columns(shape, record, options), record.request_id, record.connection_id,
            started_us, ended_us, queue_us, first_row_us, total_us, record.rows, record.bytes,
            text, engine_text, 1,
        ),
    )  # fmt: skip


def _columns(shape: StatementShape, record: StatementRecord, options: AuditOptions) -> AuditShape:
    """Give what the rows of all statements of the shape share; it is kept."""
    objects, policies = _objects(record.accesses)
    is_remote = record.route not in ("", LOCAL)
    shape.columns = AuditShape(
        event=STATEMENT,
        gateway=options.gateway,
        principal=record.principal,
        client_addr=record.client_host,
        application_name=record.application_name,
        protocol=str(record.protocol),
        kind=record.kind,
        fingerprint=record.fingerprint,
        objects=objects,
        policies=policies,
        route=("remote" if is_remote else LOCAL) if record.route else "",
        route_reason=record.route_reason,
        endpoint=record.route if is_remote else "",
        fallback_reason=record.fallback_reason,
        outcome=str(record.outcome),
        sqlstate=record.sqlstate,
    )
    return shape.columns


def event_record(event: str, gateway: str, principal: str, kind: str, objects: str) -> AuditRecord:
    """Give the row of something that happened and is no statement. objects: JSON, a list of its facts."""
    now = moment(round(time.time() * US_PER_S))
    return AuditRecord(
        request_id=f"{event}-{uuid4().hex}", event=event, gateway=gateway, principal=principal,
        client_addr="", application_name="", pid=0, protocol="", kind=kind, fingerprint="", query=None,
        objects=objects, policies="[]", route="", route_reason="", endpoint="", fallback_reason="",
        started_at=now, ended_at=now, queue_ms=None, first_row_ms=None, total_ms=0.0, rows=0, bytes=0,
        outcome="ok", sqlstate="00000", engine_text="",
    )  # fmt: skip


def redacted(rows: Sequence[AuditRow]) -> list[AuditRow]:
    """Take what may be secret out of the rows' texts. Reads every token of them: not for the event loop."""
    return [row if row.query is None else row._replace(query=redact(row.query)) for row in rows]


def _objects(accesses: tuple[ObjectAccess, ...]) -> tuple[str, str]:
    """JSON of the objects with their privileges, and of the policies applied to them."""
    privileges: dict[str, set[str]] = {}
    filters: dict[str, dict[str, None]] = {}
    masks: dict[str, dict[str, None]] = {}
    for access in accesses:
        name = ".".join(access.table)
        privileges.setdefault(name, set()).update(access.privileges)
        filters.setdefault(name, {}).update(dict.fromkeys(access.row_filters))
        masks.setdefault(name, {}).update(dict.fromkeys(access.column_masks))
    objects = [{"table": name, "privileges": sorted(held)} for name, held in privileges.items()]
    policies = [
        {"table": name, "row_filters": list(filters[name]), "column_masks": list(masks[name])}
        for name in privileges
        if filters[name] or masks[name]
    ]
    return json.dumps(objects, ensure_ascii=False), json.dumps(policies, ensure_ascii=False)

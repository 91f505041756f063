-- The audit log in columns: one row a statement. Rows of the old form are carried over.

ALTER TABLE audit_log RENAME TO old_audit_log;
DROP INDEX audit_log_by_time;

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY,
    request_id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    gateway TEXT NOT NULL,
    principal TEXT NOT NULL,
    client_addr TEXT NOT NULL,
    application_name TEXT NOT NULL,
    pid INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    kind TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    query TEXT,
    objects TEXT NOT NULL CHECK (json_valid(objects)),
    policies TEXT NOT NULL CHECK (json_valid(policies)),
    route TEXT NOT NULL,
    route_reason TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    fallback_reason TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    queue_ms REAL,
    first_row_ms REAL,
    total_ms REAL NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    sqlstate TEXT NOT NULL,
    engine_text TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_by_time ON audit_log (ended_at);

INSERT INTO audit_log (
    request_id, event, gateway, principal, client_addr, application_name, pid, protocol, kind, fingerprint, query,
    objects, policies, route, route_reason, endpoint, fallback_reason, started_at, ended_at, queue_ms,
    first_row_ms, total_ms, rows, bytes, outcome, sqlstate, engine_text
)
SELECT
    'old-' || id,
    event,
    '',
    principal,
    '',
    '',
    CAST(connection_id AS INTEGER),
    '',
    coalesce(json_extract(facts, '$.kind'), ''),
    coalesce(json_extract(facts, '$.fingerprint'), ''),
    NULL,
    coalesce(json_extract(facts, '$.objects'), '[]'),
    '[]',
    coalesce(json_extract(facts, '$.route'), ''),
    coalesce(json_extract(facts, '$.route_reason'), ''),
    '',
    coalesce(json_extract(facts, '$.fallback_reason'), ''),
    occurred_at,
    occurred_at,
    NULL,
    json_extract(facts, '$.first_row_ms'),
    coalesce(json_extract(facts, '$.total_ms'), 0.0),
    coalesce(json_extract(facts, '$.rows'), 0),
    coalesce(json_extract(facts, '$.bytes'), 0),
    coalesce(json_extract(facts, '$.outcome'), ''),
    coalesce(json_extract(facts, '$.sqlstate'), ''),
    ''
FROM old_audit_log ORDER BY id;

DROP TABLE old_audit_log;

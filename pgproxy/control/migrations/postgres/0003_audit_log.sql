-- The audit log in columns: one row a statement. Rows of the old form are carried over.

ALTER TABLE audit_log RENAME TO old_audit_log;
DROP INDEX audit_log_by_time;

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id text NOT NULL UNIQUE,
    event text NOT NULL,
    gateway text NOT NULL,
    principal text NOT NULL,
    client_addr text NOT NULL,
    application_name text NOT NULL,
    pid bigint NOT NULL,
    protocol text NOT NULL,
    kind text NOT NULL,
    fingerprint text NOT NULL,
    query text,
    objects text NOT NULL,
    policies text NOT NULL,
    route text NOT NULL,
    route_reason text NOT NULL,
    endpoint text NOT NULL,
    fallback_reason text NOT NULL,
    started_at text NOT NULL,
    ended_at text NOT NULL,
    queue_ms double precision,
    first_row_ms double precision,
    total_ms double precision NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    outcome text NOT NULL,
    sqlstate text NOT NULL,
    engine_text text NOT NULL
);
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
    CASE WHEN connection_id ~ '^[0-9]+$' THEN connection_id::bigint ELSE 0 END,
    '',
    coalesce(facts::json ->> 'kind', ''),
    coalesce(facts::json ->> 'fingerprint', ''),
    NULL,
    coalesce(facts::json ->> 'objects', '[]'),
    '[]',
    coalesce(facts::json ->> 'route', ''),
    coalesce(facts::json ->> 'route_reason', ''),
    '',
    coalesce(facts::json ->> 'fallback_reason', ''),
    occurred_at,
    occurred_at,
    NULL,
    (facts::json ->> 'first_row_ms')::double precision,
    coalesce((facts::json ->> 'total_ms')::double precision, 0),
    coalesce((facts::json ->> 'rows')::bigint, 0),
    coalesce((facts::json ->> 'bytes')::bigint, 0),
    coalesce(facts::json ->> 'outcome', ''),
    coalesce(facts::json ->> 'sqlstate', ''),
    ''
FROM old_audit_log ORDER BY id;

DROP TABLE old_audit_log;

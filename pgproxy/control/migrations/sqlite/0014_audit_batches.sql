-- The audit log in batches: what many rows share is said once, and rows that are written together are one row here.
-- shapes: a list of lists, the columns that rows share, from event to reason. rows: a list of lists, the number of its shape
-- and what is a row's own; times and durations in microseconds. The view gives one row each, as the table did.

CREATE TABLE audit_batches (
    first_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    row_count INTEGER NOT NULL,
    ended_us INTEGER NOT NULL,
    shapes TEXT NOT NULL,
    rows TEXT NOT NULL
) STRICT;
CREATE INDEX audit_batches_by_time ON audit_batches (ended_us);

CREATE TABLE audit_counter (next_id INTEGER NOT NULL) STRICT;
INSERT INTO audit_counter SELECT coalesce(max(id), 0) + 1 FROM audit_log;

INSERT INTO audit_batches
SELECT
    first_id,
    'old-' || first_id,
    row_count,
    CAST(strftime('%s', substr(ended_at, 1, 19)) AS INTEGER) * 1000000 + CAST(substr(ended_at, 21, 6) AS INTEGER),
    (
        SELECT json_group_array(json_array(
            event, gateway, principal, client_addr, application_name, protocol, kind, fingerprint, objects,
            policies, route, route_reason, endpoint, fallback_reason, outcome, sqlstate, reason
        ))
        FROM (SELECT * FROM audit_log WHERE id BETWEEN first_id AND last_id ORDER BY id)
    ),
    (
        SELECT json_group_array(json_array(
            place, request_id, pid,
            CAST(strftime('%s', substr(started_at, 1, 19)) AS INTEGER) * 1000000
                + CAST(substr(started_at, 21, 6) AS INTEGER),
            CAST(strftime('%s', substr(ended_at, 1, 19)) AS INTEGER) * 1000000
                + CAST(substr(ended_at, 21, 6) AS INTEGER),
            CAST(round(queue_ms * 1000) AS INTEGER), CAST(round(first_row_ms * 1000) AS INTEGER),
            CAST(round(total_ms * 1000) AS INTEGER), rows, bytes, query, engine_text, attempts
        ))
        FROM (
            SELECT *, row_number() OVER (ORDER BY id) - 1 AS place
            FROM audit_log WHERE id BETWEEN first_id AND last_id ORDER BY id
        )
    )
FROM (
    SELECT min(id) AS first_id, max(id) AS last_id, count(*) AS row_count, max(ended_at) AS ended_at
    FROM audit_log GROUP BY id / 500
)
ORDER BY first_id;

DROP TABLE audit_log;

CREATE TRIGGER audit_ids AFTER INSERT ON audit_batches BEGIN
    UPDATE audit_counter SET next_id = new.first_id + new.row_count;
END;

CREATE VIEW audit_log AS
SELECT
    first_id + audit_row.key AS id,
    json_extract(audit_row.value, '$[1]') AS request_id,
    json_extract(shape.value, '$[0]') AS event,
    json_extract(shape.value, '$[1]') AS gateway,
    json_extract(shape.value, '$[2]') AS principal,
    json_extract(shape.value, '$[3]') AS client_addr,
    json_extract(shape.value, '$[4]') AS application_name,
    json_extract(audit_row.value, '$[2]') AS pid,
    json_extract(shape.value, '$[5]') AS protocol,
    json_extract(shape.value, '$[6]') AS kind,
    json_extract(shape.value, '$[7]') AS fingerprint,
    json_extract(audit_row.value, '$[10]') AS query,
    json_extract(shape.value, '$[8]') AS objects,
    json_extract(shape.value, '$[9]') AS policies,
    json_extract(shape.value, '$[10]') AS route,
    json_extract(shape.value, '$[11]') AS route_reason,
    json_extract(shape.value, '$[12]') AS endpoint,
    json_extract(shape.value, '$[13]') AS fallback_reason,
    strftime('%Y-%m-%dT%H:%M:%S', json_extract(audit_row.value, '$[3]') / 1000000, 'unixepoch')
        || printf('.%06d+00:00', json_extract(audit_row.value, '$[3]') % 1000000) AS started_at,
    strftime('%Y-%m-%dT%H:%M:%S', json_extract(audit_row.value, '$[4]') / 1000000, 'unixepoch')
        || printf('.%06d+00:00', json_extract(audit_row.value, '$[4]') % 1000000) AS ended_at,
    json_extract(audit_row.value, '$[5]') / 1000.0 AS queue_ms,
    json_extract(audit_row.value, '$[6]') / 1000.0 AS first_row_ms,
    json_extract(audit_row.value, '$[7]') / 1000.0 AS total_ms,
    json_extract(audit_row.value, '$[8]') AS rows,
    json_extract(audit_row.value, '$[9]') AS bytes,
    json_extract(shape.value, '$[14]') AS outcome,
    json_extract(shape.value, '$[15]') AS sqlstate,
    json_extract(audit_row.value, '$[11]') AS engine_text,
    json_extract(shape.value, '$[16]') AS reason,
    json_extract(audit_row.value, '$[12]') AS attempts
FROM
    audit_batches,
    json_each(audit_batches.rows) AS audit_row,
    json_each(audit_batches.shapes) AS shape
WHERE shape.key = json_extract(audit_row.value, '$[0]');

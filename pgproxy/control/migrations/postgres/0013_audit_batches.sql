-- The audit log in batches: what many rows share is said once, and rows that are written together are one row here.
-- shapes: a list of lists, the columns that rows share, from event to reason. rows: a list of lists, the number of its shape
-- and what is a row's own; times and durations in microseconds. The view gives one row each, as the table did.

CREATE TABLE audit_batches (
    first_id bigint PRIMARY KEY,
    key text NOT NULL UNIQUE,
    row_count bigint NOT NULL,
    ended_us bigint NOT NULL,
    shapes text NOT NULL,
    rows text NOT NULL
);
CREATE INDEX audit_batches_by_time ON audit_batches (ended_us);

CREATE TABLE audit_counter (next_id bigint NOT NULL);
INSERT INTO audit_counter SELECT coalesce(max(id), 0) + 1 FROM audit_log;

INSERT INTO audit_batches
SELECT
    min(id),
    'old-' || min(id),
    count(*),
    max((extract(epoch FROM ended_at::timestamptz) * 1000000)::bigint),
    json_agg(json_build_array(
        event, gateway, principal, client_addr, application_name, protocol, kind, fingerprint, objects,
        policies, route, route_reason, endpoint, fallback_reason, outcome, sqlstate, reason
    ) ORDER BY id)::text,
    json_agg(json_build_array(
        place, request_id, pid,
        (extract(epoch FROM started_at::timestamptz) * 1000000)::bigint,
        (extract(epoch FROM ended_at::timestamptz) * 1000000)::bigint,
        round(queue_ms * 1000)::bigint, round(first_row_ms * 1000)::bigint, round(total_ms * 1000)::bigint,
        rows, bytes, query, engine_text, attempts
    ) ORDER BY id)::text
FROM (SELECT *, row_number() OVER (PARTITION BY id / 500 ORDER BY id) - 1 AS place FROM audit_log) AS numbered
GROUP BY id / 500;

DROP TABLE audit_log;

CREATE VIEW audit_log AS
SELECT
    first_id + place - 1 AS id,
    own ->> 1 AS request_id,
    shape ->> 0 AS event,
    shape ->> 1 AS gateway,
    shape ->> 2 AS principal,
    shape ->> 3 AS client_addr,
    shape ->> 4 AS application_name,
    (own ->> 2)::bigint AS pid,
    shape ->> 5 AS protocol,
    shape ->> 6 AS kind,
    shape ->> 7 AS fingerprint,
    own ->> 10 AS query,
    shape ->> 8 AS objects,
    shape ->> 9 AS policies,
    shape ->> 10 AS route,
    shape ->> 11 AS route_reason,
    shape ->> 12 AS endpoint,
    shape ->> 13 AS fallback_reason,
    to_char('epoch'::timestamp + (own ->> 3)::bigint * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US')
        || '+00:00' AS started_at,
    to_char('epoch'::timestamp + (own ->> 4)::bigint * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US')
        || '+00:00' AS ended_at,
    (own ->> 5)::double precision / 1000 AS queue_ms,
    (own ->> 6)::double precision / 1000 AS first_row_ms,
    (own ->> 7)::double precision / 1000 AS total_ms,
    (own ->> 8)::bigint AS rows,
    (own ->> 9)::bigint AS bytes,
    shape ->> 14 AS outcome,
    shape ->> 15 AS sqlstate,
    own ->> 11 AS engine_text,
    shape ->> 16 AS reason,
    (own ->> 12)::bigint AS attempts
FROM
    audit_batches,
    json_array_elements(rows::json) WITH ORDINALITY AS audit_row (own, place),
    LATERAL (SELECT shapes::json -> (own ->> 0)::integer) AS shared (shape);

-- Queries that outlive their client. statement is sealed; times are seconds since 1970.
-- A principal's queries go with it: nobody who later gets its name may read them.

CREATE TABLE async_queries (
    id text PRIMARY KEY,
    principal text NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
    idempotency_key text,
    digest text NOT NULL,
    statement bytea NOT NULL,
    priority integer NOT NULL,
    ttl_s double precision NOT NULL,
    may_write integer NOT NULL CHECK (may_write IN (0, 1)),
    state text NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    attempts integer NOT NULL,
    owner text NOT NULL,
    lease_until double precision NOT NULL,
    submitted_at double precision NOT NULL,
    started_at double precision,
    ended_at double precision,
    expires_at double precision,
    facts text NOT NULL,
    UNIQUE (principal, idempotency_key)
);
CREATE INDEX async_queries_by_state ON async_queries (state, principal);

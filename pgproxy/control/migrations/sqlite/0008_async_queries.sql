-- Queries that outlive their client. statement is sealed; times are seconds since 1970.
-- A principal's queries go with it: nobody who later gets its name may read them.

CREATE TABLE async_queries (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL REFERENCES principals (name) ON DELETE CASCADE,
    idempotency_key TEXT,
    digest TEXT NOT NULL,
    statement BLOB NOT NULL,
    priority INTEGER NOT NULL,
    ttl_s REAL NOT NULL,
    may_write INTEGER NOT NULL CHECK (may_write IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    attempts INTEGER NOT NULL,
    owner TEXT NOT NULL,
    lease_until REAL NOT NULL,
    submitted_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    expires_at REAL,
    facts TEXT NOT NULL CHECK (json_valid(facts)),
    UNIQUE (principal, idempotency_key)
) STRICT;
CREATE INDEX async_queries_by_state ON async_queries (state, principal);

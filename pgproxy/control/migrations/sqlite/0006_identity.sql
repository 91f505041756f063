-- How one logs in: API keys (hashed) and hba rules. notes: small facts that gateways share and that are no policy.

CREATE TABLE api_keys (
    key_id TEXT PRIMARY KEY CHECK (key_id <> ''),
    principal TEXT NOT NULL REFERENCES principals (name),
    label TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 64),
    verifier TEXT NOT NULL,
    created_at TEXT NOT NULL,
    valid_until TEXT,
    is_read_only INTEGER NOT NULL CHECK (is_read_only IN (0, 1)),
    is_for_all_catalogs INTEGER NOT NULL CHECK (is_for_all_catalogs IN (0, 1)),
    catalogs TEXT NOT NULL,
    interfaces TEXT NOT NULL CHECK (interfaces <> '')
) STRICT;

CREATE TABLE hba_rules (
    position INTEGER PRIMARY KEY CHECK (position > 0),
    rule TEXT NOT NULL CHECK (rule <> '')
) STRICT;

CREATE TABLE notes (
    topic TEXT NOT NULL,
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    noted_at TEXT NOT NULL,
    PRIMARY KEY (topic, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX notes_by_time ON notes (topic, noted_at);

-- How one logs in: API keys (hashed) and hba rules. notes: small facts that gateways share and that are no policy.

CREATE TABLE api_keys (
    key_id text PRIMARY KEY CHECK (key_id <> ''),
    principal text NOT NULL REFERENCES principals (name),
    label text NOT NULL,
    digest text NOT NULL CHECK (length(digest) = 64),
    verifier text NOT NULL,
    created_at text NOT NULL,
    valid_until text,
    is_read_only integer NOT NULL CHECK (is_read_only IN (0, 1)),
    is_for_all_catalogs integer NOT NULL CHECK (is_for_all_catalogs IN (0, 1)),
    catalogs text NOT NULL,
    interfaces text NOT NULL CHECK (interfaces <> '')
);

CREATE TABLE hba_rules (
    position integer PRIMARY KEY CHECK (position > 0),
    rule text NOT NULL CHECK (rule <> '')
);

CREATE TABLE notes (
    topic text NOT NULL,
    key text NOT NULL,
    text text NOT NULL,
    noted_at text NOT NULL,
    PRIMARY KEY (topic, key)
);
CREATE INDEX notes_by_time ON notes (topic, noted_at);

-- Labels and capacity of endpoints; assignments to pools, by weight; catalogs; flags that change while gateways run.

ALTER TABLE endpoints ADD COLUMN size TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN capacity INTEGER NOT NULL DEFAULT 0 CHECK (capacity >= 0);

CREATE TABLE endpoint_labels (
    endpoint TEXT NOT NULL REFERENCES endpoints (name),
    name TEXT NOT NULL CHECK (name <> ''),
    value TEXT NOT NULL,
    PRIMARY KEY (endpoint, name)
) STRICT, WITHOUT ROWID;

-- `endpoint` is a name or a pool's label selector, so it references nothing here.
ALTER TABLE assignments RENAME TO assignments_to_endpoints;
CREATE TABLE assignments (
    principal TEXT NOT NULL REFERENCES principals (name),
    endpoint TEXT NOT NULL CHECK (endpoint <> ''),
    priority INTEGER NOT NULL,
    fallback TEXT NOT NULL CHECK (fallback IN ('automatic', 'disabled')),
    weight INTEGER NOT NULL CHECK (weight > 0),
    PRIMARY KEY (principal, endpoint)
) STRICT, WITHOUT ROWID;
INSERT INTO assignments SELECT principal, endpoint, priority, fallback, 1 FROM assignments_to_endpoints;
DROP TABLE assignments_to_endpoints;

CREATE TABLE catalogs (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    kind TEXT NOT NULL CHECK (kind IN ('duckdb', 'parquet', 'ducklake')),
    location TEXT NOT NULL CHECK (location <> ''),
    is_read_only INTEGER NOT NULL CHECK (is_read_only IN (0, 1)),
    credentials BLOB NOT NULL
) STRICT;

CREATE TABLE catalog_options (
    catalog TEXT NOT NULL REFERENCES catalogs (name),
    name TEXT NOT NULL CHECK (name <> ''),
    value TEXT NOT NULL,
    PRIMARY KEY (catalog, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE flags (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    value TEXT NOT NULL
) STRICT;

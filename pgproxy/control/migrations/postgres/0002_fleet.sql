-- Labels and capacity of endpoints; assignments to pools, by weight; catalogs; flags that change while gateways run.

ALTER TABLE endpoints ADD COLUMN size text NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN capacity integer NOT NULL DEFAULT 0 CHECK (capacity >= 0);

CREATE TABLE endpoint_labels (
    endpoint text NOT NULL REFERENCES endpoints (name),
    name text NOT NULL CHECK (name <> ''),
    value text NOT NULL,
    PRIMARY KEY (endpoint, name)
);

-- `endpoint` is a name or a pool's label selector, so it references nothing here.
ALTER TABLE assignments DROP CONSTRAINT assignments_endpoint_fkey;
ALTER TABLE assignments ADD COLUMN weight integer NOT NULL DEFAULT 1 CHECK (weight > 0);

CREATE TABLE catalogs (
    name text PRIMARY KEY CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('duckdb', 'parquet', 'ducklake')),
    location text NOT NULL CHECK (location <> ''),
    is_read_only integer NOT NULL CHECK (is_read_only IN (0, 1)),
    credentials bytea NOT NULL
);

CREATE TABLE catalog_options (
    catalog text NOT NULL REFERENCES catalogs (name),
    name text NOT NULL CHECK (name <> ''),
    value text NOT NULL,
    PRIMARY KEY (catalog, name)
);

CREATE TABLE flags (
    name text PRIMARY KEY CHECK (name <> ''),
    value text NOT NULL
);

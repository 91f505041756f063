-- The control plane's content. An empty schema_name or table_name in a grant means "all of them".
-- No foreign key cascades: a binding that vanished by itself could leave a filter that hides less.

CREATE TABLE epochs (
    is_single INTEGER PRIMARY KEY CHECK (is_single = 1),
    epoch INTEGER NOT NULL,
    policy_epoch INTEGER NOT NULL CHECK (policy_epoch <= epoch)
) STRICT;
INSERT INTO epochs VALUES (1, 0, 0);

CREATE TABLE policy_versions (
    epoch INTEGER PRIMARY KEY,
    changed_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    before TEXT NOT NULL CHECK (json_valid(before)),
    after TEXT NOT NULL CHECK (json_valid(after))
) STRICT;

CREATE TABLE principals (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    kind TEXT NOT NULL CHECK (kind IN ('user', 'group')),
    is_admin INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
    can_login INTEGER NOT NULL CHECK (can_login IN (0, 1)),
    verifier TEXT
) STRICT;

CREATE TABLE memberships (
    member TEXT NOT NULL REFERENCES principals (name),
    group_name TEXT NOT NULL REFERENCES principals (name),
    PRIMARY KEY (member, group_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE attributes (
    principal TEXT NOT NULL REFERENCES principals (name),
    name TEXT NOT NULL CHECK (name <> ''),
    value TEXT NOT NULL,
    PRIMARY KEY (principal, name)
) STRICT, WITHOUT ROWID;

-- One row a column; a grant for all columns has an empty column_name.
CREATE TABLE grants (
    principal TEXT NOT NULL REFERENCES principals (name),
    privilege TEXT NOT NULL,
    catalog_name TEXT NOT NULL CHECK (catalog_name <> ''),
    schema_name TEXT NOT NULL,
    table_name TEXT NOT NULL CHECK (table_name = '' OR schema_name <> ''),
    column_name TEXT NOT NULL CHECK (column_name = '' OR table_name <> ''),
    PRIMARY KEY (principal, privilege, catalog_name, schema_name, table_name, column_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE row_filters (
    catalog_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    using_sql TEXT NOT NULL,
    check_sql TEXT,
    is_restrictive INTEGER NOT NULL CHECK (is_restrictive IN (0, 1)),
    is_for_everyone INTEGER NOT NULL CHECK (is_for_everyone IN (0, 1)),
    PRIMARY KEY (catalog_name, schema_name, table_name, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE row_filter_principals (
    catalog_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    name TEXT NOT NULL,
    principal TEXT NOT NULL REFERENCES principals (name),
    PRIMARY KEY (catalog_name, schema_name, table_name, name, principal),
    FOREIGN KEY (catalog_name, schema_name, table_name, name)
        REFERENCES row_filters (catalog_name, schema_name, table_name, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE column_masks (
    catalog_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    column_name TEXT NOT NULL CHECK (column_name <> ''),
    expression TEXT NOT NULL,
    strictness INTEGER NOT NULL,
    is_for_everyone INTEGER NOT NULL CHECK (is_for_everyone IN (0, 1)),
    PRIMARY KEY (catalog_name, schema_name, table_name, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE column_mask_principals (
    catalog_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    name TEXT NOT NULL,
    principal TEXT NOT NULL REFERENCES principals (name),
    is_exempt INTEGER NOT NULL CHECK (is_exempt IN (0, 1)),
    PRIMARY KEY (catalog_name, schema_name, table_name, name, principal, is_exempt),
    FOREIGN KEY (catalog_name, schema_name, table_name, name)
        REFERENCES column_masks (catalog_name, schema_name, table_name, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoints (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    url TEXT NOT NULL,
    token BLOB NOT NULL,
    state TEXT NOT NULL
) STRICT;

CREATE TABLE assignments (
    principal TEXT NOT NULL REFERENCES principals (name),
    endpoint TEXT NOT NULL REFERENCES endpoints (name),
    priority INTEGER NOT NULL,
    fallback TEXT NOT NULL CHECK (fallback IN ('automatic', 'disabled')),
    PRIMARY KEY (principal, endpoint)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY,
    occurred_at TEXT NOT NULL,
    event TEXT NOT NULL,
    principal TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    facts TEXT NOT NULL CHECK (json_valid(facts))
) STRICT;
CREATE INDEX audit_log_by_time ON audit_log (occurred_at);

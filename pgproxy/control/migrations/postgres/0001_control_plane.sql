-- The control plane's content, as in SQLite. An empty schema_name or table_name in a grant means "all of them".
-- No foreign key cascades: a binding that vanished by itself could leave a filter that hides less.

CREATE TABLE epochs (
    is_single boolean PRIMARY KEY CHECK (is_single),
    epoch bigint NOT NULL,
    policy_epoch bigint NOT NULL CHECK (policy_epoch <= epoch)
);
INSERT INTO epochs VALUES (true, 0, 0);

CREATE TABLE policy_versions (
    epoch bigint PRIMARY KEY,
    changed_at text NOT NULL,
    actor text NOT NULL,
    before text NOT NULL,
    after text NOT NULL
);

CREATE TABLE principals (
    name text PRIMARY KEY CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('user', 'group')),
    is_admin integer NOT NULL CHECK (is_admin IN (0, 1)),
    can_login integer NOT NULL CHECK (can_login IN (0, 1)),
    verifier text,
    valid_until text,
    connection_limit integer NOT NULL DEFAULT -1
);

CREATE TABLE memberships (
    member text NOT NULL REFERENCES principals (name),
    group_name text NOT NULL REFERENCES principals (name),
    PRIMARY KEY (member, group_name)
);

CREATE TABLE attributes (
    principal text NOT NULL REFERENCES principals (name),
    name text NOT NULL CHECK (name <> ''),
    value text NOT NULL,
    PRIMARY KEY (principal, name)
);

-- One row a column; a grant for all columns has an empty column_name.
CREATE TABLE grants (
    principal text NOT NULL REFERENCES principals (name),
    privilege text NOT NULL,
    catalog_name text NOT NULL CHECK (catalog_name <> ''),
    schema_name text NOT NULL,
    table_name text NOT NULL CHECK (table_name = '' OR schema_name <> ''),
    column_name text NOT NULL CHECK (column_name = '' OR table_name <> ''),
    PRIMARY KEY (principal, privilege, catalog_name, schema_name, table_name, column_name)
);

CREATE TABLE row_filters (
    catalog_name text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    using_sql text NOT NULL,
    check_sql text,
    is_restrictive integer NOT NULL CHECK (is_restrictive IN (0, 1)),
    is_for_everyone integer NOT NULL CHECK (is_for_everyone IN (0, 1)),
    PRIMARY KEY (catalog_name, schema_name, table_name, name)
);

CREATE TABLE row_filter_principals (
    catalog_name text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    name text NOT NULL,
    principal text NOT NULL REFERENCES principals (name),
    PRIMARY KEY (catalog_name, schema_name, table_name, name, principal),
    FOREIGN KEY (catalog_name, schema_name, table_name, name)
        REFERENCES row_filters (catalog_name, schema_name, table_name, name)
);

CREATE TABLE column_masks (
    catalog_name text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    column_name text NOT NULL CHECK (column_name <> ''),
    expression text NOT NULL,
    strictness integer NOT NULL,
    is_for_everyone integer NOT NULL CHECK (is_for_everyone IN (0, 1)),
    PRIMARY KEY (catalog_name, schema_name, table_name, name)
);

CREATE TABLE column_mask_principals (
    catalog_name text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    name text NOT NULL,
    principal text NOT NULL REFERENCES principals (name),
    is_exempt integer NOT NULL CHECK (is_exempt IN (0, 1)),
    PRIMARY KEY (catalog_name, schema_name, table_name, name, principal, is_exempt),
    FOREIGN KEY (catalog_name, schema_name, table_name, name)
        REFERENCES column_masks (catalog_name, schema_name, table_name, name)
);

CREATE TABLE row_security (
    catalog_name text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    PRIMARY KEY (catalog_name, schema_name, table_name)
);

CREATE TABLE column_tags (
    catalog_name text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL CHECK (column_name <> ''),
    tag text NOT NULL CHECK (tag <> ''),
    PRIMARY KEY (catalog_name, schema_name, table_name, column_name, tag)
);

CREATE TABLE tag_masks (
    tag text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    expression text NOT NULL,
    strictness integer NOT NULL,
    is_for_everyone integer NOT NULL CHECK (is_for_everyone IN (0, 1)),
    PRIMARY KEY (tag, name)
);

CREATE TABLE tag_mask_principals (
    tag text NOT NULL,
    name text NOT NULL,
    principal text NOT NULL REFERENCES principals (name),
    is_exempt integer NOT NULL CHECK (is_exempt IN (0, 1)),
    PRIMARY KEY (tag, name, principal, is_exempt),
    FOREIGN KEY (tag, name) REFERENCES tag_masks (tag, name)
);

CREATE TABLE endpoints (
    name text PRIMARY KEY CHECK (name <> ''),
    url text NOT NULL,
    token bytea NOT NULL,
    state text NOT NULL
);

CREATE TABLE assignments (
    principal text NOT NULL REFERENCES principals (name),
    endpoint text NOT NULL REFERENCES endpoints (name),
    priority integer NOT NULL,
    fallback text NOT NULL CHECK (fallback IN ('automatic', 'disabled')),
    PRIMARY KEY (principal, endpoint)
);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at text NOT NULL,
    event text NOT NULL,
    principal text NOT NULL,
    connection_id text NOT NULL,
    facts text NOT NULL
);
CREATE INDEX audit_log_by_time ON audit_log (occurred_at);

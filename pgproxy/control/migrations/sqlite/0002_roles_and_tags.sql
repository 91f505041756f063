-- When a password ends, how many sessions a role may have; row level security by table; masks by tag.

ALTER TABLE principals ADD COLUMN valid_until TEXT;
ALTER TABLE principals ADD COLUMN connection_limit INTEGER NOT NULL DEFAULT -1;

CREATE TABLE row_security (
    catalog_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    PRIMARY KEY (catalog_name, schema_name, table_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE column_tags (
    catalog_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    column_name TEXT NOT NULL CHECK (column_name <> ''),
    tag TEXT NOT NULL CHECK (tag <> ''),
    PRIMARY KEY (catalog_name, schema_name, table_name, column_name, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag_masks (
    tag TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    expression TEXT NOT NULL,
    strictness INTEGER NOT NULL,
    is_for_everyone INTEGER NOT NULL CHECK (is_for_everyone IN (0, 1)),
    PRIMARY KEY (tag, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag_mask_principals (
    tag TEXT NOT NULL,
    name TEXT NOT NULL,
    principal TEXT NOT NULL REFERENCES principals (name),
    is_exempt INTEGER NOT NULL CHECK (is_exempt IN (0, 1)),
    PRIMARY KEY (tag, name, principal, is_exempt),
    FOREIGN KEY (tag, name) REFERENCES tag_masks (tag, name)
) STRICT, WITHOUT ROWID;

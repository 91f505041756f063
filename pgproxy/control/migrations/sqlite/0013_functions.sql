-- Functions of one expression, which the gateway puts in the place of their calls.

CREATE TABLE functions (
    catalog_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    name TEXT NOT NULL,
    parameters TEXT NOT NULL,
    returns TEXT NOT NULL,
    body TEXT NOT NULL,
    is_strict INTEGER NOT NULL CHECK (is_strict IN (0, 1)),
    volatility TEXT NOT NULL CHECK (volatility IN ('i', 's', 'v')),
    PRIMARY KEY (catalog_name, schema_name, name)
) STRICT, WITHOUT ROWID;

-- Functions of one expression, which the gateway puts in the place of their calls.

CREATE TABLE functions (
    catalog_name text NOT NULL,
    schema_name text NOT NULL,
    name text NOT NULL,
    parameters text NOT NULL,
    returns text NOT NULL,
    body text NOT NULL,
    is_strict integer NOT NULL CHECK (is_strict IN (0, 1)),
    volatility text NOT NULL CHECK (volatility IN ('i', 's', 'v')),
    PRIMARY KEY (catalog_name, schema_name, name)
);

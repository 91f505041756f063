-- Databases that only holders of CONNECT connect to: CONNECT was revoked from PUBLIC.

CREATE TABLE closed_databases (
    name text NOT NULL PRIMARY KEY
);

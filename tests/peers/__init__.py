"""The upstream test suites of asyncpg and psycopg, run against the gateway. Nothing of them is kept here."""

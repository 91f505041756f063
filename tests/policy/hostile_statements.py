# ruff: noqa: E501 - one case a line
"""What a hostile analyst says in a session, by what is tried; `test_bypass_gateway.py` sends it all and hunts markers."""

VIEWS = """
CREATE VIEW lake.sales.all_customers AS SELECT * FROM lake.sales.customers;
CREATE VIEW lake.sales.all_again AS SELECT * FROM lake.sales.all_customers;
CREATE VIEW lake.sales.with_numbers AS SELECT id, ssn, CAST(note AS INTEGER) AS n FROM lake.sales.customers;
CREATE VIEW lake.sales.joined AS SELECT o.id, c.name, c.ssn FROM lake.sales.orders o LEFT JOIN lake.sales.customers c ON c.id = o.customer_id;
CREATE VIEW lake.hr.few AS SELECT id, person, person AS note FROM lake.hr.salaries WHERE person = 'HIDDEN-nobody';
CREATE VIEW lake.hr.best AS SELECT max(pay) AS pay FROM lake.hr.salaries;
CREATE VIEW lake.sales.staffed AS WITH pgproxy_view AS (SELECT 'admin' AS owner) SELECT person FROM lake.hr.salaries;
"""
"""`hr.few` hides rows by its own WHERE; `staffed` is marked as the gateway marks a view WITH (security_invoker)."""

OVER_VIEWS = (
    "SELECT * FROM all_customers", "SELECT * FROM all_again", "SELECT ssn FROM all_again WHERE note::int > 0",
    "SELECT id FROM all_again WHERE note::uuid IS NOT NULL", "SELECT id FROM with_numbers WHERE n > 0", "SELECT max(n), min(ssn) FROM with_numbers",
    "SELECT * FROM joined", "SELECT j.ssn FROM joined j JOIN all_again c USING (name)", "SELECT (a).ssn FROM all_again a", "SELECT row_to_json(a) FROM all_again a",
    "SELECT addr.city::int FROM all_again", "SELECT rowid FROM all_again", "SELECT id FROM hr.few WHERE person::int > 0", "SELECT id FROM hr.few WHERE note::uuid IS NULL",
    "SELECT max(person) FROM hr.few", "EXPLAIN SELECT * FROM hr.few", "EXPLAIN SELECT * FROM hr.few WHERE id = 1", "EXPLAIN (POLICY) SELECT * FROM hr.few",
    "EXPLAIN SELECT * FROM all_again WHERE id = 3", "EXPLAIN (POLICY) SELECT * FROM all_again", "SELECT * FROM staffed", "EXPLAIN SELECT * FROM staffed", "EXPLAIN (POLICY) SELECT * FROM staffed",
    "SELECT pg_get_viewdef('sales.all_again'::regclass)", "SELECT definition FROM pg_views", "SELECT view_definition FROM information_schema.views",
    "CREATE VIEW sales.mine AS SELECT * FROM hr.salaries", "CREATE OR REPLACE VIEW sales.all_customers AS SELECT 1 AS one", "DROP VIEW all_customers", "ALTER VIEW all_customers RENAME TO c2",
    "CREATE TEMP VIEW t AS SELECT ssn FROM customers",
)  # fmt: skip
TEMPORARY = (
    "CREATE TEMP TABLE customers AS SELECT * FROM sales.customers", "SELECT * FROM customers", "SELECT * FROM sales.customers", "SELECT * FROM pg_temp.customers",
    "SELECT * FROM eu_names", "SELECT * FROM joined", "DROP TABLE pg_temp.customers", "CREATE TEMP TABLE orders (id int, customer_id int)", "SELECT * FROM joined", "DROP TABLE orders",
    "CREATE TEMP TABLE took AS SELECT * FROM all_again", "SELECT * FROM took", "INSERT INTO took SELECT * FROM customers RETURNING *", "INSERT INTO took (id, note) SELECT id, ssn || email FROM customers RETURNING note",
    "UPDATE took SET note = c.ssn FROM customers c WHERE c.id = took.id RETURNING took.note", "DELETE FROM took USING customers c WHERE c.note::int > 0 RETURNING took.*",
    "SELECT c.* FROM took RIGHT JOIN customers c ON c.note::int = took.id", "CREATE TEMP TABLE named AS SELECT (SELECT max(id) FROM customers)", "SELECT * FROM named", "SELECT row_to_json(named) FROM named",
    "CREATE TEMP TABLE pay AS SELECT * FROM hr.salaries", "CREATE TEMP TABLE phones AS SELECT phone FROM hr.staff", "CREATE TABLE sales.copied AS SELECT * FROM customers", "CREATE TEMP TABLE customers2 AS TABLE customers", "TABLE customers2",
    "DISCARD TEMP",
)  # fmt: skip
SETTINGS = (
    "SET pgproxy.attr.region = 'US'", "SET LOCAL pgproxy.attr.region = 'US'", "SET \"pgproxy.attr.region\" = 'US'", "SET pgproxy.ATTR.Region TO 'US'", "SET SESSION pgproxy.attr.region = DEFAULT", "RESET pgproxy.attr.region",
    "SELECT set_config('pgproxy.attr.region', 'US', false)", "SELECT set_config('pgproxy.attr.region', 'US', true), count(*) FROM customers", "SELECT set_config('PGPROXY.ATTR.REGION', 'US', false)",
    "ALTER ROLE analyst SET pgproxy.attr.region = 'US'", "ALTER USER CURRENT_USER SET pgproxy.attr.region TO 'US'", "ALTER DATABASE lake SET pgproxy.attr.region = 'US'", "UPDATE pg_settings SET setting = 'US' WHERE name = 'pgproxy.attr.region'",
    "BEGIN; SET LOCAL pgproxy.attr.region = 'US'; SELECT * FROM customers; COMMIT", "SET ROLE admin", "SET SESSION AUTHORIZATION admin", "SELECT set_config('role', 'admin', false)", "SELECT set_config('session_authorization', 'admin', false)", "SET role = 'writer'",
    "SET search_path = hr, pg_temp, lake", "SET pgproxy.dialect = duckdb", "SET search_path = sales, public", "RESET ALL", "RESET pgproxy.dialect", "SET search_path = sales, public", "DISCARD ALL", "SET search_path = sales, public",
)  # fmt: skip
"""After all of it the analyst must see what it saw before."""
NOW = (
    "SELECT usename, query FROM pg_stat_activity WHERE usename <> 'analyst'", "SELECT principal, query FROM pgproxy.queries WHERE principal <> 'analyst'", "SELECT principal, query FROM pgproxy.sessions WHERE principal IS DISTINCT FROM 'analyst'",
    "SELECT * FROM pgproxy.audit_log WHERE principal <> 'analyst'", "SELECT * FROM pgproxy.policy_versions", "SELECT * FROM pgproxy.endpoints", "SELECT * FROM pgproxy.assignments WHERE principal <> 'analyst'", "SELECT * FROM pg_cursors WHERE name <> ''", "SELECT * FROM pg_locks",
    "SELECT relname FROM pg_stat_user_tables WHERE schemaname NOT IN ('sales', 'public') AND relname NOT IN ('staff', 'few')",
)  # fmt: skip
"""Each gives no row: what is there is one's own."""
EXPLAINED = (
    "EXPLAIN ANALYZE SELECT ssn FROM customers", "EXPLAIN (ANALYZE, VERBOSE) SELECT note::int FROM customers", "EXPLAIN (FORMAT JSON) SELECT * FROM customers", "EXPLAIN SELECT n FROM numbers WHERE n IN (SELECT id FROM customers WHERE note = '7')",
    "EXPLAIN (POLICY) SELECT * FROM hr.salaries", "EXPLAIN (POLICY) SELECT phone FROM hr.staff", "EXPLAIN (POLICY) DELETE FROM customers", "EXPLAIN EXECUTE p", "EXPLAIN DECLARE c CURSOR FOR SELECT ssn FROM customers",
    "EXPLAIN CREATE TEMP TABLE x AS SELECT * FROM hr.salaries", "EXPLAIN UPDATE customers SET name = name WHERE note::int > 0", "EXPLAIN SELECT * FROM customers WHERE region = 'US'", "EXPLAIN ANALYZE SELECT error(max(ssn)) FROM all_again",
)  # fmt: skip
WORDS = (
    "DO $$ BEGIN RAISE NOTICE '%', (SELECT max(ssn) FROM customers); END $$", "SELECT pg_notify('a', (SELECT max(ssn) FROM customers))", "LISTEN customers", "SELECT pg_advisory_lock((SELECT max(note) FROM customers)::int)",
    "SELECT pg_advisory_lock(id) FROM customers WHERE note::int = 1", "SELECT pg_sleep(0) FROM customers WHERE note::int > 0", "SELECT note::date FROM customers WHERE id > 2", "SELECT 1 / (id - 3) FROM customers", "SELECT (SELECT name FROM customers)",
    "SELECT addr.city::int FROM customers WHERE name = 'x'", "SELECT CASE WHEN id > 9 THEN addr.city::int END FROM customers", "SELECT to_regclass('hr.salaries')", "SELECT 'hr.salaries'::regclass", "SELECT currval('hr.salaries')", "SELECT nosuch FROM hr.staff",
    "SELECT * FROM lake.hr.salarie", "SELECT phon FROM hr.staff", "COMMENT ON TABLE customers IS 'x'", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "SELECT query_to_xml('select * from hr.salaries', true, true, '')", "SELECT lo_import('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')", "CREATE TABLE hr.salaries (a int)", "INSERT INTO hr.salaries VALUES (1)", "DROP TABLE hr.salaries", "LOCK TABLE hr.salaries", "GRANT SELECT ON hr.salaries TO analyst", "CREATE POLICY p ON customers USING (true)",
    "DROP POLICY own_region ON customers", "CREATE MASK m ON customers (ssn) USING (ssn)", "DROP MASK no_ssn ON customers", "ROLLBACK POLICY TO VERSION 1", "CREATE API KEY FOR analyst", "CREATE API KEY FOR admin", "ALTER ROLE analyst SUPERUSER", "GRANT admin TO analyst",
)  # fmt: skip
COPIES = (
    "COPY customers TO STDOUT", "COPY customers (ssn, note) TO STDOUT (FORMAT csv, HEADER)", "COPY customers TO STDOUT (FORMAT binary)", "COPY (SELECT ssn, note::int FROM customers) TO STDOUT", "COPY (SELECT addr.city::int FROM customers) TO STDOUT",
    "COPY all_again TO STDOUT", "COPY (TABLE hr.few) TO STDOUT", "COPY hr.salaries TO STDOUT", "COPY hr.staff TO STDOUT", "COPY hr.staff (phone) TO STDOUT", "COPY (SELECT customers FROM customers) TO STDOUT", "COPY (EXPLAIN SELECT * FROM customers) TO STDOUT",
    "COPY (UPDATE customers SET name = name RETURNING ssn) TO STDOUT", "COPY customers TO '/tmp/x'", "COPY customers TO PROGRAM 'cat'", "COPY (SELECT (SELECT max(id) FROM customers), * FROM (SELECT id IN (SELECT id FROM customers) FROM numbers, orders) q) TO STDOUT CSV HEADER",
)  # fmt: skip
COPIED_IN = (
    ("COPY customers (id, name, region) FROM STDIN", "70\tx\tUS\n"), ("COPY customers (id, name, region) FROM STDIN", "3\tx\tEU\n"), ("COPY customers (id, name, region) FROM STDIN WHERE region = 'US'", "71\tx\tEU\n"),
    ("COPY customers (id, note) FROM STDIN", "x\ty\n"), ("COPY customers (id, name, region) FROM STDIN WHERE (SELECT max(person) FROM hr.salaries) = 'x'", "72\tx\tEU\n"), ("COPY hr.salaries FROM STDIN", "1\tx\t1\n"), ("COPY all_customers FROM STDIN", "1\tx\n"),
    ("COPY eu_names (id) FROM STDIN", "1\n"), ("COPY '/etc/passwd' FROM STDIN", "1\n"),
)  # fmt: skip
RETURNED = (
    "INSERT INTO customers (id, name, region) VALUES (90, 'x', 'EU') RETURNING *", "INSERT INTO customers (id, name, region) VALUES (91, 'x', 'EU') RETURNING ssn, (SELECT max(ssn) FROM customers)", "INSERT INTO customers (id, name, region) VALUES (92, 'x', 'US') RETURNING *",
    "UPDATE customers SET name = name WHERE id = 3 RETURNING *", "UPDATE customers SET region = 'EU' WHERE id = 3 RETURNING ssn", "UPDATE customers SET name = ssn WHERE id = 90 RETURNING name, customers", "UPDATE customers SET note = addr.city::int::text RETURNING note",
    "UPDATE orders SET status = (SELECT string_agg(ssn, ',') FROM customers) WHERE id = 10 RETURNING *", "UPDATE orders SET status = c.note FROM customers c WHERE c.id = orders.customer_id RETURNING *", "DELETE FROM customers WHERE id = 90 RETURNING ssn || email", "DELETE FROM customers WHERE addr.city::int = 1 RETURNING *",
    "DELETE FROM orders USING customers c WHERE c.note::int = orders.id RETURNING orders.*", "WITH d AS (DELETE FROM customers RETURNING ssn) SELECT * FROM d", "MERGE INTO customers c USING (SELECT 3 AS id) s ON c.id = s.id WHEN MATCHED THEN DELETE",
    "INSERT INTO customers (id, name, region) VALUES (3, 'x', 'EU') ON CONFLICT (id) DO UPDATE SET name = customers.name RETURNING *", "INSERT INTO customers (id, name, region) VALUES (3, 'x', 'EU') RETURNING *",
)  # fmt: skip

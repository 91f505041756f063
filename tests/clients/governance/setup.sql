-- Everything that an administrator sets up, by psql alone.
CREATE ROLE analysts;
CREATE ROLE europe IN ROLE analysts;
CREATE USER ann PASSWORD 'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=' CONNECTION LIMIT 5 IN ROLE europe;
CREATE USER bob PASSWORD 'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=' VALID UNTIL '2099-01-01 00:00:00+00';
CREATE ROLE watcher LOGIN AUDITOR;
CREATE ROLE officer LOGIN CREATEROLE;
ALTER ROLE ann SET pgproxy.attr.region = 'EU';
ALTER ROLE ann SET pgproxy.attr.mask_salt = 'tenant-a';
REVOKE CONNECT ON DATABASE test FROM PUBLIC;
GRANT CONNECT ON DATABASE test TO analysts;
GRANT USAGE ON SCHEMA sales TO analysts;
GRANT SELECT (id, name, email, region, joined) ON sales.customers TO analysts;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON sales.orders TO bob;
GRANT bob_missing TO ann;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO analysts;
CREATE POLICY own_region ON sales.customers TO europe USING (region = current_setting('pgproxy.attr.region'));
CREATE POLICY known ON sales.customers AS RESTRICTIVE USING (id < 200);
CREATE POLICY mapped ON sales.orders USING (customer_id IN (SELECT n FROM public.numbers WHERE n < 50)) WITH CHECK (amount > 0);
ALTER TABLE sales.secrets ENABLE ROW LEVEL SECURITY;
SECURITY LABEL FOR pgproxy ON COLUMN sales.customers.email IS 'pii.email';
CREATE MASK short ON TAG pii.email TO europe USING (mask.email(value));
CREATE MASK hashed ON sales.customers (name) TO europe EXCEPT bob STRICTNESS 3 USING (mask.hash(name));
CREATE MASK joined ON sales.customers (joined) USING (mask.year_only(joined));
BEGIN;
CREATE ROLE passing;
GRANT SELECT ON sales.secrets TO passing;
ROLLBACK;
\du ann
\dp sales.secrets
SELECT rolname, rolsuper, rolcreaterole, rolcanlogin, rolconnlimit FROM pg_roles WHERE rolname IN ('ann', 'officer', 'europe') ORDER BY 1;
SELECT policyname, permissive, roles, cmd FROM pg_policies ORDER BY 1;
SET ROLE ann;

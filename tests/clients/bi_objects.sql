CREATE SCHEMA shop;
CREATE TABLE shop.customers(
    id integer PRIMARY KEY, name text NOT NULL, email text DEFAULT 'none@example.com',
    credit decimal(10, 2) DEFAULT 5.25, is_active boolean DEFAULT true, is_vip boolean DEFAULT false NOT NULL,
    rank smallint DEFAULT 1, joined date DEFAULT DATE '2024-01-01',
    seen timestamp with time zone DEFAULT current_timestamp, note text DEFAULT '', debt integer DEFAULT -1,
    shout text DEFAULT upper('x'), nothing text DEFAULT NULL, made timestamp DEFAULT now(), tags text[],
    ratio double precision DEFAULT 0.5, small real, data json, code uuid, opens time, span interval, bytes bytea);
CREATE TABLE shop.orders(
    id bigint PRIMARY KEY, customer_id integer NOT NULL REFERENCES shop.customers(id),
    total integer CHECK (total > 0), placed timestamp, code uuid, day date, UNIQUE (code, day));
CREATE TABLE shop.order_lines(
    order_id bigint, line integer, sku text, quantity integer DEFAULT 1 NOT NULL,
    PRIMARY KEY (order_id, line), FOREIGN KEY (order_id) REFERENCES shop.orders(id));
CREATE VIEW shop.active AS SELECT id, name FROM shop.customers WHERE is_active;
CREATE INDEX orders_by_total ON shop.orders(total);
CREATE UNIQUE INDEX customers_by_code ON shop.customers(code, name);
CREATE SEQUENCE shop.counter START 5;
CREATE TABLE notes(id integer, body text);
COMMENT ON TABLE shop.customers IS 'who buys';
COMMENT ON COLUMN shop.customers.name IS 'as printed';
COMMENT ON VIEW shop.active IS 'those of today';
INSERT INTO shop.customers(id, name) SELECT i, 'n' || i FROM generate_series(1, 10) AS s(i);
INSERT INTO shop.orders(id, customer_id, total, placed)
    SELECT i, i % 3 + 1, i * 10, timestamp '2024-01-01 10:00' + i * interval '9 days' FROM generate_series(1, 20) AS s(i);

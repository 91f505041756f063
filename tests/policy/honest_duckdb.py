# ruff: noqa: E501 - one case a line
"""Honest questions in DuckDB's own dialect, as analysts and BI tools on DuckDB send them. Every answer has a total order."""

DUCKDB_QUERIES = (
    # dates
    "SELECT o_orderkey, date_diff('day', o_orderdate, DATE '1998-12-31') AS d FROM orders ORDER BY 1 LIMIT 50",
    "SELECT o_orderkey, datediff('month', o_orderdate, DATE '1998-12-31') AS d FROM orders ORDER BY 1 LIMIT 50",
    "SELECT o_orderkey, date_diff('year', DATE '1990-05-01', o_orderdate) AS d FROM orders ORDER BY 1 LIMIT 50",
    "SELECT o_orderkey, date_sub('month', o_orderdate, DATE '1998-12-31') AS d FROM orders ORDER BY 1 LIMIT 50",
    "SELECT o_orderkey, date_add(o_orderdate, INTERVAL 3 DAY) AS d FROM orders ORDER BY 1 LIMIT 50",
    "SELECT date_trunc('month', o_orderdate) AS m, count(*) FROM orders GROUP BY ALL ORDER BY ALL",
    "SELECT datetrunc('quarter', o_orderdate)::DATE AS q, sum(o_totalprice) FROM orders GROUP BY 1 ORDER BY 1",
    "SELECT o_orderkey, last_day(o_orderdate), dayname(o_orderdate), monthname(o_orderdate), weekofyear(o_orderdate) FROM orders ORDER BY 1 LIMIT 30",
    "SELECT date_part('dow', o_orderdate) AS d, count(*) FROM orders GROUP BY 1 ORDER BY 1",
    "SELECT strftime(o_orderdate, '%Y-%m') AS m, count(*) FROM orders GROUP BY 1 ORDER BY 1",
    "SELECT o_orderkey FROM orders WHERE o_orderdate BETWEEN DATE '1994-01-01' AND DATE '1994-01-01' + INTERVAL 1 MONTH ORDER BY 1",
    "SELECT year(o_orderdate) AS y, quarter(o_orderdate) AS q, count(*) FROM orders GROUP BY ALL ORDER BY ALL",
    "SELECT make_date(1994, 2, o_custkey % 27 + 1) AS d, count(*) FROM orders GROUP BY 1 ORDER BY 1",
    "SELECT time_bucket(INTERVAL '2 months', o_orderdate) AS b, count(*) FROM orders GROUP BY 1 ORDER BY 1",
    "SELECT epoch(o_orderdate) AS e, o_orderkey FROM orders ORDER BY 2 LIMIT 20",
    # lists, structs, maps
    "SELECT c_nationkey, list(c_name ORDER BY c_custkey) AS l FROM customer GROUP BY 1 ORDER BY 1",
    "SELECT c_nationkey, list(c_name ORDER BY c_custkey DESC)[1:3] AS l FROM customer GROUP BY 1 ORDER BY 1",
    "SELECT c_nationkey, array_length(list(c_custkey)) AS n FROM customer GROUP BY 1 ORDER BY 1",
    "SELECT c_nationkey, len(list(DISTINCT c_mktsegment)) AS n FROM customer GROUP BY 1 ORDER BY 1",
    "SELECT c_nationkey, list_sort(list_distinct(list(c_mktsegment))) AS l FROM customer GROUP BY 1 ORDER BY 1",
    "SELECT c_nationkey, list_transform(list(c_custkey ORDER BY c_custkey), x -> x * 2) AS l FROM customer GROUP BY 1 ORDER BY 1",
    "SELECT c_nationkey, list_filter(list(c_custkey ORDER BY c_custkey), x -> x % 2 = 0) AS l FROM customer GROUP BY 1 ORDER BY 1",
    "SELECT c_nationkey, list_aggregate(list(c_custkey), 'sum') AS s, list_contains(list(c_custkey), 7) AS c FROM customer GROUP BY 1 ORDER BY 1",
    "SELECT c_custkey, [c_name, c_phone] AS l, {'name': c_name, 'phone': c_phone} AS s FROM customer ORDER BY 1 LIMIT 20",
    "SELECT s.name, s.phone FROM (SELECT {'name': c_name, 'phone': c_phone} AS s FROM customer) q ORDER BY ALL LIMIT 20",
    "SELECT struct_pack(k := c_custkey, p := c_phone) AS s FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT map([c_custkey], [c_phone]) AS m, map {'a': c_custkey}['a'] AS v FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT x, count(*) FROM (SELECT unnest(string_split(c_mktsegment, 'I')) AS x FROM customer) q GROUP BY 1 ORDER BY 1",
    "SELECT [x * 2 FOR x IN [c_custkey, c_nationkey] IF x > 5] AS l FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT c_custkey, list_reduce([c_custkey, 1, 2], (a, b) -> a + b) AS r FROM customer ORDER BY 1 LIMIT 20",
    "SELECT c_custkey, array_to_string([c_name, c_phone], '|') AS a FROM customer ORDER BY 1 LIMIT 20",
    "SELECT unnest(range(3)) AS r, c_custkey FROM customer ORDER BY 2, 1 LIMIT 20",
    "SELECT histogram(c_mktsegment) AS h FROM customer",
    "SELECT arg_max(c_name, c_acctbal * 1000 + c_custkey) AS a, arg_min(c_custkey, c_name) AS b, any_value(c_mktsegment) IS NOT NULL AS c FROM customer",
    # methods and names
    "SELECT c_name.lower() AS n, c_phone.upper().length() AS l FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT c_name.replace('Customer', 'C').substring(1, 5) AS n FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT count(*) FROM customer WHERE c_mktsegment.starts_with('B')",
    "SELECT c_custkey AS k, k + 1 AS next FROM customer WHERE k < 50 ORDER BY k",
    "SELECT COLUMNS('c_(name|phone)') FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT max(COLUMNS('c_.*key')) FROM customer",
    "SELECT COLUMNS(* EXCLUDE (c_comment, c_address)) FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT * EXCLUDE (c_comment) REPLACE (c_phone || '!' AS c_phone) FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT * RENAME (c_phone AS phone) FROM customer ORDER BY c_custkey LIMIT 20",
    "FROM customer ORDER BY c_custkey LIMIT 10",
    "FROM orders SELECT o_orderstatus, sum(o_totalprice) AS t GROUP BY ALL ORDER BY ALL",
    "FROM (FROM customer SELECT c_custkey WHERE c_acctbal > 0) SELECT count(*)",
    # windows
    "SELECT o_orderkey, sum(o_totalprice) OVER (PARTITION BY o_custkey ORDER BY o_orderdate, o_orderkey ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM orders ORDER BY 1 LIMIT 100",
    "SELECT o_orderkey, count(*) OVER (ORDER BY o_orderdate RANGE BETWEEN INTERVAL 30 DAYS PRECEDING AND CURRENT ROW) AS c FROM orders ORDER BY 1 LIMIT 100",
    "SELECT o_orderkey, max(o_totalprice) OVER w AS m, lead(o_orderkey, 1, 0) OVER w AS l FROM orders WINDOW w AS (PARTITION BY o_custkey ORDER BY o_orderkey) ORDER BY 1 LIMIT 100",
    "SELECT o_custkey, o_orderkey FROM orders QUALIFY row_number() OVER (PARTITION BY o_custkey ORDER BY o_totalprice DESC, o_orderkey) = 1 ORDER BY 1",
    "SELECT o_custkey, count(*) AS n FROM orders GROUP BY 1 QUALIFY rank() OVER (ORDER BY count(*) DESC) <= 3 ORDER BY 1",
    "SELECT o_orderkey, count(*) FILTER (WHERE o_orderstatus = 'F') OVER (PARTITION BY o_custkey) AS f FROM orders ORDER BY 1 LIMIT 100",
    "SELECT o_orderkey, dense_rank() OVER (ORDER BY o_orderpriority) AS r, percent_rank() OVER (ORDER BY o_orderkey) AS p FROM orders ORDER BY 1 LIMIT 100",
    "SELECT o_orderkey, sum(o_shippriority) OVER (ORDER BY o_orderkey ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) AS s FROM orders ORDER BY 1 LIMIT 100",
    # joins
    "SELECT c.c_custkey, o.o_orderkey FROM customer c ASOF JOIN orders o ON c.c_nationkey = o.o_custkey AND c.c_custkey >= o.o_orderkey ORDER BY ALL",
    "SELECT count(*) FROM customer SEMI JOIN orders ON c_custkey = o_custkey",
    "SELECT c_custkey FROM customer ANTI JOIN orders ON c_custkey = o_custkey ORDER BY 1",
    "SELECT c_custkey, n FROM customer, LATERAL (SELECT count(*) AS n FROM orders WHERE o_custkey = c_custkey) ORDER BY 1",
    "SELECT r_name, n_name FROM region POSITIONAL JOIN nation ORDER BY ALL",
    "SELECT c_custkey, c_name FROM customer UNION BY NAME SELECT o_custkey AS c_custkey, o_clerk AS o FROM orders ORDER BY ALL LIMIT 50",
    # pivots and grouping
    "SELECT * FROM (SELECT c_mktsegment, c_nationkey FROM customer) q PIVOT (count(*) FOR c_mktsegment IN ('BUILDING', 'MACHINERY')) ORDER BY ALL",
    "FROM (PIVOT (SELECT o_orderstatus, o_orderpriority, o_totalprice FROM orders) ON o_orderstatus IN ('F', 'O') USING sum(o_totalprice) GROUP BY o_orderpriority) ORDER BY ALL",
    "SELECT * FROM (SELECT c_custkey, c_name, c_phone FROM customer) q UNPIVOT (v FOR k IN (c_name, c_phone)) ORDER BY ALL LIMIT 40",
    "SELECT o_orderstatus, o_orderpriority, count(*) AS n FROM orders GROUP BY CUBE (o_orderstatus, o_orderpriority) ORDER BY ALL",
    "SELECT count_if(c_acctbal < 0) AS n, bool_or(c_acctbal > 9000) AS b, mode(c_nationkey) IS NOT NULL AS m FROM customer",
    "SELECT approx_count_distinct(o_custkey) > 0 AS a, median(o_custkey) AS m, quantile_cont(o_custkey, 0.25) AS q FROM orders",
    # strings and conditionals
    "SELECT c_custkey, regexp_extract(c_name, '([0-9]+)', 1) AS n, regexp_matches(c_phone, '^1') AS m FROM customer ORDER BY 1 LIMIT 30",
    "SELECT c_custkey, if(c_acctbal > 0, 'pos', 'neg') AS s, ifnull(c_comment, '') <> '' AS c FROM customer ORDER BY 1 LIMIT 30",
    "SELECT c_custkey, c_name[1:8] AS n, c_name LIKE '%1%' AS l, c_name SIMILAR TO 'Customer.*' AS s, c_name GLOB 'C*' AS g FROM customer ORDER BY 1 LIMIT 30",
    "SELECT format('{}-{}', c_custkey, c_name) AS f, printf('%05d', c_custkey) AS p FROM customer ORDER BY c_custkey LIMIT 30",
    "SELECT c_custkey, levenshtein(c_name, 'Customer') AS d, jaccard(c_name, 'Customer') >= 0 AS j, hash(c_name) IS NOT NULL AS h FROM customer ORDER BY 1 LIMIT 30",
    "SELECT c_custkey, try_cast(c_phone AS INTEGER) AS t, coalesce(try_cast(c_custkey AS VARCHAR), 'x') AS v FROM customer ORDER BY 1 LIMIT 30",
    "SELECT c_custkey // 7 AS q, c_custkey % 7 AS r, count(*) FROM customer GROUP BY ALL ORDER BY ALL LIMIT 40",
    "WITH t AS MATERIALIZED (SELECT c_nationkey AS k, count(*) AS n FROM customer GROUP BY 1) SELECT a.k, b.n FROM t a JOIN t b USING (k) ORDER BY ALL",
    "SELECT c_custkey, json_object('n', c_name, 'p', c_phone)->>'p' AS p FROM customer ORDER BY 1 LIMIT 20",
    "SELECT greatest(c_custkey, c_nationkey) AS g, least(c_custkey, 10) AS l, c_custkey BETWEEN 10 AND 20 AS b FROM customer ORDER BY c_custkey LIMIT 30",
)  # fmt: skip
POSTGRES_MEANING = frozenset(
    sql
    for sql in DUCKDB_QUERIES
    if any(
        part in sql
        for part in ("date_trunc('month'", "regexp_matches", "SIMILAR TO", "format('{}", "FROM (FROM")
    )
)
"""What PostgreSQL's grammar accepts and its functions mean otherwise: such text needs `pgproxy.dialect = duckdb`."""

# ruff: noqa: E501 - one case a line
"""Honest questions over TPC-H as BI tools, analysts and DuckDB users write them. Every answer has a total order."""

DIMENSIONS = ("l_returnflag", "l_shipmode", "l_linestatus", "l_shipinstruct", "extract(year FROM l_shipdate)")
MEASURES = (
    "sum(l_quantity)", "count(*)", "max(l_extendedprice)", "min(l_comment)", "count(DISTINCT l_suppkey)",
)  # fmt: skip
BI_TEMPLATES = {
    "tableau": 'SELECT {d} AS "Dimension", {m} AS "sum:Measure:ok" FROM "public"."lineitem" "lineitem" GROUP BY 1 ORDER BY 1',
    "tableau level of detail": "SELECT t0.d AS d, t1.m AS m FROM (SELECT {d} AS d FROM lineitem GROUP BY 1) t0 INNER JOIN (SELECT {d} AS d, {m} AS m FROM lineitem GROUP BY 1) t1 ON (t0.d = t1.d) ORDER BY 1",
    "superset": 'SELECT {d} AS "d", {m} AS "m" FROM (SELECT * FROM lineitem) AS virtual_table WHERE l_shipdate >= DATE \'1994-01-01\' GROUP BY {d} ORDER BY "m" DESC, "d" LIMIT 1000',
    "superset series limit": "SELECT {d} AS d, {m} AS m FROM lineitem JOIN (SELECT {d} AS d__, count(*) AS mme FROM lineitem GROUP BY 1 ORDER BY mme DESC, 1 LIMIT 2) AS series ON {d} = series.d__ GROUP BY 1 ORDER BY 1",
    "metabase": 'SELECT "source"."d" AS "d", "source"."m" AS "m" FROM (SELECT {d} AS "d", {m} AS "m" FROM "public"."lineitem" GROUP BY {d}) AS "source" WHERE "source"."d" IS NOT NULL ORDER BY "source"."d" ASC LIMIT 1048575',
    "metabase join": 'SELECT {d} AS d, {m} AS m FROM lineitem LEFT JOIN orders AS "Orders" ON lineitem.l_orderkey = "Orders".o_orderkey WHERE ("Orders".o_totalprice > 1000 OR "Orders".o_orderkey IS NULL) GROUP BY 1 ORDER BY 1',
    "power bi": 'select "rows"."d" as "d", "m" from (select {d} as "d", {m} as "m" from "public"."lineitem" "_" group by 1) "rows" order by 1 limit 1000001',
    "power bi outer": 'select "$Outer"."d", "$Outer"."m", "$Inner".c from (select {d} as d, {m} as m from lineitem group by 1) "$Outer" left outer join (select {d} as d, count(*) as c from lineitem where l_discount > 0.05 group by 1) "$Inner" on ("$Outer".d = "$Inner".d or "$Outer".d is null and "$Inner".d is null) order by 1',
    "rollup": "SELECT {d} AS d, grouping({d}) AS g, {m} AS m FROM lineitem GROUP BY ROLLUP ({d}) ORDER BY 2, 1",
    "cube": "SELECT {d} AS d, l_linenumber AS l, {m} AS m FROM lineitem GROUP BY CUBE ({d}, l_linenumber) ORDER BY 1 NULLS LAST, 2 NULLS LAST, 3",
    "window share": "SELECT d, m, rank() OVER (ORDER BY m DESC, d) AS r FROM (SELECT {d} AS d, {m} AS m FROM lineitem GROUP BY 1) q ORDER BY 1",
    "running": "SELECT d, y, m, count(*) OVER (PARTITION BY d ORDER BY y ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS c FROM (SELECT {d} AS d, extract(month FROM l_shipdate) AS y, {m} AS m FROM lineitem GROUP BY 1, 2) q ORDER BY 1, 2",
    "having": "SELECT {d} AS d, {m} AS m FROM lineitem GROUP BY 1 HAVING count(*) > 10 ORDER BY 1",
    "cte": "WITH q AS (SELECT {d} AS d, {m} AS m FROM lineitem GROUP BY 1), r AS (SELECT count(*) AS c FROM q) SELECT d, m, c FROM q CROSS JOIN r ORDER BY 1",
}  # fmt: skip
BI_QUERIES = tuple(
    template.format(d=dimension, m=measure)
    for template in BI_TEMPLATES.values()
    for dimension in DIMENSIONS
    for measure in MEASURES
)
ANALYST_QUERIES = (
    "SELECT c_custkey, c_name, c_phone, c_acctbal FROM customer ORDER BY c_custkey",
    "SELECT * FROM supplier ORDER BY s_suppkey",
    "SELECT c_phone, count(*) FROM customer GROUP BY c_phone ORDER BY 1",
    "SELECT c_custkey FROM customer WHERE c_phone LIKE '1%' ORDER BY 1",
    "SELECT c_custkey FROM customer WHERE c_mktsegment = 'BUILDING' AND c_custkey BETWEEN 10 AND 400 ORDER BY 1",
    "SELECT c_custkey, (SELECT count(*) FROM orders WHERE o_custkey = c_custkey) FROM customer ORDER BY 1",
    "SELECT c_custkey FROM customer c WHERE NOT EXISTS (SELECT 1 FROM orders WHERE o_custkey = c.c_custkey) ORDER BY 1",
    "SELECT n_name, count(c_custkey) FROM nation LEFT JOIN customer ON n_nationkey = c_nationkey GROUP BY 1 ORDER BY 1",
    "SELECT count(*) FROM orders FULL JOIN customer ON o_custkey = c_custkey",
    "SELECT o_orderkey FROM orders WHERE o_custkey NOT IN (SELECT c_custkey FROM customer) ORDER BY 1 LIMIT 50",
    "SELECT c1.c_custkey FROM customer c1 JOIN customer c2 USING (c_custkey) WHERE c2.c_acctbal > 100 ORDER BY 1",
    "SELECT DISTINCT ON (c_nationkey) c_nationkey, c_name FROM customer ORDER BY 1, 2",
    "SELECT c_custkey, lag(c_custkey) OVER (PARTITION BY c_nationkey ORDER BY c_custkey) FROM customer ORDER BY 1",
    "SELECT c_nationkey, percentile_cont(0.5) WITHIN GROUP (ORDER BY c_custkey) FROM customer GROUP BY 1 ORDER BY 1",
    "SELECT c_nationkey, string_agg(c_name, ',' ORDER BY c_custkey) FROM customer GROUP BY 1 ORDER BY 1",
    "WITH RECURSIVE t(k) AS (SELECT min(c_custkey) FROM customer UNION ALL SELECT (SELECT min(c_custkey) FROM customer WHERE c_custkey > k) FROM t WHERE k < 100) SELECT k FROM t ORDER BY 1",
    "SELECT c_custkey FROM customer EXCEPT SELECT o_custkey FROM orders ORDER BY 1",
    "SELECT c_custkey FROM customer INTERSECT SELECT o_custkey FROM orders ORDER BY 1",
    "SELECT o_orderstatus, o_orderpriority, count(*) FROM orders GROUP BY GROUPING SETS ((1), (2), ()) ORDER BY 1 NULLS LAST, 2 NULLS LAST",
    "SELECT ntile(4) OVER (ORDER BY o_orderkey) AS q, o_orderkey FROM orders ORDER BY 2 LIMIT 100",
    "SELECT first_value(o_totalprice) OVER (PARTITION BY o_custkey ORDER BY o_orderkey) AS f, o_orderkey FROM orders ORDER BY 2 LIMIT 100",
    "SELECT s.s_name, x.n FROM supplier s, LATERAL (SELECT count(*) AS n FROM partsupp WHERE ps_suppkey = s.s_suppkey) x ORDER BY 1",
    "SELECT CASE WHEN c_acctbal < 0 THEN 'neg' ELSE 'pos' END AS k, count(*) FROM customer GROUP BY 1 ORDER BY 1",
    "FROM customer SELECT c_nationkey, count(*) GROUP BY ALL ORDER BY ALL",
    "SELECT * EXCLUDE (c_comment, c_address) FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT * REPLACE (upper(c_phone) AS c_phone) FROM customer ORDER BY c_custkey LIMIT 20",
    "SELECT c_custkey FROM customer QUALIFY row_number() OVER (PARTITION BY c_nationkey ORDER BY c_custkey) = 1 ORDER BY 1",
    "SELECT max(COLUMNS('c_(custkey|acctbal|phone)')) FROM customer",
    "SELECT list(c_phone ORDER BY c_custkey)[1:3] FROM customer",
    "SELECT {'a': max(c_phone), 'b': [min(c_name)]} FROM customer",
    "SELECT arg_max(c_name, c_custkey), arg_min(c_phone, c_custkey) FROM customer",
    "SELECT * FROM (SELECT c_nationkey, c_mktsegment, c_custkey FROM customer) q PIVOT (count(c_custkey) FOR c_mktsegment IN ('BUILDING', 'MACHINERY', 'AUTOMOBILE')) ORDER BY 1",
    "SELECT k, v FROM (SELECT c_custkey, c_name, c_phone FROM customer WHERE c_custkey < 30) q UNPIVOT (v FOR k IN (c_name, c_phone)) ORDER BY 1, 2",
    "SELECT o.o_orderkey, c.c_custkey FROM orders o ASOF JOIN customer c ON o.o_custkey >= c.c_custkey ORDER BY 1 LIMIT 50",
    "SELECT c_custkey FROM customer SEMI JOIN orders ON c_custkey = o_custkey ORDER BY 1",
    "SELECT c_custkey FROM customer ANTI JOIN orders ON c_custkey = o_custkey ORDER BY 1",
    "SELECT c_custkey, c_name FROM customer UNION ALL BY NAME SELECT s_name AS c_name, s_suppkey AS c_custkey FROM supplier ORDER BY 1, 2",
)  # fmt: skip

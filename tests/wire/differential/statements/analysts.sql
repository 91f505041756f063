-- What analysts and BI tools send: dates, windows, grouping, texts, documents, arrays, shares of a total.
select date_trunc('quarter', at)::date as q, count(*), sum(amount) from events group by 1 order by 1
select to_char(at, 'YYYY-"Q"Q') as q, count(*) from events group by 1 order by 1
select extract(dow from at), extract(isodow from at), extract(doy from at), extract(week from at) from events order by id
select at + interval '1 month', at - interval '1 month', at + interval '1 year 2 mons 3 days' from events order by id
select (at::date + 30), at::date - date '2024-01-01', age(at::date, date '2020-02-29') from events order by id
select date_part('hour', at), date_part('epoch', at), date_part('millisecond', at) from events order by id
select date '2024-01-31' + interval '1 month', date '2024-03-31' - interval '1 month'
select generate_series(date '2024-01-01', date '2024-01-05', interval '1 day')::date as day
select d::date, count(e.id) from generate_series(timestamp '2023-12-30', timestamp '2024-01-06', '1 day') d left join events e on e.at::date = d::date group by 1 order by 1
select to_char(date '2024-02-29', 'Day, DD Mon YYYY'), to_char(date '2024-02-29', 'FMDay, FMDD FMMonth YYYY')
select to_char(1234567.891, 'FM9,999,999.00'), to_char(0.5, '990.0%'), to_char(-12, 'S999')
select date_bin('15 minutes', at, timestamp '2000-01-01') from events order by id
select make_interval(days => 3), make_interval(hours => 5, mins => 10), make_timestamp(2024, 2, 29, 10, 5, 1.5)
select justify_days(interval '65 days'), justify_hours(interval '50 hours'), justify_interval(interval '1 mon -1 hour')
select interval '1 day' * 2.5, interval '90 minutes' / 2, -interval '1 mon 2 days'
select (date '2024-05-01', date '2024-05-10') overlaps (date '2024-05-09', date '2024-06-01')
select extract(year from age(timestamp '2024-05-20', timestamp '1990-01-31')) as years
select date_trunc('week', timestamp '2024-01-03 12:00')::date, date_trunc('decade', date '2024-01-03')
select to_date('20240131', 'YYYYMMDD'), to_timestamp('2024-01-31 10:11:12', 'YYYY-MM-DD HH24:MI:SS')
select at at time zone 'UTC' at time zone 'America/New_York' from events order by id
select timestamptz '2024-03-10 06:59:00+00' at time zone 'America/New_York', timestamptz '2024-03-10 07:01:00+00' at time zone 'America/New_York'
select extract(timezone from timestamptz '2024-01-01'), date_trunc('day', timestamptz '2024-01-01 23:00+00', 'Asia/Tokyo')
select isfinite(date '2024-01-01'), 'infinity'::timestamp > now()::timestamp, 'epoch'::timestamp
select name, salary, rank() over (order by salary desc nulls last), dense_rank() over (order by active), percent_rank() over (order by id), cume_dist() over (order by id) from people order by id
select id, sum(id) over (order by id rows between 1 preceding and current row), avg(id) over (order by id rows between unbounded preceding and 1 preceding) from people order by id
select id, lag(name, 1, 'none') over w, lead(name) over w, first_value(name) over w, last_value(name) over w from people window w as (order by id) order by id
select id, ntile(2) over (order by id), nth_value(name, 2) over (order by id rows between unbounded preceding and unbounded following) from people order by id
select id, sum(amount) over (partition by kind order by at range between interval '100 days' preceding and current row) from events order by id
select kind, sum(amount), sum(sum(amount)) over (order by kind nulls first) from events group by kind order by kind nulls first
select id, sum(id) over (order by id groups between 1 preceding and 1 following), sum(id) over (order by id rows between 1 preceding and 1 following exclude current row) from people order by id
select kind, percentile_cont(0.5) within group (order by amount), percentile_disc(0.5) within group (order by amount), mode() within group (order by amount) from events group by kind order by kind
select percentile_cont(array[0.25, 0.75]) within group (order by amount) from events
select stddev(amount), variance(amount), stddev_pop(small), var_samp(small) from events
select round(avg(salary), 2), round(avg(height)::numeric, 3), trunc(avg(salary), 1) from people
select count(distinct kind), count(*) filter (where amount > 0), sum(amount) filter (where amount > 100) from events
select bool_and(active), bool_or(active), every(id > 0) from people
select string_agg(distinct kind, ',' order by kind), array_agg(name order by id desc) from people, events
select kind, active, count(*) from people cross join events group by grouping sets ((kind), (active), ()) order by 1 nulls last, 2 nulls last, 3
select kind, active, count(*), grouping(kind, active) from people cross join events group by rollup (kind, active) order by 4, 1 nulls last, 2 nulls last
select kind, active, grouping(kind), grouping(active) from people cross join events group by cube (kind, active) order by 3, 4, 1 nulls last, 2 nulls last
select upper(left(name, 1)) || lower(substring(name from 2)), initcap('hello wORLD-foo bar'), length(name) from people order by id
select regexp_replace('a1b22c', '[0-9]+', '#', 'g'), regexp_matches('a1b22c', '([a-z])([0-9]+)', 'g')
select split_part('2024-01-05', '-', 2), split_part('a,b,c', ',', -1), string_to_array('a,b,,c', ','), array_to_string(array['a', null, 'b'], '-', '?')
select lpad('7', 3, '0'), rpad('x', 3), repeat('ab', 2), reverse('abc'), translate('hello', 'lo', 'x')
select position('b' in 'abc'), strpos('abc', 'z'), overlay('abcdef' placing 'ZZ' from 3 for 2), ascii('a'), chr(233)
select 'abc' like 'A%', 'abc' ilike 'A%', 'abc' ~* 'B', 'abc' !~ 'z', 'a_c' like 'a\_c'
select concat_ws(', ', name, salary::text), format('%s is %s', name, coalesce(height::text, 'unknown')) from people order by id
select trim(both 'x' from 'xxaxx'), trim(leading from '  a'), btrim('  a '), quote_literal('O''Brien'), quote_ident('A b')
select md5('a'), encode('abc'::bytea, 'base64'), encode(sha256('a'), 'hex'), to_hex(255)
select unnest(regexp_split_to_array('a  b c', '\s+')), regexp_split_to_table('x-y', '-')
select starts_with('abc', 'ab'), 'abc' ^@ 'ab', bit_length('abc'), char_length('é'), octet_length('é')
select nullif(name, 'Ann'), coalesce(null, name, 'x'), greatest(1, null, 3), least('b', 'a') from people order by id
select case when salary > 1000 then 'high' when salary is null then 'none' else 'low' end as band, count(*) from people group by 1 order by 1
select width_bucket(5.35, 0.024, 10.06, 5), width_bucket(amount, 0, 10, 2) from events order by id
select round(2.5), round(3.5), round(-2.5), round(2.5::float8), round(1234.567, -2), ceil(-1.5), floor(-1.5), sign(-3.2)
select 1.0 / 3, 2 / 3.0, 10::numeric / 4, 100 * 1.10, (1.1 * 1.1)::numeric(5,2), 5::numeric(6,2)
select sum(salary) / count(*), sum(amount)::numeric / nullif(count(*), 0), round(100.0 * count(*) filter (where active) / count(*), 1) from people, events
select '{"a": {"b": [1, 2, {"c": "x"}]}}'::jsonb -> 'a' -> 'b' -> 2 ->> 'c', '{"a": 1}'::jsonb ? 'a', '[1, 2]'::jsonb @> '[2]'
select key, value from jsonb_each('{"a": 1, "b": {"c": 2}}') order by key
select jsonb_array_elements('[1, "a", null]'), jsonb_array_elements_text('[1, "a", null]')
select jsonb_object_agg(name, salary order by id), json_agg(name order by id) from people
select jsonb_set('{"a": 1}', '{b}', '2'), '{"a": 1, "b": 2}'::jsonb - 'a', '{"a": 1}'::jsonb || '{"c": 3}'
select to_jsonb(p) from people p order by id
select row_to_json(x) from (select id, name from people order by id) x
select jsonb_typeof('1'), jsonb_typeof('"a"'), jsonb_typeof('null'), jsonb_array_length('[1,2]'), jsonb_pretty('{"a": [1]}')
select json_build_object('id', id, 'tags', tags) from events order by id
select '{"a": [1,2]}'::jsonb #>> '{a,1}', '{"a": [1,2]}'::json #> '{a}', jsonb_extract_path_text('{"a": {"b": 5}}', 'a', 'b')
select (data ->> 'n')::int + 1 from (values ('{"n": 4}'::jsonb), ('{"n": null}')) v(data)
select id, unnest(tags) from events order by 1, 2
select id, t, n from events, unnest(tags) with ordinality as u(t, n) order by 1, 3
select array_length(tags, 1), cardinality(tags), tags[1], tags[2:3], 4 = any(tags), tags || 9, array_position(tags, 2) from events order by id
select array_remove(array[1,2,1], 1), array_replace(array[1,2], 2, 5), array_cat(array[1], array[2]), array[1,2] && array[2,3], array[1,2] @> array[1]
select array(select id from people order by id), array_agg(distinct active order by active) from people
select p.name, b.name from people p left join people b on b.id = p.boss order by p.id
with recursive t as (select id, name, 0 as depth from people where boss is null and id = 1 union all select p.id, p.name, depth + 1 from people p join t on p.boss = t.id) select * from t order by id
select distinct on (kind) kind, at, amount from events order by kind, at desc
select * from (select *, row_number() over (partition by kind order by at desc) as rn from events) x where rn = 1 order by id
select p.name, e.total from people p cross join lateral (select sum(amount) as total from events where events.id <= p.id) e order by p.id
select exists (select 1 from events where amount > 5), (select max(amount) from events), 3 in (select id from people)
select id from people where (name, id) in (('Ann', 1), ('Bob', 3)) order by 1
select id from people where name like any (array['A%', '%b']) order by 1
select id from people union select id from events order by 1 limit 3 offset 1
select id from people except all select boss from people order by 1
select id from people intersect select small from events order by 1
select * from (values (1, 'a'), (2, 'b')) as v(n, c) order by n desc
select coalesce(sum(amount), 0) as total, coalesce(avg(amount), 0) as mean from events where false
select max(name), min(born), max(at) from people, events
select current_date - current_date, now() - now(), localtimestamp(0) is not null
select 'now'::date = current_date, 'today'::timestamp = current_date, 'yesterday'::date + 1 = current_date
select '1 day 02:03:04'::interval, '2 weeks'::interval, 'P1Y2M3DT4H5M6S'::interval, interval '1' year, interval '1-2' year to month
select '12:34:56'::time + interval '1 hour', time '10:00' - time '08:30', '2024-01-01'::date + time '10:00'
select cast('12.345' as numeric(10,1)), '1e3'::float8, ' 42 '::int, 'yes'::boolean, 't'::bool::int
select exp(1000::float8)
select 0.0::float8 / 0
select '2024-13-01'::date
select array_upper(array[1,2,3], 1), array_lower(array[1,2,3], 1), array_ndims(array[1]), array_dims(array[1,2])
select count(*) over (), sum(salary) over () from people limit 1
select extract(century from date '2024-01-01'), extract(decade from date '2024-01-01'), extract(quarter from date '2024-05-01'), extract(isoyear from date '2024-12-30'), extract(julian from date '2024-01-01')
select to_char(interval '1 day 2 hours 3 minutes', 'DD HH24:MI'), to_char(at, 'IYYY-IW'), to_char(at, 'HH12:MI AM'), to_char(at, 'MS US') from events order by id
select date_trunc('hour', at) + date_part('minute', at)::int / 5 * interval '5 min' as slot from events order by id
select name, salary, salary - lag(salary) over (order by id) as delta, round(100 * salary / sum(salary) over (), 2) as share from people order by id
select kind, count(*) * 100.0 / sum(count(*)) over () as pct from events group by kind order by kind
select kind, array_agg(amount order by amount) filter (where amount is not null), max(amount) - min(amount) as spread from events group by kind having count(*) > 0 order by kind
select random() between 0 and 1, length(gen_random_uuid()::text)
select num_nulls(1, null, 2), num_nonnulls(1, null), pg_typeof(1), pg_typeof('a'::text), pg_typeof(now())
select string_agg(kind || ':' || amount, '; ' order by id) from events
select sum(case when kind = 'a' then amount else 0 end) as a, sum(case when kind = 'b' then amount end) as b from events
select date_trunc('month', at) as "Month", kind as "Kind", sum(amount) as "Sum of Amount" from events where at >= '2024-01-01' and at < '2025-01-01' group by 1, 2 having sum(amount) is not null order by 1, 2 limit 10
select not null, null = null, null is distinct from null, 1 is distinct from null, (null and false), (null or true)
select 'é' < 'f', 'a' < 'B', upper('é'), 'ß' = 'ss'
select id, name from people order by name collate "C" desc nulls last, id
select extract(epoch from (timestamp '2024-03-01' - timestamp '2024-02-01')) / 86400, 2505600.000000 / 86400, round(1.5 / 30000000, 12), round(12.25 / 9000000000000000, 18)
select round(sum(amount) * 1.00 / 30000000, 10), round(sum(salary) / 3000000000, 15) from events, people
select date_trunc('month', now()) <= now(), extract(day from date_trunc('month', date '2024-02-15') + interval '1 month - 1 day')
select interval '1 month - 1 day', '2 days - 04:05:06'::interval, interval '- 3 hours + 1 minute'
select 5 # 3, 1 << 4
select |/ 25, 2 ^ 10
select substring('foobar' from 'o(.)b'), substring('abcdef' for 2)
select sum(salary) over (partition by active order by id rows unbounded preceding) from people order by id
select to_char(salary, 'FM$999,990.00'), to_char(height, '0.0'), to_char(id, '000') from people order by id
select (select string_agg(x.name, '/' order by x.id) from people x where x.id <= p.id) from people p order by p.id
select count(*), count(boss), count(distinct boss), sum(id)::float / count(*) from people
select kind, jsonb_agg(jsonb_build_object('id', id, 'at', at) order by id) from events group by kind order by kind nulls last
select at::time, at::date, to_char(at, 'Dy DD Mon'), extract(epoch from at)::bigint from events order by id
select id from events where at between '2024-01-01' and '2024-03-01' and kind in ('a', 'b') order by id
select id from events where at > now() - interval '100 years' order by id
select upper(kind) as k, sum(amount) filter (where at >= date '2024-01-01') as this_year from events group by upper(kind) order by k nulls first
select sum(amount * small), avg(amount * 1.0), sum(amount::bigint * 1000000000) from events
select 'a' || 1, 1 || 'a', 'x' || null, 'a' || 1.50 || true
select replace(name, 'n', 'N'), name ~ '^[A-B]', regexp_count(name, 'n') from people order by id
select array_agg(at::date order by at), min(at::date) - max(at::date) from events
select tags[array_upper(tags, 1)], tags = array[4], tags is null, array_to_json(tags) from events order by id
select date '2024-01-01' - 1, date '2024-01-01' < timestamp '2024-01-01 00:00:01', timestamp '2024-01-01' = date '2024-01-01'
select first_value(amount) over (partition by kind order by at), sum(amount) over (order by at desc rows between 1 following and unbounded following) from events order by id
select jsonb_path_query('{"a": [1, 2, 3]}', '$.a[*] ? (@ > 1)')
select jsonb_path_query_first('{"a": [1, 2]}', '$.a[0]'), jsonb_path_query_array('{"a": [1, 2]}', '$.a[*]')
select * from jsonb_to_recordset('[{"a": 1, "b": "x"}, {"a": 2}]') as t(a int, b text) order by a
select '{"a": 1}'::jsonb @? '$.a'
select '{"a": 1}'::jsonb @@ '$.a == 1'

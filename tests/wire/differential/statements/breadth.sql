select timestamptz '2024-03-31 00:30:00+00' at time zone 'Europe/Berlin', timestamptz '2024-03-31 01:30:00+00' at time zone 'Europe/Berlin', timestamp '2024-03-31 02:30:00' at time zone 'Europe/Berlin', timestamp '2024-10-27 02:30:00' at time zone 'Europe/Berlin'
select timestamptz '2024-03-30 12:00:00+00' + interval '1 day', timestamptz '2024-03-30 12:00:00+00' + interval '24 hours', timestamptz '2024-01-31 00:00+00' + interval '1 month', timestamptz '2024-03-31 00:00+00' - interval '1 month'
select extract(timezone from timestamptz '2024-07-01 00:00+00'), extract(epoch from timestamptz '2024-07-01 00:00+00'), extract(hour from timestamptz '2024-07-01 10:00+00' at time zone 'Asia/Kolkata')
select date_trunc('week', timestamp '2024-01-07 10:00'), date_trunc('quarter', date '2024-05-09'), date_trunc('milliseconds', timestamp '2024-01-01 10:00:00.123456'), date_trunc('decade', timestamp '2029-01-01')
select generate_series(timestamptz '2024-03-30 00:00+00', timestamptz '2024-04-01 00:00+00', interval '1 day')
select generate_series(timestamp '2024-01-31', timestamp '2024-05-31', interval '1 month')
select d::date from generate_series(date '2024-01-01', date '2024-01-03', interval '1 day') d
select age(timestamp '2024-03-01', timestamp '2024-01-31'), age(timestamp '2024-01-01', timestamp '2024-03-15 10:00'), age(date '2000-02-29', date '1999-03-01')
select interval '1 day' = interval '24 hours', interval '1 month' = interval '30 days', interval '1 month' > interval '29 days', interval '-1 day' < interval '0'
select interval '1.5 days', interval '1.5 months', interval '-1 year -2 days', interval 'P1Y2M3DT4H5M6S', interval '1 day ago', interval '90 minutes', interval '1 week'
select interval '1 month' * 2.5, 2 * interval '1 day 03:00', interval '1 hour' * 0.1, -interval '1 day 2 hours'
select extract(day from interval '40 days 30 hours'), extract(hour from interval '40 days 30 hours'), extract(epoch from interval '1 month 1 day'), extract(month from interval '14 months'), date_part('minute', interval '90 minutes')
select date '2024-02-29' + interval '1 year', date '2024-02-29' + 1, date '2024-03-01' - interval '1 day', timestamp '2024-01-01' + time '10:00', date '2024-01-01' + time '10:30'
select make_timestamp(2024, 2, 29, 12, 30, 15.5), make_time(10, 20, 30.25), make_interval(years => 1, hours => 3), make_timestamptz(2024, 1, 1, 0, 0, 0, 'UTC')
select id, sum(id) over (order by id rows between 1 preceding and 1 following), sum(id) over (order by id rows between unbounded preceding and current row), count(*) over (order by boss range between unbounded preceding and current row) from people order by id
select id, first_value(name) over w, last_value(name) over w, nth_value(name, 2) over w from people window w as (order by id rows between unbounded preceding and unbounded following) order by id
select id, lag(id) over (order by id), lead(id, 2, -1) over (order by id), lag(salary, 1, 0) over (order by id) from people order by id
select id, rank() over (order by boss), dense_rank() over (order by boss), row_number() over (order by boss, id), percent_rank() over (order by id), cume_dist() over (order by id) from people order by id
select id, sum(id) over (order by id groups between 1 preceding and current row), sum(id) over (order by id rows between 1 preceding and 1 following exclude current row), sum(id) over (order by id range between 1 preceding and 1 following exclude ties) from people order by id
select boss, active, count(*), sum(id) from people group by grouping sets ((boss), (active), ()) order by 1, 2, 3, 4
select boss, active, count(*), grouping(boss), grouping(boss, active) from people group by rollup (boss, active) order by 1, 2, 3, 4
select boss, active, count(*) from people group by cube (boss, active) order by 1, 2, 3
select percentile_cont(0.5) within group (order by id), percentile_disc(0.5) within group (order by id), percentile_cont(array[0.25, 0.75]) within group (order by id), mode() within group (order by boss) from people
select percentile_cont(0.5) within group (order by salary), percentile_disc(0.9) within group (order by name) from people
select rank(2) within group (order by id), dense_rank(2) within group (order by id), percent_rank(2) within group (order by id), cume_dist(2) within group (order by id) from people
select count(*) filter (where active), sum(id) filter (where id > 2), array_agg(id order by id desc), string_agg(name, ',' order by name), bool_and(active), bool_or(active) from people
select p.id, l.n from people p, lateral (select count(*) as n from people q where q.boss = p.id) l order by p.id
select p.id, x.v from people p left join lateral (select e.id as v from events e where e.amount > p.id order by e.id limit 1) x on true order by p.id
with recursive t(n) as (values (1) union all select n + 1 from t where n < 5) select sum(n), count(*), max(n) from t
with recursive chain as (select id, boss, 1 as depth from people where boss is null union all select p.id, p.boss, c.depth + 1 from people p join chain c on p.boss = c.id) select * from chain order by id
with recursive t as (select 1 as n union select (n * 2) % 7 from t) select n from t order by n
with a as (select id from people), b as materialized (select id from a where id > 1), c as not materialized (select * from b) select count(*) from c
select array[1,2,3] @> array[2], array[1,2] && array[2,3], array[1,2] = array[1,2], array[1,2] < array[1,3], array[1] <> array[2], array[1,2,3] <@ array[1,2]
select (array[1,2,3])[2:3], (array[1,2,3])[:2], (array['a','b'])[1], (array[1,2,3])[5], (array[1,2,3])[2:]
select unnest(array[1,2,3]), unnest(array['a','b','c'])
select unnest(array[1,2]), unnest(array['a','b','c'])
select * from unnest(array['x','y']) with ordinality as t(v, n)
select array_append(array[1], 2), array_prepend(0, array[1]), array_cat(array[1], array[2]), array_length(array[1,2], 1), cardinality(array[1,2]), array_upper(array[1,2], 1)
select array_agg(distinct boss), array_agg(name order by id) filter (where id < 3) from people
select string_to_array('a,b,,c', ','), string_to_array('a b', null), string_to_array('', ','), array_to_string(string_to_array('1,2', ','), '-', 'x')
select id = any(array[1,3]), id <> all(array[1,2]), id in (1, null), id not in (2, 3) from people order by id
select '{"a": [1, {"b": null}]}'::jsonb -> 'a' -> 1 ->> 'b', '{"a": {"b": 2}}'::jsonb #>> '{a,b}', '[1,2,3]'::jsonb -> -1, '{"a": 1}'::jsonb -> 'z'
select jsonb_typeof('1'), jsonb_typeof('"x"'), jsonb_typeof('null'), jsonb_typeof('[]'), jsonb_array_length('[1,2]'), json_typeof('{}')
select jsonb_build_object('a', 1, 'b', array[1,2], 'c', null, 'd', true, 'e', 1.50), jsonb_build_array(1, 'x', null, 2.5), to_jsonb('a"b'::text), to_jsonb(array[1,2])
select jsonb_agg(name order by id), json_agg(id order by id), jsonb_object_agg(name, id) from people where id < 3
select key, value from jsonb_each('{"b": 1, "a": {"c": 2}}') order by key
select key, value from jsonb_each_text('{"b": "x", "a": null}') order by key
select jsonb_object_keys('{"b": 1, "aa": 2, "c": 3}')
select '{"a":1,"b":2}'::jsonb @> '{"a":1}', '[1,2]'::jsonb @> '[2]', '{"a":1}'::jsonb ? 'a', '{"a":1}'::jsonb ?| array['x','a'], '{"a":1}'::jsonb ?& array['a','b'], '{"a":1}'::jsonb <@ '{"a":1,"b":2}'
select '{"a":1}'::jsonb || '{"b":2}', '[1]'::jsonb || '[2]', '[1]'::jsonb || '2', '{"a":1,"b":2}'::jsonb - 'a', '[1,2,3]'::jsonb - 1, '["a","b"]'::jsonb - 'a', '{"a":1,"b":2}'::jsonb - array['a','b']
select jsonb '{"a": 1}' = jsonb '{"a":1}', jsonb '[1, 2]' = jsonb '[2, 1]', '{"b":1,"a":2}'::jsonb::text, '{"b":1,"a":2}'::json::text
select row_to_json(p) from (select id, name from people where id < 3) p order by p.id
select to_json(p) from (select 1 as a, 'x' as b) p
select (1, 2) < (1, 3), (1, 'b') > (1, 'a'), (1, 2) <= (1, 2), (1, 2) <> (1, 3), (null, 1) = (null, 1), (2, null) > (1, 5)
select id from people where (id, boss) in ((2, 1), (3, 1), (4, 9)) order by id
select id from people where (boss, active) = (1, false)
select 1 is distinct from null, null is distinct from null, 1 is not distinct from 1, null is not distinct from 1
select pg_typeof(1 + 1.5), pg_typeof(1 + 1::bigint), pg_typeof(1.5 + 1::float8), pg_typeof(1::real + 1), pg_typeof('a' || 'b'), pg_typeof(now()), pg_typeof(date '2024-01-01' + 1), pg_typeof(case when true then 1 else 2.5 end)
select pg_typeof(coalesce(null, 1)), pg_typeof(array[1, 2.5]), pg_typeof(null), pg_typeof('x'), pg_typeof(1::smallint + 1::smallint), pg_typeof(sum(id::bigint)), pg_typeof(avg(height)) from people
select coalesce(1, 2.5), coalesce(null, 'x'), case when false then 1 when true then 2.25 end, greatest(1, 2.5, 3::bigint), nullif('a', 'b')
select 1 as a union all select 2::bigint union all select 3.5 order by 1
select 'a' union all select null
select 1 union select 'x'
select sum(1::smallint), sum(1), sum(1::bigint), sum(1.5), sum(1.5::float8), sum(1::real), count(*), max('a'), min(date '2024-01-01')
select 7 / 2, -7 / 2, 7 % -3, -7 % 3, 7.5 % 2, mod(-7, 3), div(7, 2), div(-7.5, 2), 7 / 2.0, 2 ^ 3, 5 # 3, 5 & 3, 5 | 3, ~5, 1 << 4, 16 >> 2
select (-2147483648) / -1
select abs(-2147483648)
select round(2.5), round(-2.5), round(2.567, 2), round(1234.5, -2), trunc(2.567, 1), trunc(-2.5), ceil(2.1), floor(-2.1), round(2.5::float8), round(0.5::float8), sign(-3), abs(-1.5)
select nosuch from people
select p.nosuch from people p
select x.id from people p
select * from nosuch
select nosuch(1)
select id from people where name = 5
select id, count(*) from people
select '2024-13-45'::date
select '{bad'::int[]
select '1 fortnight'::interval
select * from people order by nosuch
select id from people limit 'x'
select id from people union select id, name from people
select max(sum(id)) from people
select a.id from people a, people a
select id from people, events
select case when id = 1 then 'a' else 2 end from people
select from where
select 'unterminated
select * from people where id =
select count(*), "Name", NAME, upper(name) as "UP" from people group by name order by name
select current_date = now()::date, current_timestamp = now(), localtimestamp is not null, current_user = session_user, now() = transaction_timestamp()
select cast(1 as text), 1::text, extract(year from now()) > 2000, position('b' in 'abc'), substring('abc' from 2), trim(both 'x' from 'xax'), overlay('abc' placing 'X' from 2)
select not true, true and null, false or null, null is true, (id > 1) is not false from people order by id
select left('abc', -1), right('abc', -1), substr('abc', 2), strpos('abc', 'c'), replace('aXa', 'X', 'b'), reverse('abc'), repeat('ab', 2), split_part('a-b-c', '-', -1), translate('abc', 'ab', 'xy'), initcap('hello world'), ascii('a'), chr(97)
select like_escape.x like 'a\%' from (values ('a%'), ('ab')) like_escape(x)
select 'abc' like '_b%', 'abc' ilike 'A%', 'a%c' like 'a!%c' escape '!', 'abc' not like 'x%', 'abc' ~ 'B', 'abc' ~* 'B', 'abc' similar to '(a|x)bc'
select md5('a'), encode('abc', 'base64'), encode('\xff00'::bytea, 'hex'), decode('ff', 'hex'), length('\xff'::bytea), '\x61'::bytea::text, 'a'::bytea
select b'101', x'1F'
select 0.1 + 0.2, 0.1::float8 + 0.2::float8, 1e20::float8, 1e-7::float8, 123456789012345678::float8, 'NaN'::float8, '-Infinity'::float8, 1.0::float8, 100000.0::real
select salary * 2, salary * 1.1, salary + 0.005, salary - id, -salary, salary / 7, salary % 3, salary::int, salary::float8 from people order by id
select b'101' & b'110', b'101' | b'010', ~b'101', b'101' || b'1', length(b'101'), b'101'::int, b'1010' << 1, b'101' = b'101'
select 'a cat sat' ~ '\mcat\M', 'concat' ~ '\mcat', 'étab' ~ '\mtab', 'tab' ~ '\ytab\y', 'x-tab.' ~ 'tab\M', 'tabs' ~ 'tab\M'
select 'abc' like any (array['a%', 'x']), 'abc' not like all (array['x%', 'y%']), 'abc' not like any ('{a%,b%}'), 'abc' ilike all ('{A%,%C}'::text[])
select encode('\x00ff5c61'::bytea, 'escape'), decode('a\\b\000', 'escape'), substring('\x0102030405'::bytea from 2 for 2), substring('\x010203'::bytea, 2), substr('\x0102'::bytea, 1, 1)
select array_to_string(array[true, false, null], ','), array_to_string(array[1.5, 2], '|'), array_to_string(array[1.0::float8, 2.5], ' '), array_to_string(array[date '2024-01-05'], ',')

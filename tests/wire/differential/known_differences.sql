-- What a client sees differently from PostgreSQL today. A statement that is right again must leave this list.

-- aggregates
select stddev(amount), variance(amount) from events
select corr(height, id), covar_pop(height, id) from people

-- arithmetic
select 1e400::float8

-- dates
select (timestamp '2024-01-01', timestamp '2024-02-01') overlaps (timestamp '2024-01-15', timestamp '2024-03-01')

-- documents
select json '{"a": {"b": 2}}' -> 'a', json '{"a":{"b":2}}' ->> 'a', json '[1, "x"]' ->> 1
select x from jsonb_array_elements('[1, 2]'::jsonb) x
select id, e.value from people p, jsonb_array_elements(jsonb_build_array(p.id, p.id * 2)) e order by id, e.value::text
select coalesce(v -> 'b', '0') from (values ('{"a": 1}'::jsonb)) as t(v)
select jsonb '5' = jsonb '5.0', jsonb '"a"' < jsonb '"b"'
select json_object('{a,1,b,2}'), jsonb_object('{a,1,b,2}')
select (jsonb '[1, 2, 3]')[1], (jsonb '{"a": 1}')['a']

-- formatting
select to_char(interval '1 year 2 months 3 days 25:06:07.089', 'YYYY MM DD HH24:MI:SS.MS'), to_char(interval '36 hours', 'HH24:MI'), to_char(time '13:14:15', 'HH12:MI am')
select to_char(timestamp '2024-02-09 03:04:05', 'HH24hMI"min"SS\"'), to_char(date '2024-02-09', 'FMDay FMDDth FMMonth'), to_char(date '2024-12-30', 'IYYY IW ID WW')

-- numerics
select stddev(id), variance(id), stddev_pop(id), var_pop(id), stddev_samp(id), var_samp(id) from people
select stddev(salary), variance(salary) from people
select 12345.678::numeric(5,2)
select abs(-1.50), abs(-3), abs(-2.5::float8), abs(-5::bigint), @ -5
select power(2, 10), power(2.0, 3), power(2::numeric, 0.5), 2 ^ 10, 2.0 ^ 3, 2 ^ -1
select sqrt(2), sqrt(2.0), sqrt(16), sqrt(2::numeric), |/ 25
select cbrt(27), exp(1), exp(1.0), ln(10), ln(10.0), log(100), log(100.0), log(2.0, 8.0)
select exp(0), ln(1), log10(1000), exp(1::numeric)
select sqrt(-1)
select ln(0)
select ln(-1.0)
select 1.5::real, 0.1::real, 16777217::real, 1e10::real, 1.5::real * 2, 0.1::real::float8
select 12::text || 'x', 1.50::text, 1e2::text, true::text, 1.5::float8::text
select regr_slope(height, id), regr_count(height, id), regr_intercept(height, id) from people

-- queries
select p.id, e.id from people p join events e using (id) order by id
select sum(boss), "ID" from people

-- relations
select sum(row_number() over ()) from people
select count(*) from people group by 5
values (1), (2.5), (null)
select (1, null) = (1, null), (1, 2) = (1, null), (1, 2) = (2, null), (null, 1) is null, (null, null) is null, (1, 2) is not null
select 'a' as x, 1 as y union select 'b', 2.5 order by x
select (select id from people)
select (select id, name from people where id = 1)
select "People".id from people
select id, from people
select $1
select id from people group by
select current_schema, current_catalog is not null, current_user is not null
select version() is not null, pg_backend_pid() > 0
select pg_typeof(count(*)), pg_typeof(sum(id)), pg_typeof(avg(id)) from people
select amount, -amount, abs(amount), amount % 3, amount / 2, small + 1, id * 2 from events order by id

-- series_arrays
select * from generate_series(1, 3, 0)
select array[1, 2] || array[3], array[1, 2] || 3, 0 || array[1, 2], array[1] || null, array['a'] || 'b'::text
select array[1, 2] || '{3,4}', array[1, 2] || '{}'
select array_to_string(array[1, 2, 3], ','), array_to_string(array['a', null, 'b'], '-'), array_to_string(array['a', null], ',', '?'), array_to_string(array[1.5, 2], '|')
select array_to_string(array[true, false], ','), array_to_string(array[]::int[], ',')
select '{1,2,3}'::int[], '{}'::text[], '{a,"b,c",NULL,"NULL"}'::text[], '{1.5,2}'::numeric[], '{t,f}'::bool[], '{1,2}'::int2[], '{1,2}'::bigint[]
select array[1,2]::text, array['a','b c']::text, '{1,2}'::text::int[], array[1,null]::text
select 1 = any(null), null = any(array[1])

-- strings
select concat('a', null, 1), concat_ws(',', 'a', null, 'b'), 'a' || 'b', 'a' || null
select quote_literal('it''s'), quote_ident('Abc'), quote_ident('abc'), quote_ident('select'), quote_nullable(null), quote_literal('a\b')

-- text_functions
select quote_ident('foo'), quote_ident('Foo bar'), quote_ident('a"b'), quote_literal('O''Reilly'), quote_literal(42), quote_nullable(null), quote_nullable('x'), quote_literal(null)
select substring('Thomas' from '%#"o_a#"_' for '#'), substr('alphabet', 3), substr('alphabet', 3, 2), substr('abc', 0), substr('abc', -1, 3)
select length('héllo'), char_length('héllo'), octet_length('héllo'), bit_length('é'), upper('straße'), lower('ÀÉ'), length('')
select concat('a', 1, null, true, 1.5), concat_ws('-', 'a', null, 'b', 2), concat(), concat_ws(',', null, null), concat(null)
select 'a' || 'b' || 'c', 'n: ' || 5, 'a' || null, null || 'b', '' || 'x', 'v' || 1.50, 1 || ''
select unistr('\0061'), normalize('e'), 'a' is normalized
select E'a\nb', E'\x41', E'\u0041', 'a''b', $$x$$, $t$y$t$, 'a' 'b'
select num_nulls(1, null, 2), num_nonnulls(1, null), parse_ident('a.b'), to_ascii('x')

-- timestamps
select (timestamp '2024-01-01', timestamp '2024-02-01') overlaps (timestamp '2024-01-15', timestamp '2024-03-01'), (date '2024-01-01', date '2024-01-05') overlaps (date '2024-01-05', date '2024-01-10')
select (date '2024-01-01', interval '10 days') overlaps (date '2024-01-05', date '2024-01-06'), (date '2024-03-01', date '2024-01-01') overlaps (date '2024-02-01', date '2024-02-02')
select interval '1' day, interval '3' hour, interval '1-2' year to month, interval '1 10:20' day to minute, interval '5' second
select sum(x), avg(x), min(x), max(x) from (values (interval '1 hour'), (interval '2 hours')) t(x)
select timestamp '2024-03-01 10:00' - timestamp '2024-02-28 08:30', date '2024-03-01' - date '2024-02-28', timestamp '2024-03-01' - date '2024-02-01', time '10:00' - time '08:30'
select timestamp '2024-01-01 10:00'::date, timestamp '2024-01-01 10:00'::time, date '2024-01-01'::timestamp, timestamptz '2024-01-01 10:00+02'::date, timestamptz '2024-01-01 10:00+02'::timestamp
select timestamp '2024-01-01 10:20:30.123456', timestamp '2024-01-01 10:20:30.1', timestamp '2024-01-01 10:20:30.000', '2024-01-01 10:20:30.1234567'::timestamp
select timestamp(0) '2024-01-01 10:20:30.6', '2024-01-01 10:20:30.56'::timestamp(1), '10:20:30.56'::time(1)
select '0044-03-15 BC'::date, date '0001-01-01', date '9999-12-31', timestamp '0001-01-01 BC'
select at, at + interval '1 hour', at::date, date_trunc('month', at), extract(dow from at) from events order by at
select isfinite(date 'infinity'), isfinite(timestamp '2024-01-01'), isfinite(interval '1 day')
select time '10:20:30', time '10:20', time '24:00', '10:20:30.123'::time, time with time zone '10:20:30+02'
select timestamp '2024-01-01'::text, date '2024-01-01'::text, interval '1 day 2:03'::text, time '10:00'::text, timestamptz '2024-01-01 10:00+00'::text

-- types
select 'abc'::char(5) || 'x', length('abc'::char(5)), 'abc'::char(5) = 'abc', 'abc '::char(5) = 'abc'::char(3)
select greatest('a', 'b'), least(1, 2, null), greatest(null, null)
select nullif(1, 'a'::text)
select 1 union select 2.5 order by 1
select p from (select 1 as a, 'x y' as b) p
select nosuchtype '5'
select lower()
select lower('a', 'b')
select abs(1, 2)
select count()
select 1::money

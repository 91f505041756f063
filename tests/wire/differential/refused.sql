-- What the gateway answers with 0A000, because the engine cannot keep its meaning. docs/compatibility.md says it.

-- arithmetic
select width_bucket(5, 0, 10, 5)

-- dates
select to_char(date '2024-02-09', 'Day, DDth Month YYYY')
select to_char(timestamp '2024-02-09 15:04:05.678', 'MS US "at" HH24hMI')
select justify_hours(interval '27 hours'), justify_days(interval '35 days')

-- documents
select jsonb '{"a": {"b": 1, "c": 2}}' #- '{a,b}'
select row_to_json(row(1, 'x'))
select jsonb_set('{"a": 1}', '{a}', '2'), jsonb_set('{"a": 1}', '{b}', '2'), jsonb_set('{"a": 1}', '{b}', '2', false)
select jsonb_set('{"a": {"b": 1}}', '{a,b}', '"x"')
select jsonb_pretty('{"a": 1, "b": [1, 2]}')
select jsonb_pretty('[]'), jsonb_pretty('{}'), jsonb_pretty('1')
select jsonb_path_exists('{"a": 1}', '$.a')
select jsonb_insert('{"a": [0, 1]}', '{a,1}', '9')

-- numerics
select sind(30), cosd(60), tand(45), cot(1)
select width_bucket(5.35, 0.024, 10.06, 5), width_bucket(5, 0, 10, 5), width_bucket(-1, 0, 10, 5), width_bucket(10, 0, 10, 5)
select width_bucket(5.0::float8, 0, 10, 4), width_bucket(35, array[10, 20, 30])
select scale(1.500), trim_scale(1.500), min_scale(1.500), scale(5::numeric)

-- relations
select boss from people order by boss fetch first 2 rows with ties
select boss from people order by boss fetch first 1 row with ties
select from people
select ;

-- series_arrays
select * from generate_series(1.0, 2.0, 0.5)
select array_length(array[1, 2, 3], 1), array_length(array[]::int[], 1), array_length(array[1], 2), cardinality(array[1, 2]), cardinality(array[]::int[])
select array_upper(array[1, 2], 1), array_lower(array[1, 2], 1), array_ndims(array[1]), array_dims(array[1, 2])
select array_position(array['a', 'b'], 'b'), array_position(array[1, 2], 5), array_positions(array[1, 2, 1], 1)
select array_remove(array[1, 2, 1], 1), array_remove(array['a', null], null), array_replace(array[1, 2, 1], 1, 9)
select '{{1,2},{3,4}}'::int[]
select array[[1, 2], [3, 4]], array_length(array[[1, 2], [3, 4]], 2)
select array_fill(0, array[3]), array_fill('x'::text, array[2])
select trim_array(array[1, 2, 3], 1)

-- strings
select 'aa' ~ '(a)\1'

-- text_functions
select format('%10s|', 'abc'), format('%-10s|', 'abc'), format('%2$s %1$s', 'a', 'b'), format('%s', true), format('%s', null), format('no args')
select regexp_replace('abc', 'b', 'x', 1), regexp_replace('abab', 'b', 'x', 1, 2)
select regexp_count('aXbXc', 'X'), regexp_like('abc', 'B', 'i'), regexp_substr('foobar', 'o+'), regexp_instr('foobar', 'o')
select encode('hello'::bytea, 'hex'), encode('hello'::bytea, 'base64'), encode('\x00ff61'::bytea, 'escape'), decode('68656c6c6f', 'hex'), decode('aGVsbG8=', 'base64'), decode('a\\b', 'escape')
select md5('hello'), md5('hello'::bytea), sha256('hello'::bytea), sha224('a'::bytea), sha512('a'::bytea)
select 'abc' ilike any (array['A%', 'z']), 'abc' like all (array['a%', '%c']), 'x' like any ('{a,x}'), 'x' not like all (array['a', 'b'])
select 'foo' ~ 'fo+', 'foo' ~* 'FO', 'foo' !~ 'x', 'foo' !~* 'FOO', 'foo' ~ '^f.o$', 'a.b' ~ 'a\.b', 'tab' ~ '\mtab\M'
select btrim('\x00aa00'::bytea, '\x00'::bytea), length('\xdead'::bytea), octet_length('abc'::bytea), substring('\x010203'::bytea from 2 for 1), '\x01'::bytea || '\x02'::bytea, position('\x02'::bytea in '\x0102'::bytea)
select get_byte('\x0102'::bytea, 1), set_byte('\x0102'::bytea, 0, 255), convert_from('\x6162'::bytea, 'UTF8'), convert_to('ab', 'UTF8'), reverse('\x0102'::bytea::text)

-- timestamps
select to_char(date '2024-02-09', 'Day, DDth Month YYYY'), to_char(date '2024-02-01', 'FMDDth'), to_char(date '2024-02-02', 'DDTH'), to_char(date '2024-02-13', 'FMDDth')
select to_char(timestamp '2024-02-09 15:04:05', 'HH:MI:SS AM'), to_char(timestamp '2024-02-09 03:04:05', 'HH12:MI pm'), to_char(timestamp '2024-02-09 00:04:05', 'HH12 a.m.')
select to_char(date '2024-02-09', 'Q'), to_char(date '2024-02-09', 'WW'), to_char(date '2024-02-09', 'W'), to_char(date '2024-02-09', 'IW'), to_char(date '2024-02-09', 'CC'), to_char(date '2024-02-09', 'J')
select to_char(date '2024-02-09', 'D'), to_char(date '2024-02-09', 'ID'), to_char(date '2024-02-09', 'DDD'), to_char(date '2024-12-30', 'IYYY-IW'), to_char(date '2024-02-09', 'Y,YYY'), to_char(date '2024-02-09', 'YYY YY Y')
select to_char(timestamp '2024-02-09 15:04:05', '"Year:" YYYY'), to_char(timestamp '2024-02-09 15:04:05', 'YYYY/MM/DD'), to_char(timestamp '2024-02-09 15:04:05', 'SSSS'), to_char(timestamp '2024-02-09 15:04:05', 'YYYYMMDDHH24MISS')
select to_char(timestamptz '2024-02-09 15:04:05+00', 'YYYY-MM-DD HH24:MI TZ'), to_char(timestamptz '2024-02-09 15:04:05+00', 'OF'), to_char(timestamptz '2024-02-09 15:04:05+00', 'TZH:TZM')
select to_char(interval '15 hours 2 minutes', 'HH24:MI'), to_char(interval '1 day 2 hours', 'DD HH24')
select to_char(1234.5, '9999.99'), to_char(1234.5, '9,999.99'), to_char(-5, '999'), to_char(5, '000'), to_char(0.5, '0.99')
select to_char(1234567.891, 'FM9,999,999.00'), to_char(0.1, 'FM9.99'), to_char(12, 'FM000'), to_char(1234.5, 'FM9999D99')
select to_char(125, '999'), to_char(125.8, '999D9'), to_char(-125.8, '999D99S'), to_char(485, 'L999'), to_char(12, '99V999')
select to_char(12345, '999'), to_char(5, 'FM9'), to_char(1e6, '9999999'), to_char(0, '9'), to_char(-0.5, '9.9')
select to_char(salary, 'FM999,999.00'), to_char(id, '00') from people order by id
select to_char(485, 'RN'), to_char(12, '99th'), to_char(-12, '99PR'), to_char(12, 'SG99'), to_char(3.1416, '9.999EEEE')
select to_date('February 9, 2024', 'Month DD, YYYY'), to_date('2024', 'YYYY'), to_date('2024-40', 'YYYY-DDD'), to_date('5-Jan-2024', 'DD-Mon-YYYY')
select to_number('1,234.5', '9,999.9'), to_number('-12', '999'), to_number('12.50', '99.99'), to_number('$5', 'L9')
select justify_hours(interval '27 hours'), justify_days(interval '35 days'), justify_interval(interval '1 month -1 hour'), justify_days(interval '-35 days')
select date_trunc('quarter', timestamp '2024-05-09 10:00'), date_trunc('decade', timestamp '2024-05-09'), date_trunc('century', timestamp '2024-05-09'), date_trunc('millennium', timestamp '2024-05-09')
select date_trunc('day', timestamptz '2024-05-09 10:11:12+00', 'America/New_York'), date_trunc('hour', interval '3 hours 40 minutes'), date_trunc('month', interval '1 year 2 mons 5 days')
select timestamp '2024-01-01 10:00' at time zone 'UTC', timestamptz '2024-07-01 10:00+00' at time zone 'Europe/Berlin', timestamp '2024-07-01 10:00' at time zone 'America/New_York', timestamptz '2024-07-01 10:00+00' at time zone '+02'
select statement_timestamp() >= transaction_timestamp(), clock_timestamp() >= now(), timeofday() is not null

-- types
select row(1, 2), row(1, 'a', null), row('a b', 'c,d')
select (1, 2), (1, 'x')::text

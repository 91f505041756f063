-- differences that probing found
select 1e15::float8::text, 123456789012345678::float8::text, 1e6::real::text, 1e5::real::text, 16777216::real::text, -1234567890123456.5::float8::text, 'inf'::float8::text, 'nan'::float8::text, null::float8::text, concat(1e15::float8), 999999999999999::float8::text
select height::text, (height*1e15)::text, height::real::text from people order by id
select to_json('NaN'::float8), to_json('-inf'::float8), to_json(1e20::float8), to_json(1.0::float8), to_json(null::float8), to_json(height) from people order by 1::text
select jsonb '"a"' ? 'a', jsonb '5' ? 'a', jsonb 'null' ? 'a', jsonb '["a"]' ? 'a'
select jsonb_array_length('{}')
select jsonb_array_length('[1,2]'), json_array_length(json '[]'), jsonb_array_length(null)
select jsonb_build_object(null, 1)
select jsonb_build_object(name, 1) from people where id = 1
select date '0044-03-15 BC', timestamp '0001-01-01 00:00:00 BC', '0001-01-01 10:00 AD'::timestamp
select '2024-01-01 junk'::date
select '2024-01-01 10:00'::date, '2024-01-01 10:00:00+02'::date, '2024-01-01T10:00:00Z'::date
select timestamptz '2024-01-01 00:00 America/New_York', timestamptz '2024-07-01 00:00 Europe/Berlin', timestamptz '2024-01-01 00:00:00 PST', timestamptz '2024-01-01T00:00:00Z', timestamp '2024-07-01 00:00 Europe/Berlin', timestamptz '2024-03-31 02:30 Europe/Berlin', timestamptz '2024-10-27 02:30 Europe/Berlin', timestamptz '2024-10-27 Europe/Berlin'
select interval '1' year, interval '1' day, interval '1 2' day to hour, interval '10:20' hour to minute, interval '10:20' minute to second, interval '1-2' year to month, interval '5' minute, interval '1 2:03' day to minute, interval '1 2:03:04' day to second
select cardinality(array[[1,2],[3,4]]), array_ndims(array[[1,2],[3,4]]), array_ndims(array[1]), array_length(array[[1,2,3],[3,4,5]],2), array_length(array[1,2],2), array_length(array[1,2],1), array_upper(array[[1,2]],2), array_ndims('{}'::int[])
select array_position(array[1,2,3,2],2,3), array_position(array[1,2],5,1)
select round(2.5::float8, 1)
select trunc(height, 1) from people
select round(2.555, 2), round(2.5), round(height::numeric, 1) from people where id = 1
select date_trunc('week', interval '3 days')
select extract(timezone from timestamp '2024-07-01 12:00')
select to_char(0.1, '.9'), to_char(0.1, '9.9'), to_char(0.1, 'FM9.99'), to_char(0, 'FM9.99'), to_char(0, 'FM9.90'), to_char(0,'FM9'), to_char(0.001,'FM9.99'), to_char(0,'9.99'), to_char(0,'FM0.99'), to_char(-0.001,'FM9.99'), to_char(12.5,'.99')
select to_timestamp('12:34', 'HH24:MI')
select to_char(485, '9 9 9')
select (1,2) in ((1,2),(3,4)), (1,null) in ((1,2)), (1,null) in ((1,2),(1,3)), (1,null) not in ((1,2)), (1,null) not in ((2,2))
select (id, boss) in (select 2, 1) from people order by id
select (id, boss) not in (select 1, 1) from people order by id
select id from people where (id, boss) not in (select 1, 1) order by id
select id from people where (id, boss) in (select 2, 1) order by id
select id from people where (id, boss) in ((2,1),(3,1)) order by id
select (id, name) = (select 1, 'Ann'::text) from people order by id
select jsonb '[1,2,3]' - -1, jsonb '[1,2,3]' - 0, jsonb '[1]' - 5
select (jsonb '[1,2]')[0], (jsonb '{"a":{"b":1}}')['a'], (jsonb '[1,2]')[-1]
select array[1,2] || '{3}', '{3}' || array[1,2]
select array[1,2,3] @> '{1}', '{1}' <@ array[1,2], array[1,2] && '{2}'
select timestamptz '2024-03-31 00:30+00' at time zone interval '2 hours'
select timestamptz '2024-03-31 00:30+00' at time zone 'EST'
select timestamptz '2024-03-31 00:30+00' at time zone '+3'
select timestamptz '2024-03-31 00:30+00' at time zone 'UTC-5'
select timestamp '2024-03-31 00:30' at time zone '+03:00'
select interval '1 day'::time, interval '25 hours'::time
select time '12:00'::interval
select to_char(time '13:04:05', 'HH12:MI AM')
select '1' union select 2 order by 1
select null union all select '2024-01-01'::date
select '2024-01-01' union all select '2024-01-02'::date order by 1
select date_part('hour', date '2024-01-01')
select to_date('2024-06-5', 'IYYY-IW-ID')
select extract(year from timestamp '2024-01-01'), extract(epoch from now()) > 0
select unnest(array[[1,2],[3,4]])
select (1, boss) in (select id, boss from people where boss = 1), (id, active) not in ((1,true),(2,null)) from people order by id
select count(*) from people where not (id, boss) in (select 2, 1)
select tags || '{7,8}', tags @> '{1}' from events order by id
select cardinality(array[tags, tags]) from events where id = 1
select * from jsonb_to_recordset('[{"a":1,"b":"x"},{"a":2}]') as t(a int, b text)
select * from json_to_record('{"a":1,"b":"x"}') as t(a int, b text)
select * from json_to_recordset('[{"a":1,"b":"x","c":{"d":1}},{"a":2,"c":[1,2]}]') as t(a int, b text, c json)
select unistr('d\0061t\+000061')
select int4range(1,5)
select '[1,5)'::int4range
select 12.34::money
select xml '<a/>'
select sum(x) from generate_series(1.0, 3.0, 0.5) x
select regexp_replace('Thomas', '.', 'X', 3, 2)
select regexp_instr('number of your street, town zip, FR', '[^,]+', 1, 2)
select to_char(3.14, '9.99EEEE'), to_char(12345.678::float8, '9.99EEEE')
select to_date('2460350', 'J')
select (array[[1,2],[3,4]])[1][2]

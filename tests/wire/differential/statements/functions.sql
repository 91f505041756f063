select justify_interval(interval '1 year 13 months 40 days 30 hours'), justify_hours(interval '-27 hours'), justify_interval(interval '-1 month 3 days 50 hours')
select jsonb_set('{"a": [1, {"b": 2}]}', '{a,1,b}', '[9]'), jsonb_set('[1,2,3]', '{-1}', '"x"'), jsonb_set('{"a":1}', '{b,c}', '2'), jsonb_set('{"bb":1,"a":2}', '{c}', 'null'), jsonb_set('{"a":1}', '{a}', null)
select jsonb_set('1', '{a}', '2')
select jsonb_insert('{"a": [0, 1]}', '{a,0}', '"n"', true), jsonb_insert('{"a":1}', '{b}', '2')
select jsonb_insert('{"a":1}', '{a}', '2')
select '{"a":{"b":[1,2]}}'::jsonb #- '{a,b,0}', '[1,2]'::jsonb #- '{1}', '{"a":1}'::jsonb #- '{z}'
select jsonb_pretty('{"a": {"b": [1, {"c": "x: [], {}"}]}, "e": [], "f": {}}')
select jsonb_build_object(name, id, 'k', salary, name || '2', active) from people order by id
select jsonb_strip_nulls('{"a": null, "b": {"c": null, "d": 1}, "e": [null, {"f": null}]}'), json_strip_nulls('{"b": 1, "a": null, "c": {"z": null}}')
select regexp_replace('Hello World', 'o', '0', 'g'), regexp_replace('Hello', 'L', 'x', 'gi'), regexp_replace(E'a\nb', 'a.b', 'x', 'n'), regexp_replace(E'a\nb', '^b', 'x', 'n'), regexp_replace('abcabc', 'b', 'X', 3), regexp_replace('abcabc', 'b', 'X', 1, 0), regexp_replace('foobar', '(o+)(b)', '\2\1')
select regexp_like('Hello', 'h', 'i'), regexp_like('Hello', 'h'), regexp_count('abcabc', 'b', 3), regexp_count('aAaA', 'a', 1, 'i'), regexp_substr('abc123def456', '[0-9]+', 1, 2), regexp_substr('abc', '(b)(c)', 1, 1, 'i', 2), regexp_instr('abcabc', 'c'), regexp_instr('abc', 'x'), regexp_instr('aXa', 'a$'), regexp_substr('abc', 'z')
select regexp_match('foo123', '([a-z]+)([0-9]+)'), regexp_match('FOO', 'foo', 'i'), regexp_match('x', 'y'), regexp_matches('a1b2', '([a-z])([0-9])', 'g')
select width_bucket(0.29, 0, 1, 100), width_bucket(salary, 0, 5000, 10), width_bucket(height, 1.5, 2.5, 4), width_bucket(1, 10, 0, 5) from people order by id
select width_bucket(1, 0, 10, 0)
select width_bucket(1, 5, 5, 3)
select scale(salary), scale(salary * 1.5), scale(8.41), min_scale(8.4100), trim_scale(8.4100), trim_scale(100.00), scale(null::numeric), scale(1/3.0) from people order by id
select array_positions(array['a','b','a',null], 'a'), array_positions(array[1,null], null), array_replace(array[1,null,2], null, 0), array_fill(7, array[3]), array_dims(array[1,2,3]), array_dims('{}'::int[]), trim_array(array[1,2,3,4], 2)
select trim_array(array[1], 2)
select get_byte('\x1234567890'::bytea, 4), set_byte('\x1234567890'::bytea, 4, 64), convert_from('\xc3a9'::bytea, 'UTF8'), convert_to('é', 'utf-8'), encode(convert_to('a', 'UTF8'), 'hex'), sha256('abc'::bytea)
select get_byte('\x12'::bytea, 1)
select date_trunc('century', timestamp '2000-12-31'), date_trunc('millennium', date '2001-01-01'), date_trunc('century', timestamptz '2024-05-06 07:08:09+00'), date_trunc('day', timestamptz '2024-05-09 03:00+00', 'America/New_York'), date_trunc('month', timestamptz '2024-03-01 00:30+01', 'Europe/Berlin')
select num_nulls(1, null, 'x', null), num_nonnulls(null, 2), num_nulls(name, born) from people order by id
select lpad('abc', 2, ''), rpad('abc', 5, ''), lpad('x', 3), rpad('x', 3, 'ab'), lpad(null, 3, 'x'), lpad('abc', 0)
select format('%10s|%-10s|%2$s', 'abc', 'x'), format('%s %s %s', true, array[1,null,3], 1.50), format('%I=%L', 'a b', 5), format('%5s%%', 12.5), format('%s', null), format('%s', array['a b', null, '', 'NULL', 'x"y'])
select concat(1.0::float8, true, array[true,false], date '2024-01-05', interval '2 months', null, 1.50), concat_ws('-', 1, null, false, array['a,b'])
select array['a b', 'c', null]::text, array[1.5, 2]::text, array[true, null]::text, array[date '2024-01-01']::text, array[1.5::float8, 2]::text, '{}'::int[]::text, array[interval '1 month']::text
select id, boss from people order by boss fetch first 2 rows with ties
select id, active from people order by 2 desc fetch first 1 row with ties
select boss, count(*) as n from people group by boss order by n desc fetch first row with ties
select boss as b from people order by b nulls first fetch first 1 row with ties
select floor('1.5'), ceil('1.2'), abs('-1'), sqrt('4'), round('2.5'), sign('-3'), power('2', 3), exp('0')
select age('2024-02-29', '2024-01-01'), age(timestamp '2024-01-01', '2023-01-01'), justify_hours('30 hours'), justify_days('40 days')
select '2024-01-01' at time zone 'UTC', date_bin('15 minutes', timestamp '2024-01-01 00:20', '2001-01-01'), to_char(interval '1 day', 'DD'), date_trunc('month', timestamp '2024-05-06')
select trunc('2.7')
select date_trunc('day', '2024-01-01 10:00')

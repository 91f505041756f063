-- What the gateway answers with 0A000, because the engine cannot keep its meaning. docs/compatibility.md says it.

-- breadth
select rank(2) within group (order by id), dense_rank(2) within group (order by id), percent_rank(2) within group (order by id), cume_dist(2) within group (order by id) from people

-- documents
select jsonb_path_exists('{"a": 1}', '$.a')
select jsonb_path_query('{"a": [1, 2, 3]}', '$.a[*] ? (@ > 1)')
select jsonb_path_query_first('{"a": [1, 2]}', '$.a[0]'), jsonb_path_query_array('{"a": [1, 2]}', '$.a[*]')
select * from jsonb_to_recordset('[{"a": 1, "b": "x"}, {"a": 2}]') as t(a int, b text) order by a
select '{"a": 1}'::jsonb @? '$.a'
select '{"a": 1}'::jsonb @@ '$.a == 1'

-- formatting
select to_char(3.1416, '9.999EEEE')
select to_char(id, null), to_char(null::numeric, '999') from people where id = 1

-- numerics
select sind(30), cosd(60), tand(45), cot(1)

-- relations
select from people
select ;

-- series_arrays
select * from generate_series(1.0, 2.0, 0.5)
select '{{1,2},{3,4}}'::int[]

-- strings
select 'aa' ~ '(a)\1'

-- text_functions
select regexp_replace('abc', 'b', 'x', 1), regexp_replace('abab', 'b', 'x', 1, 2)
select md5('hello'), md5('hello'::bytea), sha256('hello'::bytea), sha224('a'::bytea), sha512('a'::bytea)

-- timestamps
select to_char(485, 'RN'), to_char(12, '99th'), to_char(-12, '99PR'), to_char(12, 'SG99'), to_char(3.1416, '9.999EEEE')
select statement_timestamp() >= transaction_timestamp(), clock_timestamp() >= now(), timeofday() is not null

-- types

-- rows
select row(1,2) union all select row(3,'x')
values (row(1,2))
select row(salary / 3) as x from people order by x

-- hunted
select to_timestamp('12:34', 'HH24:MI')
select to_char(485, '9 9 9')
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
select json_object('{a,b}', '{1,2}')
select json_object(array['a'], array['1'])

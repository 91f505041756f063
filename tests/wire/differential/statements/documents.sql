select '{"b": 1, "a": [1, 2, {"c": null}], "b": 3}'::jsonb
select '{"bb": 1, "a": 2, "ccc": 3, "ab": 4}'::jsonb, '[1,2 , 3]'::jsonb, '"x"'::jsonb, 'null'::jsonb, 'true'::jsonb
select '1e2'::jsonb, '1.50'::jsonb, '-0'::jsonb, '"\u00e9"'::jsonb, '{"a":"x,y:z \"q\""}'::jsonb
select '{bad'::jsonb
select 'x'::json
select jsonb '{"a": 1}', json '{"a":1}'
select jsonb '{"a": {"b": 2}}' -> 'a', jsonb '{"a": {"b": 2}}' -> 'a' -> 'b', jsonb '[1, 2, 3]' -> 1, jsonb '[1, 2, 3]' -> -1
select jsonb '{"a": {"b": 2}}' ->> 'a', jsonb '{"a": [1, 2]}' ->> 'a', jsonb '["x", "y"]' ->> 0, jsonb '{"a": null}' ->> 'a'
select json '{"a": {"b": 2}}' -> 'a', json '{"a":{"b":2}}' ->> 'a', json '[1, "x"]' ->> 1
select jsonb '{"a": {"b": [10, 20]}}' #> '{a,b}', jsonb '{"a": {"b": [10, 20]}}' #>> '{a,b,1}', jsonb '{"a": 1}' #> '{x,y}'
select jsonb '{"a": 1}' -> 'missing', jsonb '[1]' -> 5, jsonb '{"a": 1}' -> 0
select jsonb '{"a": 1, "b": 2}' @> '{"a": 1}', jsonb '{"a": 1}' <@ '{"a": 1, "b": 2}', jsonb '[1, 2, 3]' @> '[3, 1]', jsonb '{"a": 1}' @> '{"a": 2}'
select jsonb '{"a": 1, "b": 2}' ? 'b', jsonb '["x", "y"]' ? 'x', jsonb '{"a": 1}' ?| array['z', 'a'], jsonb '{"a": 1}' ?& array['a', 'b']
select jsonb '{"a": 1}' || jsonb '{"b": 2}', jsonb '[1]' || jsonb '[2]', jsonb '[1]' || jsonb '2', jsonb '{"a": 1}' || jsonb '{"a": 5}'
select jsonb '{"a": 1, "b": 2}' - 'a', jsonb '[1, 2, 3]' - 1, jsonb '["a", "b"]' - 'a', jsonb '{"a": 1, "b": 2, "c": 3}' - array['a', 'c']
select jsonb '{"a": {"b": 1, "c": 2}}' #- '{a,b}'
select jsonb_build_object('a', 1, 'b', true, 'c', null, 'd', 'x', 'e', 1.50), jsonb_build_object()
select jsonb_build_object('zz', 1, 'a', 2, 'b', jsonb_build_array(1, 2))
select json_build_object('a', 1, 'b', 'x', 'c', null), json_build_array(1, 'a', true, null), json_build_object()
select jsonb_build_array(1, 'a', true, null, 2.5), jsonb_build_array()
select jsonb_build_object('d', date '2024-01-05', 't', timestamp '2024-01-05 10:20:30', 'n', 10::numeric(10,2))
select jsonb_build_object('id', id, 'name', name) from people order by id
select jsonb_agg(id order by id desc) from people
select jsonb_agg(name order by id) from people
select jsonb_agg(id order by id) filter (where id > 2) from people
select jsonb_agg(id) from people where id > 100
select json_agg(id order by id), json_agg(name order by id) from people where id < 3
select jsonb_object_agg(id, name) from people where id < 3
select jsonb_object_agg(name, id) filter (where id < 3) from people
select json_object_agg(id, name order by id) from people where id < 3
select jsonb_agg(jsonb_build_object('id', id) order by id) from people where id < 3
select jsonb_agg(distinct active) from people where active is not null
select * from jsonb_array_elements('[1, "a", {"b": 2}, null]')
select value from jsonb_array_elements('[1, 2]'::jsonb)
select x from jsonb_array_elements('[1, 2]'::jsonb) x
select e.v from jsonb_array_elements('[1, 2]'::jsonb) as e(v)
select * from jsonb_array_elements_text('["a", "b", null]')
select jsonb_array_elements('[1, 2]'::jsonb)
select jsonb_array_elements_text('["a", "b"]'::jsonb)
select id, e.value from people p, jsonb_array_elements(jsonb_build_array(p.id, p.id * 2)) e order by id, e.value::text
select p.id, x from people p cross join lateral jsonb_array_elements_text('["a","b"]') x where id < 3 order by 1, 2
select * from json_array_elements('[1,{"a":1}]')
select * from json_array_elements_text('["q", 1]')
select * from jsonb_each('{"a": 1, "b": "x"}')
select key, value from jsonb_each('{"a": 1, "b": "x"}'::jsonb)
select * from jsonb_each_text('{"a": 1, "b": "x", "c": null}')
select * from json_each('{"a":1,"b":"x"}')
select key, value from json_each_text('{"a":1,"b":"x"}') order by key
select k.key, k.value from jsonb_each_text('{"a": 1}') as k
select * from jsonb_object_keys('{"a": 1, "b": 2}')
select jsonb_object_keys('{"a": 1, "b": 2}'::jsonb)
select json_object_keys('{"a":1}')
select jsonb_typeof('{"a": 1}'), jsonb_typeof('[1]'), jsonb_typeof('"s"'), jsonb_typeof('1.5'), jsonb_typeof('true'), jsonb_typeof('null')
select json_typeof('1'), json_typeof('[]'), json_typeof('{}')
select to_jsonb(1), to_jsonb('x'::text), to_jsonb(true), to_jsonb(1.5), to_jsonb(null::int)
select to_jsonb(array[1,2]), to_jsonb(array['a','b']), to_json('x'::text), to_json(1.5)
select to_jsonb(date '2024-01-05'), to_jsonb(timestamp '2024-01-05 10:20:30'), to_json(date '2024-01-05')
select row_to_json(p) from (select 1 as a, 'x' as b) p
select row_to_json(row(1, 'x'))
select to_jsonb(p) from (select 1 as a, 'x' as b) p
select jsonb_set('{"a": 1}', '{a}', '2'), jsonb_set('{"a": 1}', '{b}', '2'), jsonb_set('{"a": 1}', '{b}', '2', false)
select jsonb_set('{"a": {"b": 1}}', '{a,b}', '"x"')
select jsonb_pretty('{"a": 1, "b": [1, 2]}')
select jsonb_pretty('[]'), jsonb_pretty('{}'), jsonb_pretty('1')
select json_array_length('[1,2,3]'), jsonb_array_length('[]')
select jsonb_strip_nulls('{"a": 1, "b": null}'), json_strip_nulls('{"a":1,"b":null}')
select jsonb_extract_path('{"a": {"b": 2}}', 'a', 'b'), jsonb_extract_path_text('{"a": {"b": 2}}', 'a', 'b'), json_extract_path_text('{"a":{"b":2}}', 'a', 'b')
select '{"a": 1}'::jsonb = '{"a":1}'::jsonb, '{"a": 1, "b": 2}'::jsonb = '{"b": 2, "a": 1}'::jsonb, '[1]'::jsonb <> '[2]'::jsonb
select '{"a": 1}'::jsonb::text, '{"b":1,"a":2}'::jsonb::text, '{"a":1}'::json::text
select ('{"a": 1}'::jsonb -> 'a')::int, ('{"a": "5"}'::jsonb ->> 'a')::int, ('{"a": 1.5}'::jsonb ->> 'a')::numeric, ('{"a": true}'::jsonb ->> 'a')::boolean
select ('{"a": 1.5}'::jsonb -> 'a')::numeric, ('{"a": true}'::jsonb -> 'a')::boolean, ('{"a": 2}'::jsonb -> 'a')::float8
select sum((v ->> 'n')::int) from (values ('{"n": 1}'::jsonb), ('{"n": 2}'::jsonb)) as t(v)
select v -> 'n' from (values ('{"n": 1}'::jsonb), ('{"n": [2, 3]}'::jsonb)) as t(v)
select v ->> 'n' as n from (values ('{"n": 1}'::jsonb), ('{"m": 2}'::jsonb)) as t(v) order by n
select count(*) from (values ('{"n": 1}'::jsonb), ('{"m": 2}'::jsonb)) as t(v) where v ? 'n'
select count(*) from (values ('{"n": 1}'::jsonb), ('{"m": 2}'::jsonb)) as t(v) where v @> '{"n": 1}'
select v from (values ('{"n": 1}'::jsonb)) as t(v)
select jsonb_array_length(v -> 'a') from (values ('{"a": [1,2,3]}'::jsonb)) as t(v)
select coalesce(v -> 'b', '0') from (values ('{"a": 1}'::jsonb)) as t(v)
select case when true then '{"a":1}'::jsonb end
select jsonb_exists('{"a": 1}', 'a')
select json_build_object('a', 1) ->> 'a', jsonb_build_object('a', jsonb_build_object('b', 2)) -> 'a' ->> 'b'
select array_agg(x) from jsonb_array_elements_text('["a", "b"]') x
select string_agg(x, ',') from jsonb_array_elements_text('["a", "b"]') x
select array(select jsonb_array_elements_text('["a", "b"]'))
select '[]'::jsonb, '{}'::jsonb, '[[]]'::jsonb, '{"a":{}}'::jsonb
select jsonb '5' = jsonb '5.0', jsonb '"a"' < jsonb '"b"'
select null::jsonb, null::json
select jsonb_path_exists('{"a": 1}', '$.a')
select json_object('{a,1,b,2}'), jsonb_object('{a,1,b,2}')
select id from people order by jsonb_build_object('a', id) ->> 'a' desc
select (jsonb '[1, 2, 3]')[1], (jsonb '{"a": 1}')['a']
select jsonb_insert('{"a": [0, 1]}', '{a,1}', '9')
select json_object('{a,b}', '{1,2}')
select json_object(array['a'], array['1'])

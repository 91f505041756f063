select array[1,2,3], array['a','b'], array[]::int[], array[1,null]
select array_length(array[1,2], 1), cardinality(array[1,2,3]), array_length(array[]::int[], 1), array_upper(array[1,2], 1), array_lower(array[1,2], 1)
select (array[1,2,3])[2], (array[1,2,3])[0], (array[1,2,3])[5], (array[1,2,3])[1:2], (array[1,2,3])[-1]
select tags[1], tags[small] from events order by id
select array_append(array[1], 2), array_prepend(0, array[1]), array_cat(array[1], array[2]), array[1] || array[2], array[1] || 2
select array_remove(array[1,2,1], 1), array_position(array['a','b'], 'b'), array_position(array[1], 5)
select 1 = any(array[1,2]), 3 = any(array[1,2]), 1 <> all(array[2,3]), 1 = any('{1,2}'::int[])
select array[1,2] @> array[1], array[1] <@ array[1,2], array[1,2] && array[2,3]
select unnest(array[1,2,3])
select * from unnest(array[1,2]) u
select * from unnest(array['a','b']) with ordinality as u(x, n)
select u from unnest(array[1,2]) u order by u desc
select array(select id from people order by id)
select tags from events order by id
select id from events where 4 = any(tags)
select * from generate_series(1, 3)
select g from generate_series(1, 5, 2) g
select g.g from generate_series(1, 2) g
select x from generate_series(1, 3) as t(x) where x > 1
select generate_series(1, 3)
select array[1,2] = array[1,2], array[1,2] < array[1,3]
select '{"a": {"b": [1, 2]}}'::json -> 'a' -> 'b' ->> 1
select '{"a": 1}'::json ->> 'a', '{"a": null}'::json ->> 'a', '{"a": 1}'::json -> 'x'
select '[1, 2, 3]'::json -> 0, '[1,2,3]'::jsonb -> -1
select '{"a": {"b": "c"}}'::json #>> '{a,b}', '{"a": [1, {"b": 2}]}'::jsonb #>> '{a,1,b}'
select ('{"a": 1}'::jsonb ->> 'a')::int + 1
select '{"a": 1, "b": 2}'::jsonb @> '{"a": 1}', '{"a": 1}'::jsonb ? 'a', '{"a": 1}'::jsonb ? 'b'
select jsonb_build_object('a', 1, 'b', 'x'), jsonb_build_array(1, 'a', null)
select json_build_object('a', 1)
select to_json(1), to_jsonb('a'::text), to_jsonb(array[1,2])
select jsonb_array_length('[1, 2]'::jsonb), jsonb_typeof('"a"'::jsonb), jsonb_typeof('1'::jsonb), jsonb_typeof('null'::jsonb)
select json_agg(id order by id) from people
select jsonb_agg(id order by id) from people
select jsonb_object_agg(id, name) from people where id = 1
select '{"b": 1, "a": 2, "b": 3}'::jsonb
select '{"a": 1}'::jsonb || '{"b": 2}'::jsonb
select * from jsonb_array_elements('[1, 2]'::jsonb)
select '{"k.x": 1}'::json ->> 'k.x', '{"k\"q": 2}'::json ->> 'k"q'

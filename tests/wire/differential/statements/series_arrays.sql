select * from generate_series(1, 5)
select * from generate_series(1, 10, 3)
select * from generate_series(5, 1, -2)
select * from generate_series(1, 0)
select generate_series(1, 3), 'x'
select g, g * 2 from generate_series(1, 3) as g
select n from generate_series(1, 3) as t(n) order by n desc
select sum(g), count(*), avg(g) from generate_series(1, 10) g
select * from generate_series(1::bigint, 3)
select * from generate_series(1.0, 2.0, 0.5)
select * from generate_series(1, 3, 0)
select * from generate_series(date '2024-01-01', date '2024-01-03', interval '1 day')
select d::date from generate_series(date '2024-01-30', date '2024-02-02', interval '1 day') d
select * from generate_series(timestamp '2024-01-01', timestamp '2024-01-02', interval '6 hours')
select * from generate_series(timestamptz '2024-01-01 00:00+00', timestamptz '2024-01-02 00:00+00', '12 hours')
select to_char(m, 'YYYY-MM') from generate_series('2024-01-01'::timestamp, '2024-04-01', '1 month') m
select p.id, g from people p, generate_series(1, p.id) g order by 1, 2
select * from generate_series(1, 3) with ordinality
select * from generate_series(10, 12) with ordinality as t(v, n)
select * from unnest(array[1, 2, 3])
select u from unnest(array['a', 'b']) u
select * from unnest(array['a', 'b']) with ordinality
select u.v, u.n from unnest(array['x', 'y']) with ordinality as u(v, n)
select * from unnest(array[1, 2], array['a', 'b', 'c'])
select a, b from unnest(array[1, 2], array['x', 'y']) as t(a, b)
select unnest(array[1, 2]), 'k'
select unnest(tags) from events where id = 1
select e.id, t from events e, unnest(e.tags) t order by 1, 2
select e.id, t.v, t.n from events e cross join lateral unnest(e.tags) with ordinality t(v, n) order by 1, 3
select id from events where 2 = any(tags)
select id from events where 5 = any(tags) or 4 = any(tags)
select 1 = any(array[1, 2]), 3 = any(array[1, 2]), 3 = all(array[3, 3]), 1 <> all(array[2, 3]), 1 < any(array[0, 2])
select 1 = any(array[null, 2]), 1 = any('{1,2}'), 'a' = any('{a,b}'), 2 = any('{1,2}'::int[])
select id from people where name = any(array['Ann', 'Bob']) order by id
select id from people where id = any('{1,3}') order by id
select id from people where id in (select unnest(array[1, 2])) order by id
select array[1, 2] || array[3], array[1, 2] || 3, 0 || array[1, 2], array[1] || null, array['a'] || 'b'::text
select array[1, 2] || '{3,4}', array[1, 2] || '{}'
select array[1, 2, 3] @> array[1], array[1] <@ array[1, 2], array[1, 2] && array[2, 3], array[1] && array[5]
select array[1, 2] = array[1, 2], array[1, 2] < array[1, 3], array[1] <> array[2], array[1, 2] > array[1]
select array_length(array[1, 2, 3], 1), array_length(array[]::int[], 1), array_length(array[1], 2), cardinality(array[1, 2]), cardinality(array[]::int[])
select array_upper(array[1, 2], 1), array_lower(array[1, 2], 1), array_ndims(array[1]), array_dims(array[1, 2])
select array_position(array['a', 'b'], 'b'), array_position(array[1, 2], 5), array_positions(array[1, 2, 1], 1)
select array_remove(array[1, 2, 1], 1), array_remove(array['a', null], null), array_replace(array[1, 2, 1], 1, 9)
select array_append(array[1], 2), array_prepend(0, array[1]), array_cat(array[1], array[2]), array_append(null::int[], 1)
select array_to_string(array[1, 2, 3], ','), array_to_string(array['a', null, 'b'], '-'), array_to_string(array['a', null], ',', '?'), array_to_string(array[1.5, 2], '|')
select array_to_string(array[true, false], ','), array_to_string(array[]::int[], ',')
select string_to_array('a,b,c', ','), string_to_array('abc', null), string_to_array('', ','), string_to_array('a,,b', ',', ''), string_to_array(null, ',')
select (array[1, 2, 3])[1], (array[1, 2, 3])[0], (array[1, 2, 3])[-1], (array[1, 2, 3])[4], (array['a', 'b'])[2]
select (array[1, 2, 3, 4])[2:3], (array[1, 2, 3])[2:], (array[1, 2, 3])[:2], (array[1, 2, 3])[5:6], (array[1, 2])[0:1]
select tags[1], tags[2], tags[9] from events order by id
select tags, cardinality(tags), array_length(tags, 1) from events order by id
select '{1,2,3}'::int[], '{}'::text[], '{a,"b,c",NULL,"NULL"}'::text[], '{1.5,2}'::numeric[], '{t,f}'::bool[], '{1,2}'::int2[], '{1,2}'::bigint[]
select '{"a b","c\"d","e\\f"}'::text[], '{2024-01-05}'::date[], '{1.5}'::float8[]
select '{1,2'::int[]
select 'x'::int[]
select '{{1,2},{3,4}}'::int[]
select array[[1, 2], [3, 4]], array_length(array[[1, 2], [3, 4]], 2)
select array[1, null, 3], array['a', 'b c', '', null, 'q"x', 'NULL'], array[true, false], array[1.5, 2.25], array[date '2024-01-05']
select array[]::int[], array[]::text[], '{}'::int[]
select array[]
select array[timestamp '2024-01-01 10:00', null], array['\xdead'::bytea], array[interval '1 day']
select array_agg(id order by id), array_agg(name order by id desc) from people
select array_agg(id order by id) filter (where id > 2), array_agg(distinct active) from people where active is not null
select array_agg(id) from people where id > 100
select array(select id from people order by id), array(select name from people where id > 100)
select array_fill(0, array[3]), array_fill('x'::text, array[2])
select array[1,2]::text, array['a','b c']::text, '{1,2}'::text::int[], array[1,null]::text
select 1 = any(null), null = any(array[1])
select array_agg(x order by x desc) from unnest(array[3, 1, 2]) x
select array_length(string_to_array('a b c', ' '), 1), (string_to_array('a b c', ' '))[2]
select trim_array(array[1, 2, 3], 1)
select unnest('{1,2}'::int[]), unnest('{a,b,c}'::text[])
select id, unnest(array['x', 'y']) from people where id < 3 order by 1, 2
select generate_subscripts(array['a', 'b'], 1)
select s, (array['a', 'b'])[s] from generate_subscripts(array['a', 'b'], 1) s
select array[id, id * 2] from people where id < 3 order by id
select max(tags) from events
select array_to_json(array[1, 2]), to_json(array['a', 'b']), array_to_json(array['a', null])
select array_to_string(array[null]::text[], '|'), array_to_string(array[null, 1, null], '|'), array_to_string(null::int[], '|'), array_to_string('{}'::int[], ',')
select i, array[5, null] <@ a, a <@ array[5, null], '{1,NULL}'::int[] <@ a from (values (1, array[1, 2]), (2, null), (3, '{}'::int[]), (4, array[null, 5])) t (i, a) order by i
select array['42', x] || 'y'::text, array[x, null, 'z'] || x, coalesce(x, 'q') || 1.5::float8, case when x > 'a' then 'k' else x end || 2::float8 from (values ('b'::text)) t (x)

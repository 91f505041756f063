-- What a client sees differently from PostgreSQL today. A statement that is right again must leave this list.

-- varchar and char(n) are text to the engine; the catalog's types must be laid over the result
select kind, count(*) from events group by kind order by kind
select kind, count(*) from events group by kind order by kind desc
select kind, count(*) from events group by 1 having count(*) > 1 order by 1
select mode() within group (order by kind) from events
select first_value(kind) over (order by id), ntile(2) over (order by id) from events order by id
select kind, sum(amount) from events group by rollup (kind) order by kind nulls last, 2
select distinct on (kind) kind, id from events order by kind, id desc
select 'abcdef'::varchar(3), 'abc'::text
select 'a'::char(1), 'abc'::char
select kind from events union all select name from people order by 1 desc
select kind, count(*) filter (where amount > 0) as positive from events group by kind order by kind

-- numeric results that the engine computes as a double; last digits of floating point aggregates
select stddev(amount), variance(amount) from events
select corr(height, id), covar_pop(height, id) from people
select 1 / 3.0

-- overflow of double precision is infinity
select 1e400::float8

-- functions that are missing
select width_bucket(5, 0, 10, 5)
select justify_hours(interval '27 hours'), justify_days(interval '35 days')
select (timestamp '2024-01-01', timestamp '2024-02-01') overlaps (timestamp '2024-01-15', timestamp '2024-03-01')

-- generate_series of integers is bigint
select * from generate_series(1, 3)
select g from generate_series(1, 5, 2) g
select g.g from generate_series(1, 2) g
select x from generate_series(1, 3) as t(x) where x > 1
select generate_series(1, 3)

-- the engine has one JSON type: json for jsonb, and its own spacing and key order
select '[1, 2, 3]'::json -> 0, '[1,2,3]'::jsonb -> -1
select jsonb_build_object('a', 1, 'b', 'x'), jsonb_build_array(1, 'a', null)
select json_build_object('a', 1)
select to_json(1), to_jsonb('a'::text), to_jsonb(array[1,2])
select json_agg(id order by id) from people
select jsonb_agg(id order by id) from people
select jsonb_object_agg(id, name) from people where id = 1
select '{"b": 1, "a": 2, "b": 3}'::jsonb

-- || of jsonb is refused
select '{"a": 1}'::jsonb || '{"b": 2}'::jsonb

-- functions that give rows of a document are missing
select * from jsonb_array_elements('[1, 2]'::jsonb)

-- to_char patterns beyond the known codes are refused
select to_char(date '2024-02-09', 'Day, DDth Month YYYY')
select to_char(timestamp '2024-02-09 15:04:05.678', 'MS US "at" HH24hMI')

-- an ambiguous name in ORDER BY is not an error
select p.id, e.id from people p join events e using (id) order by id

-- the engine folds a constant NULL to an integer
select concat('a', null, 1), concat_ws(',', 'a', null, 'b'), 'a' || 'b', 'a' || null

-- back-references are refused
select 'aa' ~ '(a)\1'

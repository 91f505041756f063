select row(1,2)
select row(1, 'x')
select row(1, 'a', null), row('a b', 'c,d')
select row(1.50, true, 2.5::float8, date '2024-01-02')
select row(id, name) from people order by id
select (id, name) from people order by id
select row(p.*) from (select 1 as a, 'x' as b) p
select row(p.*, 3) from (select 1 as a, 'x' as b) p
select row_to_json(p) from people p order by id
select json_agg(t) from (select 1 as a, 'x y' as b) t
select to_jsonb(t) from (select 1 as a, 'x y' as b, 1.50 as c, now()::date is null as d) t
select array_agg(row(1,2))
select array[row(1,2), row(3,4)]
select row(1, row(2, 'a"b'))
select row(array[1,2], jsonb '{"a":1}', json '{"a":1}')
select row(1,2)::text, row(null)::text, row()::text
select row()
select (row(1,2)).f1
select (p).name from people p order by id
select count(p) from people p
select p::text from people p order by id
select row(1,2) = row(1,2), row(1,2) < row(1,3)
select coalesce(row(1,2), row(3,4))
select case when true then row(1,2) end
select x from (select row(1, 'a') as x) s
select distinct row(1,2)
select row(id) from people order by row(id)
select max(row(1,2)::text)
select to_json(row(1,'a')), to_jsonb(row(1, null))
select row(interval '1 month', timestamptz '2024-01-01 00:00+00', bytea '\x01', 'x'::varchar, 'y'::char(3))
select row(1,2) union all select row(3,4)
select concat(row(1,2), 'x')
select (select row(1,2))
select array(select row(1,2))
with t as (select 1 as a) select t from t
select t from (values (1,'a'),(2,null)) t(a,b)
select row(0.1+0.2, 1/3.0, avg(x)) from (values (1),(2)) v(x)
select row(1, '')
select row('NULL', 'null', ' ', E'a\\b', '(', ')', '"')
select row(p, 1) from (select 1 as a) p
select p from people e left join (select 1 as a, 'q' as b) p on e.id = p.a order by e.id
select row_to_json(p), p::text from people e left join (select 1 as a, 'q' as b) p on e.id = p.a order by e.id
select json_agg(row(id, name) order by id) from people
select jsonb_agg(p order by id) from people p
select json_build_object('a', row(1,2), 'b', p) from (select 1 as x) p
select id, row(id, name) r from people order by r
select * from (select row(id, salary) r from people order by id) q
select row(salary, salary / 3) from people order by id
select row_to_json(e) from events e order by id
select row(kind, count(*)) from events group by kind order by kind
select row(kind, avg(amount)) from events group by kind order by kind
select json_agg(x) from (select id, born, active, height from people order by id) x
select row(id, born) in (select id, born from people) from people order by id
select (id, name) in ((1,'Ann'),(2,'x')) from people order by id
select id from people group by (id) order by id
select id, name from people group by (id, name) order by id
select distinct on (id, name) id from people order by id, name
select row(id, name) is null from people order by id
select p is null, p is not null from people p order by id
select json_agg(tags) from events where id = 1 or id = 2
select row(null,1) is null, row(null, null) is null, row(1,2) is not null, not (p is null) from people p order by id
select count(*) from people e left join (select 1 as a) p on e.id = p.a where p is null
select row(1,2) union all select row(3,'x')
values (row(1,2))
select row(salary / 3) as x from people order by x
select p from people p order by id

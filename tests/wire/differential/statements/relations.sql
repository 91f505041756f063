select id, row_number() over (order by id), rank() over (order by boss), dense_rank() over (order by boss), percent_rank() over (order by id), cume_dist() over (order by id) from people order by id
select id, sum(id) over (order by id), sum(id) over (), count(*) over (partition by active), avg(id) over (order by id) from people order by id
select id, lag(id) over (order by id), lead(id) over (order by id), lag(id, 2) over (order by id), lag(id, 1, 0) over (order by id), lead(name, 1, 'none') over (order by id) from people order by id
select id, first_value(name) over w, last_value(name) over w, nth_value(name, 2) over w from people window w as (order by id) order by id
select id, sum(id) over (order by id rows between 1 preceding and 1 following), sum(id) over (order by id rows unbounded preceding), max(id) over (order by id rows between current row and unbounded following) from people order by id
select id, sum(id) over (order by id range between 1 preceding and current row), count(*) over (order by boss groups between 1 preceding and current row) from people order by id
select id, sum(id) over (order by id rows between unbounded preceding and unbounded following exclude current row) from people order by id
select id, ntile(3) over (order by id), sum(salary) over (order by id), avg(salary) over (partition by boss order by id) from people order by id
select id, count(*) filter (where active) over (order by id) from people order by id
select id, rank() over (order by salary desc), rank() over (order by salary desc nulls last) from people order by id
select boss, count(*), sum(id), rank() over (order by count(*) desc, boss) from people group by boss order by boss
select id from people where row_number() over () = 1
select sum(row_number() over ()) from people
select boss, active, count(*) from people group by grouping sets ((boss), (active), ()) order by boss, active, 3
select boss, active, count(*), grouping(boss), grouping(boss, active) from people group by cube (boss, active) order by 4, 5, boss, active
select boss, active, sum(id) from people group by rollup (boss, active) order by boss, active, 3
select boss, count(*) from people group by boss having count(*) > 1
select boss as b, count(*) from people group by b order by b
select boss + 1 as b, count(*) from people group by 1 order by 1
select count(*), count(boss), count(distinct boss), count(distinct (boss, active)) from people
select count(*) from people having count(*) > 100
select name, count(*) from people
select boss from people group by id
select id, name from people group by id
select sum(id) from people where sum(id) > 1
select count(*) from people group by 5
select max(count(*)) from people group by boss
select distinct on (boss) boss, id from people order by boss, id desc
select distinct on (active) active, id, name from people order by active, id
select distinct on (boss) id from people order by id
select distinct boss, active from people order by boss, active
select distinct id from people order by name
select distinct boss from people order by boss + 1
select id from people order by 2
select id from people order by 0
select id, name as n from people order by n, id
select id from people order by upper(name) nulls first limit 2
select id as name from people order by name
select id from people order by -id
select id from people order by 'x'
select id from people order by id limit 2 offset 1
select id from people order by id limit all offset 2
select id from people order by id limit null
select id from people order by id offset 3
select id from people order by id offset 1 rows fetch next 2 rows only
select id from people order by id fetch first row only
select boss from people order by boss fetch first 2 rows with ties
select boss from people order by boss fetch first 1 row with ties
select id from people order by id limit 1 + 1
select id from people order by id limit (select 2)
values (1, 'a'), (2, 'b') order by 1 desc
values (1), (2.5), (null)
values (1, 2), (3)
select * from (values (1, 'a'), (2, 'b')) as t order by 1
select * from (values (1, 'a'), (2, null)) as t (n, s) order by n
select column2 from (values (1, 'x')) t
select (values (5))
select * from people p, lateral (select count(*) as c from people q where q.boss = p.id) l where p.id < 3 order by id
select p.id, l.id from people p left join lateral (select id from people q where q.boss = p.id order by id limit 1) l on true order by 1
select p.id, q.id from people p cross join lateral (select id from people where id < p.id) q order by 1, 2
with recursive t(n) as (values (1) union all select n + 1 from t where n < 5) select * from t
with recursive t as (select id, boss, name, 1 as depth from people where boss is null union all select p.id, p.boss, p.name, t.depth + 1 from people p join t on p.boss = t.id) select id, depth from t order by id
with recursive t(n) as (select 1 union select (n % 3) + 1 from t) select n from t order by n
with recursive f(a, b) as (select 0, 1 union all select b, a + b from f where b < 50) select a from f
with recursive p(id, path) as (select id, name from people where boss is null union all select c.id, p.path || '>' || c.name from people c join p on c.boss = p.id) select * from p order by id
with a as (select 1 as x), b as (select x + 1 as y from a) select * from a, b
with a(x) as materialized (select 1) select x from a
with a as (select 1) select * from a union all select 2
with a as (select id from people) select count(*) from a where id in (select id from a where id > 2)
with a as (select 1 as x) select a.x, b.x from a, a as b
select (1, 2) = (1, 2), (1, 2) < (1, 3), (1, 2) <> (1, 3), (2, 1) > (1, 9), (1, null) < (2, null)
select (1, null) = (1, null), (1, 2) = (1, null), (1, 2) = (2, null), (null, 1) is null, (null, null) is null, (1, 2) is not null
select id from people where (id, name) = (1, 'Ann')
select id from people where (id, name) in ((1, 'Ann'), (2, 'Zed'))
select id from people where (id, boss) in (select id, boss from people where boss is not null) order by id
select id from people where (id, 1) > (2, 0) order by id
select (1, 2) = (1, 2, 3)
select row(1, 2) is distinct from row(1, 3), row(1, null) is not distinct from row(1, null)
select p.id, b.name from people p join people b on p.boss = b.id order by p.id
select p.id, b.id from people p full join people b on p.boss = b.id order by 1, 2
select p.id, e.kind2 from people p right join (select 1 as id, 'k' as kind2) e on p.id = e.id
select * from (select 1 as a) x natural join (select 1 as a, 2 as b) y
select * from (select 1 as a, 2 as b) x join (select 1 as a, 3 as c) y using (a)
select * from (select 1 as a) x cross join (select 2 as b) y
select x.a from (select 1 as a) x, (select 1 as a) y where x.a = y.a
select a from (select 1 as a) x, (select 1 as a) y
select p.* from people p where p.id = 1
select p.*, 1 as one from people p where p.id = 1
select people.* from people where id = 2
select count(p.*) from people p
select id from people p where p.nope = 1
select q.id from people p
select people.id from people p
select id from nosuchschema.people
select id from public.people where id = 1
select id from people union select id + 1 from people order by 1
select id from people union all select 10 order by 1 desc
select id from people intersect select boss from people order by 1
select id from people except select boss from people order by 1
select id from people where id < 3 union all select id from people where id < 2 order by id
(select id from people order by id limit 1) union all (select id from people order by id desc limit 1) order by 1
select id from people intersect all select id from people where id < 3 order by 1
select boss from people except all select boss from people where id = 2 order by 1
select 1 as a union select 2 as b order by a
select 1 as a union select 2 as b order by b
select 'a' as x, 1 as y union select 'b', 2.5 order by x
select id in (select boss from people), id not in (select boss from people where boss is not null) from people order by id
select exists (select 1 from people where id = 99), not exists (select 1 from people)
select (select name from people where id = 1), (select name from people where id = 99)
select (select id from people)
select (select id, name from people where id = 1)
select id, (select max(q.id) from people q where q.boss = p.id) as m from people p order by id
select id from people where id = all (select 1), id > any (select 1)
select id from people where id > all (select boss from people where boss is not null) order by id
select id from people where id = any (select boss from people) order by id
select id from people where id <> all (select 2) order by id
select case id when 1 then 'a' when 2 then 'b' else 'c' end, case when id > 2 then 'big' end from people order by id
select id, case when active then 1 when not active then 0 end as flag from people order by id
select id from people where active is null
select id from people where active is not true order by id
select id from people where boss is distinct from 1 order by id
select id from people where not (boss = 1) order by id
select id from people where boss between 1 and 1 order by id
select id from people where id not between 2 and 3 order by id
select id from people where id between symmetric 3 and 2 order by id
select sum(id) filter (where active), count(*) filter (where not active), max(name) filter (where id < 0) from people
select bool_and(active), bool_or(active), every(active), count(active) from people
select min(id), max(id), sum(id), avg(id)::int, count(*) from people where false
select sum(id) from people group by boss order by sum(id)
select length(name), count(*) from people group by length(name) order by 1
select extract(year from born), count(*) from people group by extract(year from born) order by 1
select boss, string_agg(name, ',' order by name) from people group by boss order by boss
select boss, array_agg(id order by id) from people group by boss order by boss
select t.total from (select sum(id) as total from people) t
select * from (select id, name from people) as t(a, b) order by a limit 1
select * from (select 1)
select x from (select 1 as x) t where x = (select max(x) from (select 1 as x) u)
select id "Id", name AS "select" from people where id = 1
select "People".id from people
select ID, Id as "ID" from PEOPLE where ID = 1
select id aliased, name n from people where id = 1
select count(*) count, sum(id) sum from people
select all id from people where id = 1
table people
select from people
select ;
select * from
selec 1
select 1 +
select 1 from people where
select id, from people
select (1
select 'abc
select $1
select cast(1 as)
select * from people limit
select id from people group by
select id id id from people
select pg_catalog.abs(-1), pg_catalog.count(*) from people
select current_schema, current_catalog is not null, current_user is not null
select version() is not null, pg_backend_pid() > 0
select pg_typeof(count(*)), pg_typeof(sum(id)), pg_typeof(avg(id)) from people
select coalesce(max(id), 0) + 1 from people
select id % 2 as parity, count(*) from people group by id % 2 order by 1
select nullif(id, 1), greatest(id, 2), least(id, 2) from people order by id
select * from events order by id limit 1
select amount, -amount, abs(amount), amount % 3, amount / 2, small + 1, id * 2 from events order by id
select "at" from events order by "at" limit 1

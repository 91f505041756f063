select p.name, b.name as boss from people p left join people b on b.id = p.boss order by p.id
select p.id, e.id from people p join events e using (id) order by id
select * from people natural join (select 1 as id) x
select count(*) from people cross join events
select id from people where boss in (select id from people where active) order by id
select id from people p where exists (select 1 from people q where q.boss = p.id) order by id
select id from people union select id::int from events where id < 10 order by id
select id from people intersect select 2
select id from people except select 2 order by 1
with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select sum(n) from t
select * from (values (1, 'x'), (2, 'y')) as v(a, b) where a > 1
select id, (select count(*) from people q where q.boss = p.id) from people p order by id
select p.id, l.x from people p, lateral (select p.id * 2 as x) l order by 1
select case id when 1 then 'one' else 'more' end from people order by id
select coalesce(boss, 0), coalesce(name, 'none') from people order by id
select id from people where name = 'Ann' or name is null
select id from people where boss is distinct from 1 order by id
select 1 where null, 2 where true
select 1 where null
select id from people where not active
select id, active from people order by id
select distinct boss from people order by boss
select all id from people order by id limit 1
select 1 = null, null = null, null is not distinct from null
select (1, 2) = (1, 2), (1, 2) < (1, 3), row(1, 'a') = row(1, 'a')
select (1, null) = (1, 2)
select true and null, false and null, true or null
select 1 in (1, null), 2 in (1, null), 2 not in (1, null)
select id from people order by id limit all
select id from people limit 0
select s.total from (select boss, count(*) as total from people group by boss) s order by 1
select nocolumn from people
select * from notable
select id from people group by name
select nofunction(1)
select sum(boss), "ID" from people
select id as x from people order by x desc limit 1
select id + 1 as id from people order by id limit 1
select kind, count(*) filter (where amount > 0) as positive from events group by kind order by kind
select sum(amount) as a, sum(amount) / count(*) as b from events
select 'a' as x union all select 'b' order by x
select min(id) / 2 as half from people
select avg(id) > 2 from people
select id from people where id / 2 = 1 order by id
select extract(year from born) = 1990 from people where id = 1
select x / y from (values (7, 2), (9, 4)) v(x, y)
select q.d from (select amount / 4 as d from events) q where q.d is not null order by 1
select (p).* from people p order by id
select (p).*, e.kind from people p join events e on e.small = p.id order by p.id
select kind, count(*) from events group by all kind order by 1 nulls last
select kind, count(*) from events group by distinct rollup (kind) order by 1 nulls last, 2

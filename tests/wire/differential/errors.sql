-- Wrong statements; both servers answer with one SQLSTATE at one position.

select nosuch from people
select p.nosuch from people p
select q.id from people p
select id, nosuch + 1 from people
select * from people where nosuch = 1
select * from people order by nosuch
select count(*) from people group by nosuch
select * from nosuch
select * from people join nosuch on true
select * from nosuchschema.people
select id from people a, people b
select name from people a join people b on a.id = b.id
select nosuchf(1)
select lower(1)
select lower('a', 'b')
select 1 + 'a'::text
select id from people where name = 1
select id from people where id = name
select true + 1
select not 1
select id from people where id
select id from people where 1
select case when 1 then 2 end
select case when true then 1 else 'a' end
select case when true then 1 else name end from people
select coalesce(1, 'x')
select coalesce(id, name) from people
select 1 union select 'a'
select id from people union select name from people
select id from people union select id, name from people
select id, count(*) from people
select name, count(*) from people group by id
select count(*) from people having id > 1
select id from people where count(*) > 1
select sum(count(*)) from people
select 'a'::int
select '1.5'::int
select int 'x'
select 'x'::date
select date '2024-13-01'
select 'maybe'::bool
select 'x'::uuid
select id from people where id = 'x'
select id from people where born = 'x'
select id from people where active = 'maybe'
select 1 / 0
select selec
selec 1
select 1 from
select from where
select (1
select * from people limit 'a'
select * from people limit -1
select id from people order by 5
select distinct id from people order by name
select id from people group by 5
select 1::nosuchtype
select cast(1 as nosuchtype)
select sum(name) from people
select avg(active) from people
select (select id, name from people)
select id in (select id, name from people) from people
select array[1, 'a']
select array[1, name] from people
select 1 in (1, 'x')
select id between 'a' and 'b' from people
insert into people (nosuch) values (1)
insert into people (id, id) values (1, 2)
insert into people (id) values (1, 2)
insert into people (id, name) values (1)
insert into people (id) values ('x')
insert into people (id) values (true)
update people set nosuch = 1
update people set id = true
update people set id = 1 where nosuch = 2
delete from people where nosuch = 1
select * from people p(a, b, c, d, e, f, g, h)
with t as (select nosuch from people) select * from t
select x.y.z.w from people
select 1 as a order by b
select row(1,2) = row(1,2,3)
select interval 'x'
select $1 + nosuch from people
select extract(nosuch from now())
values (1, 2), (3)
select max(id) over (partition by nosuch) from people
select * from (select 1)
select 1 where 'x'
create table t (a nosuchtype)
select "ID" from people
select * from generate_series(1, 'x')
select '{1,x}'::int[]
select name like 1 from people
select -name from people
select unnest(1)
select id from people where 'x'
insert into people values (1, 2, 3, 4, 5, 6, 7, 8)
insert into people (id) select 'x'
insert into people (id, name) select 1
update people set born = 'x'
select uuid 'x'
select id from people where sum(id) > 1 group by id
select max(sum(id)) from people
select (1, 2) = (1, 2, 3)
select abs(name) from people
select date_trunc(1, now())
select upper(name, id) from people
select sqrt(name) from people
select - true
select name ~ 1 from people
select 1 ilike 'x'
select extract(year from name) from people
select length(id) from people
select id || id from people
select (select 1, 2) + 1
select false and 1
select coalesce(name, false) from people
select substr(id, 1) from people
select 'nope'::text::regclass
select ('no' || 'pe')::regclass
select 'nope'::text::regtype
select 'nope'::text::regnamespace
select encode('\xabc', 'hex')

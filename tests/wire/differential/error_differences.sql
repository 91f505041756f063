-- Of errors.sql: what differs in SQLSTATE or position today. A statement that is right again must leave this list.

select lower(1)
select lower('a', 'b')
select true + 1
select count(*) from people having id > 1
select from where
select (select id, name from people)
select id in (select id, name from people) from people
insert into people (id) values (true)
update people set id = true
select * from people p(a, b, c, d, e, f, g, h)
select x.y.z.w from people
select $1 + nosuch from people
select * from (select 1)
select "ID" from people
select * from generate_series(1, 'x')
select '{1,x}'::int[]
select name like 1 from people
select -name from people
select unnest(1)

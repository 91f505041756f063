select 'abc'::varchar(10)
select 'abc'::char(10)
select 1.5::numeric(10,2)
select 1.5::numeric(10)
select 1.5::numeric
select cast('x' as varchar(3)) as x
select name::varchar(4), salary::numeric(12,4), salary from people order by id
select b'101'::bit(3)
select array['a']::varchar(5)[]
select coalesce(name::varchar(4), 'x'::varchar(4)) from people order by id
select case when true then 'a'::varchar(3) else 'b'::varchar(3) end
select upper('a'::varchar(3))
select 'a'::varchar(3) union all select 'b'::varchar(3)
select 'a'::varchar(3) union all select 'b'::varchar(4)
select x from (select 'a'::varchar(3) as x, 1.5::numeric(8,2) as n) s
select salary + 1, salary * 2, -salary, abs(salary) from people order by id
select max(salary), min(salary), sum(salary), avg(salary) from people
select coalesce(salary, 0) from people order by id
select 1 + 1.5, 2.5, 1e3, 1/3.0
select nullif(salary, 5) from people order by id
select greatest(salary, 1.5) from people order by id
select (select salary from people where id = 1)
select salary from people union all select salary from people
select salary from people union all select 1.5
select array_agg(salary) from people
select array_agg(name::varchar(3)) from people
select now()::timetz is null
select now()::time is null
select pg_typeof(1.5) = 'numeric'::regtype
select pg_typeof(height) = 'float8'::regtype from people order by id
select pg_typeof(1) = 'integer'::regtype, pg_typeof('a'::text)::text
select pg_typeof(1), pg_typeof(1.5)
select pg_typeof(1)::regtype::oid
select pg_typeof(1)::oid
select pg_typeof(name) from people order by id
select height / 0 from people
select 'NaN'::float8 = 'NaN'::float8, 'NaN'::float8 > 1
select time with time zone '10:20:30+02', '10:20:30+02'::timetz
select '10:20+02'::timetz
select '10:20:30'::timetz
select time '10:20'::timetz
select timestamptz '2024-01-05 10:20:30+00'::timetz
select localtime is null, current_time is null
select row(1, pg_typeof('a'::text)), pg_typeof(row(1,2))
select n, coalesce(n, 0), sum(n) from (values (1.50::numeric(8,2)), (null)) v(n) group by n order by n

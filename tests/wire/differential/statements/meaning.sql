select stddev(salary), variance(salary), var_pop(salary), stddev_pop(salary) from people
select boss, stddev(id), variance(salary) from people group by boss order by boss
select stddev(id) over (order by id), variance(id) filter (where id > 1) over () from people order by id
select sqrt(2), sqrt(2.0), sqrt(16), sqrt(2::numeric), sqrt(salary), sqrt(12345.678), sqrt(0.0004), sqrt(0.0), sqrt(100000000.5) from people where id = 1
select sqrt(-1.0)
select exp(1000)
select power(10::float8, 400)
select interval '1 month' / 2, interval '10 days' / 4, interval '1 year 2 months 3 days 04:05:06' / 7, interval '7 hours' / 2.5
select avg(x), sum(x) from (values (interval '1 month'), (interval '2 days 3 hours'), (null)) t(x)
select kind, avg(at - timestamp '2024-01-01'), sum(at - timestamp '2024-01-01') from events group by kind order by kind
select 123456::numeric(5,2), 1
select (salary * 1000)::numeric(6,2) from people where id = 2
select salary::numeric(12,1), salary::numeric(5) from people order by id
select small + 1, small * 2, small - small, small + 70000, 1 + small from events order by id
select date '2024-01-05'::text, timestamp '2024-01-05 10:00'::date, timestamptz '2024-01-05 10:00+02'::timestamp, timestamp with time zone '2024-01-01 23:00+00'::date, time '10:11'::text
select '2024-01-01 10:20:30.56'::timestamp(1), timestamp(0) '2024-01-01 10:20:30.6', '2024-01-01 10:20:30.56+00'::timestamptz(0)
select 'abc '::char(5) = 'abc'::char(3), 'a'::char(3) || 'b', 'abc  '::char(5)
select id, id + 1 as id from people order by id
select id, id from people order by id
select a.id, b.id from people a join people b on a.id = b.boss order by id
select 'a' 'b'
select count(*), from people
select id from people group by 2
select (select id, name from people limit 1)
select id from people where (id, name) in (select id, name from people) order by id
select id from people where (id, name) = (select id, name from people where id = 1)
select exists(select id, name from people), array(select id from people order by id)
select pg_typeof(sum(id)), pg_typeof(1), pg_typeof((select count(*) from people)), pg_typeof(count(*) over ()) from people limit 1
select pg_typeof(max(id)) from people where false
select (1, 2) is not null, (1, null) is not null, (null, null) is null, row(1, 2) is not null
select 1 = any(null::int[]), 1 = any(null), 'a' || null
values (1, 'a'), (2.5, 'b')
values (1), (2.5), (null) order by 1
select '{1.50,2}'::numeric[], array[1.5, 2], '{}'::numeric[]
select 1e2::text, 1.5e-3::text
select interval '1-2' year to month, interval '1 10:20' day to minute, interval '5' day
select time '10:30' - time '08:15', time '01:00' - time '02:00'

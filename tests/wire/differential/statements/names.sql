select 1
select 1, 2, 'x', true, null
select count(*) from people
select sum(id), min(name), max(id) as Biggest, "id" from people group by id order by id limit 1
select id::text, id + 1, upper(name), Name, "name" from people where id = 1
select case when true then 1 end, coalesce(1, 2), case when false then 1 else id end from people where id = 1
select * from people order by id limit 1
select (select max(id) from people), exists (select 1), array[1, 2]
select extract(year from date '2024-01-01'), substring('abc' from 2), position('b' in 'abc')
select date '2024-01-01', timestamp '2024-01-01 00:00:00', 5::bigint, 1.5::float8
select x.upper from (select upper('a')) x
select y.count from (select count(*) from people) y
with c as (select max(id) from people) select max from c
select column1, column2 from (values (1, 'a'), (2, 'b')) v order by 1
values (1, 'a')
select 1 as "A b", 2 as Foo
select trim(' a '), btrim('a'), char_length('abc'), substr('abc', 2)
select id, id from people order by 1 limit 1
select current_date is not null, now() is null
select nullif(1, 2), greatest(1, 2), least(1, 2)
select 1 union select 2 order by 1
select not true, 1 = 1, 1 in (1, 2), 'a' like 'a', 1 between 0 and 2, null is null
select p.id from people as p where p.id = 2
select "people".id from people where id = 3
select PEOPLE.ID from People where Id = 4
select to_regclass('pg_class'), to_regclass('pg_class')::text, to_regclass('nothing') is null, pg_catalog.to_regclass('pg_class')::oid, 'x' || to_regclass('pg_class')::text
select to_regtype('int4'), to_regtype('int4')::text, to_regproc('now'), to_regnamespace('pg_catalog')::text, coalesce(to_regclass('nothing')::text, 'none')
select 'a' || 'pg_type'::regclass, format('%s-%I', c.oid::regclass, c.relname), concat('a', c.oid::regclass, 1), concat_ws(',', 'a', c.oid::regclass) from pg_class c where relname = 'pg_type'
select pg_size_bytes('1kB'), pg_size_bytes(' 1.5 GB '), pg_size_bytes('100'), pg_size_bytes('-2 mb'), pg_size_bytes(null)
select pg_trigger_depth(), pg_encoding_max_length(6), pg_notification_queue_usage(), now() - pg_postmaster_start_time() < interval '1 day'
select pg_backend_pid() - pg_backend_pid(), count(pg_backend_pid())
select pg_sleep(0), pg_advisory_lock(1), pg_advisory_unlock_all()
select array[to_regclass('people')]::text, array['people'::regclass, 'events'::regclass]::text[]
select (select 'people'::regclass) as r, (select 'people'::regclass)::oid = 'people'::regclass::oid
select x::text, x, x || '!' from (select 'people'::regclass as x) s
select x from (select oid::regclass as x from pg_class where relname = 'people') s
with q as (select oid::regclass as t from pg_class where relname in ('people', 'events')) select t, t::text from q order by 2
select relname from pg_class where oid = any(array['people'::regclass, 'events'::regclass]) order by 1
select count(*) from pg_class where oid in (select 'people'::regclass)
select case when true then 'people'::regclass end, coalesce(null, 'people'::regclass)
select ('peo' || 'ple')::regclass, null::text::regclass, 'public'::text::regnamespace, 'int4'::text::regtype

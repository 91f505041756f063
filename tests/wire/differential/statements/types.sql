select 'abcdef'::varchar(3), 'abc'::varchar, 'abc'::char(5), 'abcdef'::char(3), 'a'::char, 'abc'::bpchar
select cast('abc' as character varying(2)), cast('abc' as character(4)), cast('x' as text)
select 'abc'::char(5) || 'x', length('abc'::char(5)), 'abc'::char(5) = 'abc', 'abc '::char(5) = 'abc'::char(3)
select 'abc'::varchar(5) || 'x', upper('abc'::varchar(5)), length('abcdef'::varchar(3))
select 'abc'::name, 'pg_class'::regclass::text, 5::oid, 'a'::"char", '5'::oid
select current_user::text is not null, current_database() is not null, session_user is not null
select 'int4'::regtype::text, 'pg_type'::regclass
select pg_typeof(1), pg_typeof('a'::text), pg_typeof(1.5), pg_typeof(now()), pg_typeof(array[1,2]), pg_typeof(true)
select pg_typeof(1::bigint), pg_typeof('2024-01-01'::date), pg_typeof(null), pg_typeof('x'), pg_typeof(1.5::float8), pg_typeof(interval '1 day')
select pg_typeof(id), pg_typeof(name), pg_typeof(salary), pg_typeof(sum(id)) from people where id = 1 group by id, name, salary
select true::text, false::varchar, 't'::boolean, 'yes'::boolean, 'n'::boolean, 1::boolean
select 'tru'::boolean, 'FALSE'::boolean, 'of'::boolean
select 'o'::boolean
select 'x'::boolean
select '2'::boolean
select true = 'yes', 'true'::text = true::text
select true::int + 1, (1 = 1)::int, (not false)::text
select 1.5::boolean
select 'a'::int
select ''::int
select '12abc'::int
select ' 12 '::int, '+5'::int, '-7'::smallint
select '1.5'::int
select '1e3'::int
select 'abc'::float8
select ' 1.5 '::float8, '1e3'::float8, '.5'::numeric, '5.'::numeric
select '2024-02-30'::date
select '2024-1-5'::date, '2024-01-05 10:00'::date, 'January 5, 2024'::date
select '25:00'::time
select '2024-01-01 25:00'::timestamp
select 'garbage'::timestamp
select '1 foo'::interval
select 'zz'::bytea, '\xzz'::bytea
select '\xabc'::bytea
select 'a0eebc999c0b4ef8bb6d6bb9bd380a11'::uuid, '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'::uuid, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid
select 'not-a-uuid'::uuid
select 'x' + 1
select 'a'::text + 1
select 1 + 'a'::text
select name + 1 from people
select name * 2 from people
select 1 || 2
select 'a' || 1, 1 || 'a', 'a' || 1.5, 'a' || true, 'a' || date '2024-01-01'
select 1 = 'a'
select 1 = '1', '1' = 1, 1.5 = '1.5', date '2024-01-01' = '2024-01-01'
select 1 = 'a'::text
select name = 1 from people
select id = 'x' from people
select id = '1' from people order by id
select id from people where id = name
select id from people where name > 5
select id from people where active = 1
select id from people where active = 'true' order by id
select id from people where born > '1986-01-01' order by id
select id from people where born > 5
select id from people where id
select id from people where name
select 1 where 1
select not 1
select true and 1
select 1 or true
select case when 1 then 2 end
select case when true then 1 else 'a' end
select case when true then 1 else 'a'::text end
select case when true then name else id end from people
select coalesce(1, 'a')
select coalesce(1, 'a'::text)
select coalesce(name, id) from people
select coalesce(name, 'x'), coalesce(id, '7') from people order by id
select greatest(1, 'a'::text)
select greatest('a', 'b'), least(1, 2, null), greatest(null, null)
select nullif(1, 'a'::text)
select 1 union select 'a'::text
select 1 union select 'a'
select id from people union select name from people
select 1 union select 2.5 order by 1
select 'a' union select null order by 1
select null union select 1 order by 1
select 1, 2 union select 1
select array[1, 'a'::text]
select array[1, 2.5], array['a', 'b'], array[1, null]
select array[1, 'x']
select 1 in ('a'::text)
select 1 in (1, '2'), 'a' in ('a', 'b')
select id in (1, 'x') from people
select 1 between 'a'::text and 'b'::text
select sum(name) from people
select avg(name) from people
select sum(active) from people
select avg(born) from people
select max(active) from people
select string_agg(id, ',') from people
select upper(1)
select lower(true)
select length(5)
select substring(5, 1)
select trim(5)
select abs('a'::text)
select round('a'::text)
select sqrt('a'::text)
select date_trunc('day', 'x'::text)
select extract(year from 'x'::text)
select extract(year from 5)
select now() + 1
select date '2024-01-01' + 1.5
select date '2024-01-01' + date '2024-01-01'
select timestamp '2024-01-01' + timestamp '2024-01-01'
select date '2024-01-01' * 2
select interval '1 day' + 1
select -'a'::text
select - true
select true + true
select true > false, true < true
select 'a' like 1
select 5 like '5'
select name like 5 from people
select 1 is true
select active is true, active is not false, active is unknown from people order by id
select limit_ from (select 1 as limit_) t limit 'x'
select 1 limit -1
select 1 offset -1
select cast(true as date)
select cast(5 as date)
select cast(1.5 as timestamp)
select date '2024-01-01'::int
select interval '1 day'::int
select '{1,2}'::int[]::text, array[1,2]::text[], array['1','2']::int[]
select row(1, 2), row(1, 'a', null), row('a b', 'c,d')
select (1, 2), (1, 'x')::text
select p from (select 1 as a, 'x y' as b) p
select nosuchtype '5'
select 5::nosuchtype
select nosuchfunction(1, 2)
select lower()
select lower('a', 'b')
select abs(1, 2)
select count()
select 1::money

select '1e-7'::numeric, 1.50::numeric, '1.500'::numeric, 5::numeric
select 1e-7::numeric, 123.456::numeric(10,2), '0.005'::numeric(10,2)
select 5::bigint::numeric, salary::numeric from people where id = 1
select '{1,2,3}'::int[], '{}'::int[], '{a,"b c",NULL}'::text[]
select '{1,x}'::int[]
select '\xDEAD'::bytea, 'abc'::bytea, '\x'::bytea
select '\x6162'::bytea::text
select 't'::bool, 'off'::bool, 'ON'::boolean, ' yes '::bool, '0'::bool
select 'maybe'::bool
select true::text, false::int, 1::bool
select 1.0::float8::text, 1.5::float8::text, 100::float8::text
select array[1,2]::text, array[1,null]::text
select 'abcdef'::varchar(3), 'abc'::text
select date '2024-01-05', '2024-01-05'::date, '20240105'::date, 'Jan 5 2024'::date, '1/5/2024'::date, '5-Jan-2024'::date
select timestamp '2024-01-05 10:20', '2024-01-05T10:20:30'::timestamp, timestamp '2024-01-05'
select '2024-01-05 10:20:30+02'::timestamp, '2024-01-05 10:20:30.123456'::timestamp
select timestamptz '2024-01-05 10:20:30+02', '2024-01-05 10:20+00'::timestamptz
select time '10:20', time '04:05 PM', '10:20:30.5'::time
select date '2024-13-01'
select 'notadate'::date
select 'epoch'::timestamp
select 'infinity'::timestamp, '-infinity'::date
select interval '1 day', interval '1 year 2 mons 3 days 04:05:06.7', interval '36 hours'
select interval '1-2', interval '1 2:03:04', interval 'P1Y2M3DT4H5M6S', interval '1 day ago'
select interval '5' hour, interval '1.5 days', interval '2 weeks', interval '-1 day +02:00'
select interval '1 month -1 day', '90 minutes'::interval, interval '1' year
select interval '1 mon'::text, interval '2 months'::text
select 'nope'::interval
select 5::int2, 5::int8, 1.5::float4, 1.5::real
select '12'::smallint, 12::text, 1.50::text
select cast('12' as integer), cast(null as integer), null::text
select 'a'::char(1), 'abc'::char
select 1::int::text || 'x', 'x' || 1
select E'a\tb\\c', E'it\'s', 'it''s', $$dollar 'q'$$
select null, null as n
select name::int from people where id = 1
select '99999999999'::int
select 40000::smallint
select 'x'::uuid
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid
select 1::numeric(3,1), 12.34::numeric(3,1)
select '{"a": 1}'::json, '[1, 2]'::json

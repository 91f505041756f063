-- What a client sees differently from PostgreSQL today. A statement that is right again must leave this list.

-- aggregates
select corr(height, id), covar_pop(height, id) from people

-- breadth
select id, lag(id) over (order by id), lead(id, 2, -1) over (order by id), lag(salary, 1, 0) over (order by id) from people order by id
select count(*), "Name", NAME, upper(name) as "UP" from people group by name order by name

-- documents
select json '{"a": {"b": 2}}' -> 'a', json '{"a":{"b":2}}' ->> 'a', json '[1, "x"]' ->> 1
select x from jsonb_array_elements('[1, 2]'::jsonb) x
select id, e.value from people p, jsonb_array_elements(jsonb_build_array(p.id, p.id * 2)) e order by id, e.value::text
select jsonb '5' = jsonb '5.0', jsonb '"a"' < jsonb '"b"'
select json_object('{a,1,b,2}'), jsonb_object('{a,1,b,2}')

-- formatting
select to_char(timestamp '2024-02-09 03:04:05', 'HH24hMI"min"SS\"'), to_char(date '2024-02-09', 'FMDay FMDDth FMMonth'), to_char(date '2024-12-30', 'IYYY IW ID WW')

-- meaning

-- numerics
select abs(-1.50), abs(-3), abs(-2.5::float8), abs(-5::bigint), @ -5
select power(2, 10), power(2.0, 3), power(2::numeric, 0.5), 2 ^ 10, 2.0 ^ 3, 2 ^ -1
select cbrt(27), exp(1), exp(1.0), ln(10), ln(10.0), log(100), log(100.0), log(2.0, 8.0)
select 1.5::real, 0.1::real, 16777217::real, 1e10::real, 1.5::real * 2, 0.1::real::float8
select regr_slope(height, id), regr_count(height, id), regr_intercept(height, id) from people

-- queries
select sum(boss), "ID" from people

-- relations
select sum(row_number() over ()) from people
select 'a' as x, 1 as y union select 'b', 2.5 order by x
select "People".id from people
select $1

-- series_arrays
select * from generate_series(1, 3, 0)
select array[1, 2] || array[3], array[1, 2] || 3, 0 || array[1, 2], array[1] || null, array['a'] || 'b'::text
select array[1,2]::text, array['a','b c']::text, '{1,2}'::text::int[], array[1,null]::text

-- text_functions
select quote_ident('foo'), quote_ident('Foo bar'), quote_ident('a"b'), quote_literal('O''Reilly'), quote_literal(42), quote_nullable(null), quote_nullable('x'), quote_literal(null)
select substring('Thomas' from '%#"o_a#"_' for '#'), substr('alphabet', 3), substr('alphabet', 3, 2), substr('abc', 0), substr('abc', -1, 3)
select length('héllo'), char_length('héllo'), octet_length('héllo'), bit_length('é'), upper('straße'), lower('ÀÉ'), length('')
select concat('a', 1, null, true, 1.5), concat_ws('-', 'a', null, 'b', 2), concat(), concat_ws(',', null, null), concat(null)
select btrim('\x00aa00'::bytea, '\x00'::bytea), length('\xdead'::bytea), octet_length('abc'::bytea), substring('\x010203'::bytea from 2 for 1), '\x01'::bytea || '\x02'::bytea, position('\x02'::bytea in '\x0102'::bytea)
select unistr('\0061'), normalize('e'), 'a' is normalized
select num_nulls(1, null, 2), num_nonnulls(1, null), parse_ident('a.b'), to_ascii('x')

-- timestamps
select timestamp '2024-01-01 10:20:30.123456', timestamp '2024-01-01 10:20:30.1', timestamp '2024-01-01 10:20:30.000', '2024-01-01 10:20:30.1234567'::timestamp
select isfinite(date 'infinity'), isfinite(timestamp '2024-01-01'), isfinite(interval '1 day')

-- types
select greatest('a', 'b'), least(1, 2, null), greatest(null, null)
select nullif(1, 'a'::text)
select 1 union select 2.5 order by 1
select nosuchtype '5'
select lower()
select count()
select 1::money

-- rows: a table's row has a type of its own there
select p from people p order by id

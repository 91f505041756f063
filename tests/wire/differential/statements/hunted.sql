-- differences that probing found
select 1e15::float8::text, 123456789012345678::float8::text, 1e6::real::text, 1e5::real::text, 16777216::real::text, -1234567890123456.5::float8::text, 'inf'::float8::text, 'nan'::float8::text, null::float8::text, concat(1e15::float8), 999999999999999::float8::text
select height::text, (height*1e15)::text, height::real::text from people order by id
select to_json('NaN'::float8), to_json('-inf'::float8), to_json(1e20::float8), to_json(1.0::float8), to_json(null::float8), to_json(height) from people order by 1::text
select jsonb '"a"' ? 'a', jsonb '5' ? 'a', jsonb 'null' ? 'a', jsonb '["a"]' ? 'a'
select jsonb_array_length('{}')
select jsonb_array_length('[1,2]'), json_array_length(json '[]'), jsonb_array_length(null)
select jsonb_build_object(null, 1)
select jsonb_build_object(name, 1) from people where id = 1
select date '0044-03-15 BC', timestamp '0001-01-01 00:00:00 BC', '0001-01-01 10:00 AD'::timestamp
select '2024-01-01 junk'::date
select '2024-01-01 10:00'::date, '2024-01-01 10:00:00+02'::date, '2024-01-01T10:00:00Z'::date
select timestamptz '2024-01-01 00:00 America/New_York', timestamptz '2024-07-01 00:00 Europe/Berlin', timestamptz '2024-01-01 00:00:00 PST', timestamptz '2024-01-01T00:00:00Z', timestamp '2024-07-01 00:00 Europe/Berlin', timestamptz '2024-03-31 02:30 Europe/Berlin', timestamptz '2024-10-27 02:30 Europe/Berlin', timestamptz '2024-10-27 Europe/Berlin'
select interval '1' year, interval '1' day, interval '1 2' day to hour, interval '10:20' hour to minute, interval '10:20' minute to second, interval '1-2' year to month, interval '5' minute, interval '1 2:03' day to minute, interval '1 2:03:04' day to second
select cardinality(array[[1,2],[3,4]]), array_ndims(array[[1,2],[3,4]]), array_ndims(array[1]), array_length(array[[1,2,3],[3,4,5]],2), array_length(array[1,2],2), array_length(array[1,2],1), array_upper(array[[1,2]],2), array_ndims('{}'::int[])
select array_position(array[1,2,3,2],2,3), array_position(array[1,2],5,1)
select round(2.5::float8, 1)
select trunc(height, 1) from people
select round(2.555, 2), round(2.5), round(height::numeric, 1) from people where id = 1
select date_trunc('week', interval '3 days')
select extract(timezone from timestamp '2024-07-01 12:00')
select to_char(0.1, '.9'), to_char(0.1, '9.9'), to_char(0.1, 'FM9.99'), to_char(0, 'FM9.99'), to_char(0, 'FM9.90'), to_char(0,'FM9'), to_char(0.001,'FM9.99'), to_char(0,'9.99'), to_char(0,'FM0.99'), to_char(-0.001,'FM9.99'), to_char(12.5,'.99')
select to_timestamp('12:34', 'HH24:MI')
select to_char(485, '9 9 9')

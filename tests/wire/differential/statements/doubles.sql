-- what leaves the range of a type
select 1e308::float8*10
select 1e-300::float8*1e-300::float8
select '1e-300'::float8*2, '1e-320'::float8, 'Infinity'::float8*0, 1/'Infinity'::float8, 'NaN'::float8*2
select 1e200::float8*height*1e200::float8 from people
select 1e-200::float8*height*1e-200::float8 from people order by 1
select height/1e-320::float8 from people
select -1e308::float8-1e308::float8
select height*'inf'::float8 from people order by 1
select 3e38::real*10::real
select 1e-30::real*1e-30::real
select exp(-1000::float8)
select exp('-inf'::float8), exp('inf'::float8), power(0::float8,2), power('inf'::float8,-1), power(2::float8,'-inf')
select power(10::float8,-400)
select height*2, height*2+1, height/3, -height*height from people order by 1
select height*2, height*2+1 from people group by height*2 order by 1
select sum(height*2)*1.5, boss from people group by boss having sum(height)*2.0 > 0 order by 2
select sqrt(height*height+height*2), sqrt(abs(height*height-height)*2.5::float8)*height from people order by 1
select (select max(height) from people)*height, coalesce(height,0)*case when id > 1 then height else 1 end*height from people order by 1
select row_number() over (order by height)*height from people order by 1
select height > 1e308, height*-1e300, height < -1e300 from people order by 1
select '1e400'::float8
select '1e-400'::float8
select '1e39'::real
select 'abc'::float8
select 'inf'::float8, ' -Infinity '::float8, '0e400'::float8, '3.4028235e38'::real, '.5'::float8, '5.'::float8
select -2147483648 - 1
select -2147483648, -9223372036854775808, (-2147483648)::int2 is null
select -1.5e3, -1e-5, -1.5e3/7, - 1e2 * 3, -1e2::int
select ceil(null::numeric), round(null::numeric), trunc(null::numeric), sign(null::numeric), floor(null::numeric)
select sqrt(null::numeric), round(null::numeric,2), trunc(null::numeric,1), mod(null::numeric, 2), div(null::numeric,2)
-- how constants are written
select 1 is unknown
select 'x' is unknown
select active is unknown, (id = 1) is not unknown, boss > 1 is unknown, null is unknown from people order by id
select U&'d\0061t\+000061', U&'d!0061t!+000061' uescape '!', U&'it''s', u&'\\x'
select $$it's$$, $q$a$$b$q$ || 'x', $$1$$::int, $$2024-01-01$$::date + 1, date $$2024-01-01$$
select height/(height*1e308::float8) from people order by 1
select 1/(height*height), height/(height/(height+1)), height*height/2/height*3 from people order by 1
select (height - avg(height) over ()) / nullif(stddev(height) over (), 0) from people order by 1
select id, height/nullif(lag(height) over (order by id),0)-1 from people order by id
select '1e309'::text::float8
select 'infinity'::text::float8, '-1.5e3'::text::float8, name::float8 is null from people where id < 0

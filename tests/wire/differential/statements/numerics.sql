select 1 / 3.0, 7.0 / 2, 1.0 / 1, 10.0 / 4, 1 / 7.0
select 100000.0 / 3, 12345678.9 / 3, 0.001 / 3, 2.00 / 3.000, 1.5 / 0.5
select -1.0 / 3, 1::numeric / 3, 22::numeric / 7, 0.0 / 5
select salary / 3 from people order by id
select salary / id from people order by id
select sum(salary) / count(*) from people
select sum(amount) / 3.0, sum(amount)::numeric / count(*) from events
select avg(id), avg(amount), avg(small) from events where amount is not null
select avg(id), avg(salary), avg(height) from people
select avg(1), avg(1.0), avg(2.5::float8), avg(10000)
select avg(salary) from people where id < 3
select boss, avg(salary) from people group by boss order by boss
select round(avg(salary), 2), avg(salary)::numeric(10,2), avg(id)::float8 from people
select round(avg(id), 1), trunc(avg(id)), ceil(avg(id)), floor(avg(salary)) from people
select avg(id) + 1, avg(id) * 2, avg(id) > 2, -avg(id) from people
select stddev(id), variance(id), stddev_pop(id), var_pop(id), stddev_samp(id), var_samp(id) from people
select stddev(salary), variance(salary) from people
select stddev(height), variance(height), stddev_pop(height), var_pop(height) from people
select stddev(id) from people where id = 1
select sum(id), sum(id::bigint), sum(salary), sum(height), sum(small) from people, events where events.id = 1
select sum(1.50), sum(2::numeric), sum(null::int)
select sum(9223372036854775807), sum(9223372036854775807::bigint) from (values (1), (2)) v(x)
select 1.5::numeric(10,4), 1234.5678::numeric(6,2), 0.5::numeric(1,1), 2::numeric(5,2), '3.14159'::numeric(4,3)
select 12345.678::numeric(5,2)
select round(1.2345, 2), round(1.5), round(2.5), round(-1.5), round(1234.5, -2), round(5)
select round(1.5::float8), round(-2.5::float8), round(0.5::float8), round(3.5::float8)
select round(salary), round(salary, 1), round(salary / 7, 3) from people where id = 1
select trunc(1.789, 2), trunc(-1.7), trunc(1234.5, -2), trunc(5.9::float8), trunc(7)
select ceil(1.2), floor(-1.2), ceiling(5), ceil(1.2::float8), floor(7.9::float8)
select abs(-1.50), abs(-3), abs(-2.5::float8), abs(-5::bigint), @ -5
select sign(-2.5), sign(3), sign(-2.5::float8), sign(0)
select power(2, 10), power(2.0, 3), power(2::numeric, 0.5), 2 ^ 10, 2.0 ^ 3, 2 ^ -1
select sqrt(2), sqrt(2.0), sqrt(16), sqrt(2::numeric), |/ 25
select cbrt(27), exp(1), exp(1.0), ln(10), ln(10.0), log(100), log(100.0), log(2.0, 8.0)
select exp(0), ln(1), log10(1000), exp(1::numeric)
select sqrt(-1)
select ln(0)
select ln(-1.0)
select mod(10, 3), mod(-10, 3), mod(10.5, 3), 10.5 % 3, 10 % 4, mod(10::bigint, 4::bigint)
select div(10, 3), div(10.5, 3), div(-7, 2)
select gcd(12, 18), lcm(4, 6), factorial(5)
select pi(), degrees(pi()), radians(180), sin(0), cos(0), tan(0), atan2(1, 1), asin(1), acos(1), atan(1)
select sind(30), cosd(60), tand(45), cot(1)
select width_bucket(5.35, 0.024, 10.06, 5), width_bucket(5, 0, 10, 5), width_bucket(-1, 0, 10, 5), width_bucket(10, 0, 10, 5)
select width_bucket(5.0::float8, 0, 10, 4), width_bucket(35, array[10, 20, 30])
select scale(1.500), trim_scale(1.500), min_scale(1.500), scale(5::numeric)
select numeric '1.10' + 1, 1.10 - 0.1, 1.10 * 2.0, 1.1 * 1.1 * 1.1
select 1.10 = 1.1, 1.5 > 1, 2 = 2.0, 0.1 + 0.2 = 0.3
select 0.1::float8 + 0.2::float8, 1e10::float8, 1e15::float8, 1e16::float8, 1e-5::float8, 123456789.123::float8
select 1.5::real, 0.1::real, 16777217::real, 1e10::real, 1.5::real * 2, 0.1::real::float8
select 1 + 1.5, 1 + 1.5::float8, 1.5 + 1.5::float8, 1::bigint + 1, 1::smallint + 1::smallint
select 2147483647 + 1
select 9223372036854775807 + 1
select 32767::smallint + 1::smallint
select (-32768)::smallint / (-1)::smallint
select 5 / 2, -5 / 2, 5 / -2, 5::bigint / 2, 5 / 2.0::float8, 5::smallint / 2::smallint
select 1 / 0.0
select 1.0::float8 / 0
select 5 % 0
select 1.5::int, 2.5::int, -1.5::int, 2.5::float8::int, 3.5::float8::int, '7'::int
select 3000000000::int
select 1e3, 1e-3, 1.5e3, 12e0, .5, 5.
select 100::numeric, 1e5::numeric, 1.000::numeric, 0.00::numeric, '000.10'::numeric, 'NaN'::float8, 'Infinity'::float8, '-Infinity'::float8
select 7::int::numeric, 7::bigint::numeric(10,1), 7.5::float8::numeric, 0.1::float8::numeric, 1.5::real::numeric
select '1.50'::text::numeric, '42'::text::int, '1e3'::text::float8
select extract(epoch from interval '1 hour'), extract(year from date '2024-01-01') + 1, extract(day from date '2024-01-15') / 2
select coalesce(null, 1.5), coalesce(salary, 0) from people order by id
select coalesce(1.5, 2), greatest(1, 2.5), least(1.5, 2), nullif(1.5, 1.5), case when true then 1 else 2.5 end
select case when id > 2 then 1 else 0.5 end from people order by id
select 1 union all select 2.5
select sum(case when id > 2 then 1 else 0 end), sum(case when id > 2 then 1.5 else 0 end) from people
select count(*) * 1.0 / 3, count(*) / 3, 100.0 * count(*) / 7 from people
select 100 * sum(id) / 7, 100.0 * sum(id) / sum(id) from people
select round(100.0 * count(*) filter (where active) / count(*), 2) from people
select max(salary) - min(salary), max(salary) * 1.1, salary * 2 from people group by salary order by salary
select random() between 0 and 1, random() is not null
select 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, 16 >> 2
select -(-5), +5, - 5.5, 2 * -3
select 1::bool::int, true::int, 0::bool, 5::bool, 't'::bool::int
select 12::text || 'x', 1.50::text, 1e2::text, true::text, 1.5::float8::text
select 1234567890123456789012345678.5, 99999999999999999999
select numeric '0.1' * 3, 1.0 * 3, 3 * 0.5, 2.50 * 2.50
select bit_and(id), bit_or(id), bool_and(active), bool_or(active), every(id > 0) from people
select percentile_cont(0.5) within group (order by id), percentile_disc(0.5) within group (order by id), mode() within group (order by active) from people
select percentile_cont(array[0.25, 0.75]) within group (order by id) from people
select regr_slope(height, id), regr_count(height, id), regr_intercept(height, id) from people
select min(salary), max(salary), min(height), max(born), min(name) from people
select cast('12.5' as numeric(5,1)), cast(12.55 as numeric(5,1)), cast('abc' as numeric)
select 10 / 4 * 4, 10 * 4 / 4, (1 + 2) * 3, 2 + 3 * 4, -2 ^ 2, 7 - 2 - 1
select coalesce(nullif(avg(salary), avg(salary)), sum(salary)), coalesce(avg(salary), sum(salary)), coalesce(sum(id), avg(id)), coalesce(avg(amount), sum(events.id)) from people, events
select round(case when id > 1 then sum(salary) else avg(salary / 3) end, 12) from people group by id order by id
select greatest(sum(salary / 7), sum(salary)), least(avg(salary), sum(salary)), array[sum(salary), avg(salary)] from people
select avg(salary) in (select sum(salary) from people), 3000.6 / 3 in (select sum(round(salary, 0)) from people), 1000.2 = any (select sum(salary) / 3 from people) from people
select (select sum(salary) from people where id = 4) = any (select avg(salary) / 10000 from people), (0.100001 / 1.0) in (select sum(salary) from people where id = 4)
select count(*) from people where id = 4 and (salary * 1.00001, 4) in (select sum(salary), max(id) from people where id = 4)
select round(x, 12) from (select sum(salary / 1) as x from people union all select sum(salary) from people union all select avg(salary) / 7 from people) s order by x
select round(x, 12) from (select sum(salary) as x from people union select avg(salary / 7) from people) s order by 1
select sum(salary) from people where id = 4 intersect select 0.100001 / 1 from people
select round(x, 12) from (select sum(salary) as x from people where id = 4 except select 0.100001 / 1 from people) s
select round(x, 12) from (values ((select sum(salary) from people)), ((select avg(salary / 7) from people))) v(x) order by x
select round(sum(salary) % avg(salary / 7), 18), round(avg(salary / 7) % sum(salary), 12) from people where salary < 1 group by salary order by salary
select count(*) from people group by id having sum(salary) > avg(salary) * 0.99999999999 and sum(salary) - avg(salary) = 0
select sum(salary) > avg(salary), avg(salary) between sum(salary) / 4 and sum(salary), avg(salary) is distinct from sum(salary) / 3, sum(salary) = avg(salary) * 3, nullif(avg(salary), sum(salary)) from people
select id from people group by id having avg(salary) > 0.5 and sum(salary) / 3 > 400 order by id
select 946684800::numeric(38,10) / 10::numeric(38,10), div(946684800::numeric(38,10), 10::numeric(38,10)), 123456789012345.6789::numeric(38,10) / 3::numeric(38,10), -99999999999999999::numeric(38,10) / 7::numeric(38,10)

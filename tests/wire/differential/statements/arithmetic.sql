select 7 / 2, -7 / 2, 7 / -2, -7 % 3, 7 % -3
select 10 / 4
select 7::bigint / 2, 7::smallint / 2::smallint
select 7 / 2::float8, 7.0::float8 / 2
select amount / 3, amount % 3 from events where id = 2
select amount / small from events where amount is not null order by id
select id / 2 from people order by id
select height / 2 from people where id = 1
select 1 / 0
select 1.0 / 0
select 1::float8 / 0
select 5 % 0
select mod(5, 0)
select amount / (amount - amount) from events where id = 1
select case when amount = 0 then 0 else 10 / amount end from events where id = 1
select 1 / nullif(0, 0)
select id / (boss - 1) from people where boss = 1 and id = 99
select 2 + 2, 2 - 3, 2 * 3, -5, +5
select 2147483647 + 1
select 9223372036854775807 + 1
select 32767::smallint + 1::smallint
select abs(-5), abs(-5.5), sign(-5), sign(-2.5)
select round(2.5::float8), round(3.5::float8), round(-2.5::float8), round(2.5), round(3.5), round(-2.5)
select round(2.567, 2), trunc(2.567, 2), trunc(-2.5), ceil(2.1), floor(-2.1)
select ceil(5), floor(5), round(5)
select power(2, 3), 2 ^ 10, sqrt(16), sqrt(2::float8)
select div(7, 2), div(-7, 2), mod(7, 2)
select 1 << 4, 16 >> 2, 5 & 3, 5 | 3, 5 # 3, ~5
select 1.5 + 1, 1.50 * 2, 1.5 - 0.5
select 0.1::float8 + 0.2::float8, 1e15::float8, 1e-5::float8, 123456789012345678::float8
select 1::real / 3
select gcd(12, 18), lcm(4, 6), pi(), degrees(pi()), radians(180)
select ln(1), exp(0), log(100), cbrt(27)
select 2.5::int, 3.5::int, 2.5::float8::int, 3.5::float8::int, -2.5::int
select '5'::int, ' 5 '::int, '-5'::bigint
select '1.5'::int
select 'abc'::int
select 1 / 3.0
select 10.0 / 4
select 1e400::float8
select 7 / 2 * 2, (7 / 2) * 2, 7 / (2 * 2)
select salary * 2, salary + 1, salary - 0.5 from people where id = 1
select 5 / 2 = 2, 5 / 2.0 > 2
select width_bucket(5, 0, 10, 5)
select 100 * id / 3 from people order by id

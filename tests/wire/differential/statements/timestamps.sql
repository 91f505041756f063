select to_char(timestamp '2024-02-09 15:04:05.678', 'YYYY-MM-DD HH24:MI:SS.MS'), to_char(timestamp '2024-02-09 15:04:05.678901', 'US')
select to_char(date '2024-02-09', 'Day, DDth Month YYYY'), to_char(date '2024-02-01', 'FMDDth'), to_char(date '2024-02-02', 'DDTH'), to_char(date '2024-02-13', 'FMDDth')
select to_char(date '2024-02-09', 'DAY'), to_char(date '2024-02-09', 'day'), to_char(date '2024-02-09', 'Dy DY dy'), to_char(date '2024-02-09', 'Mon MON mon')
select to_char(date '2024-02-09', 'FMMonth'), to_char(date '2024-02-09', 'MONTH'), to_char(date '2024-05-09', 'month|')
select to_char(timestamp '2024-02-09 15:04:05', 'HH:MI:SS AM'), to_char(timestamp '2024-02-09 03:04:05', 'HH12:MI pm'), to_char(timestamp '2024-02-09 00:04:05', 'HH12 a.m.')
select to_char(date '2024-02-09', 'Q'), to_char(date '2024-02-09', 'WW'), to_char(date '2024-02-09', 'W'), to_char(date '2024-02-09', 'IW'), to_char(date '2024-02-09', 'CC'), to_char(date '2024-02-09', 'J')
select to_char(date '2024-02-09', 'D'), to_char(date '2024-02-09', 'ID'), to_char(date '2024-02-09', 'DDD'), to_char(date '2024-12-30', 'IYYY-IW'), to_char(date '2024-02-09', 'Y,YYY'), to_char(date '2024-02-09', 'YYY YY Y')
select to_char(timestamp '2024-02-09 15:04:05', '"Year:" YYYY'), to_char(timestamp '2024-02-09 15:04:05', 'YYYY/MM/DD'), to_char(timestamp '2024-02-09 15:04:05', 'SSSS'), to_char(timestamp '2024-02-09 15:04:05', 'YYYYMMDDHH24MISS')
select to_char(timestamp '2024-02-09 15:04:05', 'Dy, DD Mon YYYY HH24:MI:SS'), to_char(timestamp '2024-02-09 15:04:05', 'FMHH24:FMMI')
select to_char(timestamptz '2024-02-09 15:04:05+00', 'YYYY-MM-DD HH24:MI TZ'), to_char(timestamptz '2024-02-09 15:04:05+00', 'OF'), to_char(timestamptz '2024-02-09 15:04:05+00', 'TZH:TZM')
select to_char(interval '15 hours 2 minutes', 'HH24:MI'), to_char(interval '1 day 2 hours', 'DD HH24')
select to_char(born, 'YYYY-MM'), to_char(at, 'HH24:MI') from people, events where people.id = 1 and events.id = 1
select to_char(1234.5, '9999.99'), to_char(1234.5, '9,999.99'), to_char(-5, '999'), to_char(5, '000'), to_char(0.5, '0.99')
select to_char(1234567.891, 'FM9,999,999.00'), to_char(0.1, 'FM9.99'), to_char(12, 'FM000'), to_char(1234.5, 'FM9999D99')
select to_char(125, '999'), to_char(125.8, '999D9'), to_char(-125.8, '999D99S'), to_char(485, 'L999'), to_char(12, '99V999')
select to_char(12345, '999'), to_char(5, 'FM9'), to_char(1e6, '9999999'), to_char(0, '9'), to_char(-0.5, '9.9')
select to_char(salary, 'FM999,999.00'), to_char(id, '00') from people order by id
select to_char(485, 'RN'), to_char(12, '99th'), to_char(-12, '99PR'), to_char(12, 'SG99'), to_char(3.1416, '9.999EEEE')
select to_date('2024-02-09', 'YYYY-MM-DD'), to_date('09 Feb 2024', 'DD Mon YYYY'), to_date('20240209', 'YYYYMMDD'), to_date('02/09/24', 'MM/DD/YY')
select to_date('February 9, 2024', 'Month DD, YYYY'), to_date('2024', 'YYYY'), to_date('2024-40', 'YYYY-DDD'), to_date('5-Jan-2024', 'DD-Mon-YYYY')
select to_date('2024-13-01', 'YYYY-MM-DD')
select to_timestamp('2024-02-09 15:04:05', 'YYYY-MM-DD HH24:MI:SS'), to_timestamp('09.02.2024 03:04 PM', 'DD.MM.YYYY HH12:MI AM'), to_timestamp('2024-02-09 15:04:05.678', 'YYYY-MM-DD HH24:MI:SS.MS')
select to_timestamp(1700000000.5), to_timestamp(-1), to_timestamp(0) at time zone 'UTC'
select to_number('1,234.5', '9,999.9'), to_number('-12', '999'), to_number('12.50', '99.99'), to_number('$5', 'L9')
select justify_hours(interval '27 hours'), justify_days(interval '35 days'), justify_interval(interval '1 month -1 hour'), justify_days(interval '-35 days')
select age(timestamp '2024-03-01', timestamp '2023-12-13'), age(timestamp '2023-12-13', timestamp '2024-03-01'), age(date '2024-02-29', date '2023-02-28'), age(timestamp '2024-01-01 10:00', timestamp '2024-01-01 08:30')
select (timestamp '2024-01-01', timestamp '2024-02-01') overlaps (timestamp '2024-01-15', timestamp '2024-03-01'), (date '2024-01-01', date '2024-01-05') overlaps (date '2024-01-05', date '2024-01-10')
select (date '2024-01-01', interval '10 days') overlaps (date '2024-01-05', date '2024-01-06'), (date '2024-03-01', date '2024-01-01') overlaps (date '2024-02-01', date '2024-02-02')
select date_bin('15 minutes', timestamp '2024-02-09 15:04:05', timestamp '2001-01-01'), date_bin('1 day', timestamp '2024-02-09 15:04:05', timestamp '2024-01-01 06:00')
select date_trunc('quarter', timestamp '2024-05-09 10:00'), date_trunc('decade', timestamp '2024-05-09'), date_trunc('century', timestamp '2024-05-09'), date_trunc('millennium', timestamp '2024-05-09')
select date_trunc('minute', timestamp '2024-05-09 10:11:12.5'), date_trunc('second', timestamp '2024-05-09 10:11:12.5'), date_trunc('milliseconds', timestamp '2024-05-09 10:11:12.5678')
select date_trunc('day', timestamptz '2024-05-09 10:11:12+00', 'America/New_York'), date_trunc('hour', interval '3 hours 40 minutes'), date_trunc('month', interval '1 year 2 mons 5 days')
select date_trunc('foo', timestamp '2024-01-01')
select date_trunc('month', born), date_trunc('year', born)::date from people where id = 1
select extract(year from timestamp '2024-05-09'), extract(quarter from timestamp '2024-05-09'), extract(decade from timestamp '2024-05-09'), extract(century from timestamp '2024-05-09'), extract(millennium from timestamp '2024-05-09')
select extract(epoch from timestamp '2024-05-09 10:11:12.5'), extract(epoch from date '2024-05-09'), extract(epoch from interval '1 day 2 hours'), extract(epoch from interval '1 month'), extract(epoch from timestamptz '2024-05-09 10:00+00')
select extract(isodow from date '2024-05-12'), extract(dow from date '2024-05-12'), extract(doy from date '2024-12-31'), extract(week from date '2021-01-01'), extract(isoyear from date '2021-01-01'), extract(julian from date '2024-01-01')
select extract(year from interval '14 months'), extract(month from interval '14 months'), extract(day from interval '40 days'), extract(hour from interval '25 hours'), extract(minute from interval '90 minutes'), extract(second from interval '90.5 seconds')
select extract(milliseconds from timestamp '2024-01-01 00:00:12.345'), extract(microseconds from time '00:00:01.5'), extract(second from time '10:11:12.25')
select extract(timezone from timestamptz '2024-01-01 00:00+00'), extract(timezone_hour from timestamptz '2024-01-01 00:00+00')
select extract(hour from date '2024-01-01')
select date_part('day', timestamp '2024-01-15'), date_part('dow', date '2024-01-15'), date_part('hour', interval '5 hours'), date_part('epoch', timestamp '2024-01-01 00:00:00.5')
select make_date(2024, 2, 29), make_time(10, 11, 12.5), make_timestamp(2024, 2, 29, 10, 11, 12.5), make_timestamptz(2024, 2, 29, 10, 11, 12.5)
select make_interval(1, 2, 3, 4, 5, 6, 7.5), make_interval(years => 1, months => 2), make_interval(secs => 1.5), make_interval(weeks => 2), make_interval()
select make_date(2024, 2, 30)
select make_date(2024, 13, 1)
select interval '1 day 2 hours' + interval '3 hours', interval '1 month' - interval '1 day', interval '1 hour' * 2.5, interval '1 day' * 0.5, interval '1 month' / 2, 2 * interval '3 days'
select interval '1 year 2 months 3 days 4 hours 5 minutes 6.789 seconds', interval '0', interval '-3 days', interval '1 day ago', interval '00:00:00.000001'
select interval '90 seconds', interval '25 hours', interval '13 months', interval '1.5 hours', interval '1.5 months', interval '1 week'
select interval '1' day, interval '3' hour, interval '1-2' year to month, interval '1 10:20' day to minute, interval '5' second
select '1 day'::interval, '1d 2h'::interval, 'P1DT2H'::interval, '1:30'::interval, '1 day 1:30:45.5'::interval, '-1:30'::interval
select interval '1 day' = interval '24 hours', interval '30 days' = interval '1 month', interval '1 day' < interval '25 hours'
select sum(x), avg(x), min(x), max(x) from (values (interval '1 hour'), (interval '2 hours')) t(x)
select date '2024-01-31' + interval '1 month', date '2024-03-31' - interval '1 month', timestamp '2024-02-29' + interval '1 year', date '2024-01-01' + time '10:00'
select timestamp '2024-03-01 10:00' - timestamp '2024-02-28 08:30', date '2024-03-01' - date '2024-02-28', timestamp '2024-03-01' - date '2024-02-01', time '10:00' - time '08:30'
select time '10:00' + interval '30 minutes', time '23:30' + interval '1 hour', time '10:00' - interval '1 hour', date '2024-01-01' - 7, 7 + date '2024-01-01'
select timestamp '2024-01-01 10:00'::date, timestamp '2024-01-01 10:00'::time, date '2024-01-01'::timestamp, timestamptz '2024-01-01 10:00+02'::date, timestamptz '2024-01-01 10:00+02'::timestamp
select timestamp '2024-01-01 10:00' at time zone 'UTC', timestamptz '2024-07-01 10:00+00' at time zone 'Europe/Berlin', timestamp '2024-07-01 10:00' at time zone 'America/New_York', timestamptz '2024-07-01 10:00+00' at time zone '+02'
select timestamp '2024-03-31 02:30' at time zone 'Europe/Berlin', timestamp '2024-10-27 02:30' at time zone 'Europe/Berlin'
select timezone('UTC', timestamp '2024-01-01 10:00'), timezone('Asia/Tokyo', timestamptz '2024-01-01 10:00+00')
select timestamptz '2024-03-31 00:30+00' + interval '1 day', timestamptz '2024-01-05 10:20:30 Europe/Berlin', timestamptz '2024-01-05 10:20:30-05:30'
select now() = now(), current_timestamp = now(), current_date = now()::date, localtime is not null, current_time is not null
select now() - now(), now() > timestamp '2000-01-01', current_date > date '2000-01-01', current_date - current_date
select extract(year from now()) > 2000, date_trunc('day', now()) <= now(), now()::date = current_date, age(current_date) = interval '0'
select timestamp 'infinity', date '-infinity', timestamp '-infinity', timestamp 'infinity' > now()
select timestamp '2024-01-01 10:20:30.123456', timestamp '2024-01-01 10:20:30.1', timestamp '2024-01-01 10:20:30.000', '2024-01-01 10:20:30.1234567'::timestamp
select timestamp(0) '2024-01-01 10:20:30.6', '2024-01-01 10:20:30.56'::timestamp(1), '10:20:30.56'::time(1)
select '0044-03-15 BC'::date, date '0001-01-01', date '9999-12-31', timestamp '0001-01-01 BC'
select date '2024-01-05' between '2024-01-01' and '2024-01-31', date '2024-01-05' in ('2024-01-05', '2024-01-06')
select min(born), max(born), count(born), max(born) - min(born) from people
select born, born + interval '1 year', born - 1, extract(month from born), to_char(born, 'Mon YYYY') from people where born is not null order by born
select at, at + interval '1 hour', at::date, date_trunc('month', at), extract(dow from at) from events order by at
select date_trunc('month', at) as m, count(*), sum(amount) from events group by 1 order by 1
select date_part('year', age(date '2024-06-01', born)) from people order by id
select isfinite(date 'infinity'), isfinite(timestamp '2024-01-01'), isfinite(interval '1 day')
select time '10:20:30', time '10:20', time '24:00', '10:20:30.123'::time, time with time zone '10:20:30+02'
select timestamp '2024-01-01'::text, date '2024-01-01'::text, interval '1 day 2:03'::text, time '10:00'::text, timestamptz '2024-01-01 10:00+00'::text
select timestamp '2024-01-01 10:00' || '', 'on ' || date '2024-01-05', concat(date '2024-01-05', ' ', timestamp '2024-01-05 10:00')
select statement_timestamp() >= transaction_timestamp(), clock_timestamp() >= now(), timeofday() is not null
select date '2024-02-28' + 1, date '2023-02-28' + 1, (date '2024-02-01' + interval '1 month' - interval '1 day')::date
select '2024-01-05'::date = timestamp '2024-01-05 00:00', date '2024-01-05' < now(), timestamp '2024-01-05' = timestamptz '2024-01-05 00:00+00'
select 'today'::date = current_date, 'tomorrow'::date - 'yesterday'::date, 'now'::timestamptz = now()
select date_bin('15 min', '2020-01-01 00:20', '2020-01-01'), date_bin('15 min', timestamp '2020-01-01 00:20', '2001-01-01'), date_bin('1 day', timestamptz '2020-01-05 01:00+00', '2020-01-01') < now()

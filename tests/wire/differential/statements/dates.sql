select extract(year from timestamp '2024-02-29 10:20:30.5'), extract(second from timestamp '2024-02-29 10:20:30.5'), extract(epoch from timestamp '2024-02-29 10:20:30.5')
select extract(month from date '2024-02-29'), extract(dow from date '2024-02-29'), extract(isodow from date '2024-03-03'), extract(doy from date '2024-02-29')
select extract(week from date '2024-01-01'), extract(quarter from date '2024-05-01'), extract(century from date '2024-01-01'), extract(isoyear from date '2024-12-30')
select extract(milliseconds from time '10:20:30.5'), extract(hour from time '10:20:30'), extract(microseconds from time '10:20:30.5')
select date_part('year', date '2024-01-01'), date_part('second', timestamp '2024-02-29 10:20:30.5'), date_part('epoch', timestamp '2024-01-01')
select extract(day from interval '3 days 4 hours'), extract(hour from interval '3 days 4 hours')
select date_trunc('month', timestamp '2024-02-29 10:20:30'), date_trunc('hour', timestamp '2024-02-29 10:20:30'), date_trunc('week', timestamp '2024-02-29')
select date_trunc('month', date '2024-02-29')
select date_trunc('year', at) from events order by id
select date '2024-03-01' - date '2024-02-01', date '2024-02-28' + 2, date '2024-03-01' - 1
select date '2024-01-31' + interval '1 month', timestamp '2024-01-31' + interval '1 month', timestamp '2024-03-01' - interval '1 day'
select timestamp '2024-03-01' - timestamp '2024-02-01 12:00', age(timestamp '2024-03-01', timestamp '2023-12-13')
select age(date '2024-03-01', date '2024-02-01')
select born - date '1980-01-01', born + 1 from people where id = 1
select now() = current_timestamp, now() = transaction_timestamp(), localtimestamp = now()::timestamp
select current_date = now()::date
select to_char(timestamp '2024-02-09 15:04:05.678', 'YYYY-MM-DD HH24:MI:SS'), to_char(timestamp '2024-02-09 15:04:05.678', 'DD Mon YYYY HH12:MI AM')
select to_char(date '2024-02-09', 'Day, DDth Month YYYY')
select to_char(date '2024-02-09', 'FMDay FMDD FMMonth'), to_char(date '2024-02-09', 'Day|Month|DY|Q|D|IW|DDD')
select to_char(timestamp '2024-02-09 15:04:05.678', 'MS US "at" HH24hMI')
select to_date('2024-02-09', 'YYYY-MM-DD'), to_date('09/02/2024', 'DD/MM/YYYY'), to_timestamp('2024-02-09 10:20', 'YYYY-MM-DD HH24:MI')
select to_timestamp(0), to_timestamp(1700000000)
select make_date(2024, 2, 29), make_timestamp(2024, 1, 2, 3, 4, 5.5), make_interval(days => 1, hours => 2)
select timestamp '2024-01-01 12:00' at time zone 'Europe/Berlin', timestamptz '2024-01-01 12:00+00' at time zone 'America/New_York'
select interval '1 day' * 2, interval '1 hour' / 2, interval '1 day' + interval '1 hour', -interval '1 day'
select interval '1 day' = interval '24 hours', interval '1 month' > interval '29 days'
select timestamp '2024-01-01' < timestamp '2024-01-02', date '2024-01-01' = timestamp '2024-01-01'
select generate_series(timestamp '2024-01-01', timestamp '2024-01-03', interval '1 day')
select born, extract(year from born) from people order by id
select at, at::date, at::time from events order by id
select justify_hours(interval '27 hours'), justify_days(interval '35 days')
select (timestamp '2024-01-01', timestamp '2024-02-01') overlaps (timestamp '2024-01-15', timestamp '2024-03-01')
select max(born) - min(born) from people
select isfinite(date '2024-01-01'), date 'infinity'
select extract(foo from date '2024-01-01')
select date_trunc('day', timestamptz '2024-01-05 10:20:30+00')
select interval '1 year 14 months', interval '100 hours', interval '-1 year'
select generate_series(date '2024-01-01', date '2024-03-01', interval '1 month')
select generate_series(timestamp '2024-01-01', '2024-01-02', '12 hours')

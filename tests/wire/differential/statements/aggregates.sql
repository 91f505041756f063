select sum(amount), sum(small), sum(id) from events
select sum(salary), sum(height) from people
select avg(amount) from events
select avg(height) from people
select avg(salary) from people
select count(*), count(amount), count(distinct kind) from events
select min(at), max(at) from events
select sum(amount) filter (where amount > 0) from events
select sum(amount) over (order by id) from events order by id
select id, row_number() over (order by id desc), rank() over (order by kind) from events order by id
select string_agg(kind, ',' order by id) from events
select string_agg(distinct kind, ',' order by kind) from events
select string_agg(kind, null) from events where id < 3
select array_agg(id order by id desc) from people
select array_agg(boss order by id) from people
select bool_and(active), bool_or(active), every(active) from people
select kind, count(*) from events group by kind order by kind
select kind, count(*) from events group by kind order by kind desc
select kind, count(*) from events group by 1 having count(*) > 1 order by 1
select sum(amount) from events where false
select count(*) from events where false
select stddev(amount), variance(amount) from events
select stddev(height) from people
select percentile_cont(0.5) within group (order by height) from people
select percentile_disc(0.5) within group (order by id) from people
select mode() within group (order by kind) from events
select lag(amount) over (order by id), lead(amount) over (order by id) from events order by id
select first_value(kind) over (order by id), ntile(2) over (order by id) from events order by id
select kind, sum(amount) from events group by rollup (kind) order by kind nulls last, 2
select grouping(kind), count(*) from events group by cube (kind) order by 1, 2
select sum(1), sum(1.5), avg(2), avg(2.0::float8)
select max(name), min(name) from people
select bit_and(small), bit_or(small) from events
select sum(amount / 2) from events
select corr(height, id), covar_pop(height, id) from people
select sum(x) from (select amount as x from events) s
with c as (select amount as x from events) select sum(x), avg(x) from c
select distinct on (kind) kind, id from events order by kind, id desc

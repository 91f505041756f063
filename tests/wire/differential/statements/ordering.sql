select boss from people order by boss
select boss from people order by boss desc
select boss from people order by boss nulls first
select boss from people order by boss desc nulls last
select name from people order by name
select name from people order by lower(name) desc
select id from people order by 1 desc limit 2 offset 1
select id from people order by boss, id desc
select id from people order by height desc, id
select array_agg(boss order by boss desc) from people
select id, row_number() over (order by boss desc, id) from people order by id
select * from (values (1, null), (2, 'a')) v(a, b) order by b desc
select kind from events union all select name from people order by 1 desc
select id from people order by active, id
select id from people order by id fetch first 2 rows only

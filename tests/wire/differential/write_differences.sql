-- Of writes.sql: what answers otherwise than on PostgreSQL. A statement that is right again must leave this list.

create table like_it as select * from goods with no data
drop table copied, like_it
create table bad (id int references owners(id) on delete cascade)
create table bad (id int references owners(id) on delete set null)
create table late (id int references owners(id) deferrable initially deferred)
create table sx (id int references s1.p (id))
insert into dear values (1, 1)
insert into papers (id, at) values (11, '040506')
insert into papers (id, flags) values (14, '{yes,off}')
select * from copied order by id
select a + '0.5' from sums order by 1
select a, b from sums order by 1
select count(*) from like_it
select sum(a), avg(a) from sums
update goods set (name, price) = (select 'sub', 8) where id = 30 returning name, price
update goods set tags[1] = 'q' where id = 40
with gone as (delete from goods where id = 301 returning id) select * from gone

-- Statements that change tables, in this order on both sides; what each answers is compared.
create table goods (id int primary key, name text not null default 'x', price numeric(10,2) check (price > 0), made timestamptz default '2020-01-01 00:00:00+00', seen timestamp default current_timestamp, tags text[], few smallint default 3, flag boolean default false, day date)
insert into goods (id, name, price) values (1, 'one', 1.5) returning id, name, price, few, flag, made
insert into goods (id, price, seen) values (2, 2, '2024-05-06 07:08'), (3, 3.456, 'infinity') returning *, id * 2 as twice
insert into goods (id, price, tags) values (4, 4, '{a,b}'), (5, 5, '{"c d",NULL}'), (6, 6, null) returning id, tags
insert into goods (id, price, tags) values (7, 7, array['x','y']) returning tags[1], array_length(tags, 1)
insert into goods (id, price, day) values (9, 9, '2024-02-29') returning day, day + 1
insert into goods (id, price, day) values (10, '10.5', date '2024-03-01') returning price
insert into goods (id, price, flag) values (11, 11, 'yes') returning flag
insert into goods (id, price, flag) values (12, 12, 'maybe')
insert into goods (id, price) values (1, 1)
insert into goods (id, price) values (13, -1)
insert into goods (id, name, price) values (13, null, 1)
insert into goods (id, price, few) values (14, 1, 40000)
insert into goods (id, price) values (14, 123456789.00)
insert into goods values (15, default, 15, default, '2020-02-02 10:00', default, default, default, default) returning *
insert into goods (id, price, nosuch) values (16, 1, 1)
insert into goods (id, id) values (1, 1)
insert into goods (id, price) values (16)
insert into goods (id) values (16, 1)
insert into nosuch values (1)
insert into goods (id, price) values (1, 100) on conflict do nothing
insert into goods (id, price) values (1, 100) on conflict (id) do nothing returning id
insert into goods (id, price) values (1, 100) on conflict (id) do update set price = excluded.price + goods.price returning id, price
insert into goods as g (id, price) values (1, 100) on conflict (id) do update set name = 'again' where g.price > 1000 returning id
insert into goods (id, price) values (1, 100) on conflict (name) do nothing
insert into goods (id, price) select id + 100, price from goods where id < 4 order by id returning id
insert into goods (id, price) select g, g from generate_series(200, 202) g returning id
insert into goods (id, price) values (300, (select max(price) from goods)) returning price
with new as (select 301 as id, 3.01 as price) insert into goods (id, price) select * from new returning id, price
with gone as (delete from goods where id = 301 returning id) select * from gone
insert into goods (id, price, seen) values (302, 1, now()) returning id, seen is not null
update goods set seen = now() where id = 302 returning id
update goods set price = price * 2, name = upper(name) where id in (1, 2) returning id, name, price
update goods set (name, price) = ('row', 7) where id = 3 returning name, price
update goods set (name, price) = (select 'sub', 8) where id = 30 returning name, price
update goods set name = default where id = 3 returning name
update goods set tags[1] = 'q' where id = 40
update goods set tags = array_append(tags, 'z') where id = 4 returning tags
update goods set tags = '{}' where id = 4 returning tags, cardinality(tags)
update goods set price = null where id = 8 returning price
update goods set price = 0 where id = 8
update goods set name = null where id = 8
update goods set id = 1 where id = 2
update goods set nosuch = 1
update goods set price = 1 where nosuch = 1
update goods set price = 1, price = 2
update goods g set price = 2 where g.id = 9 returning g.id, g.price
update goods set price = p.n from (values (9, 90.5), (10, 100.5)) as p(id, n) where goods.id = p.id returning goods.id, price
update goods set few = few + 32767 where id = 9
update goods set day = 'tomorrow-ish' where id = 9
update goods set price = 'abc' where id = 9
update goods set name = 5 where id = 9 returning name
update goods set flag = 1 where id = 9
update goods set flag = not flag where id = 9 returning flag
update goods set made = made + interval '1 day' where id = 9 returning made
delete from goods where id = 9 returning id, name, tags
delete from goods using (values (10)) as v(id) where goods.id = v.id
delete from goods where id between 100 and 103 returning id
delete from goods where nosuch = 1
delete from goods where id = 12345
delete from goods where id = 301
select count(*), sum(price), min(id), max(id) from goods
create table goods (id int)
create table if not exists goods (id int)
alter table goods add column extra int default 5
alter table goods add column extra int
alter table goods add column if not exists extra int
alter table goods rename column extra to more
alter table goods rename column nosuch to more
alter table goods drop column more
alter table goods drop column more
alter table goods drop column if exists more
create table copied as select id, price * 2 as twice from goods where id < 5 order by id
select * from copied order by id
create table like_it as select * from goods with no data
select count(*) from like_it
create view dear as select id, price from goods where price > 5
select count(*) from dear
create view dear as select 1 as a
create or replace view dear as select id, price, name from goods where price > 6
drop table dear
drop view goods
insert into dear values (1, 1)
drop view dear
drop view dear
drop view if exists dear
truncate copied
select count(*) from copied
truncate nosuch
drop table copied, like_it
drop table nosuch
drop table if exists nosuch
create temp table mine (id int, at timestamptz default now())
insert into mine (id) values (1), (2) returning id
update mine set id = id + 1 where id = 2 returning id
select id, at is not null from mine order by id
create temp table mine (id int)
drop table mine
create table made (a int, b text, primary key (a))
insert into made values (1, E'tab\there'), (2, 'quote''s'), (4, $$dollar$$), (5, '') returning b
insert into made values ('6', 6)
insert into made values (7, 7::text), (8.4, 'r'), (8.6, 'u') returning a
insert into made values ('x', 'y')
insert into made values (10, now()::date - now()::date)
insert into made select 11, 'a' union all select 12, 'b'
insert into made (b, a) values ('swapped', 13) returning a, b
insert into made default values
table made
insert into made values (3, U&'\00e9')
values (1, 'a'), (2, 'b')
drop table made
insert into made values (3, U&'\00e9')
drop table goods
create table papers (id int, doc json, raw bytea, span interval, mark uuid, at time, flags boolean[], amounts numeric(8,2)[])
insert into papers (id, doc) values (1, '{"a": {"b": 1}}') returning doc, doc->'a'->>'b'
insert into papers (id, doc) values (2, '{"a"')
insert into papers (id, raw) values (3, '\xDEADbeef'), (4, 'plain'), (5, 'a\\b\001') returning raw
insert into papers (id, span) values (6, '1 day 02:03:04'), (7, '1-2'), (8, 'P1Y2M3DT4H') returning span
insert into papers (id, span) values (6, '1 fortnight')
insert into papers (id, mark) values (9, '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}') returning mark
insert into papers (id, mark) values (9, 'a0eebc99')
insert into papers (id, at) values (10, '04:05 PM') returning at
insert into papers (id, at) values (11, '040506')
delete from papers where id = 11
insert into papers (id, at) values (12, '24:00') returning at
insert into papers (id, flags) values (13, '{t,f,NULL}') returning flags
insert into papers (id, flags) values (14, '{yes,off}')
delete from papers where id = 14
insert into papers (id, flags) values (13, '{t,maybe}')
insert into papers (id, amounts) values (15, '{1.25,2}'), (16, array[3, 4.555]) returning amounts
insert into papers (id, amounts) values (17, '{1,2')
insert into papers (id, raw, span, mark, at, flags) values (18, null, null, null, null, null) returning *
update papers set raw = '\x00ff', span = '2 hours', flags = '{f}' where id = 3 returning raw, span, flags
update papers set raw = '\x0' where id = 3
update papers set at = '25:00' where id = 3
update papers set doc = '[1, 2]' where id = 1 returning doc->1
update papers set raw = decode('00', 'hex') || raw where id = 3 returning raw, length(raw)
select id, raw, span, mark, at, flags, amounts from papers order by id
drop table papers
create table words (id int primary key, code varchar(3), doc jsonb)
insert into words values (1, 'abcd')
insert into words values (2, 'abc', '{"b":1, "a":2}') returning code, doc
update words set doc = doc || '{"c": 3}' where id = 2 returning doc
drop table words
create table owners (id int primary key, code text unique, a int, b int, unique (a, b))
create table owned (id int references owners(id), n int)
create table owned2 (id serial primary key, owner int not null references owners, code text references owners (code), a int, b int, foreign key (a, b) references owners (a, b), name varchar(5))
insert into owners values (1,'one',1,2),(2,'two',3,4)
insert into owned values (1,1),(null,2)
insert into owned values (5,1)
insert into owned2 (owner,code,a,b) values (1,'one',1,2)
insert into owned2 (owner,code,a,b) values (1,'none',1,2)
insert into owned2 (owner,code,a,b) values (1,'one',1,3)
insert into owned2 (owner,code,a,b) values (1,'one',1,null)
update owned2 set owner = 7
update owned set id = 2 where id = 1
delete from owners where id = 2
delete from owners where id = 3
truncate owners
drop table owners
select conname, contype, conkey, confkey, confupdtype, confdeltype, confmatchtype, condeferrable, pg_get_constraintdef(oid) from pg_constraint where contype = 'f' order by conname
select constraint_name, unique_constraint_name, match_option, update_rule, delete_rule from information_schema.referential_constraints order by 1
select constraint_name, table_name, column_name, ordinal_position, position_in_unique_constraint from information_schema.key_column_usage where table_schema='public' and table_name like 'own%' order by 1, 4
select * from (select constraint_name, table_name, column_name from information_schema.constraint_column_usage where table_schema='public' and table_name like 'own%') x order by 1, 2, 3
create table bad (id int references nosuch(id))
create table bad (id int references owners(nosuch))
create table bad (id int, foreign key (nosuch) references owners)
create table bad (id int references owners(a))
create table bad (id int, b int, foreign key (id, b) references owners (id))
create table bad (id int, foreign key (id) references owners (a, b))
create table bad (id text references owners(id))
create table bad (id date references owners(id))
create table bad (id int references owned)
create view ov as select * from owners
create table bad (id int references ov)
create table bad (id int references ov(id))
drop view ov
create table bad (id int references owners(id) on delete cascade)
drop table if exists bad
create table bad (id int references owners(id) on delete set null)
drop table if exists bad
create table late (id int references owners(id) deferrable initially deferred)
drop table if exists late
create table good (id int references owners(id) on delete no action on update restrict)
drop table good
create table selfie (id int primary key, parent int references selfie(id), code text unique references selfie (code))
insert into selfie values (1, null, null)
insert into selfie values (2, 1, null)
insert into selfie values (3, 9, null)
drop table selfie
create temp table tp (id int primary key)
create temp table tc (id int references tp)
insert into tc values (1)
create temp table td (id int references owners)
create table te (id int references tp)
drop table tc
drop table tp
drop table owned2
drop table owned
drop table owners
begin
create table kp (id int primary key)
create table kc (id int primary key, p int references kp(id))
insert into kp values (1)
insert into kc values (1, 1)
commit
begin
insert into kc values (2, 3)
rollback
select * from kc
drop table kp, kc
create schema s1
create table s1.p (id int primary key)
create table s1.c (id int primary key, p int references s1.p(id))
create table s1.d (id int primary key, p int references s1.c(id))
insert into s1.c values (1, 1)
create table sx (id int references s1.p (id))
drop table if exists sx
set search_path = s1
create table e (p int references p)
insert into e values (4)
set search_path = public
alter table s1.c add column note text
alter table s1.c alter column note set default 'x'
insert into s1.p values (1)
insert into s1.c values (1, 1)
insert into s1.c values (2, 2)
comment on table s1.p is 'parents'
comment on column s1.c.p is 'parent'
insert into s1.c values (2, 2)
delete from s1.p
drop schema s1
drop schema s1 cascade
select ('{1.25,2}'::numeric[])[1] * 2
select x + 0 as y from unnest('{1.25,2.50}'::numeric[]) x order by y
create table sums (a numeric, b numeric(10,3), i int, s smallint, f float8)
insert into sums values ('1.25', '1.25', 7, 7, 7.5), ('2', '2', 3, 3, 0.1)
select a, b from sums order by 1
select sum(a), avg(a) from sums
select a + '0.5' from sums order by 1
select b * '0.5' from sums order by 1
select i / '2' from sums order by 1
select i + '2', '2' - i, s + '2', f * '2', i % '2' from sums order by 1
select i + '1.5' from sums
select i + 'x' from sums
select b = '1.250', b = '1.2504', b > '1.2499', b in ('1.25', '2.0001'), i = '7', f = '7.5' from sums order by i
select a = '1.25', a <> '1.251', a between '1.2' and '1.3' from sums order by i
select i = '7.0' from sums
select i in ('7', '8') from sums order by i
select b::text || '1' from sums order by 1
select coalesce(b, '1.2345'), nullif(b, '1.25'), greatest(b, '1.2345') from sums order by i
select case when i = 7 then b else '9.9999' end from sums order by i
select date '2024-01-31' - '2024-01-01', date '2024-01-31' > '2024-01-01'
select timestamp '2024-01-31' - '1 day'
select interval '1 day' * '2'
update sums set a = '7.5' where b = '2.000' returning b
delete from sums where b = '2.0001'
drop table sums
create table declared (id serial primary key, a varchar(5), b char(3) default 'q', d varchar, f jsonb, u varchar(36), e char, g json)
select attname, format_type(atttypid, atttypmod), atttypmod from pg_attribute where attrelid = 'declared'::regclass and attnum > 0 order by attnum
select column_name, data_type, character_maximum_length, character_octet_length, udt_name, column_default from information_schema.columns where table_name = 'declared' order by ordinal_position
insert into declared (a, b, f, e) values ('abc', 'x', '{"b":1,"a":2}', 'z') returning *
insert into declared (a, b, f) values ('abc', 'x', '{"b":1.50,"a":2, "b": 3}') returning id, a, b, f, f->'b' as q, upper(a)
insert into declared (a) values ('123456')
insert into declared (a) values ('12345   ') returning a, length(a)
insert into declared (b) values ('abcd')
insert into declared (b) values ('abc  ') returning b, length(b), b || '|'
insert into declared (e) values ('xy')
insert into declared (f) values ('not json')
update declared set a = 'toolong'
update declared set f = '{"z":1,"y":[1,2]}' where id = 1 returning f, b
update declared set f = f || '{"k": true}' where id = 1 returning *
delete from declared where id = 2 returning f, b
insert into declared (id, a) select 200 + i, 'toolong' || i from generate_series(1, 3) i
insert into declared (id, a) select 200 + i, left('toolong' || i, 5) from generate_series(1, 3) i
insert into declared (id, a, u) values (210, 'é€漢字x', gen_random_uuid()::text), (211, null, default), (212, default, 'x')
insert into declared values (100, 'abc')
insert into declared values (100, 'abcd') on conflict (id) do update set a = excluded.a || 'zzzz'
insert into declared values (100, 'abcd') on conflict (id) do update set a = excluded.a
select a, b, d, f, length(u), e, g from declared where id > 90 or id = 1 order by id
select max(a), coalesce(a, ''), coalesce(f, '{}') from declared where id in (1, 100) group by a, f order by 1, 2
select v.* from declared v join (select 1 as id) o on o.id = v.id
select * from declared v left join (select 1 as id) o using (id) where id = 1
with x as (select * from declared) select * from x where id = 1
with x as (select * from declared), y as (select * from x) select * from y where id = 1
select * from (select * from declared) s where id = 1
select * from (select id, f, upper(a) from declared) s where id = 1
select f, b from declared where id = 1 union all select f, b from declared where id = 1
select to_jsonb(f), f::text, jsonb_agg(f), json_agg(a), array_agg(a) from declared where id = 1 group by f
select count(*) from declared where f @> '{"y": [1, 2]}'
select count(*) from declared where f = '{"k": true, "z": 1, "y": [1, 2]}'
select f #> '{y,0}', f #>> '{y,1}', f - 'y', jsonb_typeof(f) from declared where id = 1
select a = 'abc  ', b = 'x  ', b = 'x', b in ('y', 'x '), b between 'w ' and 'y', b like 'x%', a like 'abc' from declared where id = 1
select pg_typeof(a), pg_typeof(b), pg_typeof(d), pg_typeof(f), pg_typeof(g) from declared where id = 1
alter table declared add column w varchar(2)
insert into declared (w) values ('abc')
alter table declared alter column a type varchar(10)
insert into declared (id, a) values (300, '1234567') returning a
alter table declared alter column a type text, drop column u
alter table declared rename column b to bb
comment on column declared.bb is 'padded'
select attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum) from pg_attribute where attrelid = 'declared'::regclass and attnum > 0 and not attisdropped order by attnum
alter table declared rename to renamed
insert into renamed (bb) values ('four')
drop table renamed
create temp table declared (a varchar(2), j jsonb)
insert into declared values ('abc')
insert into declared values ('ab', '{"b":1, "a":2}') returning *
drop table declared
create sequence once
create table seen (id int primary key, code varchar(5), fixed char(4))
insert into seen values (1, nextval('once')::text, nextval('once')::text) returning code, fixed
insert into seen values (2, nextval('once')::text, 'x') returning code, fixed
insert into seen select 3, nextval('once')::text, 'y' returning code
select id, code, fixed from seen order by id
drop table seen
drop sequence once
create table unnamed as select 'two', count(*), upper(name), coalesce(id, 1), case when id > 1 then 1 end, id + 1 as "Next" from goods group by id, name
select * from unnamed where false
create view seen_goods as select count(*), max(price), 1 + 1 from goods
select * from seen_goods
select count, max from seen_goods
create view two_named (a, b) as select count(*), 2 from goods
select a > 0, b from two_named
create table twice (a int, b int, a text)
create table twice as select 1, 2
create view twice as select 1 as a, 2 as a
create view twice (a, a) as select 1, 2
create schema public
create schema if not exists public
drop view seen_goods, two_named
create sequence s1 start 5
select nextval('s1')
alter sequence s1 restart
select nextval('s1') 
alter sequence s1 restart with 20
select nextval('s1')  
alter sequence s1 increment by 5 restart 100
select nextval('s1'), nextval('s1')
alter sequence s1 start with 7
select seqstart, seqincrement, seqmax, seqmin, seqcycle, seqtypid::regtype from pg_sequence where seqrelid = 's1'::regclass
alter sequence s1 restart 
select nextval('s1')   
alter sequence s1 minvalue 3 maxvalue 9 cycle restart with 9
select nextval('s1')    
select nextval('s1')     
alter sequence s1 restart with 99
alter sequence s1 restart with 1
alter sequence s1 start with 1
alter sequence s1 increment by 0 restart
alter sequence s1 no maxvalue no minvalue no cycle as integer restart 5
select seqstart, seqincrement, seqmax, seqmin, seqcycle, seqtypid::regtype from pg_sequence where seqrelid = 's1'::regclass 
alter sequence nosuch restart
alter sequence if exists nosuch restart
alter sequence s1 frobnicate
alter sequence s1
alter sequence s1 restart restart
select setval('s1', 50)
select nextval('s1')      
select setval('s1', 60, false)
select nextval('s1')       
select pg_catalog.setval('public.s1', 70, true) as x
select nextval('s1')        
select setval('s1', -5)
select setval('s1', 99999999999)
select setval('nosuch', 5)
create table st (id serial primary key, other bigint generated by default as identity, name text)
insert into st (name) values ('a'), ('b')
select setval('st_id_seq', 100)
insert into st (name) values ('c') returning id, other
select setval(pg_get_serial_sequence('st', 'other'), 200, false)
insert into st (name) values ('d') returning id, other
select setval(pg_get_serial_sequence('public.st', 'id'), 300)
insert into st (name) values ('e') returning id, other
alter sequence st_id_seq restart
select pg_get_serial_sequence('st', 'id'), pg_get_serial_sequence('st', 'other')
truncate st restart identity
insert into st (name) values ('f'), ('g') returning id, other
truncate table only st continue identity
insert into st (name) values ('h') returning id, other
create table sp (id serial primary key)
create table sc (id serial primary key, p int references sp)
insert into sp default values
insert into sc (p) values (1)
truncate sp
truncate sc, st restart identity cascade
begin
truncate st restart identity 
insert into st (name) values ('z') returning id
rollback
insert into st (name) values ('z')
select count(*) from st
begin 
insert into st (name) values ('z2')
select setval('st_id_seq', 4000)
insert into st (name) values ('z') returning id 
commit
alter sequence st_other_seq owned by none
create sequence s2
alter sequence s2 owned by st.name
alter sequence s2 owned by st.nosuch
alter sequence s2 owned by nosuch.x
alter sequence s2 owned by none
drop table st
drop table sp, sc
drop sequence s1
drop sequence s2
create table np (id int constraint np_key primary key, code text constraint one_code unique, n int constraint positive check (n > 0), m int, constraint small check (m < 10), constraint pair unique (n, m), unique (m), check (n < 1000))
create table nc (id int primary key, p int not null constraint to_np references np, code text, foreign key (code) references np (code), constraint nn foreign key (p) references np (id))
insert into np values (1, 'a', 5, 5)
insert into np values (1, 'b', 6, 6)
insert into np values (2, 'a', 6, 6)
insert into np values (3, 'c', -1, 6)
insert into np values (3, 'c', 1, 60)
insert into np values (3, 'c', 2000, 6)
insert into np values (3, 'c', 5, 5)
insert into nc values (1, 7, null)
select conname, contype, pg_get_constraintdef(oid) from pg_constraint where conrelid in ('np'::regclass, 'nc'::regclass) order by 1
select indexrelid::regclass::text, indisprimary from pg_index where indrelid in ('np'::regclass, 'nc'::regclass) order by 1
comment on table np is 'parents'
select obj_description('np'::regclass), conname from pg_constraint where conrelid = 'np'::regclass order by 2
drop table nc
drop table np
create table np (id int constraint np_key primary key, code text constraint one_code unique, n int, constraint pair unique (code, n))
insert into np values (1, 'a', 9)
insert into np values (1, 'q', 9) on conflict on constraint np_key do nothing
insert into np values (2, 'a', 8) on conflict on constraint one_code do update set n = excluded.n returning *
insert into np values (2, 'a', 8) on conflict on constraint pair do nothing
insert into np values (2, 'a', 8) on conflict on constraint nosuch do nothing
insert into np values (3, 'z', 8) on conflict on constraint one_code do nothing returning id
drop table np 
create index like_i on nosuch (a varchar_pattern_ops)
create table ix (id serial primary key, a varchar(20), b text, c int, d char(3))
create index like_a on ix (a varchar_pattern_ops)
create index like_b on ix (b text_pattern_ops, c int4_ops)
create index like_d on ix (b nosuch_ops)
insert into ix (a, b) values ('x', 'y')
alter table ix alter column a type varchar(50)
alter table ix alter column a type text
alter table ix alter column a type varchar
select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'ix'::regclass and attnum > 0 order by attnum
insert into ix (a) values (repeat('x', 60)) returning length(a)
drop table ix
create table lengths (a text, b varchar(5), c char(4))
insert into lengths values ('123456', '12345', 'x')
alter table lengths alter column a type varchar(5)
alter table lengths alter column a type varchar(6)
insert into lengths (a) values ('1234567')
alter table lengths alter column b type varchar(3) using left(b, 3)
alter table lengths alter column b type varchar(9), alter column a type text
alter table lengths alter column c type varchar(4)
select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'lengths'::regclass and attnum > 0 order by attnum
select a, b, c from lengths order by a
drop table lengths
create table origins (id int primary key, a varchar(5), j jsonb, c char(3), n numeric(8,2), t text)
insert into origins values (1, 'abc', '{"b":1,"a":2}', 'x', 1.5, 'tt'), (2, null, null, null, null, null)
create table ct1 as select * from origins
create table ct2 as select 'abc'::varchar(5) as a, j, j->'a' as x, upper(a) as u, a || 'z' as cat, n from origins
create table ct3 (p, q) as select a, j from origins where id = 1
create table ct4 as select a from origins union all select 'q'::varchar(5)
create table ct5 as with w as (select a, j from origins) select w.a, w.j, s.id from w join origins s on true
select relname, attname, format_type(atttypid, atttypmod) from pg_attribute join pg_class c on c.oid = attrelid where relname like 'ct_' and attname <> 'c' and attnum > 0 order by 1, attnum
select j->'a' as v, j || '{"z":1}' as w, a from ct1 order by id
select j || '{"z":1}' as w from ct2 where j is not null
insert into ct1 (id, a) values (5, 'toolong')
insert into ct3 values ('toolong', null)
create temp table ct6 as select * from origins
select j || '{"z":1}' as w from ct6 where j is not null
drop table ct1, ct2, ct3, ct4, ct5
drop table ct6
drop table origins
select has_table_privilege(0::oid, 'select'), has_schema_privilege(0::oid, 'usage'), has_database_privilege(0::oid, 'connect')
select 'abc'::"char", 'b'::"char", ''::"char", t::"char" from (values ('xyz'::text)) v(t)
create table keyed (id int primary key, name text, n int, doc jsonb default '{}')
create unique index keyed_name on keyed (name)
create unique index on keyed (name, n)
insert into keyed values (1, 'a', 1)
insert into keyed values (2, 'a', 2)
select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'keyed'::regclass
drop table keyed

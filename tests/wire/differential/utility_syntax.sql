-- One statement a line. PostgreSQL's parser and ours must agree on each: both accept it, or both say 42601.
begin
begin work
begin transaction isolation level serializable
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
begin isolation level read committed, read write, not deferrable
begin read only,
begin , read only
begin isolation level snapshot
begin isolation serializable
begin foo
start transaction
start transaction read only deferrable
start
start work
commit
commit work and chain
commit and no chain
commit and
commit transaction and chain
commit chain
commit prepared 'x'
end
end transaction and chain
end prepared 'x'
abort
abort work and no chain
rollback
rollback and chain
rollback to savepoint a
rollback to a
rollback work to savepoint "A b"
rollback to
rollback to savepoint
rollback transaction to savepoint
rollback prepared 'x'
savepoint a
savepoint savepoint
savepoint select
savepoint left
savepoint int
savepoint 'a'
savepoint
release a
release savepoint a
release savepoint
release savepoint savepoint
release
prepare transaction 'x'
set x = 1
set x.y = 1
set x.y.z = 1
set x to 1, 2, 'three', four
set x to
set x = default
set x = default, 1
set x to -1.5
set x to + 3
set x to - a
set x to on
set x to off
set x to true, false
set x to null
set x to select
set x to left
set x to int
set x to $1
set x = 'a' 'b'
set x = E'a\nb'
set x = $$a;b$$
set x = 1e10
set x = 1abc
set x = b'101'
set x from current
set "X" = 1
set 'x' = 1
set select = 1
set left = 1
set int = 1
set local x = 1
set session x = 1
set local local x = 1
set local = 1
set session = 1
set session to 1
set session.x = 1
set global x = 1
set time zone 'UTC'
set time zone utc
set time zone "Europe/Berlin"
set time zone -7
set time zone 5.5
set time zone default
set time zone local
set time zone zone
set time zone null
set time zone interval '+00:00' hour to minute
set time zone interval '+00:00' hour
set time zone interval '+00:00'
set time zone interval '+00:00' minute
set time zone interval (3) '+00:00'
set time zone interval
set local time zone 'UTC'
set session time zone 'UTC'
set time = 1
set timezone to 'UTC'
set names 'utf8'
set names utf8
set names
set names default
set names = 1
set role 'x'
set role x
set role none
set role "X"
set role to x
set role = x
set role
set role x, y
set session authorization x
set session authorization 'x'
set session authorization default
set session authorization
set session session authorization x
set local session authorization x
set local role x
set schema 'a'
set schema a
set schema = a
set catalog 'x'
set xml option document
set xml option content
set xml option foo
set transaction isolation level serializable
set transaction read only
set transaction read only, isolation level read committed
set transaction
set transaction snapshot 'x'
set transaction = 1
set local transaction read only
set session transaction read only
set session characteristics as transaction read only
set session characteristics as transaction
set session characteristics transaction read only
set constraints all deferred
set constraints a, b.c immediate
set constraints all
set
reset x
reset x.y
reset all
reset time zone
reset transaction isolation level
reset session authorization
reset
reset x, y
reset transaction isolation
show x
show x.y
show all
show time zone
show transaction isolation level
show session authorization
show transaction_isolation
show "TimeZone"
show
show transaction isolation
show tables x
discard all
discard plans
discard sequences
discard temp
discard temporary
discard tables
discard
deallocate a
deallocate prepare a
deallocate all
deallocate prepare all
deallocate prepare
deallocate
deallocate "_PLAN0x55"
prepare a as select 1
prepare a (int) as select $1
prepare a (int, text[], numeric(10,2), double precision) as select 1
prepare a () as select 1
prepare a (int as select 1
prepare a as values (1)
prepare a as (select 1)
prepare a as begin
prepare a select 1
prepare transaction as select 1
execute a
execute a (1, 'x', f(1, 2))
execute a ()
execute a (1,)
execute
execute a 1
declare c cursor for select 1
declare c scroll cursor for select 1
declare c no scroll cursor for select 1
declare c binary insensitive scroll cursor with hold for select 1
declare c cursor without hold for (select 1)
declare c cursor with hold for values (1)
declare c cursor for insert into t values (1)
declare c scroll binary cursor for select 1
declare c cursor hold for select 1
declare c for select 1
declare cursor cursor for select 1
declare select cursor for select 1
declare c asensitive cursor for select 1
fetch c
fetch next
fetch next c
fetch next from c
fetch next in next
fetch prior from c
fetch first c
fetch last in c
fetch absolute 5 from c
fetch absolute -5 c
fetch absolute c
fetch relative 0 from c
fetch relative from c
fetch 5 from c
fetch -5 c
fetch 5
fetch all
fetch all c
fetch all from c
fetch forward c
fetch forward 5 from c
fetch forward all in c
fetch forward
fetch backward all c
fetch backward 3 c
fetch backward from c
fetch 1.5 from c
fetch 99999999999 from c
fetch from c
fetch in c
fetch from
fetch
fetch select
fetch 500 in "SQL_CUR0x55"
move c
move 5 from c
move absolute 0 c
move forward all in c
move
close c
close all
close
close a, b
listen a
listen "A b"
listen a.b
listen
notify a
notify a, 'payload'
notify a, payload
notify a,
unlisten a
unlisten *
unlisten
explain select 1
explain analyze select 1
explain verbose select 1
explain analyze verbose select 1
explain verbose analyze select 1
explain (analyze) select 1
explain (analyze, verbose off, format json, costs false, timing 1) select 1
explain () select 1
explain (select 1)
explain ((select 1))
explain (values (1))
explain (format) select 1
explain (analyze select 1)
explain (select)
explain begin
explain show all
explain
explain analyze
explain execute a
explain declare c cursor for select 1
explain create table t as select 1
copy t to stdout
copy t from stdin
copy t to stdin
copy t from stdout
copy s.t (a, "B") from stdin
copy d.s.t to stdout
copy a.b.c.d to stdout
copy t () to stdout
copy t(a.b) to stdout
copy t to stdout with csv
copy t to stdout csv header
copy t to stdout with csv header quote '"' escape as '\' null as '' delimiter ','
copy t to stdout (format csv, header)
copy t to stdout with (format csv, header true, delimiter ';', force_quote *, null 'x')
copy t to stdout (force_quote (a, b))
copy t to stdout (format csv) header
copy t to stdout ()
copy t to stdout with
copy t to stdout binary
copy binary t to stdout
copy t to stdout with binary
copy t from stdin with delimiter as '|' null as 'x'
copy t from stdin using delimiters ','
copy t from stdin delimiters ',' csv
copy t to stdout csv force quote *
copy t to stdout csv force quote a, b
copy t from stdin csv force not null a
copy t from stdin csv force null a, b encoding 'utf8'
copy t from stdin csv force null
copy t from stdin freeze
copy t from stdin where a > 1
copy t from stdin csv where a > 1 and b
copy t from stdin (format csv) where a > 1
copy t from stdin where
copy t to stdout where a > 1
copy t to '/tmp/x'
copy t from '/tmp/x' csv
copy t to program 'cat'
copy t from program 'cat' (format csv)
copy (select 1) to stdout
copy (select 1, (2), f(3, 4)) to stdout (format binary)
copy (values (1), (2)) to stdout
copy (insert into t values (1) returning a) to stdout
copy (select 1) from stdin
copy (select 1 to stdout
copy (select 1)) to stdout
copy (begin) to stdout
copy (select 1) to '/tmp/x'
copy (select 1) (a) to stdout
copy t stdout
copy t to
copy to stdout
copy t to stdout header match
copy t from stdin (header match)
copy t to stdout (null null)
copy t to stdout (select 1)
lock t
lock table t
lock table a, only b, c * in access exclusive mode nowait
lock only (t)
lock t in row share mode
lock t in share row exclusive mode
lock t in row mode
lock t nowait
lock t in share update exclusive mode
lock
lock t in exclusive
checkpoint
checkpoint now
vacuum
vacuum t
vacuum full freeze verbose analyze t (a, b), u
vacuum freeze full
vacuum (full, analyze) t
vacuum (full off, parallel 2)
vacuum (full, analyze) t, u(a)
vacuum ()
vacuum analyze
vacuum analyze verbose
analyze
analyze t
analyze verbose t(a)
analyze (verbose, skip_locked) t, u
analyse t
analyze t (a.b)
cluster
cluster t
cluster t using i
cluster verbose t
cluster verbose
cluster (verbose) t using i
cluster (verbose)
cluster i on t
cluster verbose i on t
reindex table t
reindex index i
reindex (verbose) table concurrently s.t
reindex schema s
reindex database d
reindex system d
reindex database
reindex t

create table people (id integer, name text, height double precision, salary numeric(10,2), born date, active boolean, boss integer);
insert into people values (1, 'Ann', 1.7, 1000.50, date '1990-01-31', true, null), (2, 'Bob', 1.8, 2000.00, date '1985-02-28', false, 1), (3, 'cé_d', null, null, null, null, 1), (4, 'Dan%x', 2.5, 0.10, date '2000-12-31', true, 2);
create table events (id bigint, "at" timestamp, kind text, amount integer, small smallint, tags integer[]);
insert into events values (1, timestamp '2024-01-05 10:20:30.5', 'a', 10, 1, array[1,2,3]), (2, timestamp '2024-02-29 23:59:59', 'b', -7, 2, array[4]), (3, timestamp '2023-12-31 00:00:00', null, null, null, null), (10000000000, timestamp '2024-06-15 12:00:00', 'a', 3, -3, array[]::integer[]);

-- Of errors.sql: what differs in SQLSTATE or position today. A statement that is right again must leave this list.

select from where
select x.y.z.w from people
select $1 + nosuch from people
select "ID" from people
select * from generate_series(1, 'x')
select '{1,x}'::int[]

select length('abc'), char_length('é'), octet_length('é'), bit_length('a'), ascii('A')
select position('b' in 'abc'), strpos('abc', 'c'), position('x' in 'abc')
select substring('abcdef' from 2 for 3), substring('abcdef' from 0 for 3), substring('abcdef' from -2 for 5), substring('abc', 2)
select substring('abc' from -1), substring('abc' from 10), substring('abcdef', id, 2) from people order by id
select substring('abc' from 1 for -1)
select substring('foobar' from 'o.b'), substring('foobar' from 'o(.)b'), substring('foobar' from 'x')
select overlay('Txxxxas' placing 'hom' from 2 for 4), overlay('abc' placing 'X' from 2)
select trim(' a '), trim('x' from 'xax'), ltrim('  a'), rtrim('a  '), btrim('xyax', 'xy'), trim(leading 'x' from 'xa')
select upper('é'), lower('É'), initcap('hello wORLD foo-bar')
select left('abc', 2), left('abc', -1), right('abc', 2), right('abc', -1)
select lpad('a', 3), lpad('a', 3, 'xy'), rpad('a', 3, 'x'), lpad('abc', 2)
select repeat('ab', 2), reverse('abc'), replace('aXbX', 'X', '-'), translate('abc', 'ab', 'x')
select concat('a', null, 1), concat_ws(',', 'a', null, 'b'), 'a' || 'b', 'a' || null
select split_part('a,b,c', ',', 2), split_part('a,b,c', ',', -1), split_part('a,b', ',', 5), split_part('abc', '', 1)
select split_part('a', ',', 0)
select quote_literal('it''s'), quote_ident('Abc'), quote_ident('abc'), quote_ident('select'), quote_nullable(null), quote_literal('a\b')
select format('%s-%I-%L', 'a', 'B c', 'd''e'), format('%2$s %1$s%%', 'x', 'y'), format('%s', null)
select md5('abc'), chr(65), to_hex(255), to_hex(-1)
select encode('\xdead'::bytea, 'hex'), encode('abc'::bytea, 'base64'), decode('YWJj', 'base64'), decode('dead', 'hex')
select starts_with('abc', 'ab'), 'abc' ^@ 'ab'
select name like '%\%x', name like 'c__d', name like 'A%' from people order by id
select 'a\b' like 'a\\b', 'a_b' like 'a\_b', 'axb' like 'a\_b', 'abc' ilike 'AB%', 'abc' not like 'b%'
select 'x' like 'x\'
select 'a%b' like 'a!%b' escape '!'
select 'abc' like any (array['x', 'a%'])
select 'abc' similar to 'a%', 'abc' similar to '%(b|d)%', 'abc' similar to 'a_', 'abc' not similar to 'abc'
select 'abc' ~ 'b', 'abc' ~* 'B', 'abc' !~ 'x', 'abc' !~* 'B', E'a\nb' ~ 'a.b'
select 'é' ~ '\w', 'é' ~ '[[:alpha:]]', '5' ~ '\d', 'a b' ~ '\s'
select 'aa' ~ '(a)\1'
select regexp_replace('foobar', 'o', 'X'), regexp_replace('foobar', 'o', 'X', 'g'), regexp_replace('Foo', 'f', 'b', 'i'), regexp_replace('abc', '(b)', '[\1]')
select regexp_match('foobar', 'o(.)b'), regexp_match('foobar', 'ob'), regexp_match('foobar', 'x')
select regexp_split_to_array('a b c', ' ')
select string_to_array('a,b', ','), string_to_array('', ','), string_to_array('abc', null), string_to_array('a,b', ',', 'b')
select array_to_string(array[1,2], ','), array_to_string(array[1,null,2], ',', '*'), array_to_string(array['a', null], ',')
select upper(name), length(name) from people order by id
select name || ' ' || id from people order by id limit 1
select 'abc' < 'abd', 'a' < 'B', 'a' = 'a '
select 'a' collate "C" < 'b', name from people order by name collate "C" limit 1
select string_agg(name, '; ' order by name) from people
select length('abc'::bytea), octet_length('\x0102'::bytea)
select 'a' operator(pg_catalog.~) 'a', 1 operator(pg_catalog.+) 2
select pg_catalog.length('abc'), pg_catalog.upper('a')
select pg_catalog.btrim('  x '), pg_catalog.btrim('{a}', '{}'), pg_catalog.ltrim('xa', 'x'), pg_catalog.rtrim('ax', 'x')
select encode('\xdead', 'hex'), encode('abc', 'base64'), encode('abc'::bytea, 'hex'), encode('\001a', 'escape')
select 7::float8 || 'x', 'x' || 1e10::float8, 7::float4 || ('a' || 'b'), interval '1 mon 2 days' || ' later', 1.50 || 'x', '\x01ff'::bytea || 'x'::text, true || 'x'

select format('Hello %s', 'World'), format('%s, %s', 1, 2.5), format('%I.%I', 'my table', 'col'), format('%L', 'it''s'), format('%L', null), format('%%')
select format('%10s|', 'abc'), format('%-10s|', 'abc'), format('%2$s %1$s', 'a', 'b'), format('%s', true), format('%s', null), format('no args')
select format('%s', array[1,2]), format('%s %s', date '2024-01-05', 1.50)
select format('%s')
select regexp_replace('foobarbaz', 'b..', 'X'), regexp_replace('foobarbaz', 'b..', 'X', 'g'), regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g'), regexp_replace('ABC', 'b', 'x', 'i'), regexp_replace('ABCb', 'b', 'x', 'gi')
select regexp_replace('a.b.c', '\.', '-', 'g'), regexp_replace('abc', '^', 'x'), regexp_replace('  a  b ', '\s+', ' ', 'g'), regexp_replace('abc', '(?:b)', '[\&]')
select regexp_replace('abc', 'b', 'x', 1), regexp_replace('abab', 'b', 'x', 1, 2)
select regexp_match('foobarbequebaz', '(bar)(beque)'), regexp_match('abc', 'B', 'i'), regexp_match('abc', 'x'), (regexp_match('ab12', '(\d+)'))[1]
select regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)', 'g')
select regexp_matches('abc', 'b'), regexp_matches('aXbX', 'X', 'g')
select * from regexp_matches('a1b2', '([a-z])(\d)', 'g') as m
select (regexp_matches('ab12', '(\d+)'))[1]
select regexp_split_to_array('hello  world', '\s+'), regexp_split_to_array('a,b;c', '[,;]'), regexp_split_to_array('abc', '')
select regexp_split_to_table('a b c', ' ')
select * from regexp_split_to_table('a,b,c', ',') as t
select * from string_to_table('a,b,c', ',')
select string_to_table('a-b', '-')
select regexp_count('aXbXc', 'X'), regexp_like('abc', 'B', 'i'), regexp_substr('foobar', 'o+'), regexp_instr('foobar', 'o')
select translate('12345', '143', 'ax'), translate('abc', 'abc', ''), initcap('hi THOMAS'), initcap('a-b c_d e1f'), reverse('abc')
select lpad('hi', 5, 'xy'), lpad('hello', 2), rpad('hi', 5, 'xy'), rpad('hi', 5), lpad('hi', 5, ''), lpad('7', 3, '0')
select split_part('a~@~b~@~c', '~@~', 2), split_part('a,b,c', ',', -2), split_part('a,b,c', ',', 9), split_part('', ',', 1), split_part('abc', ',', 1)
select starts_with('alphabet', 'alph'), left('abcde', 2), left('abcde', -2), right('abcde', 2), right('abcde', -2), left('abc', 0)
select encode('hello'::bytea, 'hex'), encode('hello'::bytea, 'base64'), encode('\x00ff61'::bytea, 'escape'), decode('68656c6c6f', 'hex'), decode('aGVsbG8=', 'base64'), decode('a\\b', 'escape')
select md5('hello'), md5('hello'::bytea), sha256('hello'::bytea), sha224('a'::bytea), sha512('a'::bytea)
select quote_ident('foo'), quote_ident('Foo bar'), quote_ident('a"b'), quote_literal('O''Reilly'), quote_literal(42), quote_nullable(null), quote_nullable('x'), quote_literal(null)
select overlay('Txxxxas' placing 'hom' from 2 for 4), overlay('abcdef' placing 'ZZ' from 3), overlay('abc' placing '' from 2 for 1)
select substring('Thomas' from 2 for 3), substring('Thomas' from 3), substring('Thomas' for 2), substring('Thomas' from '...$'), substring('Thomas' from 'o(.)a'), substring('Thomas', 2, 3)
select substring('Thomas' from '%#"o_a#"_' for '#'), substr('alphabet', 3), substr('alphabet', 3, 2), substr('abc', 0), substr('abc', -1, 3)
select 'abc' like 'a%', 'abc' like '_b_', 'abc' like 'c', 'ABC' ilike 'abc', 'a%c' like 'a\%c', 'a_c' like 'a!_c' escape '!', 'abc' not like '%z%', 'abc' not ilike 'AB%'
select 'abc' like '', '' like '%', null like 'a', 'a' like null, 'a\' like 'a\\', 'abc' like 'abc%%'
select 'abc' similar to 'abc', 'abc' similar to 'a', 'abc' similar to '%(b|d)%', 'abc' similar to '(b|c)%', 'aaa' similar to 'a{3}', 'abc' not similar to '_b_', 'ab' similar to '[a-c]+'
select 'abc' ilike any (array['A%', 'z']), 'abc' like all (array['a%', '%c']), 'x' like any ('{a,x}'), 'x' not like all (array['a', 'b'])
select 'foo' ~ 'fo+', 'foo' ~* 'FO', 'foo' !~ 'x', 'foo' !~* 'FOO', 'foo' ~ '^f.o$', 'a.b' ~ 'a\.b', 'tab' ~ '\mtab\M'
select name from people where name ~ '^[AB]' order by name
select name from people where name ilike '%n%' order by name
select name from people where name similar to '(A|B)%' order by name
select length('héllo'), char_length('héllo'), octet_length('héllo'), bit_length('é'), upper('straße'), lower('ÀÉ'), length('')
select position('lo' in 'hello'), strpos('hello', 'l'), position('' in 'abc'), strpos('abc', 'z'), position('é' in 'caffé')
select trim('  x  '), trim(both 'x' from 'xxaxx'), trim(leading from '  a '), trim(trailing 'b' from 'abb'), ltrim('xxa', 'x'), rtrim('axx', 'x'), btrim('  a  '), trim('xy' from 'xyaxy')
select ascii('a'), ascii('é'), chr(97), chr(233), ascii(''), chr(8364)
select chr(0)
select concat('a', 1, null, true, 1.5), concat_ws('-', 'a', null, 'b', 2), concat(), concat_ws(',', null, null), concat(null)
select concat('x', 1.0::float8, date '2024-01-05', array[1,2])
select repeat('ab', 3), repeat('x', 0), repeat('x', -1), replace('aaa', 'a', 'bb'), replace('abc', '', 'x'), replace('abc', 'b', '')
select to_hex(255), to_hex(255::bigint), to_hex(-1), to_hex(-1::bigint), to_hex(0)
select 'a' || 'b' || 'c', 'n: ' || 5, 'a' || null, null || 'b', '' || 'x', 'v' || 1.50, 1 || ''
select 'abc' > 'abd', 'a' < 'B', 'Z' < 'a', 'a' = 'A', 'é' > 'z', '' < 'a', 'abc' = 'abc  '
select string_agg(name, ', ' order by name), string_agg(name, '' order by id desc), string_agg(distinct active::text, ',' order by active::text) from people
select string_agg(id::text, ',' order by id) filter (where id > 1), string_agg(name, ',') from people where id = 2
select upper(name) || '!', lower(name), initcap(name), length(name), reverse(name), left(name, 1) from people order by id
select name, replace(name, 'n', 'N'), position('n' in name), substring(name from 2 for 2), lpad(name, 6, '.') from people order by id
select btrim('\x00aa00'::bytea, '\x00'::bytea), length('\xdead'::bytea), octet_length('abc'::bytea), substring('\x010203'::bytea from 2 for 1), '\x01'::bytea || '\x02'::bytea, position('\x02'::bytea in '\x0102'::bytea)
select get_byte('\x0102'::bytea, 1), set_byte('\x0102'::bytea, 0, 255), convert_from('\x6162'::bytea, 'UTF8'), convert_to('ab', 'UTF8'), reverse('\x0102'::bytea::text)
select unistr('\0061'), normalize('e'), 'a' is normalized
select E'a\nb', E'\x41', E'\u0041', 'a''b', $$x$$, $t$y$t$, 'a' 'b'
select num_nulls(1, null, 2), num_nonnulls(1, null), parse_ident('a.b'), to_ascii('x')
select 'abc'::text collate "C", 'a' < 'b' collate "C", name collate "C" from people where id = 1
select strpos('abc', ''), left(null, 2), substring(null from 1), upper(null), coalesce(null, 'x')
select length(null), length(12345::text), char_length('abc'), lower('ABC' || 'D')
select ltrim('zzzytest', 'xyz'), rtrim('testxxzx', 'xyz'), btrim('xyxtrimyyx', 'xyz')
select pg_size_pretty(1024::bigint), pg_size_pretty(10240::bigint), pg_size_pretty(10737418240)

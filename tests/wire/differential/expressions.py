# ruff: noqa: E501  # a table of templates
"""Random typed expressions over one small table, for both servers to compute.

A kind is a group of types. `{kind}` in a template stands for an expression of it, `{small}` for a small integer.
What PostgreSQL and DuckDB are known to compute otherwise is left out: it is listed where it belongs.
"""

import random
import re

TABLE = (
    "create table randoms (k int, i int, b bigint, n numeric(12,3), m numeric(6,1), f float8, t text, v text, "
    "d date, ts timestamp, tz timestamptz, iv interval, o boolean, ai int[], at text[])"
)
ROWS = (
    "(1, 7, 10000000000, 12.345, -2.5, 0.1, 'Hello World', 'a,b,,c', '2024-02-29', '2024-02-29 13:14:15.678', "
    "'2024-03-31 01:30:00+00', '1 mon 2 days 03:04:05', true, '{1,2,3}', '{a,b,NULL}')",
    "(2, -7, -5, -0.500, 0.0, -1e10, '', 'ÄÖü', '1999-12-31', '1999-12-31 23:59:59', '2024-10-27 00:30:00+00', "
    "'-1 days', false, '{}', '{}')",
    "(3, 0, 0, 0, 10.0, 2.5, '  pad  ', 'x%y_z', '2000-01-01', '2000-01-01 00:00:00', '2000-01-01 12:00:00+00', "
    "'00:00:00', null, '{5,NULL,5}', '{\"q r\",x}')",
    f"(4{', null' * 14})",
    "(5, 2147483647, 9223372036854775807, 999999999.999, 99999.9, 1e6, '42', '-3.50', '2038-01-19', "
    "'2038-01-19 03:14:07', '1970-01-01 00:00:00+00', '1 year', true, '{2147483647}', '{z}')",
)
COLUMNS = {
    "int": ["i", "k"], "big": ["b"], "num": ["n", "m"], "flt": ["f"], "txt": ["t", "v"], "date": ["d"],
    "ts": ["ts"], "tz": ["tz"], "iv": ["iv"], "bool": ["o"], "ai": ["ai"], "at": ["at"],
}  # fmt: skip
CONSTANTS = {
    "int": ["0", "1", "2", "-3", "10", "100"],
    "big": ["10000000000", "3::bigint"],
    "num": ["1.5", "0.001", "-2.25", "10.0", "3.14159"],
    "flt": ["0.5::float8", "1e3::float8", "-2.0::float8"],
    "txt": ["'a'", "''", "'Hello'", "'l'", "'42'", "'%o%'", "' x '"],
    "date": ["date '2024-01-31'", "date '2000-02-29'"],
    "ts": ["timestamp '2024-01-31 10:20:30'"],
    "tz": ["timestamptz '2024-06-01 12:00:00+02'"],
    "iv": ["interval '1 day'", "interval '1 month'", "interval '90 minutes'", "interval '-3 hours'"],
    "bool": ["true", "false"],
    "ai": ["array[1,2,3]", "'{4,5}'::int[]"],
    "at": ["array['a','b']", "'{x,y}'::text[]"],
}
TEMPLATES = {
    "int": """length({txt}); octet_length({txt}); position({txt} in {txt}); strpos({txt},{txt}); abs({int});
        mod({int},{int}); {int}+{int}; {int}-{int}; {int}*{int}; {int}/{int}; {int}%{int}; {int}&{int}; {int}#{int}; ~{int};
        {int}>>1; -{int}; coalesce({int},{int}); nullif({int},{int}); greatest({int},{int}); least({int},{int});
        case when {bool} then {int} else {int} end; cardinality({ai}); array_length({ai},1); array_position({ai},{int});
        {date}-{date}; ascii({txt}); extract(year from {date})::int; extract(dow from {ts})::int;
        date_part('month',{ts})::int; {num}::int; round({num})::int; ({bool})::int; ({ai})[1]; ({ai})[{int}];
        array_upper({ai},1); bit_length({txt}); num_nulls({int},{txt})""",
    "big": "{big}+{int}; {int}::bigint*{int}; {big}/{int}; abs({big}); {big}%{int}",
    "num": """{num}+{num}; {num}-{num}; {num}*{num}; {num}/{num}; {num}%{num}; round({num},{small}); round({num});
        trunc({num},{small}); ceil({num}); floor({num}); abs({num}); -{num}; {num}+{int}; {num}/{int}; {int}/{num};
        coalesce({num},{num}); greatest({num},{num},{int}); nullif({num},{num}); case when {bool} then {num} else {int} end;
        {int}::numeric; {num}::numeric(10,2); extract(epoch from {iv}); extract(seconds from {ts}); extract(epoch from {ts});
        div({num},{num}); power(m,2); power(n,2)""",
    "flt": """{flt}+{flt}; {flt}*{int}; {flt}/{flt}; round({flt}); trunc({flt}); ceil({flt}); floor({flt}); abs({flt});
        {num}::float8; {int}::float8; {flt}-{num}; date_part('epoch',{iv})""",
    "txt": r"""upper({txt}); lower({txt}); initcap({txt}); {txt}||{txt}; {txt}||{int}; {txt}||{flt}; {iv}||{txt}; {num}||{txt}; {txt}||{bool}; {date}||{txt}; {txt}||{tz}; concat({flt},{iv},{num}); concat({txt},{int},{bool});
        concat_ws('-',{txt},{txt}); substr({txt},{small}); substr({txt},{small},{small}); left({txt},{small}); right({txt},-2);
        lpad({txt},{small},'xy'); rpad({txt},5); ltrim({txt}); rtrim({txt}); btrim({txt},' H'); replace({txt},'l','LL');
        translate({txt},'lo','01'); reverse({txt}); repeat({txt},{small}); split_part({txt},',',-1); md5({txt});
        {int}::text; {bool}::text; {date}::text; {ts}::text; {tz}::text; {iv}::text; {ai}::text; {at}::text;
        to_char({date},'YYYY-MM-DD'); to_char({ts},'Dy, DD Mon YYYY HH12:MI:SS AM'); to_char({num},'FM999990.00');
        to_char({int},'S999'); to_char({ts},'Q WW IW DDD J'); quote_literal(t); quote_ident({txt}); coalesce({txt},'?');
        nullif({txt},''); case when {bool} then {txt} end; array_to_string({ai},',','N'); array_to_string({at},'|'); ({at})[1];
        encode({txt}::bytea,'hex'); regexp_replace({txt},'[aeiou]','*','g'); regexp_match({txt},'(.)l')::text;
        overlay({txt} placing 'XX' from 2 for 1); format('%s-%s',{txt},{int}); string_to_array({txt},',')::text;
        json_build_object('a',{int},'b',{txt},'d',{date},'e',{bool})::text; to_json({txt})::text; to_json({ai})::text;
        row_to_json(row({int},{txt}))::text""",
    "date": "{date}+{small}; {date}-{small}; {ts}::date; {tz}::date; date_trunc('month',{ts})::date; ({date}+{iv})::date",
    "ts": """{date}+{iv}; {ts}+{iv}; {ts}-{iv}; {date}::timestamp; date_trunc('hour',{ts}); date_trunc('week',{ts});
        date_trunc('quarter',{ts}); {tz} at time zone 'Europe/Berlin'; date_bin('15 minutes',{ts},timestamp '2000-01-01')""",
    "tz": """{tz}+{iv}; {tz}-{iv}; {ts} at time zone 'America/New_York'; date_trunc('day',{tz});
        date_trunc('day',{tz},'Asia/Tokyo'); to_timestamp({int}); {ts}::timestamptz; greatest({tz},{tz})""",
    "iv": """{ts}-{ts}; {tz}-{tz}; {iv}+{iv}; {iv}-{iv}; {iv}*2; {iv}*1.5; {iv}/2; -{iv}; age({ts},{ts}); age({date},{date});
        justify_hours({iv}); justify_interval({iv}); {small}*interval '1 hour'; {ts}-{date}""",
    "bool": """{int}={int}; {int}<{int}; {num}>={num}; {num}={int}; {flt}<{num}; {txt}={txt}; {txt}<{txt}; {txt} like {txt};
        {txt} ilike '%h%'; {txt} ~ '^[a-z]'; {txt} similar to '%(l|o)%'; {date}<{date}; {ts}>{date}; {tz}>{ts}; {iv}>{iv};
        not {bool}; {bool} and {bool}; {bool} or {bool}; {int} in (1,2,{int}); {int} between {int} and {int}; {txt} is null;
        {bool} is not false; {bool} is unknown; {int} is distinct from {int}; {int} = any({ai}); {int} <> all({ai});
        {txt} = any({at}); {ai} && {ai}; {ai} @> {ai}; {ai} <@ {ai}; {ai} = {ai}; ({int},{txt}) = ({int},{txt});
        ({int},{int}) < ({int},{int}); ({int},{date}) >= ({int},{date}); {int}::boolean; isfinite({date}); {num} = '12.345';
        {num} > '1.0001'; {int} = '7'; {date} = '2024-02-29'; {ts} >= '2024-01-01'; exists(select 1 where {bool});
        {int} in (select k from randoms); {num} in (1.5,{num})""",
    "ai": """{ai}||{int}; {int}||{ai}; {ai}||{ai}; array_append({ai},{int}); array_prepend({int},{ai}); array_cat({ai},{ai});
        array_remove({ai},{int}); array_replace({ai},1,9); ({ai})[1:2]; ({ai})[2:]; array[{int},{int}];
        array_positions({ai},5); coalesce({ai},'{}')""",
    "at": "{at}||{txt}; string_to_array({txt},','); array[{txt},{txt}]; array_append({at},{txt}); {ai}::text[]",
}
PARAMETERS = {
    "int": (23, ["7", "-7", "0"]), "big": (20, ["10000000000", "-5"]), "num": (1700, ["12.345", "-0.5", "10.0"]),
    "flt": (701, ["0.5", "1e3"]), "txt": (25, ["Hello World", "a,b", "42", ""]), "date": (1082, ["2024-02-29"]),
    "ts": (1114, ["2024-02-29 13:14:15.678"]), "tz": (1184, ["2024-03-31 01:30:00+00"]),
    "iv": (1186, ["1 mon 2 days 03:04:05", "-1 days"]), "bool": (16, ["t", "f"]),
    "ai": (1007, ["{1,2,3}", "{5,NULL}"]), "at": (1009, ["{a,b}"]),
}  # fmt: skip
"""By kind: the type's OID, and values as text."""
_CHOICES = {kind: [one.strip() for one in text.split(";")] for kind, text in TEMPLATES.items()}
_PLACE = re.compile(r"\{(" + "|".join((*COLUMNS, "small")) + r")\}")


def random_query(source: random.Random) -> str:
    """One expression over every row."""
    return _Expressions(source).query((1, 1, 1, 2, 2, 3))


def random_query_of_parameters(source: random.Random) -> tuple[str, list[int], list[str | None]]:
    """The same with parameters in it: the text, the types of its parameters, their values as text."""
    expressions = _Expressions(source, parameters=0.7)
    return expressions.query((1, 1, 1, 2, 2)), expressions.oids, expressions.values


class _Expressions:
    """parameters: how often one stands where a column or a constant could."""

    def __init__(self, source: random.Random, parameters: float = 0) -> None:
        self._source = source
        self._parameters = parameters
        self.oids: list[int] = []
        self.values: list[str | None] = []

    def query(self, depths: tuple[int, ...]) -> str:
        expression = self._one(self._source.choice(list(_CHOICES)), self._source.choice(depths))
        return f"select {expression} as x from randoms order by k"

    def _one(self, kind: str, depth: int) -> str:
        source = self._source
        if kind == "small":
            return str(source.choice((0, 1, 2, 3, -1)))
        if depth <= 0 or source.random() < 0.25:
            if self._parameters and source.random() < self._parameters:
                return self._parameter(kind)
            return source.choice(COLUMNS[kind] if source.random() < 0.7 else CONSTANTS[kind])
        template = source.choice(_CHOICES[kind])
        return f"({_PLACE.sub(lambda place: self._one(place[1], depth - 1), template)})"

    def _parameter(self, kind: str) -> str:
        oid, values = PARAMETERS[kind]
        self.oids.append(oid)
        self.values.append(None if self._source.random() < 0.08 else self._source.choice(values))
        return f"${len(self.oids)}"

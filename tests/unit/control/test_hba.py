"""hba rules: PostgreSQL's syntax, read strictly; the first rule that matches decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgproxy.control.hba import Caller, HbaSyntaxError, first_match, parse_rule, parse_rules


def caller(user: str = "ann", *groups: str, **more: object) -> Caller:
    facts = {"database": "demo", "address": "10.1.2.3", "is_tls": False, **more}
    return Caller(user, frozenset(groups), **facts)  # type: ignore[arg-type]


def matches(line: str, who: Caller) -> bool:
    return first_match([parse_rule(line)], who) is not None


@pytest.mark.parametrize(
    ("line", "who", "expected"),
    [
        ("host all all all scram-sha-256", caller(), True),
        ("host all all 10.0.0.0/8 reject", caller(), True),
        ("host all all 10.0.0.0/8 reject", caller(address="11.0.0.1"), False),
        ("host all all 10.1.2.3/32 reject", caller(), True),
        ("host all all 10.1.2.9/24 reject", caller(), True),
        ("host all all 10.0.0.0 255.0.0.0 reject", caller(), True),
        ("host all all ::ffff:0:0/96 reject", caller(), False),
        ("host all all 10.0.0.0/8 reject", caller(address="::ffff:10.1.2.3"), True),
        ("host all all fd00::/8 reject", caller(address="fd00::7%eth0"), True),
        ("host all all 0.0.0.0/0 reject", caller(address="fd00::7"), False),
        ("host all all 0.0.0.0/0 reject", caller(address=""), False),
        ("host all all all reject", caller(address=""), True),
        ("hostssl all all all reject", caller(), False),
        ("hostssl all all all reject", caller(is_tls=True), True),
        ("hostnossl all all all reject", caller(), True),
        ("hostnossl all all all reject", caller(is_tls=True), False),
        ("local all all reject", caller(), False),
        ("local all all reject", caller(address="127.0.0.5"), True),
        ("local all all reject", caller(address="::1"), True),
        ("local all all reject", caller(address=""), True),
        ("host all bob,ann all reject", caller(), True),
        ("host all bob , ann all reject", caller(), True),
        ("host all bob all reject", caller(), False),
        ("host all +team all reject", caller("ann", "team"), True),
        ("host all +team all reject", caller(), False),
        ("host all team all reject", caller("ann", "team"), False),
        ('host all "all" all reject', caller(), False),
        ('host all "all" all reject', caller("all"), True),
        ('host all "+team" all reject', caller("ann", "team"), False),
        ('host all "a ""b""" all reject', caller('a "b"'), True),
        ("host demo all all reject", caller(), True),
        ("host other,demo all all reject", caller(), True),
        ("host other all all reject", caller(), False),
        ("host sameuser all all reject", caller(), False),
        ("host sameuser all all reject", caller("demo"), True),
        ("host samerole all all reject", caller("ann", "demo"), True),
        ("host samegroup all all reject", caller(), False),
        ("host replication all all reject", caller(database="replication"), False),
        ('host "replication" all all reject', caller(database="replication"), True),
        ("host demo all all reject", caller(database=None), False),
        ("host all ann all reject # why not", caller(), True),
    ],
)
def test_a_rule_matches_as_in_pg_hba_conf(line: str, who: Caller, expected: bool) -> None:
    assert matches(line, who) is expected


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "no rule"),
        ("# nothing", "no rule"),
        ("hosts all all all reject", "connection type"),
        ("host all all all", "TYPE DATABASE USER"),
        ("host all all all trust", "authentication method"),
        ("host all all all md5", "authentication method"),
        ("host all all all peer", "authentication method"),
        ("host all all all password", "only for hostssl"),
        ("hostnossl all all all cert", "only for hostssl"),
        ("host all all all scram-sha-256-plus", "only for hostssl"),
        ("local all all password", "only for hostssl"),
        ("host all all all scram-sha-256 clientcert=verify-full", "only for hostssl"),
        ("host all all 10.0.0.1 reject", "length"),
        ("host all all 10.0.0.0/99 reject", "IP/LENGTH"),
        ("host all all localhost reject", "host names"),
        ("host all all samenet reject", "host names"),
        ("host all /^a all reject", "regular expressions"),
        ("host all @users all reject", "regular expressions"),
        ("host @dbs all all reject", "a database is"),
        ("host +team all all reject", "a database is"),
        ("host all, all all reject x=1", "address"),
        ("host ,all all all reject", "one word"),
        ("host all all all reject map=x", "no such option"),
        ("hostssl all all all password accept=trust", "option accept"),
        ("hostssl all all all password accept=", "option accept"),
        ("hostssl all all all password accept=jwt accept=jwt", "has it twice"),
        ("hostssl all all all scram-sha-256 clientcert=no", "option clientcert"),
        ('host all "ann all reject', "quote|TYPE DATABASE"),
        ('host all "" all reject', "empty"),
        ("host all all all,all reject", "one word"),
    ],
)
def test_what_could_be_guessed_at_is_refused(line: str, why: str) -> None:
    with pytest.raises(HbaSyntaxError, match=why):
        parse_rule(line)


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        (" HOSTSSL\tall all all  reject".replace("HOSTSSL", "hostssl"), "hostssl all all all reject"),
        ('host "all" "bob",+"te am" all reject', 'host "all" bob,+"te am" all reject'),
        ("host all all 10.1.2.3/8 reject", "host all all 10.0.0.0/8 reject"),
        (
            "hostssl all all all password accept=jwt,api_key clientcert=verify-ca",
            "hostssl all all all password accept=api_key,jwt clientcert=verify-ca",
        ),
    ],
)
def test_a_rule_is_written_in_one_way(line: str, canonical: str) -> None:
    rule = parse_rule(line)
    assert str(rule) == canonical
    assert parse_rule(canonical) == rule


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8), st.booleans())
def test_any_name_survives_being_written_and_read(name: str, is_group: bool) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    rule = parse_rule(f"host all {'+' if is_group else ''}{quoted} all reject")
    assert rule.users[0].text == name
    assert parse_rule(str(rule)) == rule


@given(st.text(max_size=60))
def test_garbage_is_a_rule_or_a_syntax_error(line: str) -> None:
    try:
        rule = parse_rule(line)
    except HbaSyntaxError:
        return
    assert parse_rule(str(rule)) == rule


def test_the_first_match_decides_and_none_is_none() -> None:
    rules = parse_rules(
        "# offices\nhost all +staff 10.0.0.0/8 scram-sha-256\n\nhost all all 10.9.0.0/16 reject\n"
        "hostssl all all all scram-sha-256-plus\n"
    )
    assert first_match(rules, caller("ann", "staff", address="10.9.1.1")) is rules[0]
    assert first_match(rules, caller("bob", address="10.9.1.1")) is rules[1]
    assert first_match(rules, caller("bob", address="8.8.8.8", is_tls=True)) is rules[2]
    assert first_match(rules, caller("bob", address="8.8.8.8")) is None


def test_a_file_names_the_line_of_a_mistake() -> None:
    with pytest.raises(HbaSyntaxError, match=r"line 3: .*method"):
        parse_rules("# one\n\nhost all all all ldap\n")

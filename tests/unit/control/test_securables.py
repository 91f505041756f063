"""Names in policy files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgproxy.control.difference import securable_text
from pgproxy.control.securables import Securable, fold_name, parse_securable, parse_table_name

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "securable"),
    [
        ("demo", Securable("demo")),
        ("demo.*", Securable("demo", has_star=True)),
        ("Demo.Sales", Securable("demo", "sales")),
        ("demo.sales.*", Securable("demo", "sales", has_star=True)),
        ("demo.sales.Customers", Securable("demo", "sales", "customers")),
        ('demo."My Schema"."a.b""c"', Securable("demo", "My Schema", 'a.b"c')),
        ("demo.Ärger.x", Securable("demo", "Ärger", "x")),
    ],
)
def test_a_name_is_split_and_folded_as_postgresql_does(text: str, securable: Securable) -> None:
    assert parse_securable(text) == securable


@pytest.mark.parametrize(
    "text", ["", "*", ".", "a.", ".a", "a..b", "*.a", "a.*.b", "a.b.c.d", "a.b.c.*", 'a."', "a b", 'a."b"c']
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_securable(text)


@pytest.mark.parametrize("text", ["a", "a.b", "a.b.*", "a.*"])
def test_a_table_needs_its_full_name(text: str) -> None:
    with pytest.raises(ValueError, match="full name"):
        parse_table_name(text)


def test_one_name_is_folded_unless_quoted() -> None:
    assert (fold_name("Email"), fold_name('"Email"')) == ("email", "Email")
    with pytest.raises(ValueError, match="one name"):
        fold_name("a.b")


@given(NAMES, NAMES, NAMES)
def test_what_is_written_is_read_back(catalog: str, schema: str, table: str) -> None:
    assert parse_table_name(securable_text(catalog, schema, table)) == (catalog, schema, table)
    assert parse_securable(securable_text(catalog, schema, None)) == Securable(catalog, schema, has_star=True)

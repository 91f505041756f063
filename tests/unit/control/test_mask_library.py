"""Ready masks are written out; what only looks like one is left alone."""

import pytest

from pgproxy.control.mask_library import expand_masks, expand_value
from pgwire.errors import StatementError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mask.null()", "NULL"),
        ("mask.email(email)", "left(email, 1) || '***@' || split_part(email, '@', 2)"),
        ("upper(mask.constant('a, (b)'))", "upper(('a, (b)'))"),
        ("mask.constant(mask.null(x))", "(NULL)"),
        ("'mask.null()' || mask", "'mask.null()' || mask"),
        ("mask.email", "mask.email"),
    ],
)
def test_masks_are_written_out(text: str, expected: str) -> None:
    assert expand_masks(text) == expected


@pytest.mark.parametrize("text", ["mask.nothing(a)", "mask.email()", "mask.partial(a, 1)"])
def test_an_unknown_mask_is_an_undefined_function(text: str) -> None:
    with pytest.raises(StatementError) as caught:
        expand_masks(text)
    assert caught.value.sqlstate.value == "42883"


def test_value_is_the_column_and_nothing_else_is() -> None:
    text = "left(value, 1) || 'value' || t.value || value(1)"
    assert expand_value(text, 'a"b') == 'left("a""b", 1) || \'value\' || t.value || value(1)'

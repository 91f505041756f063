"""Go-style durations."""

import pytest

from execnode.durations import parse_duration_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("1m30s", 90),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("0", 0),
        ("2h45m10s", 9910),
        (".5s", 0.5),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "-1s", "1d", "s", "1m 30s", "1m30", "abc", "1.s.", "١٠m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration_s(text)

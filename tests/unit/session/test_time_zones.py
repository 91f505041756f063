"""Time zones given as offsets: shown as PostgreSQL does, handed to the engine by a name that it knows."""

import pytest

from pgproxy.session.setting_values import engine_zone, time_zone
from pgwire.errors import FeatureNotSupported, StatementError


@pytest.mark.parametrize(
    ("text", "shown", "engine"),
    [
        ("europe/berlin", "Europe/Berlin", "Europe/Berlin"),
        ("-3", "<-03>+03", "Etc/GMT+3"),
        ("+5", "<+05>-05", "Etc/GMT-5"),
        ("0", "<+00>-00", "UTC"),
        ("-02:00", "-02:00", "Etc/GMT-2"),
        ("EST5", "EST5", "Etc/GMT+5"),
        ("UTC+3", "UTC+3", "Etc/GMT+3"),
        ("FOOBAR0", "FOOBAR0", "UTC"),
    ],
)
def test_a_zone_is_shown_and_handed_on(text: str, shown: str, engine: str) -> None:
    assert time_zone("TimeZone", text) == shown
    assert engine_zone(shown) == engine


@pytest.mark.parametrize("text", ["5:30", "-13", "15"])
def test_an_offset_that_the_engine_lacks_is_refused_when_it_is_set(text: str) -> None:
    with pytest.raises(FeatureNotSupported):
        time_zone("TimeZone", text)


def test_a_zone_that_does_not_exist_is_22023() -> None:
    with pytest.raises(StatementError, match="invalid value for parameter"):
        time_zone("TimeZone", "Mars/Olympus")

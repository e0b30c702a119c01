"""Dates as SMPP writes them."""

from zoneinfo import ZoneInfo

import pytest

from esito.domain.timing import HOUR_MS, MINUTE_MS
from esito.simulator.dates import absolute, to_the_minute, validity_ms

NOW = 1_767_225_600_000
"""2026-01-01 00:00:00 UTC."""


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("000002000000000R", 48 * HOUR_MS),
        ("000000003000000R", 30 * MINUTE_MS),
        ("000000000007000R", 7_000),
        ("010101000000000R", (365 + 30 + 1) * 24 * HOUR_MS),
        ("260101010000000+", HOUR_MS),
        ("260101010000004+", 0),  # 01:00 at UTC+1 is now
        ("260101000000004-", HOUR_MS),  # 00:00 at UTC-1 is in an hour
        ("250101000000000+", 0),
    ],
)
def test_a_validity_period_is_relative_or_absolute(text: str, ms: int) -> None:
    assert validity_ms(text, NOW) == ms


@pytest.mark.parametrize("text", ["2", "000002000000000X", "00000200000000OR", "261301000000000+"])
def test_anything_else_is_no_validity_period(text: str) -> None:
    with pytest.raises(ValueError, match=r"validity|month"):
        validity_ms(text, NOW)


def test_receipts_have_minutes_in_the_zone_of_the_operator() -> None:
    assert to_the_minute(NOW + 59_999, ZoneInfo("UTC")) == "2601010000"
    assert to_the_minute(NOW, ZoneInfo("Europe/Paris")) == "2601010100"


def test_an_absolute_date_has_tenths_of_a_second() -> None:
    assert absolute(NOW + 1_700) == "260101000001700+"

"""When a scheduled message is due (contract 2.1, 2.6); Paris keeps its own clock."""

from datetime import UTC, datetime
from typing import Any

import pytest

from esito.api.http.request import Inputs
from esito.api.v1.schedule import read_due, shown

NOW = int(datetime(2026, 7, 1, 12, 0, tzinfo=UTC).timestamp() * 1000)  # 14:00 in Paris

TOMORROW: dict[str, Any] = {"scheduledDeliveryDate": "02/07/2026", "time": 9, "minute": 0}

PAST = "La date ({}) est anterieure a la date actuelle."


def read(now: int = NOW, **values: Any) -> tuple[int | None, list[tuple[str, str]]]:
    complaints: list[tuple[str, str]] = []
    due_at = read_due(Inputs(values), lambda field, text: complaints.append((field, text)), now=now)
    return due_at, complaints


def utc(year: int, month: int, day: int, hour: int, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "hour", "minute", "due_at", "told"),
    [
        ("02/07/2026", 9, 0, utc(2026, 7, 2, 7), "2026-07-02 09:00:00"),
        ("2/7/2026", "09", "05", utc(2026, 7, 2, 7, 5), "2026-07-02 09:05:00"),
        (" 02/01/2027 ", "0", "55", utc(2027, 1, 1, 23, 55), "2027-01-02 00:55:00"),
        ("02/07/2026", 24, 0, utc(2026, 7, 2, 22), "2026-07-03 00:00:00"),
        ("31/12/2026", 24, 30, utc(2026, 12, 31, 23, 30), "2027-01-01 00:30:00"),
        ("01/07/2026", 14, 0, utc(2026, 7, 1, 12), "2026-07-01 14:00:00"),
        ("28/03/2027", 2, 30, utc(2027, 3, 28, 1, 30), "2027-03-28 03:30:00"),  # this hour does not exist
        ("25/10/2026", 2, 30, utc(2026, 10, 25, 0, 30), "2026-10-25 02:30:00"),  # this one comes twice
        ("29/02/2028", 12, 0, utc(2028, 2, 29, 11), "2028-02-29 12:00:00"),
    ],
)
def test_dates_that_are_taken(day: str, hour: object, minute: object, due_at: int, told: str) -> None:
    assert read(scheduledDeliveryDate=day, time=hour, minute=minute) == (due_at, [])
    assert shown(due_at) == told


def test_without_a_date_nothing_is_scheduled() -> None:
    assert read() == (None, [])
    assert read(scheduledDeliveryDate=None, time="", minute=None) == (None, [])


@pytest.mark.parametrize(
    ("changes", "complaints"),
    [
        ({"scheduledDeliveryDate": ""}, [("scheduledDeliveryDate", "La date est requise")]),
        ({"minute": ""}, [("minute", "La minute est requise")]),
        ({"time": None}, [("time", "L'heure est requise")]),
        ({"time": "", "minute": ""}, [("minute", "La minute est requise"), ("time", "L'heure est requise")]),
        ({"minute": 7}, [("minute", "Le chiffre des minutes est invalide")]),
        ({"minute": 60}, [("minute", "Le chiffre des minutes est invalide")]),
        ({"minute": "x"}, [("minute", "Le chiffre des minutes est invalide")]),
        ({"minute": -5}, [("minute", "Le chiffre des minutes est invalide")]),
        ({"minute": [0]}, [("minute", "Le chiffre des minutes est invalide")]),
        ({"minute": 0.5}, [("minute", "Le chiffre des minutes est invalide")]),
        ({"time": 25}, [("time", "L'heure est invalide")]),
        ({"time": "9h"}, [("time", "L'heure est invalide")]),
        ({"time": "٩"}, [("time", "L'heure est invalide")]),
        ({"time": {"h": 9}}, [("time", "L'heure est invalide")]),
    ],
)
def test_parts_that_are_missing_or_wrong(changes: dict[str, Any], complaints: list[tuple[str, str]]) -> None:
    assert read(**(TOMORROW | changes)) == (None, complaints)


@pytest.mark.parametrize(
    "day", ["31/02/2027", "29/02/2027", "2026-07-02", "00/01/2027", "01/13/2027", "x", "1/1/27", [1], "31/12/9999"]
)
def test_days_that_do_not_exist(day: object) -> None:
    assert read(**(TOMORROW | {"scheduledDeliveryDate": day})) == (
        None,
        [("scheduledDeliveryDate", "La date est invalide")],
    )


@pytest.mark.parametrize(
    ("values", "as_given"),
    [
        ({"scheduledDeliveryDate": "21/11/2014", "time": "9", "minute": "05"}, "21/11/2014 à 9:05"),
        ({"scheduledDeliveryDate": "01/07/2026", "time": 13, "minute": 55}, "01/07/2026 à 13:55"),
        ({"scheduledDeliveryDate": "01/01/0001", "time": 0, "minute": 0}, "01/01/0001 à 0:0"),
    ],
)
def test_a_date_in_the_past_is_shown_as_it_was_given(values: dict[str, Any], as_given: str) -> None:
    _, complaints = read(**values)
    assert complaints == [("scheduledDeliveryDate", PAST.format(as_given))]


def test_a_past_day_is_told_even_without_its_hour_and_today_is_not() -> None:
    _, complaints = read(scheduledDeliveryDate="30/06/2026")
    assert complaints[0] == ("scheduledDeliveryDate", PAST.format("30/06/2026 à :"))
    _, complaints = read(scheduledDeliveryDate="01/07/2026")
    assert [field for field, _ in complaints] == ["minute", "time"]


def test_today_is_todays_date_in_paris() -> None:
    before_midnight_in_greenwich = utc(2026, 6, 30, 23)  # 01:00 of the first of July in Paris
    _, complaints = read(before_midnight_in_greenwich, scheduledDeliveryDate="30/06/2026")
    assert complaints[0][0] == "scheduledDeliveryDate"

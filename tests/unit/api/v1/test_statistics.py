"""What was spent, month by month: the contract's keys, Paris months, five times a minute (contract 4.5)."""

import pytest

from esito.domain.timing import DAY_MS, HOUR_MS
from tests.kit.desk import Desk, Reply

FIRST, SECOND = "+33611111111", "+33622222222"


def asked(api: Desk, **query: object) -> Reply:
    return api.get("/v1/statistics/cost-resume", **query)


def test_a_month_as_the_contract_shows_it(api: Desk) -> None:
    api.send(FIRST, SECOND)
    api.clock.advance(20 * DAY_MS)
    assert asked(api, interval="last_month").text == (
        '{"success":true,"datas":[{"month":"january","year":"2027","m":"1","date":1798758000,"type":"month",'
        '"cost":"0.09","nb_send":"2"}]}'
    )


def test_months_are_those_of_paris(api: Desk) -> None:
    api.clock.advance(16 * DAY_MS + 14 * HOUR_MS + HOUR_MS // 2)  # 2027-01-31 22:30 UTC
    api.send(FIRST)
    api.clock.advance(HOUR_MS)
    api.send(SECOND)
    told = asked(api, interval="custom", **{"from": "01-01-2027", "to": "28-02-2027"}).json["datas"]
    assert [(one["month"], one["nb_send"]) for one in told] == [("january", "1"), ("february", "1")]


def test_twelve_months_end_with_this_one(api: Desk) -> None:
    api.send(FIRST)
    assert len(asked(api, interval="last_twelve_months").json["datas"]) == 1
    api.clock.advance(366 * DAY_MS)
    assert asked(api, interval="last_twelve_months").json["datas"] == []


def test_what_is_given_back_was_not_spent(api: Desk) -> None:
    kept = api.send(FIRST)
    taken = api.send(SECOND, scheduledDeliveryDate="20/01/2027", time=9, minute=0)
    api.send(FIRST, sandbox=1)
    assert kept != taken
    api.get("/v1/message-cancel", messageId=taken)
    (one,) = asked(api, interval="custom", **{"from": "15-01-2027", "to": "15-01-2027"}).json["datas"]
    assert (one["cost"], one["nb_send"]) == ("0.045", "1")


def test_another_account_spent_nothing(api: Desk) -> None:
    api.send(FIRST)
    api.add_account("other", "their-key")
    assert asked(api, interval="last_twelve_months", apiKey="their-key").json["datas"] == []


@pytest.mark.parametrize(
    "query",
    [{}, {"interval": "week"}, {"interval": "custom"}, {"interval": "custom", "from": "2027-01-01", "to": "01-02-2027"},
     {"interval": "custom", "from": "31-02-2027", "to": "01-03-2027"},
     {"interval": "custom", "from": "02-01-2027", "to": "01-01-2027"},
     {"interval": "custom", "from": "01-01-1900", "to": "01-01-2027"}],
)  # fmt: skip
def test_an_interval_that_is_none(api: Desk, query: dict[str, str]) -> None:
    assert asked(api, **query).refused == (400, 3, "L'intervalle n'est pas valide")


def test_the_key_comes_first(api: Desk) -> None:
    assert asked(api, apiKey="").refused == (400, 1, "La Clé API est requise")
    assert asked(api, apiKey="x").refused == (400, 10, "Clé API incorrecte")


def test_the_sixth_within_a_minute_waits(api: Desk) -> None:
    for _ in range(5):
        assert asked(api, interval="last_month").status == 200
    told = asked(api, interval="last_month")
    assert told.refused == (429, 429, "Trop de requêtes, veuillez réessayer plus tard")
    assert told.headers["retry-after"] == "12"
    api.clock.advance(11_999)
    assert asked(api, interval="last_month").status == 429
    api.clock.advance(1)
    assert asked(api, interval="last_month").status == 200

"""What an account may send, from where and when: long numbers, senders, ranges, commercial hours, the sandbox."""

from decimal import Decimal
from pathlib import Path

import pytest

from esito.domain.account import CommercialTexts
from esito.domain.pricing import PriceList
from tests.kit.desk import Desk, Reply, desk

FIRST = "+33611111111"
OWN = "33644556677"


def profile(api: Desk, **changes: object) -> None:
    api.runner.run(api.store.change_profile("acme", changes))


def vn(api: Desk, **members: object) -> Reply:
    return api.post("/v1/vn/send", **({"to": "0611111111", "from": OWN, "message": "ciao"} | members))


def send(api: Desk, **members: object) -> Reply:
    return api.post("/v1/send", **({"phoneNumbers": FIRST, "message": "ciao"} | members))


# -- long numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [OWN, f"+{OWN}", "0644556677", "00" + OWN])
def test_an_own_number_may_send_and_is_the_sender(api: Desk, written: str) -> None:
    profile(api, numbers=(OWN,))
    told = vn(api, **{"from": written})
    assert list(told.json) == ["success", "code", "message_id", "nb_sms", "cost", "currency"]
    (segment,) = api.runner.run(api.store.claim("alpha", limit=10, at=api.clock.now()))
    assert (segment.sender, segment.msisdn) == (OWN, FIRST)


def test_a_number_of_somebody_else_may_not(api: Desk) -> None:
    assert vn(api).refused == (400, 992, "Sender non autorisé")


@pytest.mark.parametrize(
    ("members", "fields"),
    [
        ({"from": ""}, [("children[from].data", "L'emetteur est requis")]),
        ({"from": "ESITO"}, [("children[from].data", "Ce numero de telephone n'est pas valide (ESITO)")]),
        ({"to": "12"}, [("children[to].data", "Ce numero de telephone n'est pas valide (12)")]),
        ({"message": " "}, [("children[message].data", "Le message est requis")]),
    ],
)
def test_fields_of_a_long_number_send(api: Desk, members: dict[str, str], fields: list[tuple[str, str]]) -> None:
    profile(api, numbers=(OWN,))
    assert vn(api, **members).fields == fields


def test_a_long_number_send_to_nobody(api: Desk) -> None:
    profile(api, numbers=(OWN,))
    assert vn(api, to=None).refused == (400, 2, "Le numéro de téléphone est requis")


# -- what an account may -----------------------------------------------------------------------


def test_only_the_senders_of_the_account_where_it_has_any(api: Desk) -> None:
    profile(api, senders=("ESITO",))
    assert send(api, sender="ACME").refused == (400, 992, "Sender non autorisé")
    assert send(api, sender="ESITO").status == 200
    assert send(api).status == 200


def test_low_cost_only_where_the_account_may(api: Desk) -> None:
    profile(api, low_cost_allowed=False)
    assert send(api, gamme=2).refused == (400, 51, "La gamme lowcost n'est pas éligible")
    assert send(api, gamme=3).status == 200


def test_unicode_only_where_the_account_may(api: Desk) -> None:
    profile(api, unicode_allowed=False)
    assert send(api, isUnicode=1).fields == [("children[isUnicode].data", "L'unicode n'est pas active sur ce compte")]
    assert send(api, isUnicode=0).status == 200


def test_to_another_country_only_where_the_account_may_and_there_is_a_price(api: Desk, tmp_path: Path) -> None:
    abroad, refused = "+32470123456", "Aucun prix par {} n'a été trouvé pour les numéros suivant (+32470123456)"
    told = send(api, phoneNumbers=abroad)
    assert (told.status, told.json["code"], told.json["message"]) == (400, 55, refused.format("default"))
    assert [(one["code"], one["message"]) for one in told.json["errors"]] == [("13", refused.format("défaut"))]
    with desk(tmp_path / "priced", prices=PriceList(countries={"BE": Decimal("0.06")})) as priced:
        assert send(priced, phoneNumbers=abroad).json["code"] == 55
        profile(priced, countries=("FR", "BE"))
        told = send(priced, phoneNumbers=f"{abroad},{FIRST}")
        assert (told.status, told.json["cost"]) == (200, 0.105)
        assert send(priced, phoneNumbers=abroad, gamme=2).json["code"] == 55, "low cost goes to the home country"
        profile(priced, countries=("BE",))
        assert [one["code"] for one in send(priced, phoneNumbers=f"{abroad},{FIRST}", sandbox=1).json["errors"]] == [
            "13"
        ]


def test_a_premium_rate_number_is_no_mobile_one(tmp_path: Path) -> None:
    with desk(tmp_path / "priced", prices=PriceList(countries={"BE": Decimal("0.06")})) as priced:
        profile(priced, countries=("*",))
        (error,) = send(priced, phoneNumbers="+3290012345").json["errors"]
    assert (error["code"], error["message"]) == ("9", "Le téléphone (+3290012345) n'est pas être un numéro de mobile")


def test_beyond_the_ceiling_of_a_day_nothing_is_sent(api: Desk) -> None:
    reached = (400, 11, "Le plafond journalier du compte est atteint")
    api.runner.run(api.store.change_profile("acme", {"cost_per_day": Decimal("0.1")}, at=api.clock.now()))
    assert [send(api).status for _ in range(2)] == [200, 200]
    assert send(api).refused == reached
    assert send(api, sandbox=1).status == 200
    api.clock.advance(15 * 3_600_000)  # midnight in Paris
    assert send(api, phoneNumbers=f"{FIRST},+33622222222,+33633333333").refused == reached
    assert send(api).status == 200


# -- commercial hours; the desk's time is a Friday, 2027-01-15 09:00 in Paris ------------------------


def test_a_commercial_text_by_day_leaves_at_once(api: Desk) -> None:
    profile(api, commercial=CommercialTexts.ALL)
    assert "scheduledDeliveryDate" not in send(api).json


def test_a_commercial_text_in_the_evening_waits_and_says_until_when(api: Desk) -> None:
    profile(api, commercial=CommercialTexts.ALL)
    api.clock.advance(12 * 3_600_000)
    assert send(api).json["scheduledDeliveryDate"] == "2027-01-16 08:00:00"
    assert api.runner.run(api.store.claim("alpha", limit=10, at=api.clock.now())) == []
    assert len(api.runner.run(api.store.claim("alpha", limit=10, at=api.clock.now() + 11 * 3_600_000))) == 1


def test_texts_with_the_stop_mention_alone(api: Desk) -> None:
    profile(api, commercial=CommercialTexts.STOP)
    api.clock.advance(12 * 3_600_000)
    assert "scheduledDeliveryDate" not in send(api).json
    assert send(api, isStopSms=1).json["scheduledDeliveryDate"] == "2027-01-16 08:00:00"


def test_a_schedule_at_night_or_on_a_sunday_is_refused(api: Desk) -> None:
    profile(api, commercial=CommercialTexts.ALL)
    night = {"scheduledDeliveryDate": "16/01/2027", "time": 23, "minute": 0}
    sunday = {"scheduledDeliveryDate": "17/01/2027", "time": 12, "minute": 0}
    evening = {"scheduledDeliveryDate": "16/01/2027", "time": 21, "minute": 0}
    assert send(api, **night).refused == (400, 22, "Un SMS commercial ne peut être envoyé qu'entre 8h et 22h")
    assert send(api, **sunday).refused == (
        400, 23, "Un SMS commercial ne peut être envoyé un dimanche ou un jour férié",
    )  # fmt: skip
    assert send(api, **evening).json["scheduledDeliveryDate"] == "2027-01-18 08:00:00"


def test_overseas_it_is_the_recipients_own_clock_that_counts(tmp_path: Path) -> None:
    prices = PriceList(countries=dict.fromkeys(("GP", "RE"), Decimal("0.045")))
    with desk(tmp_path / "overseas", prices=prices) as api:
        profile(api, commercial=CommercialTexts.ALL, countries=("*",))
        check_overseas(api)


def check_overseas(api: Desk) -> None:
    assert send(api, phoneNumbers="0690123456").json["scheduledDeliveryDate"] == "2027-01-15 13:00:00"
    assert "scheduledDeliveryDate" not in send(api, phoneNumbers="0692123456").json
    api.clock.advance(9 * 3_600_000)  # 18:00 in Paris, 21:00 on Reunion
    assert send(api, phoneNumbers="+33692123456").json["scheduledDeliveryDate"] == "2027-01-16 05:00:00"
    assert "scheduledDeliveryDate" not in send(api, phoneNumbers="+590690123456").json
    night = {"scheduledDeliveryDate": "16/01/2027", "time": 9, "minute": 0}
    assert send(api, phoneNumbers="0690123456", **night).refused[1] == 22


def test_other_accounts_send_at_any_hour(api: Desk) -> None:
    api.clock.advance(12 * 3_600_000)
    assert "scheduledDeliveryDate" not in send(api, isStopSms=1).json


# -- the sandbox -------------------------------------------------------------------------------


def test_the_endings_of_sandbox_numbers_choose_their_statuses(api: Desk) -> None:
    numbers = [
        "+33600000001",
        "+33600000002",
        "+33600000003",
        "+33600000004",
        "+33600000005",
        "+33600000001"[:-1] + "9",
    ]
    message = api.send(*numbers, sandbox=1)
    told = api.get("/v1/bulk-status", messageId=message).json["StatutResponse_List"]
    assert [one["status"] for one in told] == [
        "Delivered", "Not delivered", "Not delivered", "Not delivered", "Waiting", "Delivered",
    ]  # fmt: skip
    assert [one["phoneNumber"] for one in told] == numbers

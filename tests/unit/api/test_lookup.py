"""What numbers are, by the numbering plans (contract 4.3)."""

import pytest

from tests.kit.desk import Desk, Reply


def asked(api: Desk, numbers: object, **members: object) -> Reply:
    return api.post("/v1/lookup", phoneNumbers=numbers, **members)


def test_good_and_bad_numbers_as_the_contract_shows_them(api: Desk) -> None:
    told = asked(api, "0611111111, 12").json
    good, bad = told["lookup"]
    assert list(good) == [
        "request", "success", "countryCode", "prefixCode", "phoneNumber", "type", "network", "format",
    ]  # fmt: skip
    assert (good["request"], good["countryCode"], good["prefixCode"]) == ("0611111111", "France", 33)
    assert (good["phoneNumber"], good["type"]) == ("+33611111111", "mobile")
    assert good["format"] == {
        "e164": "+33611111111", "international": "+33 6 11 11 11 11", "national": "06 11 11 11 11",
        "rfc3966": "tel:+33-6-11-11-11-11",
    }  # fmt: skip
    assert bad == {
        "request": "12", "success": False, "message": "Le numéro de téléphone est vide ou n'est pas valide.",
    }  # fmt: skip


@pytest.mark.parametrize("numbers", [["0611111111", "+393331234567"], "+33611111111,00393331234567"])
def test_lists_and_texts_are_taken_in_their_order(api: Desk, numbers: object) -> None:
    assert [one["countryCode"] for one in asked(api, numbers).json["lookup"]] == ["France", "Italie"]


def test_a_line_that_is_no_mobile_is_told_so(api: Desk) -> None:
    assert asked(api, "0123456789").json["lookup"][0]["type"] == "fixed-line"


@pytest.mark.parametrize("numbers", ["0611111111;0622222222", "0611111111\n0622222222", "0611111111 +33622222222"])
def test_other_separators_than_commas(api: Desk, numbers: str) -> None:
    assert asked(api, numbers).refused == (400, 3, "Les numéros doivent-être séparés par une virgule")


@pytest.mark.parametrize("numbers", [None, "", " , ", []])
def test_no_number(api: Desk, numbers: object) -> None:
    assert asked(api, numbers).refused == (400, 2, "Le numéro de téléphone est requis")


def test_too_many_numbers(api: Desk) -> None:
    assert asked(api, ",".join(["0611111111"] * 501)).refused == (
        400, 50, "Le nombre de numéros autorisés est de 500 maxi",
    )  # fmt: skip


def test_360_a_minute(api: Desk) -> None:
    assert {asked(api, "0611111111").status for _ in range(360)} == {200}
    told = asked(api, "0611111111")
    assert told.refused == (429, 429, "Trop de requêtes, veuillez réessayer plus tard")
    assert told.headers["retry-after"] == "1"
    api.add_account("other", "their-key")
    assert asked(api, "0611111111", apiKey="their-key").status == 200

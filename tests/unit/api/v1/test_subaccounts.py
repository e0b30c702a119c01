"""Sub-accounts: every code with its text, and where the money goes (contract 4.4)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.kit import looking
from tests.kit.desk import Desk, Reply

PARAMETERS = {"email": "branch@example.org", "isBuyer": 0, "firstname": "Ada", "lastname": "L"}


@pytest.fixture
def api(api: Desk) -> Desk:
    """An account that may have sub-accounts."""
    api.let(creates_subaccounts=True)
    return api


def create(api: Desk, *, type_: object = "simple", **parameters: object) -> Reply:
    return api.post("/v1/subaccount/create", type=type_, parameters=PARAMETERS | parameters)


def token_of(api: Desk, **parameters: object) -> str:
    return str(create(api, **parameters).json["subaccount"]["token"])


def listed(api: Desk, **query: object) -> Any:
    return api.get("/v1/subaccount/list", **query).json


def balance(api: Desk, key: str | None = None) -> Decimal:
    query = {} if key is None else {"apiKey": key}
    return Decimal(api.get("/v1/me", **query).json["credits"]["balance"])


def move(api: Desk, way: str, token: str, credit: object) -> Reply:
    return api.post(f"/v1/subaccount/credit/{way}", tokenSubaccount=token, credit=credit)


def test_a_sub_account_is_made_and_its_parent_pays(api: Desk) -> None:
    told = create(api, creditToAttribute="12.5").json
    assert list(told) == ["success", "code", "subaccount", "sendConfirmMailTo", "parent_email"]
    assert list(told["subaccount"]) == ["email", "token"]
    assert (told["sendConfirmMailTo"], told["parent_email"]) == ("branch@example.org", "acme")
    assert balance(api) == Decimal("87.5")


def test_the_list_has_the_contract_s_keys_and_a_key_that_works(api: Desk) -> None:
    create(api, creditToAttribute=10)
    told = listed(api)
    assert list(told) == ["success", "code", "total", "nb_per_page", "page", "data"]
    (one,) = told["data"]
    assert list(one) == ["id", "email", "type", "token", "apiKey", "createdAt", "credits"]
    assert (one["email"], one["type"], one["createdAt"]) == ("branch@example.org", "simple", "2027-01-15 09:00:00")
    assert one["credits"] == {"balance": "10.000", "currency": "EUR"}
    assert api.get("/v1/me", apiKey=one["apiKey"]).json["user"] == {
        "username": "branch@example.org", "firstname": "Ada", "lastname": "L",
    }  # fmt: skip
    assert listed(api) == told


def test_the_key_stands_in_no_table(api: Desk) -> None:
    create(api)
    key = listed(api)["data"][0]["apiKey"]
    dump = str([api.runner.run(looking.rows(api.store, f"SELECT * FROM {table}")) for table in ("account", "api_key")])
    assert key not in dump


def test_pages_of_twenty(api: Desk) -> None:
    for number in range(21):
        create(api, email=f"b{number}@example.org")
    assert [len(listed(api, page=page)["data"]) for page in (1, 2, 3)] == [20, 1, 0]
    assert listed(api, page="x")["page"] == 1
    assert listed(api, page=2)["total"] == 21


@pytest.mark.parametrize(
    ("members", "parameters", "refused"),
    [
        ({}, {"isBuyer": None}, (400, 3, "Le paramètre isBuyer est requis")),
        ({}, {"isBuyer": "perhaps"}, (400, 3, "Le paramètre isBuyer est requis")),
        ({"type_": ""}, {}, (400, 4, "Le type de sous-compte est requis")),
        ({"type_": "grand"}, {}, (400, 5, "Le type de sous-compte est inconnu")),
        ({}, {"email": ""}, (400, 6, "L'email est requis")),
        ({}, {"email": "nobody"}, (400, 6, "L'email est requis")),
        ({}, {"creditToAttribute": 0}, (400, 8, "Le crédit doit être supérieur à 0")),
        ({}, {"creditToAttribute": "-1"}, (400, 8, "Le crédit doit être supérieur à 0")),
        ({}, {"creditToAttribute": True}, (400, 8, "Le crédit doit être supérieur à 0")),
        ({}, {"creditToAttribute": "٣"}, (400, 8, "Le crédit doit être supérieur à 0")),
        ({}, {"creditToAttribute": "1_0"}, (400, 8, "Le crédit doit être supérieur à 0")),
        ({}, {"creditToAttribute": "1e1"}, (400, 8, "Le crédit doit être supérieur à 0")),
        ({}, {"creditToAttribute": "NaN"}, (400, 8, "Le crédit doit être supérieur à 0")),
        ({}, {"creditToAttribute": "0.0001"}, (400, 8, "Le crédit doit être supérieur à 0")),
        ({}, {"creditToAttribute": 100.001}, (400, 9, "Votre solde est insuffisant")),
    ],
)
def test_refusals_of_making_one_change_nothing(
    api: Desk, members: dict[str, object], parameters: dict[str, object], refused: tuple[int, int, str]
) -> None:
    assert create(api, **members, **parameters).refused == refused
    assert listed(api)["total"] == 0
    assert balance(api) == 100


def test_an_email_is_taken_once(api: Desk) -> None:
    create(api)
    assert create(api).refused == (400, 7, "L'email est déjà utilisé")


def test_an_account_without_the_right(api: Desk) -> None:
    refused = (400, 2, "Vous n'avez pas le droit de créer un sous-compte")
    create(api)
    key = listed(api)["data"][0]["apiKey"]
    assert api.post("/v1/subaccount/create", apiKey=key, type="simple", parameters=PARAMETERS).refused == refused
    assert api.post("/v1/subaccount/credit/add", apiKey=key, credit=1, tokenSubaccount="x").refused == refused


def test_credit_goes_there_and_back(api: Desk) -> None:
    token = token_of(api)
    assert move(api, "add", token, "10.5").text == (
        '{"success":true,"code":200,"credit":89.5,"subaccountCredit":10.5,"currency":"EUR"}'
    )
    assert move(api, "remove", token, 0.5).json["subaccountCredit"] == 10
    assert balance(api) == 90


@pytest.mark.parametrize(
    ("way", "members", "refused"),
    [
        ("add", {}, (400, 3, "Le crédit est requis")),
        ("add", {"credit": "x"}, (400, 4, "Le crédit doit être supérieur à 0")),
        ("remove", {"credit": -1}, (400, 4, "Le crédit doit être supérieur à 0")),
        ("add", {"credit": 1}, (400, 5, "Le token du sous-compte est requis")),
        ("add", {"credit": 1, "tokenSubaccount": "x"}, (400, 6, "Le sous-compte est introuvable")),
        ("add", {"credit": 1, "apiKey": ""}, (400, 1, "La Clé API est requise")),
        ("add", {"credit": 1, "apiKey": "x"}, (400, 10, "Clé API incorrecte")),
    ],
)
def test_refusals_of_moving(api: Desk, way: str, members: dict[str, object], refused: tuple[int, int, str]) -> None:
    assert api.post(f"/v1/subaccount/credit/{way}", **members).refused == refused


def test_neither_side_has_less_than_nothing(api: Desk) -> None:
    token = token_of(api)
    assert move(api, "add", token, "100.001").refused == (400, 7, "Votre solde est insuffisant")
    move(api, "add", token, 5)
    assert move(api, "remove", token, "5.001").refused == (400, 8, "Le solde du sous-compte est insuffisant")
    assert balance(api) == 95


def test_a_removed_sub_account_opens_nothing_and_gives_its_credit_back(api: Desk) -> None:
    token = token_of(api, creditToAttribute=10)
    key = listed(api)["data"][0]["apiKey"]
    body = f'{{"apiKey":"a-key","token":"{token}"}}'.encode()
    assert api.ask("DELETE", "/v1/subaccount/remove", body=body).text == '{"success":true,"code":200}'
    assert balance(api) == 100
    assert listed(api)["total"] == 0
    assert api.get("/v1/me", apiKey=key).refused == (400, 10, "Clé API incorrecte")
    assert api.ask("DELETE", "/v1/subaccount/remove", body=body).refused == (404, 404, "Le sous-compte est introuvable")
    assert create(api).status == 200, "its address is free again"


def test_removing_needs_a_token(api: Desk) -> None:
    told = api.ask("DELETE", "/v1/subaccount/remove", body=b'{"apiKey":"a-key"}')
    assert told.refused == (400, 1, "Le token est requis")


def test_another_account_s_sub_account_is_not_there(api: Desk) -> None:
    token = token_of(api, creditToAttribute=10)
    api.add_account("other", "their-key")
    api.let("other", creates_subaccounts=True)
    members = {"apiKey": "their-key", "credit": 1, "tokenSubaccount": token}
    assert api.post("/v1/subaccount/credit/remove", **members).refused == (400, 6, "Le sous-compte est introuvable")
    assert listed(api)["data"][0]["credits"]["balance"] == "10.000"

"""A sub-account may nothing that its parent may not, whatever it is set to itself; looked up at each request."""

import json
from decimal import Decimal
from typing import Any

import pytest

from esito.domain.account import AccountState, CommercialTexts
from esito.domain.credentials import key_digest
from tests.kit import looking
from tests.kit.desk import KEY, SECRET, Desk, Reply

CHILD = "branch@example.org"


@pytest.fixture
def api(api: Desk) -> Desk:
    """An account that may have sub-accounts, and has one with some credit."""
    api.let(creates_subaccounts=True)
    made = api.post(
        "/v1/subaccount/create", type="advanced", parameters={"email": CHILD, "isBuyer": 0, "creditToAttribute": 10}
    )
    assert made.status == 200
    return api


def told(api: Desk) -> Any:
    return api.get("/v1/subaccount/list").json["data"][0]


def send(api: Desk, **options: object) -> Reply:
    given = {"apiKey": told(api)["apiKey"], "phoneNumbers": "0612345678", "message": "ciao", "sandbox": 1} | options
    return api.post("/v1/send", **given)


@pytest.mark.parametrize(
    ("own", "of_parent", "allowed"),
    [
        ((), ("SHOP",), {"SHOP"}),
        (("SHOP", "BANK"), ("SHOP",), {"SHOP"}),
        (("BANK",), ("SHOP",), set()),
        (("BANK",), (), {"BANK"}),
        ((), (), {"SHOP", "BANK"}),
    ],
)
def test_senders(api: Desk, own: tuple[str, ...], of_parent: tuple[str, ...], allowed: set[str]) -> None:
    api.let(CHILD, senders=own)
    api.let(senders=of_parent)
    answers = {sender: send(api, sender=sender) for sender in ("SHOP", "BANK")}
    assert {sender for sender, one in answers.items() if one.status == 200} == allowed
    assert {one.json["code"] for one in answers.values()} <= {200, 992}


@pytest.mark.parametrize(
    ("own", "of_parent", "allowed"),
    [
        ((), (), True),
        ((), ("BE",), False),
        (("FR",), ("BE", "FR"), True),
        (("*",), ("BE",), False),
        (("BE",), ("*",), False),
    ],
)
def test_countries(api: Desk, own: tuple[str, ...], of_parent: tuple[str, ...], allowed: bool) -> None:
    api.let(CHILD, countries=own)
    api.let(countries=of_parent)
    assert send(api).json["code"] == (200 if allowed else 55)


def test_what_it_sends_in_a_day_counts_for_the_parent_too(api: Desk) -> None:
    api.runner.run(api.store.change_profile("acme", {"segments_per_day": 3}, at=api.clock.now()))
    key = told(api)["apiKey"]
    answers = [send(api, apiKey=one, sandbox=0).json["code"] for one in (key, KEY, key, KEY, key)]
    assert answers == [200, 200, 200, 11, 11]


@pytest.mark.parametrize("state", [one for one in AccountState if one is not AccountState.ACTIVE])
def test_a_parent_that_is_not_active_shuts_it(api: Desk, state: AccountState) -> None:
    key = told(api)["apiKey"]
    api.runner.run(api.store.set_account_state("acme", state))
    assert api.get("/v1/me", apiKey=key).json["code"] == api.get("/v1/me").json["code"] != 200
    api.runner.run(api.store.set_account_state("acme", AccountState.ACTIVE))
    assert api.get("/v1/me", apiKey=key).status == 200


def test_ranges_and_alphabets(api: Desk) -> None:
    assert [send(api, **asked).json["code"] for asked in ({"isUnicode": 1}, {"gamme": 2})] == [200, 200]
    api.let(unicode_allowed=False, low_cost_allowed=False)
    assert all(send(api, **asked).json["code"] != 200 for asked in ({"isUnicode": 1}, {"gamme": 2}))


@pytest.mark.parametrize(
    ("own", "of_parent", "holds"),
    [
        (CommercialTexts.NONE, CommercialTexts.ALL, CommercialTexts.ALL),
        (CommercialTexts.ALL, CommercialTexts.NONE, CommercialTexts.ALL),
        (CommercialTexts.NONE, CommercialTexts.STOP, CommercialTexts.STOP),
        (CommercialTexts.STOP, CommercialTexts.ALL, CommercialTexts.ALL),
    ],
)
def test_commercial_hours(api: Desk, own: CommercialTexts, of_parent: CommercialTexts, holds: CommercialTexts) -> None:
    api.let(CHILD, commercial=own)
    api.let(commercial=of_parent)
    digest = key_digest(told(api)["apiKey"], SECRET)
    account = api.runner.run(api.store.account_by_key(digest))
    assert account.profile.commercial is holds


def test_networks_of_the_parents_keys(api: Desk) -> None:
    key = told(api)["apiKey"]

    def asks(client: str) -> int:
        return int(api.ask("GET", "/v1/me", query=f"apiKey={key}", client=client).json["code"])

    assert asks("192.0.2.7") == 200
    digest = key_digest("bound", SECRET)
    made = api.runner.run(api.store.add_key("acme", key_digest=digest, label="", at=0, networks=["198.51.100.0/24"]))
    assert asks("192.0.2.7") == 200, "another key of the parent may be used from everywhere"
    (first,) = [one.id for _, keys in api.runner.run(api.store.accounts()) for one in keys if one.label == "first"]
    api.runner.run(api.store.disable_key("acme", first))
    assert (asks("192.0.2.7"), asks("198.51.100.9")) == (96, 200)
    api.runner.run(api.store.disable_key("acme", made.id))


def test_requests_count_for_the_parent_too(api: Desk) -> None:
    key = told(api)["apiKey"]
    api.let(requests_per_second=3)
    answers = [api.get("/v1/me", apiKey=one).status for one in (key, KEY, key, key, KEY)]
    assert answers == [200, 200, 200, 429, 429]
    api.clock.advance(1000)
    assert api.get("/v1/me", apiKey=key).status == 200


def test_it_has_no_sub_accounts_of_its_own(api: Desk) -> None:
    key = told(api)["apiKey"]
    parameters = {"email": "below@example.org", "isBuyer": 0}
    refused = (400, 2, "Vous n'avez pas le droit de créer un sous-compte")
    assert api.post("/v1/subaccount/create", apiKey=key, type="simple", parameters=parameters).refused == refused
    api.let(CHILD, creates_subaccounts=True)
    assert api.post("/v1/subaccount/create", apiKey=key, type="simple", parameters=parameters).refused == refused


def below(api: Desk) -> str:
    """Have an account below the sub-account, as older releases allowed; return its key."""
    digest = key_digest("lowest", SECRET)
    made = api.runner.run(api.store.create_account("lowest", credit=Decimal(5), key_digest=digest, at=api.clock.now()))
    parent = f"(SELECT id FROM account WHERE name = '{CHILD}')"
    sql = f"UPDATE account SET token = 'low', kind = 'simple', email = 'low', parent = {parent} WHERE id = {made.id}"
    api.runner.run(looking.change(api.store, sql))
    return "lowest"


def test_what_holds_for_it_holds_for_all_below(api: Desk) -> None:
    lowest = below(api)
    api.let("lowest", senders=("SHOP", "BANK"))
    api.let(CHILD, senders=("SHOP", "BANK"))
    api.let(senders=("SHOP",))
    assert send(api, apiKey=lowest, sender="BANK").json["code"] == 992
    assert send(api, apiKey=lowest, sender="SHOP").json["code"] == 200
    api.runner.run(api.store.set_account_state("acme", AccountState.DISABLED))
    assert api.get("/v1/me", apiKey=lowest).json["code"] == 20


def test_removal_goes_down_and_all_credit_comes_up(api: Desk) -> None:
    lowest, token = below(api), told(api)["token"]
    body = f'{{"apiKey":"a-key","token":"{token}"}}'.encode()
    assert api.ask("DELETE", "/v1/subaccount/remove", body=body).status == 200
    assert api.get("/v1/me", apiKey=lowest).json["code"] == 10
    assert api.get("/v1/me").json["credits"]["balance"] == "105.000"


def rotate(api: Desk, **body: object) -> Reply:
    headers = [("content-type", "application/json"), ("authorization", f"Bearer {KEY}")]
    return api.ask("POST", "/v2/subaccounts/rotate-key", body=json.dumps(body).encode(), headers=headers)


def test_its_key_is_rotated(api: Desk) -> None:
    keys = [told(api)["apiKey"]]
    for _ in range(2):
        answer = rotate(api, token=told(api)["token"])
        keys.append(answer.json["apiKey"])
        assert told(api)["apiKey"] == keys[-1]
        assert [api.get("/v1/me", apiKey=one).json["code"] for one in keys] == [10] * (len(keys) - 1) + [200]
    assert len(set(keys)) == 3


def test_no_other_key_is_rotated(api: Desk) -> None:
    before = told(api)
    assert rotate(api, token="f" * 32).json["code"] == 6
    assert rotate(api).json["code"] == 5
    assert told(api) == before

"""Whose key it is, and what is left."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from esito.api.http.response import members_of
from esito.api.v1.me import ME
from esito.domain.pricing import PriceList
from tests.kit.desk import Desk, desk


def test_me_tells_what_the_credit_buys_and_what_waits(api: Desk) -> None:
    api.send("+33611111111", "+33622222222")
    told = api.get("/v1/me").json
    assert list(told) == ["success", "code", "user", "credits"]
    assert told["user"] == {"username": "acme", "firstname": "", "lastname": ""}
    assert list(told["credits"].items()) == [
        ("creditSms", 2220), ("creditSmsECO", 2497), ("creditHlr", 19982), ("toSend", 2),
        ("balance", "99.910"), ("currency", "EUR"), ("solde", "99.910"), ("creditSmsLowCost", 2497),
    ]  # fmt: skip


def test_in_xml_the_user_keeps_its_names_and_nothing_else_does(api: Desk) -> None:
    text = api.get("/v1/me", _format="xml").text
    assert "<username><![CDATA[acme]]></username>" in text
    assert "<entry>2222</entry>" in text
    assert re.findall(r"</(\w+)>", text).count("username") == 1


@pytest.mark.parametrize("prices", [PriceList(default=Decimal(0), low_cost=None), PriceList(default=None)])
def test_without_a_price_nothing_is_bought(tmp_path: Path, prices: PriceList) -> None:
    with desk(tmp_path, prices=prices) as api:
        assert api.get("/v1/me").json["credits"]["creditSms"] == 0


def test_the_example_of_me_is_what_me_answers(api: Desk) -> None:
    assert ME.answer is not None
    assert repr(api.get("/v1/me").json) == repr(members_of(ME.answer))

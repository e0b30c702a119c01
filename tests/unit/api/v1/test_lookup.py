"""What numbers are, by the numbering plans (contract 4.3)."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.api.plans_process import Plans
from tests.kit.desk import Desk, Reply, desk
from tests.kit.patience import until


@pytest.fixture(scope="module")
def plans() -> Iterator[Plans]:
    """One process for all tests: it takes a second to begin."""
    known = Plans()
    yield known
    asyncio.run(known.close())


@pytest.fixture
def api(tmp_path: Path, plans: Plans) -> Iterator[Desk]:
    with desk(tmp_path, plans=plans) as open_desk:
        yield open_desk


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


def test_nothing_of_the_plans_is_loaded_by_the_server(api: Desk) -> None:
    assert asked(api, "0611111111").status == 200
    assert not [name for name in sys.modules if name.startswith("phonenumbers")]


def test_a_process_that_is_killed_is_begun_anew(tmp_path: Path) -> None:
    plans = Plans()
    with desk(tmp_path, plans=plans) as api:
        assert asked(api, "12").status == 200
        assert plans.process is not None
        os.kill(plans.process, signal.SIGKILL)
        assert asked(api, "12").status == 500
        assert asked(api, "12").status == 200
        api.runner.run(plans.close())


def test_a_process_that_nobody_asks_ends(tmp_path: Path) -> None:
    plans = Plans(idle=0.001)

    async def look() -> None:
        assert (await plans.look(1, ["12"]))[0]["success"] is False
        await until(lambda: plans.process is None)
        await plans.close()

    asyncio.run(look())


def test_an_account_has_one_question_waiting_whoever_else_asks(plans: Plans) -> None:
    """Five accounts ask at once, the first one forty times: the others are answered within a round or two of it."""
    order: list[int] = []

    async def ask(account: int) -> None:
        await plans.look(account, ["0611111111"])
        order.append(account)

    async def all_ask() -> None:
        await asyncio.gather(*[ask(1) for _ in range(40)], *[ask(account) for account in (2, 3, 4, 5)])

    asyncio.run(all_ask())
    assert set(order[:12]) == {1, 2, 3, 4, 5}


@pytest.mark.slow
def test_what_lies_in_the_working_directory_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit(1)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    plans = Plans()

    async def look() -> None:
        assert (await plans.look(1, ["12"]))[0]["success"] is False
        await plans.close()

    asyncio.run(look())


@pytest.mark.slow
def test_the_process_ends_with_its_input() -> None:
    begun = subprocess.run(
        [sys.executable, "-m", "esito.api.plans"], input=b'["12"]\n', capture_output=True, check=True
    )
    assert b'"success":false' in begun.stdout

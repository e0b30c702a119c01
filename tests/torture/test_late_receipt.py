"""A receipt an hour before we give up, after everything around it has changed, still lands."""

from pathlib import Path

import httpx

from tests.kit.patience import PATIENCE
from tests.torture.house import House, until
from tests.torture.witness import HEX_ID, Witness

NUMBER = "33612345678"


def test_a_receipt_at_47_h_59_after_two_restarts_on_another_bind_in_another_base_lands(tmp_path: Path) -> None:
    """The response says the id in hexadecimal, the receipt in decimal; the operator has two links."""
    with Witness(delivers=False) as one, Witness(delivers=False) as other:
        links = {"alpha": one.port, "beta": other.port}
        with House(folder=tmp_path, database=tmp_path / "esito.db", links=links, pushable=True) as house:
            house.start()
            until(lambda: one.bound and other.bound)
            body = {"apiKey": house.key, "phoneNumbers": f"+{NUMBER}", "message": "ciao"}
            message_id = (
                httpx.post(f"{house.url}/v1/send", json=body, timeout=PATIENCE).raise_for_status().json()["message_id"]
            )
            until(lambda: one.submitted or other.submitted)
            advance(house, hours=24)
            house.stop()  # keeps the response first
            house.start()
            advance(house, seconds=23 * 3600 + 59 * 60)
            house.kill()
            house.start()
            assert state(house, message_id) == "Waiting"
            elsewhere = other if one.submitted else one
            until(lambda: elsewhere.bound == 3)
            elsewhere.deliver(str(HEX_ID), NUMBER)
            until(lambda: elsewhere.acknowledged)
            assert state(house, message_id) == "Delivered"
            advance(house, hours=1)
            assert state(house, message_id) == "Delivered"
            house.stop()
        assert len(one.submitted) + len(other.submitted) == 1


def advance(house: House, **by: int) -> None:
    headers = house.as_administrator
    httpx.post(f"{house.url}/v2/clock/advance", json=by, headers=headers, timeout=PATIENCE).raise_for_status()


def state(house: House, message_id: int) -> str:
    answer = house.status(message_id).raise_for_status().json()
    return str(answer["StatutResponse_List"][0]["status"])

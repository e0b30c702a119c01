"""Who tries keys is slowed down and then not heard; a good key is never slowed; a key may be bound to networks."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from esito.domain.credentials import key_digest
from tests.kit.desk import KEY, SECRET, Desk, Reply, desk
from tests.kit.patience import Beside, Stopwatch

UNKNOWN = (400, 10, "Clé API incorrecte")
TOO_MANY = (429, 429, "Trop de requêtes, veuillez réessayer plus tard")
HOME, AWAY = "198.51.100.1", "203.0.113.9"
NOT_SLOWED = 10
"""Who is slowed waits a hundred times longer than an answer takes."""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path, bad_keys_per_minute=7, trusted_proxies=(ip_network("10.0.0.0/8"),)) as api:
        yield api


def asked(api: Desk, key: str, client: str = HOME, **headers: str) -> Reply:
    given = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return api.ask("GET", "/v1/me", query=f"apiKey={key}", client=client, headers=given)


def test_wrong_keys_are_slowed_and_then_refused_for_a_while(guarded: Desk) -> None:
    for _ in range(5):
        assert asked(guarded, "wrong").refused == UNKNOWN
    slowed = Stopwatch()
    assert asked(guarded, "wrong").refused == UNKNOWN
    assert asked(guarded, "wrong").refused == UNKNOWN
    assert slowed.at_least(0.3)
    told = asked(guarded, "wrong")
    assert told.refused == TOO_MANY
    assert int(told.headers["retry-after"]) == 9
    guarded.clock.advance(9000)
    assert asked(guarded, "wrong").refused == UNKNOWN


def test_a_good_key_of_the_same_address_is_not_slowed(guarded: Desk) -> None:
    while asked(guarded, "wrong").status != 429:
        pass
    both = Beside()
    for _ in range(20):
        with both.timed("here"):
            assert asked(guarded, KEY).status == 200
        with both.timed("elsewhere"):
            assert asked(guarded, KEY, client=AWAY).status == 200
    assert both.ratio("here", "elsewhere") < NOT_SLOWED


def test_the_first_wrong_keys_are_not_slowed(guarded: Desk) -> None:
    both = Beside()
    for client in range(20):
        for _ in range(5):
            with both.timed("wrong"):
                assert asked(guarded, "wrong", client=f"192.0.2.{client}").refused == UNKNOWN
            with both.timed("good"):
                assert asked(guarded, KEY).status == 200
    assert both.ratio("wrong", "good") < NOT_SLOWED


def test_another_address_is_another_matter(guarded: Desk) -> None:
    while asked(guarded, "wrong").status != 429:
        pass
    assert asked(guarded, "wrong", client=AWAY).refused == UNKNOWN
    assert asked(guarded, "wrong", client="10.0.0.1", x_forwarded_for=HOME).refused == TOO_MANY
    assert asked(guarded, "wrong", client="10.0.0.1", x_forwarded_for=AWAY).refused == UNKNOWN


def test_a_missing_key_is_no_try(guarded: Desk) -> None:
    for _ in range(20):
        assert asked(guarded, "").refused == (400, 1, "La Clé API est requise")


def test_a_key_is_good_in_its_networks_alone(api: Desk) -> None:
    digest = key_digest("bound", SECRET)
    networks = ["198.51.100.0/24", "2001:db9::/32"]
    api.runner.run(api.store.add_key("acme", key_digest=digest, label="", at=0, networks=networks))
    assert asked(api, "bound").status == 200
    assert asked(api, "bound", client="2001:db9::7").status == 200
    refused = (400, 96, "L'IP n'est pas autorisée")
    assert asked(api, "bound", client=AWAY).refused == refused
    assert asked(api, "bound", client=AWAY, x_forwarded_for=HOME).refused == refused
    assert asked(api, "bound", client="").refused == refused
    assert asked(api, KEY, client=AWAY).status == 200


@pytest.mark.parametrize("key", ["x", "x" * 40, "x" * 10_000, KEY[:-1], KEY + "x", KEY.upper(), "é", "%00"])
def test_keys_that_are_nearly_good_are_unknown_like_any_other(api: Desk, key: str) -> None:
    told = asked(api, key)
    assert (told.refused, told.body) == (UNKNOWN, asked(api, "wrong").body)

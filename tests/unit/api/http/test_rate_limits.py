"""How often an account may ask at all."""

from pathlib import Path

from esito.api.http.rate_limits import Limits
from esito.domain.rate_limit import MOST_NAMES, Limiter, Rate
from tests.kit.desk import Desk, desk

TOO_MANY = (429, 429, "Trop de requêtes, veuillez réessayer plus tard")


def test_without_a_limit_there_is_none(api: Desk) -> None:
    assert {api.get("/v1/me").status for _ in range(50)} == {200}


def test_the_limit_of_the_installation_and_that_of_the_profile(tmp_path: Path) -> None:
    with desk(tmp_path, limits=Limits(3)) as api:
        assert [api.get("/v1/me").status for _ in range(4)] == [200, 200, 200, 429]
        assert api.get("/v1/me").refused == TOO_MANY
        assert api.get("/v1/me").headers["retry-after"] == "1"
        api.clock.advance(1000)
        assert api.get("/v1/me").status == 200
        api.runner.run(api.store.change_profile("acme", {"requests_per_second": 5}))
        api.clock.advance(1000)
        assert [api.get("/v1/me").status for _ in range(6)] == [200] * 5 + [429]


def test_one_account_does_not_use_up_another_s(tmp_path: Path) -> None:
    with desk(tmp_path, limits=Limits(1)) as api:
        api.add_account("other", "their-key")
        assert [api.get("/v1/me").status for _ in range(2)] == [200, 429]
        assert api.get("/v1/me", apiKey="their-key").status == 200


def test_a_refused_send_keeps_nothing(tmp_path: Path) -> None:
    with desk(tmp_path, limits=Limits(1)) as api:
        api.send("+33611111111")
        assert api.post("/v1/send", phoneNumbers="+33622222222", message="x").refused == TOO_MANY
        api.clock.advance(1000)
        assert api.get("/v1/me").json["credits"]["toSend"] == 1


def test_of_too_many_names_the_oldest_are_forgotten() -> None:
    limiter = Limiter(Rate(1, 1000))
    for name in range(MOST_NAMES + 10):
        assert limiter.wait_ms(name, 0) == 0
    assert limiter.wait_ms(0, 0) == 0
    assert limiter.wait_ms(MOST_NAMES + 9, 0) == 1000
    assert len(limiter._buckets) == MOST_NAMES

"""How the app is built: its secret, its clock, and what it refuses to be built of."""

import asyncio
import dataclasses
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.app import run
from esito.app.application import Application
from esito.app.run import serve
from esito.config import ClockSettings, ConfigError, HttpSettings, Settings, StoreSettings, load
from esito.domain.errors import PartEnded, StoreError
from esito.domain.timing import HOUR_MS, PushableClock, RealClock
from esito_cluster.process import free_port


def settings_in(directory: Path, *, pushable: bool = False, secret: str = "") -> Settings:
    return Settings(
        http=HttpSettings(listen=f"127.0.0.1:{free_port()}"),
        store=StoreSettings(url=f"sqlite:///{directory}/esito.db", secret=secret),
        clock=ClockSettings(pushable=pushable),
    )


# -- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://u@h/db", "postgresql://user@host/db; it is 'mysql://u@h/db'"),
        ("postgresql://u@h", "postgresql://user@host/db; it is 'postgresql://u@h'"),
        ("sqlite:///:memory:", "must be sqlite:///relative"),
    ],
)
def test_a_store_that_cannot_be_opened_is_refused_in_plain_words(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(None, {"ESITO_STORE_URL": url})
    assert str(refused.value).startswith("ESITO_STORE_URL")
    assert sentence in str(refused.value)


@pytest.mark.parametrize("role", ["api", "gateway", "worker"])
def test_a_part_alone_is_refused_where_parts_cannot_share_the_store(tmp_path: Path, role: str) -> None:
    with pytest.raises(ConfigError, match=f"role: '{role}' needs a store that several processes share"):
        asyncio.run(serve(settings_in(tmp_path), role=role))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_stops_it_at_the_door(tmp_path: Path) -> None:
    (tmp_path / "esito.db").write_bytes(b"no database " * 1000)
    with pytest.raises(StoreError, match=r"cannot open .*esito\.db"):
        asyncio.run(serve(settings_in(tmp_path)))


# -- its clock -----------------------------------------------------------------------------------


@pytest.fixture
def as_it_was() -> Iterator[None]:
    """Undo what serving changes for the whole process."""
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.usefixtures("as_it_was")
def test_a_clock_that_was_pushed_is_not_turned_back_by_a_restart(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, pushable=True)
    offsets: list[int] = []

    async def push(app: Application) -> None:
        assert isinstance(app.clock, PushableClock)
        offsets.append(app.clock.offset_ms)
        app.clock.advance(48 * HOUR_MS)
        await app.store.keep_setting("clock_offset_ms", str(app.clock.offset_ms))
        stop()

    for _ in range(2):
        asyncio.run(serve(settings, on_ready=push))
    assert offsets == [0, 48 * HOUR_MS]


@pytest.mark.usefixtures("as_it_was")
def test_a_clock_that_may_not_be_pushed_is_that_of_the_machine(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, pushable=True)

    async def push(app: Application) -> None:
        assert isinstance(app.clock, PushableClock)
        app.clock.advance(48 * HOUR_MS)
        await app.store.keep_setting("clock_offset_ms", str(app.clock.offset_ms))
        stop()

    async def look(app: Application) -> None:
        ahead.append(app.clock.now() - RealClock().now())
        stop()

    ahead: list[int] = []
    asyncio.run(serve(settings, on_ready=push))
    asyncio.run(serve(dataclasses.replace(settings, clock=ClockSettings()), on_ready=look))
    assert abs(ahead[0]) < HOUR_MS


# -- what ends by itself -------------------------------------------------------------------------


def test_a_part_that_ends_by_itself_is_named_and_ends_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def begun_with_one_that_ends(one: Application) -> list[asyncio.Task[None]]:
        ends = asyncio.get_running_loop().create_task(asyncio.sleep(0), name="a chore")
        return [*await start(one), ends]

    start = run._start
    monkeypatch.setattr(run, "_start", begun_with_one_that_ends)
    with pytest.raises(PartEnded, match=r"^a chore ended, which it never does by itself; the server stops$"):
        asyncio.run(serve(settings_in(tmp_path)))

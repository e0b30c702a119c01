"""How the house is built: its secret, its clock, and what it refuses to be built of."""

import asyncio
import dataclasses
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.bootstrap import house
from esito.bootstrap.house import House, serve
from esito.bootstrap.stores import key_secret
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


# -- the secret behind the hashes of keys --------------------------------------------------------


def test_the_secret_is_made_once_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "var")
    secret = key_secret(settings)
    file = tmp_path / "var" / "esito.secret"
    assert len(bytes.fromhex(secret.decode())) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    written = file.stat().st_mtime_ns
    assert key_secret(settings) == secret
    assert file.stat().st_mtime_ns == written
    assert [path.name for path in file.parent.iterdir()] == ["esito.secret"], "no draft is left"


def test_two_houses_have_two_secrets(tmp_path: Path) -> None:
    assert key_secret(settings_in(tmp_path / "a")) != key_secret(settings_in(tmp_path / "b"))


def test_a_configured_secret_needs_no_file(tmp_path: Path) -> None:
    assert key_secret(settings_in(tmp_path, secret="configured")) == b"configured"
    assert list(tmp_path.iterdir()) == []


def test_a_secret_that_was_put_there_by_hand_may_end_its_line(tmp_path: Path) -> None:
    (tmp_path / "esito.secret").write_text("by hand\n", encoding="utf-8")
    assert key_secret(settings_in(tmp_path)) == b"by hand"


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "esito.secret").mkdir()
    with pytest.raises(ConfigError, match=r"store\.secret: cannot read or make .*esito\.secret: Is a directory"):
        key_secret(settings_in(tmp_path))


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "esito.secret").write_text("\n", encoding="ascii")
    with pytest.raises(ConfigError, match="is empty"):
        key_secret(settings_in(tmp_path))


def test_a_secret_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, no folder", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"store\.secret: cannot read or make .*esito\.secret"):
        key_secret(settings_in(tmp_path / "var"))


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

    async def push(house: House) -> None:
        assert isinstance(house.clock, PushableClock)
        offsets.append(house.clock.offset_ms)
        house.clock.advance(48 * HOUR_MS)
        await house.store.keep_setting("clock_offset_ms", str(house.clock.offset_ms))
        stop()

    for _ in range(2):
        asyncio.run(serve(settings, on_ready=push))
    assert offsets == [0, 48 * HOUR_MS]


@pytest.mark.usefixtures("as_it_was")
def test_a_clock_that_may_not_be_pushed_is_that_of_the_machine(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, pushable=True)

    async def push(house: House) -> None:
        assert isinstance(house.clock, PushableClock)
        house.clock.advance(48 * HOUR_MS)
        await house.store.keep_setting("clock_offset_ms", str(house.clock.offset_ms))
        stop()

    async def look(house: House) -> None:
        ahead.append(house.clock.now() - RealClock().now())
        stop()

    ahead: list[int] = []
    asyncio.run(serve(settings, on_ready=push))
    asyncio.run(serve(dataclasses.replace(settings, clock=ClockSettings()), on_ready=look))
    assert abs(ahead[0]) < HOUR_MS


# -- what ends by itself -------------------------------------------------------------------------


def test_a_part_that_ends_by_itself_is_named_and_ends_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def begun_with_one_that_ends(one: House) -> list[asyncio.Task[None]]:
        ends = asyncio.get_running_loop().create_task(asyncio.sleep(0), name="a chore")
        return [*await start(one), ends]

    start = house._start
    monkeypatch.setattr(house, "_start", begun_with_one_that_ends)
    with pytest.raises(PartEnded, match=r"^a chore ended, which it never does by itself; the server stops$"):
        asyncio.run(serve(settings_in(tmp_path)))

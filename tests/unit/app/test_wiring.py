"""The secret behind the hashes of API keys."""

import stat
from pathlib import Path

import pytest

from esito.app.wiring import key_secret
from esito.config import ConfigError, Settings, StoreSettings


def settings_in(directory: Path, *, secret: str = "") -> Settings:
    return Settings(store=StoreSettings(url=f"sqlite:///{directory}/esito.db", secret=secret))


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


def test_two_installations_have_two_secrets(tmp_path: Path) -> None:
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

"""What `esito serve` says before it serves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from esito.app import run

SETTINGS = "[logs]\nformat = 'json'\n[http]\nlisten = '127.0.0.1:0'\n[[link]]\nname = 'a'\npassword = 'secret'\n"


@pytest.fixture(autouse=True)
def ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(*_words: Any, **_named: Any) -> None:
        pass

    monkeypatch.setattr(run, "serve", serve)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True), (0o666, True)])
def test_a_settings_file_with_a_password_that_others_may_read_is_complained_about(
    run: Callable[..., Result], tmp_path: Path, capfd: pytest.CaptureFixture[str], *, mode: int, warned: bool
) -> None:
    file = tmp_path / "esito.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    file.chmod(mode)
    done = run("serve", "--config", str(file))
    assert done.exit_code == 0
    told = done.output + "".join(capfd.readouterr())
    assert ("settings_open_to_others" in told) is warned
    assert (f"chmod 600 {file}" in told) is warned
    assert "secret" not in told.replace(str(file), "")

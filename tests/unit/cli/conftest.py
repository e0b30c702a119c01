"""Commands as they are typed, in a directory of their own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from esito.cli.main import cli


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command in a directory of its own, without the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    nobody = {name: None for name in os.environ if name.startswith("ESITO_")}
    return lambda *words, **environ: CliRunner().invoke(cli, words, env={**nobody, **environ}, prog_name="esito")

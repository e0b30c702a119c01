"""Commands of Esito, run by a test in its own process: the very code of the command, without the start of another.

What is about the process itself (its exit, its signals, its terminal) begins one.
"""

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from click.testing import CliRunner, Result

from esito.cli.main import cli
from tests.kit.patience import PATIENCE

_OUTPUT = threading.Lock()
"""Held by who has the output of this process for its own."""


def run(*words: str) -> str:
    """Return what a command prints, with no settings but those it is given. Raises AssertionError when it fails."""
    with ThreadPoolExecutor(1) as aside:  # there may be a loop in this thread, and a command runs one of its own
        done = aside.submit(partial(_invoke, words)).result(PATIENCE)
    assert done.exit_code == 0, f"esito {' '.join(words)}: {done.output}{done.exception or ''}"
    return done.stdout


def environment() -> dict[str, str]:
    """Return the environment without the settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not _is_setting(name)}


def _invoke(words: tuple[str, ...]) -> Result:
    without: Mapping[str, str | None] = {name: None for name in os.environ if _is_setting(name)}
    with _OUTPUT:
        return CliRunner(env=without).invoke(cli, words)


def _is_setting(name: str) -> bool:
    return name.startswith("ESITO_")

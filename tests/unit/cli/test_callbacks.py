"""`esito callbacks` and `esito replay`: what they refuse; what they print is in tests/flows/test_callbacks.py."""

import pytest
from click.testing import CliRunner

from esito.cli.main import cli


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["replay"], "Error: Say which: an ID, or --since WHEN."),
        (["replay", "1", "--since", "2026-11-23"], "Error: Say which: an ID, or --since WHEN."),
        (["replay", "1", "--dead"], "Error: --dead goes with --since."),
        (["replay", "0"], "Error: Invalid value for '[ID]': 0 is not in the range x>=1."),
        (["callbacks", "--status", "lost"], "Error: Invalid value for '--status': 'lost' is not one of"),
        (["callbacks", "--limit", "0"], "Error: Invalid value for '--limit': 0 is not in the range x>=1."),
    ],
)
def test_what_cannot_be_meant_is_refused(words: list[str], sentence: str) -> None:
    result = CliRunner().invoke(cli, [*words, "--api-key", "k", "--url", "http://127.0.0.1:9"])
    assert result.exit_code == 2
    assert sentence in result.stderr

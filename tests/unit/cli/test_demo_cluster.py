"""`esito demo --cluster` where what it starts is not installed."""

import subprocess
import sys

from tests.kit.patience import PATIENCE

WITHOUT = """
import sys
sys.modules["esito_cluster"] = None
from esito.cli.main import cli
cli(["demo", "--cluster"])
"""


def test_it_says_in_one_sentence_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    sentence = "--cluster needs `pip install 'esito[cluster]'` and `apt-get install postgresql etcd-server`."
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Error: {sentence}\n")

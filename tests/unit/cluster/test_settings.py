"""What the guide prints is what the demo and the fault tests start from."""

import json
import shutil
from importlib.resources import files
from pathlib import Path

from esito_cluster.patroni_node import PatroniNode
from tests.kit.needs import needs
from tests.kit.postgres import reachable_folder

OPERATIONS = Path(__file__).parents[3] / "docs" / "howto" / "operations.md"


def test_the_guide_prints_the_file_from_which_clusters_are_started() -> None:
    used = files("esito_cluster").joinpath("patroni.yml").read_text(encoding="utf-8")
    assert f"```yaml\n{used}```\n" in OPERATIONS.read_text(encoding="utf-8")


@needs("postgres")
def test_a_node_keeps_what_the_guide_says_of_durability() -> None:
    folder = reachable_folder("esito-settings-")
    node = PatroniNode("one", folder / "one")
    node.configure("127.0.0.1:1", ["127.0.0.1"], programs=Path("/usr/bin"))
    asked = json.loads(node.config.read_text())["bootstrap"]["dcs"]
    shutil.rmtree(folder)
    kept = ("synchronous_mode", "synchronous_mode_strict", "synchronous_node_count", "failsafe_mode")
    assert [asked[name] for name in kept] == ["quorum", True, 1, True]
    assert asked["postgresql"]["parameters"]["synchronous_commit"] == "on"
    assert asked["loop_wait"] + 2 * asked["retry_timeout"] <= asked["ttl"]

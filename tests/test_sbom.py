"""The SBOM names every package that an installation with all extras holds, and no other."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def wanted() -> set[tuple[str, str]]:
    """Return the packages that the lock file leads to from the project, without the development group."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages = {one["name"]: one for one in lock["package"]}
    project = packages["esito"]
    extras = [one for several in project.get("optional-dependencies", {}).values() for one in several]
    waiting = [one["name"] for one in [*project["dependencies"], *extras]]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [one["name"] for one in packages[name].get("dependencies", ())]
    return {(name, packages[name]["version"]) for name in found}


def test_the_sbom_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "esito.cdx.json"
    subprocess.run([sys.executable, str(ROOT / "scripts" / "bootstrap.py"), "--sbom", str(file)], check=True)
    told = json.loads(file.read_text(encoding="utf-8"))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.5")
    assert told["metadata"]["component"]["name"] == "esito"
    assert {(one["name"], one["version"]) for one in told["components"]} == wanted()
    assert len(wanted()) > 20

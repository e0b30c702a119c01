"""The SBOM and the constraints name every package that an installation with all extras holds, and no other."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts.licences import add_licences

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
    for one in told["components"]:
        (licence,) = one["licenses"]
        assert licence["expression"]
        files = [reference for reference in one["externalReferences"] if reference["type"] == "distribution"]
        assert files
        assert all(len(hashed["content"]) == 64 for reference in files for hashed in reference["hashes"])


def test_the_constraints_are_the_tested_versions(tmp_path: Path) -> None:
    file = tmp_path / "constraints.txt"
    subprocess.run([sys.executable, str(ROOT / "scripts" / "bootstrap.py"), "--constraints", str(file)], check=True)
    lines = [line.split(" ;")[0] for line in file.read_text(encoding="utf-8").splitlines() if line[:1] not in {"#", ""}]
    assert {tuple(line.split("==")) for line in lines} == wanted()


def test_a_package_without_a_licence_that_is_known_is_named(tmp_path: Path) -> None:
    about = tmp_path / "strange-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1\nLicense: mine, all mine\n")
    with pytest.raises(LookupError, match="strange declares the licence 'mine, all mine'"):
        add_licences({"components": [{"name": "strange"}]}, tmp_path)
    with pytest.raises(LookupError, match="absent is not installed"):
        add_licences({"components": [{"name": "absent"}]}, tmp_path)

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
    waiting = [("esito", ""), *(("esito", extra) for extra in packages["esito"]["optional-dependencies"])]
    found: set[tuple[str, str]] = set()
    while waiting:
        name, extra = one = waiting.pop()
        if one not in found:
            found.add(one)
            about = packages[name]
            needed = about.get("optional-dependencies", {})[extra] if extra else about.get("dependencies", ())
            waiting += [(each["name"], more) for each in needed for more in ("", *each.get("extra", ()))]
    return {(name, packages[name]["version"]) for name, _ in found if name != "esito"}


OURS = {"esito-cluster"}
"""Built with Esito, and so without a file elsewhere."""


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
        if one["name"] in OURS:
            continue
        files = [reference for reference in one["externalReferences"] if reference["type"] == "distribution"]
        assert files
        assert all(len(hashed["content"]) == 64 for reference in files for hashed in reference["hashes"])


def test_the_constraints_are_the_tested_versions(tmp_path: Path) -> None:
    file = tmp_path / "constraints.txt"
    subprocess.run([sys.executable, str(ROOT / "scripts" / "bootstrap.py"), "--constraints", str(file)], check=True)
    lines = [line.split(" ;")[0] for line in file.read_text(encoding="utf-8").splitlines() if line[:1] not in {"#", ""}]
    assert {tuple(line.split("==")) for line in lines} == {one for one in wanted() if one[0] not in OURS}


def test_a_package_without_a_licence_that_is_known_is_named(tmp_path: Path) -> None:
    about = tmp_path / "strange-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1\nLicense: mine, all mine\n")
    with pytest.raises(LookupError, match="strange declares the licence 'mine, all mine'"):
        add_licences({"components": [{"name": "strange"}]}, tmp_path)
    with pytest.raises(LookupError, match="absent is not installed"):
        add_licences({"components": [{"name": "absent"}]}, tmp_path)

"""The lock files send a stranger to the public registries and to nowhere else."""

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]


def test_uv_lock_names_pypi_only() -> None:
    text = (ROOT / "uv.lock").read_text()
    assert {urlsplit(address).hostname for address in re.findall(r"https?://[^\"]+", text)} == {
        "pypi.org",
        "files.pythonhosted.org",
    }
    sources = [package["source"] for package in tomllib.loads(text)["package"]]
    ours = [source for source in sources if source != {"registry": "https://pypi.org/simple"}]
    assert ours == [{"editable": "."}, {"editable": "tools/cluster"}]


def test_package_lock_names_the_npm_registry_only() -> None:
    packages = json.loads((ROOT / "tests" / "peers" / "package-lock.json").read_text())["packages"]
    fetched = [package for place, package in packages.items() if place]
    assert {urlsplit(package["resolved"]).hostname for package in fetched} == {"registry.npmjs.org"}
    assert all(package["integrity"].startswith("sha512-") for package in fetched)

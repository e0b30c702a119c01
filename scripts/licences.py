"""The licences of installed packages, by the identifiers of SPDX, for the SBOM."""

from __future__ import annotations

import json
import re
import sys
import sysconfig
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

OWN_WORDS = {
    "Apache 2.0": "Apache-2.0",
    "BSD-3": "BSD-3-Clause",
    "The MIT License": "MIT",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "any-OSI": "Zlib",
}
"""What packages say that is no identifier: aiosignal, ydiff, patroni, python-dateutil, and apsw, whose file LICENSE
lets one take any licence of the OSI, Zlib for one."""

BY_CLASSIFIER = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
}

_EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")


def add_licences(sbom: dict[str, Any], packages: Path) -> None:
    """Give each component of a CycloneDX document its licence, as its distribution below `packages` declares it.

    Raises LookupError for one that is not installed or declares none that we know.
    """
    found = {_plain(one.name): one for one in distributions(path=[str(packages)])}
    for component in sbom["components"]:
        distribution = found.get(_plain(component["name"]))
        if distribution is None:
            raise LookupError(f"{component['name']} is not installed, so its licence is unknown")
        component["licenses"] = [{"expression": licence_of(distribution)}]


def licence_of(distribution: Distribution) -> str:
    """Return the SPDX expression of a package's licence. Raises LookupError."""
    about = distribution.metadata
    said = next((text for name in ("License-Expression", "License") for text in about.get_all(name) or []), "")
    if known := OWN_WORDS.get(said):
        return known
    if said and len(said) < 100 and _EXPRESSION.fullmatch(said):
        return said
    for classifier in about.get_all("Classifier") or []:
        if known := BY_CLASSIFIER.get(classifier):
            return known
    raise LookupError(f"{distribution.name} declares the licence {said!r}: put its SPDX identifier into {__file__}")


def main() -> int:
    """Add the licences to the file that is named, from the packages of the Python that runs this."""
    file = Path(sys.argv[1])
    sbom = json.loads(file.read_text(encoding="utf-8"))
    try:
        add_licences(sbom, Path(sysconfig.get_path("purelib")))
    except LookupError as problem:
        print(f"no SBOM without licences: {problem}", file=sys.stderr)
        return 1
    file.write_text(json.dumps(sbom, indent=2) + "\n", encoding="utf-8")
    return 0


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())

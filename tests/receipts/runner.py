"""Plays cases and says of each whether it holds."""

import asyncio
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.kit.patience import PATIENCE, pauses
from tests.kit.place import place_of
from tests.receipts import accidents, delivering, submitting  # noqa: F401  they register what happens
from tests.receipts.case import LINK_SETTINGS, Variant, variants
from tests.receipts.expect import complaints
from tests.receipts.names import strange_names
from tests.receipts.scene import SELDOM, Scene
from tests.receipts.words import UnknownWords, unknown

LOG_SERVERS = 1
"""Servers that keep the log: what becomes of a receipt does not depend on how three of them agree, which other tests
look at."""

AT_ONCE = 4
"""Cases that are played at a time: they wait more than they work."""

CASES = Path(__file__).with_name("cases.json")


def load(path: Path) -> list[dict[str, Any]]:
    """Return the cases of a file: `{"cases": [...]}`, or the list alone. Raises UnknownWords."""
    content = json.loads(path.read_text(encoding="utf-8"))
    cases: list[dict[str, Any]] = content["cases"] if isinstance(content, dict) else content
    strange = unknown(cases, LINK_SETTINGS) or [said for case in cases for said in strange_names(case, LINK_SETTINGS)]
    if strange:
        raise UnknownWords(path, strange)
    return cases


def run_case(case: Mapping[str, Any], kind: str = "sqlite", *, patience: float = PATIENCE) -> list[str]:
    """Play a case in all its variants, each on an empty store of a kind; return what does not hold.

    `patience`: seconds in which what it expects must have come about, once everything has been played.
    """
    found = []
    for variant in variants(case):
        with tempfile.TemporaryDirectory(prefix="esito-case-") as folder:
            found += [f"{variant.name}: {one}" for one in asyncio.run(_play(variant, kind, Path(folder), patience))]
    return found


async def _play(variant: Variant, kind: str, folder: Path, patience: float) -> list[str]:
    async with place_of(kind, folder, log_servers=LOG_SERVERS) as place, Scene(variant, folder, place) as scene:
        await scene.play()
        found = await _until_it_holds(scene, patience, later=False)
        found += await _until_it_holds(scene, patience, later=True)
        return found + [f"the books: {one}" for one in scene.evidence.complaints()]


async def _until_it_holds(scene: Scene, patience: float, *, later: bool) -> list[str]:
    await scene.applied()  # what comes only now must change nothing that holds already
    deadline, pause = time.monotonic() + patience, pauses(SELDOM)
    while found := await complaints(scene, later=later):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(next(pause))
    return found

"""A Patroni is taken only if it knows quorum commit and the user who runs PostgreSQL may run it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esito_cluster.patroni_program import PatroniMissing, find_patroni
from tests.kit.needs import needs
from tests.kit.postgres import reachable_folder

pytestmark = [pytest.mark.anyio, needs("postgres")]

Install = Callable[[str, str], Path]


@pytest.fixture
def install() -> Iterator[Install]:
    """Put a program that says this release into a folder of this name, and return the folder."""
    place = reachable_folder("esito-patroni-")

    def put(name: str, release: str) -> Path:
        folder = place / name
        folder.mkdir()
        folder.chmod(0o755)
        program = folder / "patroni"
        program.write_text(f"#!/bin/sh\necho patroni {release}\n")
        program.chmod(0o755)
        return folder

    yield put
    shutil.rmtree(place)


async def test_one_without_quorum_commit_is_passed_over(install: Install) -> None:
    folders = [install("old", "3.0.2"), install("new", "4.1.5")]
    assert await find_patroni(folders) == folders[1] / "patroni"


async def test_one_whose_interpreter_cannot_be_run_is_passed_over(install: Install) -> None:
    broken, whole = install("broken", "4.1.5"), install("whole", "4.1.5")
    (broken / "patroni").write_text("#!/nowhere/python3\n")
    assert await find_patroni([broken, whole]) == whole / "patroni"


async def test_without_any_it_says_what_to_install(install: Install) -> None:
    with pytest.raises(PatroniMissing, match=r"Patroni 4 or later is not installed: `pip install 'esito\[cluster\]'`"):
        await find_patroni([install("old", "3.0.2")])

"""`esito store backup` as it is typed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


def test_a_backup_can_be_put_in_the_place_of_the_database(run: Run, tmp_path: Path) -> None:
    run("account", "create", "acme")
    done = run("store", "backup", "copy.db")
    assert (done.exit_code, "copy.db holds a copy of sqlite:///var/esito.db, " in done.stdout) == (0, True)
    assert "Keep var/esito.secret with it: without it no API key opens." in done.stdout
    (tmp_path / "var" / "esito.db").unlink()
    (tmp_path / "copy.db").rename(tmp_path / "var" / "esito.db")
    assert run("check").stdout == "The books balance.\n"
    assert [one["account"] for one in json.loads(run("account", "list", "--json").stdout)] == ["acme"]


def test_programs_get_the_size_of_a_backup(run: Run, tmp_path: Path) -> None:
    run("migrate")
    told = json.loads(run("store", "backup", "copy.db", "--json").stdout)
    assert told == {
        "store": "sqlite:///var/esito.db", "file": "copy.db", "bytes": (tmp_path / "copy.db").stat().st_size
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "environ", "sentence"),
    [
        ((), {}, "Error: there is no database at var/esito.db\n"),
        (("store", "backup", "copy.db"), {}, "Error: copy.db exists already; choose another file\n"),
        (
            (),
            {"ESITO_STORE_URL": "postgresql://db/esito"},
            "Error: this saves a SQLite file; save PostgreSQL by pg_basebackup, as docs/howto/operations.md tells\n",
        ),
    ],
)
def test_a_backup_that_cannot_be_made_is_one_sentence(
    run: Run, before: tuple[str, ...], environ: dict[str, str], sentence: str
) -> None:
    if before:
        run("migrate")
        assert run(*before).exit_code == 0
    done = run("store", "backup", "copy.db", **environ)
    assert (done.exit_code, done.stderr) == (1, sentence)

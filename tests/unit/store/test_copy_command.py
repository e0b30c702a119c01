"""`esito store copy` as it is typed: what it prints, and how it ends."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner, Result

from esito.cli.store_copy import copy
from esito.domain.errors import EsitoError
from tests.kit.needs import needs
from tests.kit.postgres import drop_database, fresh_database
from tests.unit.store.test_copy_source import filled, query

pytestmark = needs("postgres")


@pytest.fixture
def target() -> Iterator[str]:
    url = asyncio.run(fresh_database(migrated=False))
    yield url
    asyncio.run(drop_database(url))


def typed(*words: str) -> Result:
    return CliRunner().invoke(copy, list(words))


def test_everything_is_copied_and_the_sums_are_shown(path: Path, target: str) -> None:
    asyncio.run(filled(path))
    path.with_name("esito.secret").write_text("s")
    done = typed("--from", f"sqlite:///{path}", "--to", target)
    assert done.exit_code == 0
    assert "account: 3 rows, checksum " in done.stdout
    assert f"set store.secret to what is in {path.with_name('esito.secret')}" in done.stdout
    assert asyncio.run(query(target, "SELECT count(*) FROM account")) == [(3,)]


def test_programs_get_the_sums_as_json_alone(path: Path, target: str) -> None:
    asyncio.run(filled(path))
    done = typed("--from", f"sqlite:///{path}", "--to", target, "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (told["complaints"], told["secret"], told["tables"]["account"]["rows"]) == ([], None, 3)
    assert told["rows"] == sum(table["rows"] for table in told["tables"].values())
    assert len(told["tables"]["trail"]["checksum"]) == 32
    assert "Reading the copy back." in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--from", "postgresql://db/esito", "--to", "postgresql://db/esito"],
        ["--from", "sqlite:///", "--to", "postgresql://db/esito"],
        ["--from", "sqlite:///var/esito.db", "--to", "sqlite:///other.db"],
        ["--from", "sqlite:///var/esito.db"],
    ],
)
def test_what_is_no_such_url_is_wrong_usage(words: list[str]) -> None:
    assert typed(*words).exit_code == 2


def test_a_password_in_a_wrong_url_is_not_shown() -> None:
    done = typed("--from", "sqlite:///var/esito.db", "--to", "mysql://u:hidden@db/esito")
    assert (done.exit_code, "hidden" in done.output) == (2, False)


def test_what_is_refused_is_left_to_the_program_to_say(path: Path) -> None:
    done = typed("--from", f"sqlite:///{path}", "--to", "postgresql://127.0.0.1:1/esito")
    assert (done.exit_code, str(done.exception)) == (1, f"there is no database at {path}")
    assert isinstance(done.exception, EsitoError)  # the program makes a sentence and exit code 1 of each


def test_books_that_do_not_balance_end_with_1(path: Path, target: str) -> None:
    asyncio.run(filled(path))
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE account SET credit = credit - 1 WHERE name = 'acme'")
    connection.close()
    done = typed("--from", f"sqlite:///{path}", "--to", target)
    assert done.exit_code == 1
    assert "account acme: " in done.stdout
    assert "its books do not balance, and neither do the source's" in done.stdout

"""`esito admin`: making administrators, and what is refused."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result

Run = Callable[..., Result]


def listed(run: Run) -> list[tuple[str, list[str], bool]]:
    told = json.loads(run("admin", "list", "--json").stdout)
    return [(one["administrator"], one["networks"], one["disabled"]) for one in told]


def test_an_administrator_is_made_disabled_and_enabled(run: Run) -> None:
    assert run("admin", "list").stdout == "There is no administrator; `esito admin create NAME` makes one.\n"
    made = json.loads(run("admin", "create", "ada", "--network", "10.0.0.0/8", "--json").stdout)
    assert (made["administrator"], len(made["adminKey"])) == ("ada", 40)
    assert listed(run) == [("ada", ["10.0.0.0/8"], False)]
    assert run("admin", "disable", "ada").stdout == "Administrator ada is disabled.\n"
    assert listed(run) == [("ada", ["10.0.0.0/8"], True)]
    assert "disabled" in run("admin", "list").stdout
    assert run("admin", "enable", "ada").stdout == "Administrator ada is enabled.\n"
    assert listed(run) == [("ada", ["10.0.0.0/8"], False)]
    assert json.loads(run("admin", "key", "ada", "--json").stdout)["adminKey"] != made["adminKey"]
    acts = [one["act"] for one in json.loads(run("audit", "--json").stdout)]
    assert acts == [
        "administrator's key replaced", "administrator enabled", "administrator disabled", "administrator created",
    ]  # fmt: skip


@pytest.mark.parametrize("act", ["disable", "enable", "key"])
def test_who_is_not_there_is_refused(run: Run, act: str) -> None:
    done = run("admin", act, "bob")
    assert (done.exit_code, done.stderr) == (1, "Error: there is no administrator named 'bob'\n")


def test_a_name_is_one_administrator_and_has_no_blanks(run: Run) -> None:
    run("admin", "create", "ada")
    again = run("admin", "create", "ada")
    assert (again.exit_code, again.stderr) == (1, "Error: there is an administrator named 'ada' already\n")
    assert run("admin", "create", "two words").exit_code == 2
    assert run("admin", "create", "eve", "--network", "everywhere").exit_code == 2
    assert [name for name, *_ in listed(run)] == ["ada"]

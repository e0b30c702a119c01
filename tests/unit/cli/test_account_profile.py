"""Administering accounts from the command line, and what the audit log keeps of it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from esito.cli.main import cli


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "esito.toml"
    file.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/esito.db"\n', encoding="utf-8")
    esito("account", "create", "acme", "--config", str(file))
    return str(file)


def esito(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def test_settings_of_an_account_are_changed_and_shown(config: str) -> None:
    changes = ["commercial=stop", "numbers=+33644556677,33600000000", "unicode_allowed=false",
               "requests_per_second=7", "signing_secret=s"]  # fmt: skip
    done = esito("account", "set", "acme", *changes, "--json", "--config", config)
    profile = json.loads(done.stdout)["profile"]
    assert profile["commercial"] == "stop"
    assert profile["numbers"] == "33644556677,33600000000"
    assert (profile["unicode_allowed"], profile["requests_per_second"]) == (False, 7)
    assert profile["signing_secret"] == "(set)"
    assert "commercial = stop" in esito("account", "set", "acme", "--config", config).stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("nothing=1", "is not NAME=VALUE with one of the names"),
        ("commercial", "is not NAME=VALUE"),
        ("commercial=x", "commercial is one of none, stop, all, not 'x'"),
        ("unicode_allowed=1", "unicode_allowed is true or false, not '1'"),
        ("requests_per_second=-1", "is a whole number, 0 or more"),
        ("weight=0", "weight is a whole number, 1 to 1000, not '0'"),
        ("weight=1001", "weight is a whole number, 1 to 1000, not '1001'"),
        ("numbers=0644", "are numbers with their calling code"),
        ("countries=FR,UK", "countries are codes of ISO 3166, such as FR,BE, or * for all, not 'FR,UK'"),
        ("segments_per_day=-1", "is a whole number, 0 or more"),
        ("cost_per_day=-1", "cost_per_day is an amount of 0 or more with at most 6 decimals, not '-1'"),
        ("cost_per_day=x", "cost_per_day is an amount"),
        ("cost_per_day=NaN", "cost_per_day is an amount"),
        ("cost_per_day=0.0000001", "cost_per_day is an amount"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(config: str, change: str, said: str) -> None:
    done = esito("account", "set", "acme", change, "--config", config)
    assert done.exit_code == 2
    assert said in done.stderr


def test_an_account_that_is_not_there(config: str) -> None:
    for words in (["set", "nobody"], ["set", "nobody", "email=x"], ["credit", "nobody", "1"]):
        done = esito("account", *words, "--config", config)
        assert (done.exit_code, "there is no account named 'nobody'" in done.stderr) == (1, True)


def test_credit_is_given_and_taken_but_never_below_nothing(config: str) -> None:
    assert esito("account", "credit", "acme", "2.5", "--config", config).stdout == "Account acme has 102.5 left.\n"
    assert esito("account", "credit", "acme", "-102.5", "--config", config).stdout == "Account acme has 0 left.\n"
    done = esito("account", "credit", "acme", "-1", "--config", config)
    assert (done.exit_code, done.stderr) == (1, "Error: account acme has 0 left\n")
    assert esito("account", "credit", "acme", "x", "--config", config).exit_code == 2
    assert esito("check", "--config", config).exit_code == 0


def test_a_key_for_some_networks(config: str) -> None:
    assert esito("account", "key", "acme", "--network", "192.0.2.0/24", "--config", config).exit_code == 0
    done = esito("account", "key", "acme", "--network", "192.0.2.1/24", "--config", config)
    assert (done.exit_code, "has host bits set" in done.stderr) == (2, True)


def test_every_act_is_in_the_audit_log_and_no_secret_is(config: str) -> None:
    esito("account", "set", "acme", "signing_secret=very-secret", "--config", config)
    esito("account", "credit", "acme", "1", "--config", config)
    esito("account", "key", "acme", "--label", "ci", "--config", config)
    esito("account", "key", "acme", "--disable", "2", "--config", config)
    esito("account", "disable", "acme", "--config", config)
    entries = json.loads(esito("audit", "--json", "--config", config).stdout)
    assert [(one["act"], one["details"]) for one in entries] == [
        ("account set", "disabled"), ("key disabled", "2"), ("key made", "ci"), ("credit granted", "+1"),
        ("profile changed", "signing_secret"), ("account created", "+100"),
    ]  # fmt: skip
    assert {one["subject"] for one in entries} == {"acme"}
    assert all(one["actor"].startswith("cli:") for one in entries)
    assert "very-secret" not in esito("audit", "--config", config).stdout


def test_what_was_refused_is_not_in_it(config: str) -> None:
    esito("account", "create", "acme", "--config", config)
    esito("account", "credit", "acme", "-1000", "--config", config)
    assert len(json.loads(esito("audit", "--json", "--config", config).stdout)) == 1

"""Links as commands change them: what is kept, what is shown, and what is refused and changes nothing."""

import asyncio
import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from esito.app import wiring
from esito.cli.main import cli
from esito.config import LinkSettings, load
from esito.domain.message import NewRecipient
from esito.store.interface.link_store import LinkRecord
from tests.kit.builders import account_in, message

Esito = Callable[..., Result]

FILE = """
[store]
url = "sqlite:///{folder}/esito.db"
[[link]]
name = "north"
host = "smpp.north.example"
system_id = "us"
password = "secret"
window = 10
prefixes = ["+33"]
"""


@pytest.fixture
def esito(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Esito:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "esito.toml").write_text(FILE.format(folder=tmp_path), encoding="utf-8")
    return lambda *words, stdin="", **environ: CliRunner().invoke(cli, ["link", *words], input=stdin, env=environ)


def listed(esito: Esito) -> dict[str, dict[str, object]]:
    done = esito("list", "--json")
    assert done.exit_code == 0, done.output
    return {one["name"]: one for one in json.loads(done.stdout)}


def kept(folder: Path) -> list[tuple[str, int, str]]:
    with closing(sqlite3.connect(folder / "esito.db")) as connection:
        return connection.execute("SELECT name, added, settings FROM link_kept").fetchall()


def audited() -> list[tuple[str, str, str]]:
    lines = json.loads(CliRunner().invoke(cli, ["audit", "--json"]).stdout)
    return [(one["act"], one["subject"], one["details"]) for one in reversed(lines)]


def test_a_link_is_added_and_shown_with_where_it_comes_from(esito: Esito) -> None:
    words = ["host=smpp.south.example", "port=3550", "prefixes=+34,+351", "tls=true", "weight=2", "alphabet=latin1"]
    tables = ['words={FAILED = "UNDELIV"}', "source_numbering={alphanumeric = [5, 0]}"]
    done = esito("add", "south", *words, *tables)
    assert done.exit_code == 0
    assert done.output == "Link south is added; running servers bind it within some seconds.\n"
    links = listed(esito)
    assert {name: one["from"] for name, one in links.items()} == {"north": "file", "south": "store"}
    south = links["south"]
    assert (south["host"], south["port"], south["tls"], south["weight"]) == ("smpp.south.example", 3550, True, 2)
    assert (south["prefixes"], south["words"]) == (["+34", "+351"], {"FAILED": "UNDELIV"})
    assert (south["source_numbering"], south["alphabet"]) == ({"alphanumeric": [5, 0]}, "latin1")
    assert "password" not in south
    assert "store" in esito("list").stdout
    ((act, subject, details),) = audited()
    assert (act, subject) == ("link added", "south")
    assert 'host = "smpp.south.example", port = 3550, prefixes = ["+34","+351"]' in details


def test_a_change_goes_over_the_file_until_it_is_taken_back(esito: Esito, tmp_path: Path) -> None:
    done = esito("change", "north", "window=20", "weight=3", "--json")
    assert json.loads(done.stdout) == {
        "link": "north", "act": "changed", "changed": True, "rebinds": True,
        "notes": ["it stands in the file too, over which this goes until `esito link change --unset`"],
    }  # fmt: skip
    assert (listed(esito)["north"]["window"], listed(esito)["north"]["from"]) == (20, "file, store")
    assert json.loads(esito("change", "north", "weight=4", "--json").stdout)["rebinds"] is False
    assert esito("change", "north", "--unset", "window").exit_code == 0
    assert (listed(esito)["north"]["window"], listed(esito)["north"]["weight"]) == (10, 4)
    assert esito("change", "north", "--unset", "weight").exit_code == 0
    assert listed(esito)["north"]["from"] == "file"
    assert kept(tmp_path) == []
    assert audited()[0] == ("link changed", "north", "window = 20, weight = 3")
    assert audited()[-1] == ("link changed", "north", "weight is unset")


def test_disabling_and_enabling_twice_is_said_and_changes_nothing(esito: Esito, tmp_path: Path) -> None:
    done = esito("disable", "north")
    assert done.output == "Link north is disabled; running servers lay it down within some seconds.\n"
    assert listed(esito)["north"]["state"] == "disabled"
    assert esito("disable", "north").output == "Link north is disabled; it was so before.\n"
    assert esito("enable", "north").output == "Link north is enabled; running servers bind it within some seconds.\n"
    assert esito("enable", "north").output == "Link north is enabled; it was so before.\n"
    assert listed(esito)["north"]["state"] == "unknown"
    assert kept(tmp_path) == []
    assert [act for act, _, _ in audited()] == ["link disabled", "link enabled"]


def test_an_added_link_is_removed(esito: Esito) -> None:
    esito("add", "south", "operator=iberia")
    done = esito("remove", "south")
    assert done.exit_code == 0
    assert "no other link of operator iberia receives" in done.output
    assert list(listed(esito)) == ["north"]
    assert audited()[-1] == ("link removed", "south", "")


@pytest.mark.parametrize(
    ("words", "stdin", "environ"),
    [
        (["password=hunter2"], "", {}),
        (["--password-file", "-"], "hunter2\nmore\n", {}),
        (["--password-file", "secret.txt"], "", {}),
        (["--password-env", "SOUTH"], "", {"SOUTH": "hunter2"}),
    ],
)
def test_a_password_is_kept_sealed_and_never_shown(
    esito: Esito, tmp_path: Path, words: list[str], stdin: str, environ: dict[str, str]
) -> None:
    (tmp_path / "secret.txt").write_text("hunter2\r\n", encoding="utf-8")
    done = esito("add", "south", "port=1", *words, stdin=stdin, **environ)
    assert done.exit_code == 0, done.output
    shown = [done.output, esito("list").output, esito("list", "--json").output, str(audited()), str(kept(tmp_path))]
    assert [one for one in shown if "hunter2" in one] == []
    assert "password = (set)" in audited()[0][2]
    (tmp_path / "esito.db").read_bytes()
    assert b"hunter2" not in b"".join(path.read_bytes() for path in tmp_path.glob("esito.db*"))
    # It is the one that was meant: nothing differs when it is said again.
    assert esito("change", "south", "password=hunter2").output.endswith("it was so before.\n")
    assert "it was so" not in esito("change", "south", "password=hunter3").output


def test_a_password_of_another_secret_is_named_and_can_be_set_again(esito: Esito, tmp_path: Path) -> None:
    esito("add", "south", "port=1", "password=hunter2")
    (tmp_path / "esito.secret").write_text("another", encoding="utf-8")
    assert "from" in listed(esito)["south"]
    for words in (["change", "south", "port=2"], ["test", "south"]):
        done = esito(*words)
        assert (done.exit_code, "link.south.password was kept under another store.secret" in done.output) == (1, True)
    assert esito("change", "south", "password=hunter2").exit_code == 0
    assert esito("change", "south", "port=2").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "north"], "there is a link north already"),
        (["add", "NORTH", "port=1"], "link.NORTH is there twice; the name of a link must be its own"),
        (
            ["add", "a b", "port=1"],
            "must be 1 to 32 letters, digits, - or _, with a letter or digit first; it is 'a b'",
        ),
        (["add", "south", "window=0"], "link.south.window must be a whole number, 1 to 65535; it is '0'"),
        (
            ["add", "south", "windows=1"],
            "link.south: there is no setting 'windows'; [[link]] has name, enabled, ",
        ),
        (["add", "south", "tls_ca=x.pem"], "link.south.tls_ca says nothing without tls = true"),
        (["add", "south", "tls=true", "tls_ca=x.pem"], "link.south.tls_ca: x.pem holds no certificates we can read"),
        (["add", "south", "password=" + "x" * 65], "link.south.password must be at most 64 ASCII characters"),
        (["add", "south", "--password-env", "NOBODY"], "there is no variable NOBODY"),
        (["add", "south", "--password-file", "nowhere"], "nowhere: No such file or directory"),
        (["change", "north", "bind=receiver"], "link.north.prefixes: a link that only receives serves no numbers"),
        (["change", "north", "name=other"], "link.north.name stays; add a link of the other name"),
        (["change", "north", "--unset", "window"], "link.north.window was not set by command"),
        (["change", "south", "window=1"], "there is no link south; there are: north"),
        (["disable", "south"], "there is no link south"),
        (["enable", "south"], "there is no link south"),
        (["remove", "south"], "there is no link south"),
        (["remove", "north"], "link north stands in the settings file: take it out there and send SIGHUP"),
    ],
)
def test_what_cannot_be_used_is_refused_and_changes_nothing(
    esito: Esito, tmp_path: Path, words: list[str], said: str
) -> None:
    done = esito(*words)
    assert (done.exit_code, said in done.output) == (1, True), done.output
    assert "x" * 65 not in done.output
    if (tmp_path / "esito.db").exists():
        assert (kept(tmp_path), audited()) == ([], [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "south"], "say at least where its SMSC is: host=NAME or port=NUMBER"),
        (["add", "south", "password=x", "--password-env", "PATH"], "password is said twice"),
        (["add", "south", "window"], "'window' is not FIELD=VALUE"),
        (["add", "south", "=5"], "'=5' is not FIELD=VALUE"),
        (["change", "north"], "say what to change"),
        (["change", "north", "window=1", "--unset", "window"], "window cannot be set and unset at once"),
        (["add", "south", "--ask-password", "--password-env", "X"], "three ways to say one thing"),
    ],
)
def test_wrong_usage_is_exit_code_2(esito: Esito, words: list[str], said: str) -> None:
    done = esito(*words)
    assert (done.exit_code, said in done.output) == (2, True), done.output


TABLE_OF_WORDS = (
    'a table of words and states, such as {FAILED = "UNDELIV"}; states are ENROUTE, ACCEPTD, UNKNOWN, EXPIRED, DELETED,'
    " REJECTD, UNDELIV, DELIVRD"
)
TABLE_OF_KINDS = (
    "a table of kinds and pairs, such as {alphanumeric = [5, 0]}; kinds are all, alphanumeric, short_code,"
    " international, national"
)
LIST_OF_PREFIXES = "a list of prefixes with +, such as +33"
HOURS = "empty, or minutes, hours or days such as 30m, 1h or 1d, less than validity_hours or 48 h"


@pytest.mark.parametrize(
    ("field", "given", "allowed"),
    [
        ("enabled", "perhaps", "true or false"),
        *(
            ("host", given, "a host name or an IP address, without a port")
            for given in ("", "a b", "smsc.example:3000", "http://smsc.example", "me@smsc.example", "[::1]", "smsc ")
        ),
        ("port", "smpp", "a port, 1 to 65535"),
        ("port", "65536", "a port, 1 to 65535"),
        ("window", "1.5", "a whole number, 1 to 65535"),
        ("weight", "", "a whole number, 1 to 1000"),
        ("addr_ton", "256", "a whole number, 0 to 255"),
        ("rebind_max", "soon", "a number above 0"),
        ("bind", "both", "one of transceiver, transmitter + receiver, transmitter, receiver"),
        ("multipart_rule", "none", "one of any-failed, all, last, first"),
        ("alphabet", "klingon", "one of gsm, gsm-packed, latin1, ascii"),
        ("receipt_timezone", "Mars", "a time zone, such as UTC or Europe/Paris"),
        ("query_after", "soon", HOURS),
        ("sender", "É", "at most 11 ASCII letters, digits and blanks, or a number"),
        ("service_type", "TOOLONG", "at most 5 ASCII characters"),
        ("tls_name", "a b", "empty, or the name of a host"),
        ("prefixes", "33", LIST_OF_PREFIXES),
        ("prefixes", "[33]", LIST_OF_PREFIXES),
        ("prefixes", '["+33"', LIST_OF_PREFIXES),
        ("fallback_hosts", "a b", "a list of hosts, such as smsc2.example or 192.0.2.7:2776"),
        ("words", "abc", TABLE_OF_WORDS),
        ("words", "", TABLE_OF_WORDS),
        ("words", '{FAILED = "BROKEN"}', TABLE_OF_WORDS),
        ("source_numbering", "5,0", TABLE_OF_KINDS),
        ("source_numbering", "{all = [5]}", TABLE_OF_KINDS),
        ("retry", "0x08", LinkSettings.__dataclass_fields__["retry"].metadata["rule"].allowed),
    ],
)
def test_a_wrong_value_is_answered_with_its_setting_what_was_given_and_what_is_allowed(
    esito: Esito, tmp_path: Path, field: str, given: str, allowed: str
) -> None:
    for words in (["add", "south"], ["change", "north"]):
        done = esito(*words, f"{field}={given}")
        assert done.output == f"Error: link.{words[1]}.{field} must be {allowed}; it is {given!r}\n"
        assert done.exit_code == 1
    assert not (tmp_path / "esito.db").exists()


@pytest.mark.parametrize("field", ["windows", "WINDOW", "link.north.window"])
def test_a_setting_that_there_is_not_is_answered_with_those_that_there_are(esito: Esito, field: str) -> None:
    done = esito("change", "north", f"{field}=3")
    names = ", ".join(LinkSettings.__dataclass_fields__)
    assert (done.exit_code, done.output) == (
        1,
        f"Error: link.north: there is no setting {field!r}; [[link]] has {names}\n",
    )


def test_what_does_not_go_together_is_said_once_by_its_name(esito: Esito) -> None:
    done = esito("change", "north", "tls_ca=x.pem")
    assert done.output == "Error: link.north.tls_ca says nothing without tls = true\n"


def esito_at_a_terminal(*words: str, typed: str) -> str:
    """Run a command that has a terminal, at which something is typed once it asks; return what it shows."""
    process, terminal = pty.fork()
    if not process:  # pragma: no cover  another process
        os.execv(sys.executable, [sys.executable, "-m", "esito", *words])
    shown = b""
    try:
        while piece := os.read(terminal, 1024):
            shown += piece
            if typed and b"Password:" in shown:
                os.write(terminal, typed.encode())
                typed = ""
    except OSError:  # so a terminal says that nobody is there any more
        pass
    os.waitpid(process, 0)
    os.close(terminal)
    return shown.decode()


@pytest.mark.slow
@pytest.mark.usefixtures("esito")
def test_a_password_that_is_typed_at_a_terminal_is_kept_and_not_shown(tmp_path: Path) -> None:
    shown = esito_at_a_terminal("link", "add", "south", "port=1", "--ask-password", typed="hunter2\n")
    assert "Link south is added" in shown
    assert "hunter2" not in shown
    assert '"password"' in kept(tmp_path)[0][2]


@pytest.mark.slow
@pytest.mark.usefixtures("esito")
def test_without_a_terminal_no_password_is_asked_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "esito", "link", "add", "south", "port=1", "--ask-password"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        "Error: --ask-password needs a terminal; without one, use --password-file or --password-env"
    )
    assert "Password" not in done.stderr
    assert not (tmp_path / "esito.db").exists()


# -- removing ------------------------------------------------------------------------------------


async def one_waits_for(folder: Path, link: str) -> None:
    async with wiring.open_store(load(folder / "esito.toml", {}), actor="test") as store:
        numbers = await store.register_links([LinkRecord(name=link, operator=link)])
        new = message(await account_in(store), cost=0)
        await store.accept(replace(new, recipients=[NewRecipient(33612345678, numbers[link], 0, 1, 0)]))


def test_a_link_that_something_waits_for_is_refused_with_what_leads_out_from_where_it_is(
    esito: Esito, tmp_path: Path
) -> None:
    esito("add", "south", "prefixes=+34,+351")
    asyncio.run(one_waits_for(tmp_path, "south"))
    has = "1 recipient that waits, 0 segments to be submitted again and 0 without an answer"
    done = esito("remove", "south")
    assert done.exit_code == 1
    assert f"link south is enabled and still has {has}: `esito link disable south`, so that other links" in done.output
    esito("disable", "south")
    done = esito("remove", "south")
    assert done.exit_code == 1
    assert f"link south is disabled and still has {has}: what waits leaves by links that serve the same" in done.output
    assert "add or change one to do so (prefixes=+34,+351), or `esito link enable south` and wait" in done.output
    assert "link disable" not in done.output
    assert "remove it with --force: then what waits leaves by links to which its prefixes lead then" in done.output
    done = esito("remove", "south", "--force")
    assert done.exit_code == 0
    assert f"Note: it had {has}." in done.output


def test_a_variable_says_what_an_added_link_does_not(esito: Esito) -> None:
    esito("add", "south", "port=1", ESITO_LINK_SOUTH_SYSTEM_ID="x" * 65)
    done = esito("add", "south", "port=1", ESITO_LINK_SOUTH_SYSTEM_ID="x" * 65)
    assert (done.exit_code, "ESITO_LINK_SOUTH_SYSTEM_ID must be at most 64" in done.output) == (1, True)
    assert esito("add", "south", "system_id=us", ESITO_LINK_SOUTH_SYSTEM_ID="x" * 65).exit_code == 0


def test_a_change_of_a_link_that_the_file_has_no_more_waits_for_it_to_come_back(esito: Esito, tmp_path: Path) -> None:
    esito("change", "north", "window=20")
    file = (tmp_path / "esito.toml").read_text(encoding="utf-8")
    (tmp_path / "esito.toml").write_text(file.partition("[[link]]")[0], encoding="utf-8")
    assert listed(esito) == {}
    assert esito("change", "north", "window=30").exit_code == 1
    (tmp_path / "esito.toml").write_text(file, encoding="utf-8")
    assert listed(esito)["north"]["window"] == 20

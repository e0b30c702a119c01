"""Commands that need no server: what they print, what they refuse, and with which exit code."""

import json
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from esito.cli.main import COMMANDS

Run = Callable[..., Result]


def printed(result: Result) -> object:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(result: Result) -> str:
    """Return the sentence of a command that was refused: one line, on standard error, and no traceback."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    return line


# -- the list of commands ----------------------------------------------------------------------


def test_help_lists_every_command(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f"  {name} " not in result.stdout] == []


def test_help_loads_no_web_server_no_database_and_no_http_client() -> None:
    look = "import sys, esito.cli.main as m; m.cli(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert [name for name in ("granian", "starlette", "apsw", "httpx", "rich") if f"'{name}'" in run.stdout] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: esito {name} ")


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",), ("account", "nonsense"), ("account", "create"), ("account", "create", "two words"),
        ("account", "create", "a", "--credit", "-1"), ("account", "create", "a", "--credit", "much"),
        ("account", "create", "a", "--credit", "NaN"), ("account", "create", "a", "--credit", "0.0000001"),
        ("status",), ("status", "0", "--api-key", "k"), ("status", "x", "--api-key", "k"), ("status", "1"),
        ("send", "--to", "1", "--api-key", "k"), ("status", "1", "--api-key", "k", "--format", "csv"),
        ("smsc", "--listen", "here"), ("smsc", "--speed", "0"), ("demo", "--listen", "1"), ("serve", "--role", "boss"),
        ("link", "test"), ("smsc", "--script", "nowhere.toml"),
        ("send", "--to", "1", "--message", "x", "--api-key", "k", "--schedule", "tomorrow"),
    ],
)  # fmt: skip
def test_wrong_usage_exits_with_2(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")


# -- settings ----------------------------------------------------------------------------------


def test_a_missing_settings_file_is_named(run: Run) -> None:
    assert refused(run("migrate", "--config", "nowhere.toml")) == (
        "Error: nowhere.toml cannot be read: No such file or directory"
    )


def test_a_bad_setting_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "esito.toml").write_text("[http]\nport = 80")
    assert refused(run("migrate")).startswith("Error: esito.toml: http.port is not known; [http] has listen,")


def test_the_settings_file_of_the_directory_is_used_and_the_environment_goes_before_it(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "esito.toml").write_text("[store]\nurl = 'sqlite:///here.db'")
    assert run("migrate").exit_code == 0
    assert run("migrate", ESITO_STORE_URL="sqlite:///there.db").exit_code == 0
    assert (tmp_path / "here.db").exists()
    assert (tmp_path / "there.db").exists()


# -- the database ------------------------------------------------------------------------------


def test_migrate_makes_the_database_and_may_be_repeated(run: Run, tmp_path: Path) -> None:
    assert run("migrate").stdout == "sqlite:///var/esito.db has the schema of this version.\n"
    assert printed(run("migrate", "--json")) == {"store": "sqlite:///var/esito.db", "migrated": True, "putOff": []}
    assert (tmp_path / "var" / "esito.db").exists()


def test_a_database_that_is_none_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "esito.db").write_text("this is no database, whatever it is called; " * 50)
    assert refused(run("migrate")).startswith("Error: ")


def test_check_of_a_new_database_finds_nothing(run: Run) -> None:
    run("migrate")
    assert run("check").stdout == "The books balance.\n"
    assert printed(run("check", "--json")) == {"balanced": True, "complaints": []}


def test_check_does_not_make_the_database_it_cannot_find(run: Run, tmp_path: Path) -> None:
    assert refused(run("check")) == "Error: there is no database at var/esito.db"
    assert not (tmp_path / "var").exists()


# -- accounts ----------------------------------------------------------------------------------


def test_an_account_is_created_with_a_key_that_is_shown_once(run: Run, tmp_path: Path) -> None:
    created = printed(run("account", "create", "acme", "--credit", "12.5", "--json"))
    assert isinstance(created, dict)
    assert created["account"] == "acme"
    assert len(created["apiKey"]) == 40
    listed = run("account", "list", "--json")
    assert printed(listed) == [
        {"account": "acme", "state": "active", "credit": "12.5", "currency": "EUR",
         "keys": [{"id": 1, "label": "first", "disabled": False}]}
    ]  # fmt: skip
    kept = b"".join(path.read_bytes() for path in (tmp_path / "var").iterdir())
    assert created["apiKey"].encode() not in kept


def test_the_secret_of_the_keys_is_the_owners_alone(run: Run, tmp_path: Path) -> None:
    run("account", "create", "acme")
    assert stat.S_IMODE((tmp_path / "var" / "esito.secret").stat().st_mode) == 0o600


def test_people_are_told_of_an_account_in_words(run: Run) -> None:
    assert run("account", "create", "acme").stdout.startswith("Account acme has the key\n\n  ")
    run("account", "key", "acme", "--label", "web")
    shown = run("account", "list").stdout
    assert "acme" in shown
    assert "100 EUR" in shown
    assert "2 web" in shown


def test_a_name_is_given_once(run: Run) -> None:
    run("account", "create", "acme")
    assert "acme" in refused(run("account", "create", "acme", "--json"))


def test_an_account_has_many_keys_and_each_may_be_disabled(run: Run) -> None:
    first = printed(run("account", "create", "acme", "--json"))
    second = printed(run("account", "key", "acme", "--label", "web", "--json"))
    assert first != second
    disabled = printed(run("account", "key", "acme", "--disable", "1", "--json"))
    assert disabled == {"account": "acme", "key": 1, "disabled": True}
    (acme,) = json.loads(run("account", "list", "--json").stdout)
    assert acme["keys"] == [
        {"id": 1, "label": "first", "disabled": True}, {"id": 2, "label": "web", "disabled": False},
    ]  # fmt: skip


def test_an_account_is_disabled_and_enabled(run: Run) -> None:
    run("account", "create", "acme")
    assert run("account", "disable", "acme").stdout == "Account acme is disabled.\n"
    assert json.loads(run("account", "list", "--json").stdout)[0]["state"] == "disabled"
    assert printed(run("account", "enable", "acme", "--json")) == {"account": "acme", "state": "active"}


@pytest.mark.parametrize("words", [("disable",), ("enable",), ("key",), ("key", "--disable", "1")])
def test_an_account_that_does_not_exist_is_named(run: Run, words: tuple[str, ...]) -> None:
    command, *rest = words
    assert "nobody" in refused(run("account", command, "nobody", *rest))


def test_a_key_that_does_not_exist_is_named(run: Run) -> None:
    run("account", "create", "acme")
    assert "99" in refused(run("account", "key", "acme", "--disable", "99"))


# -- addresses and servers ---------------------------------------------------------------------


@pytest.fixture
def busy() -> Iterator[str]:
    """An address that something else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("command", ["demo", "smsc"])
def test_a_busy_port_is_one_sentence(run: Run, busy: str, command: str) -> None:
    assert refused(run(command, "--listen", busy)) == (
        f"Error: {busy} is in use by another program; choose another address to listen on"
    )


def test_a_server_does_not_share_a_busy_port(run: Run, busy: str) -> None:
    result = run("serve", ESITO_HTTP_LISTEN=busy)
    assert result.exit_code == 1
    assert f"{busy} is in use" in result.stderr


def test_an_address_of_another_machine_cannot_be_listened_on(run: Run) -> None:
    assert refused(run("smsc", "--listen", "192.0.2.1:2775")).startswith(
        "Error: 192.0.2.1:2775 cannot be listened on: "
    )


@pytest.mark.parametrize("words", [("status", "4711"), ("send", "--to", "+33612345678", "--message", "Ciao")])
def test_a_server_that_is_not_there_is_one_sentence(run: Run, words: tuple[str, ...]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # ours, and nobody listens
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        sentence = refused(run(*words, ESITO_URL=url, ESITO_API_KEY="abc"))
    assert sentence.startswith(f"Error: {url} cannot be reached: ")
    assert "abc" not in sentence


# -- links -------------------------------------------------------------------------------------

LINKS = """
[http]
listen = "{listen}"
[[link]]
name = "alpha"
system_id = "acme"
password = "hidden"
prefixes = ["+33"]
sessions = 2
[[link]]
name = "beta"
port = {port}
"""


@pytest.fixture
def links(tmp_path: Path) -> Iterator[None]:
    """Two links; the port of one is nobody's, and no server runs."""
    with socket.socket() as server, socket.socket() as smsc:
        server.bind(("127.0.0.1", 0))
        smsc.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{server.getsockname()[1]}"
        (tmp_path / "esito.toml").write_text(LINKS.format(listen=listen, port=smsc.getsockname()[1]))
        yield


@pytest.mark.usefixtures("links")
def test_links_are_listed_without_their_passwords(run: Run) -> None:
    shown = run("link", "list")
    assert shown.exit_code == 0
    assert "2 x transceiver" in shown.stdout
    assert "their state is unknown" in shown.stderr
    alpha, beta = json.loads(run("link", "list", "--json").stdout)
    assert (alpha["name"], alpha["prefixes"], alpha["state"]) == ("alpha", ["+33"], "unknown")
    assert (beta["name"], beta["multipart_rule"], beta["alphabet"]) == ("beta", "any-failed", "gsm")
    assert "hidden" not in shown.stdout + str(alpha)


@pytest.mark.usefixtures("links")
def test_a_link_that_is_not_configured_is_refused(run: Run) -> None:
    assert refused(run("link", "test", "gamma")) == "Error: there is no link gamma; configured: alpha, beta"


@pytest.mark.usefixtures("links")
def test_a_link_that_cannot_be_reached_says_why(run: Run) -> None:
    result = run("link", "test", "beta", "--json")
    assert result.exit_code == 1
    tried = json.loads(result.stdout)
    assert (tried["link"], tried["bound"]) == ("beta", False)
    (session,) = tried["sessions"]
    assert (session["bind"], session["state"], session["status"]) == ("transceiver", "lost", None)
    assert session["reason"].startswith("cannot connect: ")
    assert run("link", "test", "beta").stdout.startswith("beta (transceiver) lost: cannot connect: ")

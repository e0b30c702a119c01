"""Which links there are, how they differ, and what each difference asks for."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from esito.app.link_changes import NEEDS_NO_BIND, LinkChange, bound_with, changes
from esito.app.link_factory import check_links, outgoing_settings, smpp_settings
from esito.app.link_settings import BOTH, FILE, FORGOTTEN, STORE, overridden, sealed, sources, unsealed
from esito.config import ConfigError, LinkSettings, Settings, changed_link, load
from esito.store.interface.link_store import KeptLink

SECRET = b"secret of the installation"
NORTH = LinkSettings(name="north", host="north.example", window=10)


def over(name: str, *, added: bool = False, **settings: Any) -> KeptLink:
    return sealed(name, settings, added=added, secret=SECRET)


def together(*kept: KeptLink, **environ: str) -> dict[str, LinkSettings]:
    settings = overridden(Settings(links=(NORTH,)), kept, secret=SECRET, environ=environ)
    return {link.name: link for link in settings.links}


def test_what_is_kept_goes_over_the_file_setting_by_setting() -> None:
    assert together() == {"north": NORTH}
    assert together(over("north", window=20)) == {"north": dataclasses.replace(NORTH, window=20)}
    both = together(over("north", enabled=False), over("south", added=True, prefixes=["+34"], password="hunter2"))
    assert both["north"] == dataclasses.replace(NORTH, enabled=False)
    assert both["south"] == LinkSettings(name="south", prefixes=("+34",), password="hunter2")


def test_an_added_link_that_the_file_has_too_goes_over_that_of_the_file() -> None:
    assert together(over("north", added=True, window=5))["north"] == dataclasses.replace(NORTH, window=5)


def test_what_goes_over_a_link_that_there_is_no_more_does_nothing() -> None:
    assert together(over("gone", window=5)) == {"north": NORTH}


def test_of_an_added_link_the_environment_says_what_the_command_did_not() -> None:
    added = over("south-1", added=True, window=5)
    south = together(added, ESITO_LINK_SOUTH_1_PASSWORD="p", ESITO_LINK_SOUTH_1_WINDOW="7")["south-1"]
    assert (south.password, south.window) == ("p", 5)


def test_where_each_link_comes_from_is_told() -> None:
    kept = [over("north", window=5), over("south", added=True), over("gone", window=5)]
    assert sources(Settings(links=(NORTH, LinkSettings(name="west"))), kept) == {
        "north": BOTH, "west": FILE, "south": STORE, "gone": FORGOTTEN,
    }  # fmt: skip


def test_a_password_is_opened_with_its_secret_only() -> None:
    kept = over("north", password="hunter2")
    assert "hunter2" not in kept.settings
    assert unsealed(kept, SECRET) == {"password": "hunter2"}
    assert unsealed(kept, None) == {}
    with pytest.raises(ConfigError, match=r"link\.north\.password was kept under another store\.secret"):
        overridden(Settings(links=(NORTH,)), [kept], secret=b"another")


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        (over("north", window=0), "esito link: link.north.window must be a whole number, 1 to 65535; it is 0"),
        (over("north", nothing=0), "esito link: link.north.nothing is not known"),
        (over("NORTH", added=True), "esito link: link.NORTH is there twice"),
        (over("north", tls_ca="x"), "esito link: link.north.tls_ca says nothing without tls = true"),
    ],
)
def test_what_is_kept_is_refused_in_the_words_of_a_file(kept: KeptLink, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        together(kept)
    assert str(refused.value).startswith(sentence)


def test_files_that_only_a_bind_needs_are_looked_at_before() -> None:
    missing = dataclasses.replace(NORTH, tls=True, tls_ca="nowhere.pem")
    with pytest.raises(ConfigError, match=r"link\.north\.tls_ca: nowhere\.pem"):
        check_links(Settings(links=(missing,)))
    check_links(Settings(links=(dataclasses.replace(missing, enabled=False),)))


# -- differences -----------------------------------------------------------------------------------


def test_a_change_tells_what_differs_and_no_password() -> None:
    after = dataclasses.replace(NORTH, window=20, password="hunter2")
    assert list(changes([NORTH], [after])) == [
        LinkChange("link changed", "north", "password = (set), window = 20", rebinds=True)
    ]
    assert list(changes([NORTH], [NORTH])) == []


def test_links_come_and_go() -> None:
    south = LinkSettings(name="south", host="h", enabled=False)
    assert list(changes([NORTH], [south])) == [
        LinkChange("link added", "south", "h:2775", rebinds=False),
        LinkChange("link removed", "north", "", rebinds=False),
    ]


OTHERS: dict[str, Any] = {
    "prefixes": ["+33"], "fallback_hosts": ["b"], "words": {"X": "UNDELIV"}, "tls": True, "bind": "transmitter",
    "interface_version": "5.0", "validity": "none", "alphabet": "latin1", "concatenation": "sar",
    "receipt_timezone": "Europe/Paris", "message_id_form": "as-is", "receipts_without_esm_class": "never",
    "query_after": "1h", "country": "BE", "receipt_addresses": "ignored", "stop_number": "36222",
    "multipart_rule": "all", "source_numbering": {"all": [1, 1]}, "destination_numbering": {"all": [2, 1]},
}  # fmt: skip
"""Other values of settings whose type does not tell one."""


def changed(name: str) -> LinkSettings:
    """Return the link with another value of a setting."""
    value = getattr(NORTH, name)
    if name in OTHERS:
        value = OTHERS[name]
    elif isinstance(value, bool):
        value = not value
    else:
        value = f"{value}x" if isinstance(value, str) else value + 1
    return changed_link(NORTH, {name: value}, where="test")


NOT_ALONE = {"name", "retry", "tls_ca", "tls_cert", "tls_key", "tls_name"}
"""What is not changed, or says nothing, by itself."""


@pytest.mark.parametrize("name", [one.name for one in dataclasses.fields(LinkSettings) if one.name not in NOT_ALONE])
def test_a_setting_that_a_session_is_made_with_binds_anew_and_no_other(name: str) -> None:
    """Whatever the SMPP room is told of a link counts only from the next bind; the rest is told while it is bound."""
    after = changed(name)
    told_to_sessions = smpp_settings(dataclasses.replace(after, tls=False)) != smpp_settings(NORTH) or name == "tls"
    if told_to_sessions:
        assert name not in NEEDS_NO_BIND
    if name in NEEDS_NO_BIND:
        assert bound_with(after) == bound_with(NORTH)
    else:
        assert bound_with(after) != bound_with(NORTH)
    # How texts are concatenated is known to more than the settings of each submit_sm.
    if outgoing_settings(after) != outgoing_settings(NORTH):
        assert name in NEEDS_NO_BIND or name == "concatenation"


def test_every_setting_that_needs_no_bind_is_one() -> None:
    assert {one.name for one in dataclasses.fields(LinkSettings)} > NEEDS_NO_BIND


def test_a_file_without_links_may_get_them_by_command(tmp_path: Path) -> None:
    path = tmp_path / "esito.toml"
    path.write_text("", encoding="utf-8")
    settings = overridden(load(path, {}), [over("south", added=True, port=1)], secret=SECRET)
    assert [link.port for link in settings.links] == [1]

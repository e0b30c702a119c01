"""Settings come from a file and the environment; whatever cannot be used is refused with its name."""

import dataclasses
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest

from esito.config import ConfigError, HttpSettings, Settings, load, tells_secrets, unknown_variables
from esito.domain.retrying import USUAL, RetryRule
from esito.domain.states import MultipartRule

DESIGN = """
[http]
listen = "127.0.0.1:8000"
error_status = 400
trusted_proxies = []
tls_cert = ""
tls_key = ""
[store]
url = "sqlite:///var/esito.db"
[bus]
url = ""
[retention]
text_days = 7
status_days = 90
[callbacks]
signing_secret = ""
allow_private_networks = false
[clock]
pushable = false
[[link]]
name = "alpha"
host = "127.0.0.1"
port = 2775
system_id = "smsc"
password = "secret"
bind = "transceiver"
sessions = 1
window = 100
throughput = 0
tls = false
receipt_timezone = "UTC"
message_id_form = "auto"
multipart_rule = "any-failed"
resubmit_uncertain = false
prefixes = ["+33"]
"""


def settings_of(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "esito.toml"
    path.write_text(text)
    return load(path, environ)


def refusal_of(tmp_path: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as refused:
        settings_of(tmp_path, text, **environ)
    return str(refused.value).removeprefix(f"{tmp_path}/")


def test_the_file_of_the_design_is_read(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, DESIGN)
    (link,) = settings.links
    assert (link.name, link.password, link.prefixes) == ("alpha", "secret", ("+33",))
    assert link.multipart_rule is MultipartRule.ANY_FAILED
    assert link.zone is UTC


def test_the_file_of_the_design_says_the_defaults(tmp_path: Path) -> None:
    assert dataclasses.replace(settings_of(tmp_path, DESIGN), links=()) == Settings()


def test_without_a_file_there_are_defaults_and_no_link() -> None:
    assert load(None, {}) == Settings()
    assert Settings().links == ()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().http.listen = "0.0.0.0:1"  # type: ignore[misc]  # that it cannot is what we test


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[htp]", "esito.toml: there is no section [htp]; there are http, store, bus, retention, callbacks, clock, "
                  "pricing, limits, logs, errors, link"),
        ("[http]\nlisten_on = 1", "esito.toml: http.listen_on is not known; [http] has listen, monitor, error_status, "
                                  "trusted_proxies, connections, per_address, tls_cert, tls_key"),
        ("http = 1", "esito.toml: http must be a section, [http]"),
        ("[link]\nname = 'a'", "esito.toml: a link begins with [[link]], in double brackets"),
        ("link = [1]", "esito.toml: link 1 must be a section, [[link]]"),
        ("[http]\nlisten = 8000", "esito.toml: http.listen must be host:port, such as 127.0.0.1:8000 or [::1]:8000; "
                                  "it is 8000"),
        ("[http]\nlisten = 'localhost'", "esito.toml: http.listen must be host:port, such as 127.0.0.1:8000 or "
                                         "[::1]:8000; it is 'localhost'"),
        ("[http]\nlisten = '[::g]:80'", "esito.toml: http.listen must be host:port, such as 127.0.0.1:8000 or "
                                        "[::1]:8000; it is '[::g]:80'"),
        ("[http]\nlisten = 'a:65536'", "esito.toml: http.listen must be host:port, such as 127.0.0.1:8000 or "
                                       "[::1]:8000; it is 'a:65536'"),
        ("[http]\nerror_status = 418", "esito.toml: http.error_status must be one of 400, 200; it is 418"),
        ("[http]\ntrusted_proxies = ['moon']", "esito.toml: http.trusted_proxies must be a list of IP addresses or "
                                               "networks, such as 10.0.0.0/8; it is ['moon']"),
        ("[http]\ntls_cert = 'a.pem'", "esito.toml: http.tls_cert and http.tls_key go together: both or none"),
        ("[store]\nurl = 'mysql://x'", "esito.toml: store.url must be sqlite:///relative/path.db, "
                                       "sqlite:////absolute/path.db or postgresql://user@host/db; it is 'mysql://x'"),
        ("[store]\nurl = 'sqlite:///:memory:'", "esito.toml: store.url must be sqlite:///relative/path.db, "
                                                "sqlite:////absolute/path.db or postgresql://user@host/db; "
                                                "it is 'sqlite:///:memory:'"),
        ("[bus]\nurl = 'amqp://a'", "esito.toml: bus.url must be empty, or nats://host:port, several with commas; "
                                  "it is 'amqp://a'"),
        ("[retention]\nstatus_days = 2",
         "esito.toml: retention.status_days must be a whole number, 3 or more; it is 2"),
        ("[retention]\ntext_days = 1.5",
         "esito.toml: retention.text_days must be a whole number, 1 or more; it is 1.5"),
        ("[callbacks]\nallow_private_networks = 'yes'", "esito.toml: callbacks.allow_private_networks must be true or "
                                                        "false; it is 'yes'"),
        ("[clock]\nspeed = 0", "esito.toml: clock.speed must be a number above 0; it is 0"),
        ("[pricing]\ndefault = '-1'", "esito.toml: pricing.default must be a price of 0 or more with at most 3 "
                                      "decimals; it is '-1'"),
        ("[pricing]\ndefault = true", "esito.toml: pricing.default must be a price of 0 or more with at most 3 "
                                      "decimals; it is True"),
        ("[pricing]\ndefault = 'NaN'", "esito.toml: pricing.default must be a price of 0 or more with at most 3 "
                                       "decimals; it is 'NaN'"),
        ("[pricing]\ndefault = '0.0455'", "esito.toml: pricing.default must be a price of 0 or more with at most 3 "
                                          "decimals; it is '0.0455'"),
        ("[pricing]\ncurrency = 'euro'", "esito.toml: pricing.currency must be three capital letters, such as EUR; it "
                                         "is 'euro'"),
        ("[pricing]\ncountries = {France = '1'}", "esito.toml: pricing.countries must be a table of countries and "
                                                  "prices, such as {FR = \"0.045\"}; it is {'France': '1'}"),
        ("[pricing]\nhome = 'UK'", "esito.toml: pricing.home must be a country by its code of ISO 3166, such as FR; it "
                                   "is 'UK'"),
        ("[pricing]\nprefixes = {32 = '1'}", "esito.toml: pricing.prefixes must be a table of prefixes with +, up to 8 "
                                             "digits, and prices, such as {\"+3246\" = \"0.07\"}; it is {'32': '1'}"),
        ("[pricing]\nprefixes = {'+324612345' = '1'}",
         "esito.toml: pricing.prefixes must be a table of prefixes with +, up to 8 digits, and prices, such as "
         "{\"+3246\" = \"0.07\"}; it is {'+324612345': '1'}"),
        ("[logs]\nlevel = 'loud'", "esito.toml: logs.level must be one of debug, info, warning, error; it is 'loud'"),
        ("[[link]]\nhost = 'a'", "esito.toml: link 1.name must be 1 to 32 letters, digits, - or _, with a letter or "
                                 "digit first; it is ''"),
        ("[[link]]\nname = 'a'\nport = 0", "esito.toml: link.a.port must be a port, 1 to 65535; it is 0"),
        ("[[link]]\nname = 'a'\nhost = ''", "esito.toml: link.a.host must be a host name or an IP address, without a "
                                            "port; it is ''"),
        ("[[link]]\nname = 'a'\nsystem_id = 'é'", "esito.toml: link.a.system_id must be at most 64 ASCII "
                                                  "characters; it is 'é'"),
        ("[[link]]\nname = 'a'\nbind = 'both'", "esito.toml: link.a.bind must be one of transceiver, transmitter + "
                                                "receiver, transmitter, receiver; it is 'both'"),
        ("[[link]]\nname = 'a'\nreceipt_timezone = 'Mars/Base'", "esito.toml: link.a.receipt_timezone must be a time "
                                                                 "zone, such as UTC or Europe/Paris; it is "
                                                                 "'Mars/Base'"),
        ("[[link]]\nname = 'a'\ncountry = 'XX'", "esito.toml: link.a.country must be empty, or the two letters of a "
         "country (ISO 3166), such as FR; it is 'XX'"),
        ("[[link]]\nname = 'a'\nreceipt_timezone = '../x'", "esito.toml: link.a.receipt_timezone must be a time zone, "
                                                            "such as UTC or Europe/Paris; it is '../x'"),
        ("[[link]]\nname = 'a'\nmultipart_rule = 'some'", "esito.toml: link.a.multipart_rule must be one of "
                                                          "any-failed, all, last, first; it is 'some'"),
        ("[[link]]\nname = 'a'\nprefixes = ['33']", "esito.toml: link.a.prefixes must be a list of prefixes with +, "
                                                    "such as +33; it is ['33']"),
        ("[[link]]\nname = 'a'\nsender = 'my-company'", "esito.toml: link.a.sender must be at most 11 ASCII letters, "
                                                        "digits and blanks, or a number; it is 'my-company'"),
        ("[[link]]\nname = 'a'\nstop_number = 'SHOP'", "esito.toml: link.a.stop_number must be a number of 3 to 15 "
                                                       "digits; it is 'SHOP'"),
        ("[[link]]\nname = 'a'\nstop_number = '12'", "esito.toml: link.a.stop_number must be a number of 3 to 15 "
                                                     "digits; it is '12'"),
        ("[[link]]\nname = 'a'\n[[link]]\nname = 'A'", "esito.toml: link.A is there twice; the name of a link must be "
                                                       "its own"),
        ("[http", "esito.toml is not TOML: Expected ']' at the end of a table declaration (at end of document)"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, text: str, sentence: str) -> None:
    assert refusal_of(tmp_path, text) == sentence


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read: No such file or directory"):
        load(tmp_path / "nowhere.toml", {})


def test_a_wrong_secret_is_refused_and_not_shown(tmp_path: Path) -> None:
    refused = refusal_of(tmp_path, "[[link]]\nname = 'a'\npassword = 'pässword'")
    assert refused == "esito.toml: link.a.password must be at most 64 ASCII characters"


def test_secrets_do_not_show_in_a_printed_settings_object(tmp_path: Path) -> None:
    text = "[store]\nsecret = 'hidden-1'\n[callbacks]\nsigning_secret = 'hidden-2'\n"
    settings = settings_of(tmp_path, text + "[[link]]\nname = 'a'\npassword = 'hidden-3'")
    assert settings.links[0].password == "hidden-3"
    assert "hidden" not in repr(settings)


def test_a_variable_overrides_the_file(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        DESIGN,
        ESITO_HTTP_LISTEN="0.0.0.0:80",
        ESITO_HTTP_ERROR_STATUS="200",
        ESITO_HTTP_TRUSTED_PROXIES="10.0.0.0/8, 192.168.1.1",
        ESITO_CLOCK_PUSHABLE="true",
        ESITO_CLOCK_SPEED="60",
        ESITO_PRICING_DEFAULT="0.1",
        ESITO_LINK_ALPHA_PASSWORD="other",
        ESITO_LINK_ALPHA_PREFIXES="",
        ESITO_LINK_ALPHA_MULTIPART_RULE="last",
    )
    assert settings.http.address == ("0.0.0.0", 80)
    assert settings.http.error_status == 200
    assert settings.http.trusted_proxies == ("10.0.0.0/8", "192.168.1.1")
    assert (settings.clock.pushable, settings.clock.speed) == (True, 60.0)
    assert settings.pricing.default == Decimal("0.1")
    link = settings.links[0]
    assert (link.password, link.prefixes, link.multipart_rule) == ("other", (), MultipartRule.LAST)


def test_a_wrong_variable_is_refused_by_its_own_name(tmp_path: Path) -> None:
    refused = refusal_of(tmp_path, "", ESITO_RETENTION_TEXT_DAYS="week")
    assert refused == "ESITO_RETENTION_TEXT_DAYS must be a whole number, 1 or more; it is 'week'"


def test_the_variable_of_a_link_with_a_dash_is_written_with_an_underscore(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "[[link]]\nname = 'north-1'", ESITO_LINK_NORTH_1_HOST="smsc.example")
    assert settings.links[0].host == "smsc.example"


def test_variables_that_are_no_setting_are_told_and_not_refused() -> None:
    environ = {"ESITO_HTTP_PORT_80_TCP": "x", "ESITO_HTTP_LISTEN": "a:1", "ESITO_URL": "http://x", "HOME": "/"}
    assert unknown_variables(environ) == ["ESITO_HTTP_PORT_80_TCP"]
    assert load(None, environ).http.listen == "a:1"


def test_a_price_may_be_a_number_and_a_country_may_have_its_own(tmp_path: Path) -> None:
    pricing = settings_of(tmp_path, "[pricing]\ndefault = 0.045\ncountries = {FR = '0.04', BE = 0.1}").pricing
    assert pricing.default == Decimal("0.045")
    assert pricing.countries == {"FR": Decimal("0.04"), "BE": Decimal("0.1")}


@pytest.mark.parametrize(("url", "path"), [("sqlite:///var/x.db", "var/x.db"), ("sqlite:////srv/x.db", "/srv/x.db")])
def test_three_slashes_are_relative_and_four_absolute(tmp_path: Path, url: str, path: str) -> None:
    assert settings_of(tmp_path, f"[store]\nurl = '{url}'").store.path == Path(path)


def test_an_ipv6_address_is_read_without_its_brackets() -> None:
    assert HttpSettings(listen="[::1]:8000").address == ("::1", 8000)


def test_every_setting_has_a_help_and_every_default_may_stand_in_the_file(tmp_path: Path) -> None:
    rows = Settings.help_table()
    assert len({(row.section, row.name) for row in rows}) == len(rows)
    assert all(row.help.endswith((".", "`")) for row in rows)
    sections: dict[str, list[str]] = {}
    for row in rows:
        if row.section != "[[link]]":
            sections.setdefault(row.section, []).append(f"{row.name} = {row.default}")
    text = "\n".join("\n".join([section, *lines]) for section, lines in sections.items())
    assert settings_of(tmp_path, text) == Settings()


def test_a_link_says_which_refusals_pass(tmp_path: Path) -> None:
    lines = """
[[link]]
name = "alpha"
[link.retry]
0x08 = { times = 5, after = 2, longest = 60 }
generic_nack = { times = 0 }
[[link]]
name = "beta"
"""
    alpha, beta = settings_of(tmp_path, lines).links
    assert alpha.retries.rule(0x08) == RetryRule(times=5, after=2.0, longest=60.0)
    assert alpha.retries.rule(0x03, nack=True) == RetryRule(times=0, after=5.0)
    assert beta.retries.rule(0x08) == USUAL[0x08]


@pytest.mark.parametrize(
    "line", ["8 = {times = 1}", "0x08 = 1", "0x08 = {often = 1}", "0x0b = {}", "0x08 = {times = -1}"]
)
def test_a_line_of_the_retry_table_that_cannot_be_one_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=r"link\.alpha\.retry must be a table of statuses and what to do, such as"):
        settings_of(tmp_path, f'[[link]]\nname = "alpha"\n[link.retry]\n{line}')


@pytest.mark.parametrize(
    ("written", "tells"),
    [
        ("[[link]]\nname = 'a'\npassword = 'secret'", True),
        ("[store]\nsecret = 'x'", True),
        ("[store]\nurl = 'postgresql://esito:secret@db/esito'", True),
        ("[callbacks]\nsigning_secret = 'x'", True),
        ("[store]\nurl = 'postgresql://esito@db/esito'\n[[link]]\nname = 'a'\npassword = ''", False),
        ("", False),
    ],
)
def test_a_file_with_a_password_in_it_is_known(tmp_path: Path, written: str, *, tells: bool) -> None:
    file = tmp_path / "esito.toml"
    file.write_text(written, encoding="utf-8")
    assert tells_secrets(file) is tells

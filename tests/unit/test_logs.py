"""Logs tell what happened, and never a key or a whole number."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from esito import logs
from esito.domain.credentials import new_api_key

NUMBER = "+33612345678"
KEY = new_api_key()


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave logging as pytest had it."""
    root, level = logging.root.handlers, logging.root.level
    yield
    logging.root.handlers = root
    logging.root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def written(write: Callable[[Any], object], *, level: str = "info", form: str = "json") -> str:
    """Return what is logged while `write` is given a logger."""
    stream = io.StringIO()
    structlog.reset_defaults()
    logs.configure(level=level, form=form, stream=stream)
    write(structlog.get_logger())
    return stream.getvalue()


def event(**keys: Any) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(written(lambda log: log.info("event", **keys)))
    return line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /v1/bulk-status?apiKey=abc&messageId=12", "GET /v1/bulk-status?apiKey=***&messageId=12"),
        ("/v1/message-status?phoneNumber=0612345678", "/v1/message-status?phoneNumber=0612****78"),
        ("?phoneNumber=%2B33612345678&apiKey=a%20b", "?phoneNumber=+336******78&apiKey=***"),
        ("?phoneNumber= 33612345678", "?phoneNumber= 3361*****78"),
        ('{"apiKey": "abc", "phoneNumbers": "0612345678,0687654321"}',
         '{"apiKey": "***", "phoneNumbers": "0612****78,0687****21"}'),
        ("{'api_key': 'abc'}", "{'api_key': '***'}"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("sent to +33612345678", "sent to +336******78"),
        ("sent to +33 6 12 34 56 78.", "sent to +336******78."),
        pytest.param(f"the key {KEY} is unknown", "the key *** is unknown", id="a key, which is another one each time"),
        ("smsc id 12345678901234", "smsc id 12345678901234"),
        ("2027-01-15T08:00:00.000+0000", "2027-01-15T08:00:00.000+0000"),
    ],
)  # fmt: skip
def test_what_a_text_says_is_hidden(text: str, shown: str) -> None:
    assert logs.hide(text) == shown
    assert event(text=text)["text"] == shown


@pytest.mark.parametrize("name", ["api_key", "apiKey", "key", "password", "secret", "Authorization", "signing_secret"])
def test_the_value_of_a_secret_is_hidden_whatever_it_is(name: str) -> None:
    assert event(**{name: "abc"})[name] == "***"
    assert event(**{name: ["abc"]})[name] == "***"
    assert event(keys={name: 7})["keys"] == {name: "***"}


@pytest.mark.parametrize("name", ["msisdn", "to", "from", "phone", "phoneNumber", "source_addr", "addresses"])
@pytest.mark.parametrize("value", ["33612345678", 33612345678, b"33612345678"])
def test_a_number_under_a_name_that_tells_it_is_hidden_without_plus_too(name: str, value: object) -> None:
    assert event(**{name: value})[name] == "3361*****78"


def test_numbers_are_hidden_inside_lists_tables_and_objects() -> None:
    shown = event(receipts=[{"msisdn": "33612345678"}, ValueError(NUMBER)], by_number={NUMBER: 1}, msisdns=(NUMBER,))
    assert shown["receipts"] == [{"msisdn": "3361*****78"}, "+336******78"]
    assert shown["by_number"] == {"+336******78": 1}
    assert shown["msisdns"] == ["+336******78"]


def test_what_is_no_secret_stays_as_it_is() -> None:
    shown = event(count=3, ratio=0.5, ok=True, nothing=None, link="alpha", smsc_message_id="12345678901234")
    del shown["timestamp"]
    assert shown == {"event": "event", "level": "info", "count": 3, "ratio": 0.5, "ok": True, "nothing": None,
                     "link": "alpha", "smsc_message_id": "12345678901234"}  # fmt: skip


def test_an_exception_is_told_without_what_it_carries() -> None:
    def fail(log: Any) -> None:
        try:
            int(f"apiKey={KEY} to {NUMBER}")
        except ValueError:
            log.exception("failed")

    line = json.loads(written(fail))
    assert "ValueError: invalid literal for int() with base 10: 'apiKey=*** to +336******78'" in line["exception"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_libraries_come_out_in_the_same_form_and_hidden(form: str) -> None:
    out = written(lambda _: logging.getLogger("granian.access").warning("GET ?apiKey=%s", KEY), form=form)
    assert "GET ?apiKey=***" in out
    assert KEY not in out
    if form == "json":
        assert json.loads(out)["logger"] == "granian.access"


def test_warnings_are_logged_and_hidden() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        out = written(lambda _: warnings.warn(f"careful with {NUMBER}", UserWarning, stacklevel=1))
    assert "careful with +336******78" in json.loads(out)["event"]
    assert NUMBER not in out


def test_a_level_that_is_off_writes_nothing() -> None:
    def write(log: Any) -> None:
        log.debug("d")
        log.info("i")
        log.warning("w")
        logging.getLogger("library").info("l")

    assert [json.loads(line)["event"] for line in written(write, level="warning").splitlines()] == ["w"]
    assert [json.loads(line)["event"] for line in written(write, level="debug").splitlines()] == ["d", "i", "w", "l"]


def test_colours_are_for_terminals_only() -> None:
    assert "\x1b[" not in written(lambda log: log.info("event", link="alpha"), form="console")


def test_what_json_cannot_write_is_written_all_the_same() -> None:
    shown = event(text="\ud800", big=2**70, octets=b"\xff\x00")
    assert (shown["text"], shown["big"], shown["octets"]) == ("\\ud800", str(2**70), "\\xff\x00")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
WAYS = st.sampled_from(
    [
        f"apiKey={KEY}",
        f"{{'apiKey': '{KEY}', 'to': '{NUMBER}'}}",
        f"Bearer {KEY}",
        f"?phoneNumber=%2B{NUMBER[1:]}",
        f"?phoneNumber= {NUMBER[1:]}&x=1",
        f"to {NUMBER}",
        NUMBER.encode(),
        [NUMBER],
        {NUMBER: KEY},
        {"msisdn": int(NUMBER[1:])},
        ValueError(NUMBER, KEY),
    ]
)


@given(name=st.text(min_size=1), before=VALUES, secret=WAYS, form=st.sampled_from(["json", "console"]))
def test_no_secret_ever_shows(name: str, before: Any, secret: Any, form: str) -> None:
    keys = {f"x{name}": before, "note": secret, "inner": {"deep": [secret, before]}}
    out = written(lambda log: log.warning("event", **keys), form=form)
    assert KEY not in out
    assert NUMBER[1:] not in out


@pytest.mark.parametrize("value", ["\x1b[2J", "\x9b31m", "a\u202eb", ["\x1b[2J"], {"\x1b[2J": "\x1b[2J"}])
def test_a_console_is_steered_by_nobody(value: object) -> None:
    told = written(lambda log: log.info("event", path=value), form="console")
    assert not set(told) & {"\x1b", "\x9b", "\u202e"}

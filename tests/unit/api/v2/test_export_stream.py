"""Taking everything along; and that no text breaks out of CSV or XML."""

import asyncio
import csv
import io
import json
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.api.http.xml import Text, to_xml
from esito.api.v2 import export_stream
from esito.api.v2.export_stream import CLOCKS_APART, COLUMNS, as_csv, as_jsonl, csv_cell
from esito.lifecycle.account_threads import STREAMS
from esito.store.interface.message_store import ExportedRecipient
from tests.kit.builders import NOW
from tests.kit.desk import KEY, Desk, Reply, ask
from tests.kit.patience import A_MOMENT, WORK, Beside, until

FIRST, SECOND = "+33611111111", "+33622222222"

ANY_TEXT = st.text(st.characters(), max_size=30) | st.sampled_from(
    [
        "]]>",
        "<![CDATA[",
        "&amp;",
        "]]]]>>",
        "\ud800",
        "\0\x1b\ufffe",
        "</entry>",
        '"',
        '",=1+1\r\n',
        "=cmd|' /C calc'!A0",
    ]
)


def export(api: Desk, query: str = "", key: str = KEY) -> Reply:
    return api.ask("GET", "/v2/export", query=query, headers=[("authorization", f"Bearer {key}")])


def row(sender: str = "ESITO", tag: str | None = None, reference: str | None = None) -> ExportedRecipient:
    return ExportedRecipient(1, NOW, NOW, sender, 0, tag, reference, 0, 33611111111, 8, NOW, 1, 45_000)


def read_csv(octets: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(octets.decode(), newline=""), strict=True))


def test_csv_has_a_line_for_every_recipient(api: Desk) -> None:
    message = api.send(FIRST, SECOND, tag="t", reference="r", sender="ESITO")
    api.settle("DELIVRD", "")
    reply = export(api)
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="esito-export.csv"'
    assert "content-length" not in reply.headers
    head, first, second = read_csv(reply.body)
    assert head == list(COLUMNS)
    assert first == [
        str(message), "2027-01-15T08:00:00Z", "2027-01-15T08:00:00Z", "ESITO", "false", "t", "r", "0", FIRST,
        "Delivered", "delivered", "2027-01-15T08:00:10Z", "1", "0.045", "EUR",
    ]  # fmt: skip
    assert (second[8], second[9]) == (SECOND, "Waiting")


def test_jsonl_has_an_object_for_every_recipient(api: Desk) -> None:
    api.send(FIRST, SECOND)
    reply = export(api, "format=jsonl")
    assert reply.headers["content-type"] == "application/jsonl"
    told = [json.loads(line) for line in reply.text.splitlines()]
    assert [list(one) for one in told] == [list(COLUMNS)] * 2
    assert [(one["msisdn"], one["tag"], one["cost"]) for one in told] == [(FIRST, None, 0.045), (SECOND, None, 0.045)]


def test_more_than_a_page_comes_whole_and_once(api: Desk) -> None:
    many = [f"+336{number:08d}" for number in range(11_000_000, 11_000_500)]
    for _ in range(3):
        api.send(*many)
    numbers = [line[8] for line in read_csv(export(api).body)[1:]]
    assert len(numbers) > export_stream.ROWS_AT_ONCE
    assert numbers == many * 3


def test_only_of_the_interval_and_of_the_account(api: Desk) -> None:
    api.add_account("other", "other-key")
    api.send(FIRST)
    api.clock.advance(86_400_000)
    api.send(SECOND)
    assert [line[8] for line in read_csv(export(api, "from=2027-01-16").body)[1:]] == [SECOND]
    assert [line[8] for line in read_csv(export(api, "to=2027-01-15").body)[1:]] == [FIRST]
    assert read_csv(export(api, key="other-key").body) == [list(COLUMNS)]


def piecewise(api: Desk, on_piece: Callable[[int], Awaitable[None]], *, stays: asyncio.Event) -> list[bytes]:
    """Export, and call what is to happen after each piece; once `stays` is set, the client has gone."""
    pieces: list[bytes] = []

    async def receive() -> dict[str, Any]:
        await stays.wait()
        return {"type": "http.disconnect"}

    async def send(event: Mapping[str, Any]) -> None:
        if event["type"] == "http.response.body":
            pieces.append(event["body"])
            await on_piece(len(pieces))
            await asyncio.sleep(0)

    headers = [(b"authorization", f"Bearer {KEY}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/v2/export", "query_string": b"", "client": None}
    api.runner.run(api.app({**scope, "headers": headers}, receive, send))
    return pieces


def test_it_ends_with_what_was_accepted_before_it_began_or_soon_after(api: Desk) -> None:
    many = [f"+336{number:08d}" for number in range(11_000_000, 11_000_500)]
    before = [api.send(*many, sandbox=1), api.send(*many, sandbox=1)]

    async def send_more(count: int) -> None:
        if count < 20:  # as fast as it is exported
            api.clock.advance(CLOCKS_APART + 1)
            body = json.dumps({"apiKey": KEY, "phoneNumbers": ",".join(many), "message": "late", "sandbox": 1}).encode()
            assert (await ask(api.app, "POST", "/v1/send", body=[body])).status == 200

    pieces = piecewise(api, send_more, stays=asyncio.Event())
    assert {line[0] for line in read_csv(b"".join(pieces))[1:]} == {str(number) for number in before}


def test_it_ends_when_nobody_reads_it_any_more(api: Desk) -> None:
    many = [f"+336{number:08d}" for number in range(11_000_000, 11_000_500)]
    for _ in range(4):
        api.send(*many, sandbox=1)
    gone = asyncio.Event()

    async def go(count: int) -> None:
        if count == 2:
            gone.set()

    assert len(piecewise(api, go, stays=gone)) < 5
    assert len(piecewise(api, nothing, stays=asyncio.Event())) == 12


def test_of_one_account_few_are_written_at_the_same_time_however_slowly_they_are_read(api: Desk) -> None:
    api.add_account("other", "their-key")
    api.send(FIRST)
    begun: list[str] = []
    first_piece, reads = 2, asyncio.Event()  # what comes first of all is the head

    async def export_slowly(key: str) -> None:
        seen = 0

        async def send(event: Mapping[str, Any]) -> None:
            nonlocal seen
            if event["type"] == "http.response.body":
                seen += 1
                if seen == first_piece:
                    begun.append(key)
                    await reads.wait()

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        headers = [(b"authorization", f"Bearer {key}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/v2/export", "query_string": b"", "client": None}
        await api.app({**scope, "headers": headers}, receive, send)

    async def all_at_once() -> None:
        tasks = [asyncio.create_task(export_slowly(KEY)) for _ in range(20)]
        await until(lambda: len(begun) == STREAMS)
        tasks.append(asyncio.create_task(export_slowly("their-key")))
        await until(lambda: "their-key" in begun)
        await asyncio.sleep(A_MOMENT)
        assert begun.count(KEY) == STREAMS
        reads.set()
        await asyncio.gather(*tasks)
        assert begun.count(KEY) == 20

    api.runner.run(all_at_once())


async def nothing(_: int) -> None:
    """Let it go on."""


def test_a_page_is_written_beside_the_loop(api: Desk) -> None:
    many = [f"+336{number:08d}" for number in range(11_000_000, 11_000_500)]
    api.send(*many)
    wrote: list[str] = []

    def write(rows: Sequence[ExportedRecipient], currency: str) -> bytes:
        wrote.append(threading.current_thread().name)
        return as_csv(rows, currency)

    kind, head, _ = export_stream.FORMATS["csv"]
    export_stream.FORMATS["watched"] = (kind, head, write)
    try:
        assert export(api, "format=watched").status == 200
    finally:
        del export_stream.FORMATS["watched"]
    assert len(wrote) == 3
    assert all(name.startswith("esito-aside") for name in wrote)


def test_a_format_that_is_none_is_refused(api: Desk) -> None:
    assert export(api, "format=xlsx").refused == (400, 6, "Le format n'est pas correct")


def test_a_key_is_needed(api: Desk) -> None:
    assert api.ask("GET", "/v2/export").refused == (401, 1, "La Clé API est requise")


DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "\u200b=1", " \u2060\ufeff=1", "\u00a0+1", "\tx", "\rx"]
)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text: str) -> None:
    assert csv_cell(text) == f'"\'{text}"'


@pytest.mark.parametrize(
    ("text", "written"),
    [("x;=1", "x;'=1"), ("x; \u200b@A", "x;' \u200b@A"), ("a\n-1", "a\n'-1"), ("1;2", "1;2"), ("a=b;c", "a=b;c")],
)
def test_what_is_a_cell_of_its_own_where_semicolons_divide_gets_one_too(text: str, written: str) -> None:
    assert csv_cell(text) == f'"{written}"'


@pytest.mark.parametrize("piece", ["; ", "\t", " ", ";", "\u200b", ";=", "\r\n"])
def test_a_cell_is_written_in_linear_time(piece: str) -> None:
    both = Beside(WORK)
    for _ in range(15):
        for name, times in (("once", 4_000), ("four times", 16_000)):
            with both.timed(name):
                csv_cell(piece * times)
    assert both.ratio("four times", "once") < 10


def test_a_spreadsheet_is_told_that_it_is_utf_8(api: Desk) -> None:
    api.send(FIRST)
    plain, marked = export(api), export(api, "bom=1")
    assert marked.body == b"\xef\xbb\xbf" + plain.body
    assert not export(api, "format=jsonl&bom=1").body.startswith(b"\xef")


def test_an_msisdn_keeps_its_plus(api: Desk) -> None:
    api.send(FIRST)
    assert f',"{FIRST}",' in export(api).text


def without_marks(text: str | None) -> str:
    """Return what a careful reader gets back: what UTF-8 and CSV can hold, without the apostrophes."""
    return (text or "").replace("\0", "\ufffd").encode("utf-8", "replace").decode().replace("'", "")


@given(sender=ANY_TEXT, tag=st.none() | ANY_TEXT, reference=st.none() | ANY_TEXT)
def test_no_text_breaks_out_of_a_csv_cell(sender: str, tag: str | None, reference: str | None) -> None:
    (cells,) = read_csv(as_csv([row(sender, tag, reference)], "EUR"))
    told = dict(zip(COLUMNS, cells, strict=True))
    for name, text in (("sender", sender), ("tag", tag), ("reference", reference)):
        assert not told[name].startswith(DANGEROUS)
        assert without_marks(told[name]) == without_marks(text)
    assert (told["msisdn"], told["currency"]) == (FIRST, "EUR")


@given(text=ANY_TEXT)
def test_no_text_breaks_out_of_a_json_line(text: str) -> None:
    octets = as_jsonl([row(tag=text)], "EUR")
    assert octets.count(b"\n") == 1
    assert json.loads(octets)["tag"] == text


def as_xml_holds(text: str) -> str:
    """Return a text as a parser gives it back: U+FFFD for what XML 1.0 cannot write, line ends made one."""
    kept = "".join(
        sign
        if sign in "\t\n\r" or " " <= sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd" or sign >= "\U00010000"
        else "\ufffd"
        for sign in text
    )
    return kept.replace("\r\n", "\n").replace("\r", "\n")


@given(text=ANY_TEXT, bare=ANY_TEXT)
def test_no_text_breaks_out_of_xml(text: str, bare: str) -> None:
    octets = to_xml({"success": True, "text": text, "bare": Text(bare), "list": [text, {"deep": text}], "last": 1})
    root = ET.fromstring(octets)
    assert [child.tag for child in root] == ["entry"] * 5
    success, one, other, several, last = root
    assert (success.text, last.text) == ("true", "1")
    assert (one.text or "") == as_xml_holds(text)
    assert (other.text or "") == as_xml_holds(bare)
    assert [part.text or "" for part in several.iter("entry") if not len(part)] == [as_xml_holds(text)] * 2

"""The parts of the runner: what is filled in, how a receipt becomes octets, and what the operator answers."""

import asyncio
from collections import deque
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from esito.smpp import pdu as p
from esito.smpp.codec import FrameBuffer, decode, encode
from tests.kit.patience import in_time
from tests.receipts.answering import Answering, Known, Late, response_octets
from tests.receipts.case import Filler, Variant, filled, integer, links_of, local_time, scaled, seconds, variants
from tests.receipts.deliveries import build, gsm_packed, pieces
from tests.receipts.operator import Operator
from tests.unit.simulator.esme import in_a_loop

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
FILLER = Filler(
    each=7, now=NOW, zone=ZoneInfo("Europe/Paris"), submits=[datetime(2026, 11, 23, 1, 2, tzinfo=UTC)], ids=["77"]
)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{each}", "7"),
        ("{n} {n+2} {n%4} {hex:n} {dec:n}", "11 13 3 b 11"),
        ("{id} {id:1}", "77 77"),
        ("{now}", "2611230600"),
        ("{now-1h}", "2611230500"),
        ("{now+1d2h}", "2611240800"),
        ("{now in UTC}", "2611230500"),
        ("{now+1h in America/New_York}", "2611230100"),
        ("{submit:1}", "2611230202"),
        ("{submit:1+5m in UTC}", "2611230107"),
        ("no template {} {1} {Big}", "no template {} {1} {Big}"),
    ],
)
def test_what_is_filled_in(template: str, said: str) -> None:
    assert FILLER.text(template, 11) == said


@pytest.mark.parametrize(
    "template", ["{submit:2}", "{submit:0}", "{now:1}", "{id:2}", "{hex:m}", "{n*2}", "{now in Mars}"]
)
def test_what_cannot_be_filled_in_is_refused(template: str) -> None:
    with pytest.raises((ValueError, KeyError), match=r"cannot fill|Mars"):
        FILLER.text(template, 1)


def test_each_alone_keeps_its_kind_and_within_a_text_becomes_text() -> None:
    event = {"submit": {"submit_status": "{each}", "response_ids": ["a{each}"], "submit_status_of": {"{each}": 8}}}
    assert filled(event, 4) == {"submit": {"submit_status": 4, "response_ids": ["a4"], "submit_status_of": {"4": 8}}}
    assert filled(["{each.a}", "{each.b}!"], {"a": 1, "b": "two"}) == [1, "two!"]


@pytest.mark.parametrize(
    ("written", "number"), [(88, 88), ("88", 88), ("0x58", 88), ("ESME_RTHROTTLED", 88), ("-1", -1)]
)
def test_numbers_are_written_as_one_likes(written: Any, number: int) -> None:
    assert integer(written) == number


def test_no_socket_time_lasts_longer_than_ten_seconds() -> None:
    assert scaled("10m") == 10
    assert scaled("20s") == 1
    assert scaled(60.0) == 3


@pytest.mark.parametrize(
    ("written", "lasts"), [("47h59m", 172_740), ("48.5h", 174_600), ("500ms", 0.5), ("1d", 86_400), ("20s", 20)]
)
def test_a_time_has_its_unit(written: str, lasts: float) -> None:
    assert seconds(written) == lasts


@pytest.mark.parametrize("written", ["49 h", "", "h", "5", "1h?", "-1h", "soon"])
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        seconds(written)


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-10-25T01:30", "2026-10-24T23:30"),
        ("2610250130", "2026-10-24T23:30"),
        ("06:10", "2026-11-23T05:10"),
        ("05:50", "2026-11-24T04:50"),
        ("2026-10-25T01:30+00:00", "2026-10-25T01:30"),
    ],
)
def test_a_local_time_is_that_of_the_operators_zone(written: str, utc: str) -> None:
    moment = local_time(written, ZoneInfo("Europe/Paris"), NOW).astimezone(UTC)
    assert moment == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def _variant(*events: dict[str, Any], **more: Any) -> Variant:
    case = {"id": "X", "title": "", "events": list(events), "expect": {}} | more
    return next(variants(case))


def test_words_about_the_link_are_its_settings() -> None:
    variant = _variant(
        {"link_timezone": "Asia/Tokyo"},
        {"id_form": "hex-to-dec"},
        {"link_setting": {"window": 3, "response_timeout": "20s"}},
    )
    (link,) = links_of(variant)
    assert link.settings == {
        "receipt_timezone": "Asia/Tokyo", "message_id_form": "hex-to-dec", "window": 3, "response_timeout": 1.0,
        "enquire_interval": 1.5,
    }  # fmt: skip
    assert variant.steps == []


def test_only_who_waits_in_vain_waits_a_short_time() -> None:
    def waits(*events: dict[str, Any], **expected: Any) -> set[float]:
        (link,) = links_of(_variant(*events, expect=expected))
        return {link.settings["response_timeout"], link.settings["enquire_interval"]}

    assert waits({"submit": {"to": "33612345678", "response_ids": ["1001"]}}) == {10.0}
    assert waits({"submit": {"lose_response": "timeout"}}) == {3.0, 1.5}
    assert waits({"query_sm": {"silent": True}}) == {3.0, 1.5}
    assert waits({"sigstop": "operator"}) == {3.0, 1.5}
    assert waits({"submit": {}}, detected_within="90s") == {3.0, 1.5}


def test_a_case_begins_when_the_operators_clock_says_so() -> None:
    variant = _variant({"link_timezone": "Europe/Paris"}, {"local": "2026-10-25T01:30"}, {"submit": {}})
    assert variant.begin == datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert _variant({"submit": {}}, {"local": "2026-10-25T01:30"}).begin == NOW


def _tlvs(receipt: dict[str, Any]) -> bytes:
    """Return what stands behind the text."""
    made = build({"text": "id:1"} | receipt, FILLER, 1, 1, "33612345678").octets
    assert int.from_bytes(made[:4], "big") == len(made)
    return made[made.index(b"id:1") + 4 :]


def test_tlvs_keep_their_order_and_may_come_twice() -> None:
    listed = [["message_state", 2], ["receipted_message_id", "A"], {"tag": "001e", "hex": "4200"}, {"0x1400": "x"}]
    assert _tlvs({"tlv_list": listed}).hex() == "0427000102" + "001e00024100" + "001e00024200" + "1400000178"


def test_tlvs_by_tag_have_their_raw_octets() -> None:
    assert _tlvs({"tlv_hex": {"001e": "414200fffe00"}}).hex() == "001e0006414200fffe00"


def test_a_text_is_written_in_any_codec() -> None:
    def octets(encoding: str, text: str) -> bytes:
        pdu = decode(build({"text": text, "encoding": encoding}, FILLER, 1, 1, "33612345678").octets)
        assert isinstance(pdu, p.DeliverSm)
        return pdu.short_message

    assert octets("cp500", "id") == b"\x89\x84"
    assert octets("utf-16-le", "id") == b"i\0d\0"
    assert octets("gsm", "\u00e9") == b"\x05"
    assert octets("hex", "00ff") == b"\x00\xff"
    assert octets("gsm-packed", "hello") == bytes.fromhex("e8329bfd06")
    assert gsm_packed(b"") == b""


@pytest.mark.parametrize(
    ("cut_at", "lengths"),
    [(4, [4, 16]), ([4, 16], [4, 12, 4]), (-1, [19, 1]), (0, [20]), (20, [20]), (99, [20]), ("every", [1] * 20)],
)
def test_a_pdu_is_cut_where_the_case_says(cut_at: Any, lengths: list[int]) -> None:
    octets = bytes(range(20))
    cut = pieces(octets, {"cut_at": cut_at})
    assert [len(piece) for piece in cut] == lengths
    assert b"".join(cut) == octets


def test_a_response_in_hexadecimal_is_put_right_in_its_number() -> None:
    answer = p.SubmitSmResp(sequence=5, status=8)
    assert response_octets("3100", answer).hex() == "00000012" + "80000004" + "00000008" + "00000005" + "3100"
    whole = "00000011800000040000000000000000" + "00"
    assert response_octets(whole, answer).hex() == "00000011800000040000000000000005" + "00"


async def _spoken(operator: Operator, *said: p.Pdu, answers: int) -> list[p.Pdu]:
    """Say PDUs to an operator and return what it answers."""
    await operator.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", operator.port)
    writer.write(b"".join(encode(pdu) for pdu in said))
    frames, came = FrameBuffer(), list[p.Pdu]()
    async with in_time():
        while len(came) < answers:
            came += [decode(frame) for frame in frames.feed(await reader.read(65536))]
    writer.close()
    await operator.close()
    return came


@in_a_loop
async def test_the_operator_answers_query_sm_as_the_case_says() -> None:
    operator = Operator()
    operator.given.add("7")
    operator.known["8"] = Known(message_state=2, final_date="261123050000000+", error_code=3)
    queries = [p.QuerySm(sequence=place, message_id=said) for place, said in enumerate(("7", "8", "9"), 1)]
    given, scripted, unknown = await _spoken(operator, *queries, answers=3)
    assert given == p.QuerySmResp(sequence=1, message_id="7", message_state=1)
    assert scripted == p.QuerySmResp(
        sequence=2, message_id="8", message_state=2, final_date="261123050000000+", error_code=3
    )
    assert (unknown.sequence, unknown.status) == (3, 0x67)


@in_a_loop
async def test_a_late_answer_comes_after_the_try_that_it_waits_for() -> None:
    operator = Operator()
    operator.answering["1"] = deque(
        [Answering(ids=["b"], late=Late(attempt=1, status=11, message_id="", after="try2_accepted"))]
    )
    tries = [p.SubmitSm(sequence=place, destination_addr="1") for place in (1, 2)]
    came = await _spoken(operator, *tries, answers=2)
    assert [(one.sequence, one.status) for one in came] == [(2, 0), (1, 11)]


@in_a_loop
async def test_first_tries_are_answered_one_after_the_other_and_the_next_as_usual() -> None:
    operator = Operator()
    operator.answering["1"] = deque([Answering(ids=["a"], first=[4, 8])])
    came = await _spoken(
        operator, *[p.SubmitSm(sequence=place, destination_addr="1") for place in (1, 2, 3)], answers=3
    )
    assert [one.status for one in came] == [4, 8, 0]


@in_a_loop
async def test_a_response_that_is_lost_never_comes_and_the_next_try_is_answered() -> None:
    operator = Operator()
    operator.answering["1"] = deque([Answering(ids=["a"], lost=True)])
    (came,) = await _spoken(
        operator, *[p.SubmitSm(sequence=place, destination_addr="1") for place in (1, 2)], answers=1
    )
    assert came == p.SubmitSmResp(sequence=2, message_id="a")
    assert operator.lost == 1


@in_a_loop
async def test_a_stopped_operator_says_what_it_had_to_say_when_it_goes_on() -> None:
    operator = Operator()
    operator.stop()
    operator.loop.call_later(0.05, operator.go_on)
    (came,) = await _spoken(operator, p.EnquireLink(sequence=9), answers=1)
    assert came == p.EnquireLinkResp(sequence=9)

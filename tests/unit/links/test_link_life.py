"""How a link stays alive and takes what the SMSC delivers: answered once it is kept, and not before."""

import asyncio

import pytest

from esito.smpp import pdu as p
from esito.smpp.codec import encode
from tests.kit.links import in_a_loop, linked, some, status_of
from tests.kit.peer import peer, until

# -- staying alive -----------------------------------------------------------------------------


@in_a_loop
async def test_both_sides_may_ask_whether_the_other_lives() -> None:
    async with peer() as smsc, linked(smsc, enquire_interval=0.1) as (link, _):
        await until(lambda: link.can_send)
        smsc.session.say(p.EnquireLink(sequence=5))
        assert status_of(await smsc.came(p.EnquireLinkResp)) == [(5, 0)]
        await smsc.came(p.EnquireLink, 2)
        assert len(smsc.sessions) == 1


@in_a_loop
async def test_an_smsc_that_answers_no_enquire_link_is_left() -> None:
    async with peer(answers_enquiries=False) as smsc, linked(smsc, enquire_interval=0.1, response_timeout=0.1):
        await until(lambda: len(smsc.sessions) == 2)
        assert smsc.sessions[0].over


@in_a_loop
async def test_a_pdu_that_is_never_finished_is_not_waited_for() -> None:
    async with peer() as smsc, linked(smsc, response_timeout=0.1) as (link, _):
        await until(lambda: link.can_send)
        smsc.session.write(b"\0\0\0\x40\0\0")
        await until(lambda: len(smsc.sessions) == 2)


@in_a_loop
async def test_a_stream_in_which_every_read_ends_within_a_pdu_is_no_pdu_that_is_never_finished() -> None:
    async with peer() as smsc, linked(smsc, response_timeout=0.3) as (link, events):
        await until(lambda: link.can_receive)
        octets = b"".join(encode(p.DeliverSm(sequence=number)) for number in range(1, 41))
        each = len(octets) // 40
        smsc.session.write(octets[: each // 2])
        for place in range(39):
            await asyncio.sleep(0.02)
            smsc.session.write(octets[each // 2 + place * each : each // 2 + (place + 1) * each])
        smsc.session.write(octets[each // 2 + 39 * each :])
        await until(lambda: len(events.deliveries) == 40)
        assert len(smsc.sessions) == 1


@in_a_loop
async def test_a_pdu_whose_rest_waits_until_we_read_again_is_not_given_up() -> None:
    async with peer() as smsc, linked(smsc, response_timeout=0.3, max_unanswered_receipts=1) as (link, events):
        await until(lambda: link.can_receive)
        events.may_answer.clear()
        whole, half = (encode(p.DeliverSm(sequence=number)) for number in (1, 2))
        smsc.session.write(whole + half[:10])
        await until(lambda: len(events.deliveries) == 1)
        smsc.session.write(half[10:])
        await asyncio.sleep(0.8)
        events.may_answer.set()
        await until(lambda: len(events.deliveries) == 2)
        assert len(smsc.sessions) == 1


@in_a_loop
async def test_what_came_while_we_did_not_read_came_in_time() -> None:
    async with (
        peer(on_submit=lambda _: None) as smsc,
        linked(smsc, enquire_interval=0.1, response_timeout=0.6, max_unanswered_receipts=1) as (link, events),
    ):
        await until(lambda: link.can_send)
        link.submit(some(1))
        (submitted,) = await smsc.came(p.SubmitSm)
        events.may_answer.clear()
        smsc.session.say(p.DeliverSm(sequence=7))
        await until(lambda: len(events.deliveries) == 1)
        smsc.session.say(p.SubmitSmResp(sequence=submitted.sequence, message_id="1"))
        await smsc.came(p.EnquireLink, 2)  # answered, but not heard
        await asyncio.sleep(1.2)
        events.may_answer.set()
        await until(lambda: len(events.answers) == 1)
        assert events.answers[0].status == 0
        await asyncio.sleep(0.3)
        assert len(smsc.sessions) == 1


@in_a_loop
async def test_the_time_for_an_answer_goes_on_when_we_read_again() -> None:
    async with (
        peer(on_submit=lambda _: None) as smsc,
        linked(smsc, response_timeout=0.8, max_unanswered_receipts=1) as (link, events),
    ):
        await until(lambda: link.can_send)
        link.submit(some(1))
        (submitted,) = await smsc.came(p.SubmitSm)
        events.may_answer.clear()
        smsc.session.say(p.DeliverSm(sequence=7))
        await until(lambda: len(events.deliveries) == 1)
        await asyncio.sleep(1.2)
        events.may_answer.set()
        await asyncio.sleep(0.4)
        smsc.session.say(p.SubmitSmResp(sequence=submitted.sequence, message_id="1"))
        await until(lambda: len(events.answers) == 1)
        assert events.answers[0].status == 0


@in_a_loop
async def test_silence_after_we_read_again_is_silence() -> None:
    async with (
        peer(answers_enquiries=False) as smsc,
        linked(smsc, enquire_interval=0.1, response_timeout=0.3, max_unanswered_receipts=1) as (link, events),
    ):
        await until(lambda: link.can_send)
        events.may_answer.clear()
        smsc.session.say(p.DeliverSm(sequence=7))
        await until(lambda: len(events.deliveries) == 1)
        await asyncio.sleep(0.8)
        assert len(smsc.sessions) == 1
        events.may_answer.set()
        await until(lambda: len(smsc.sessions) == 2)


@in_a_loop
async def test_an_unbind_in_the_middle_of_a_window_is_answered_and_its_answers_are_taken() -> None:
    async with peer(on_submit=lambda _: None) as smsc, linked(smsc) as (link, events):
        await until(lambda: link.can_send)
        link.submit(some(2))
        first, second = await smsc.came(p.SubmitSm, 2)
        session = smsc.session
        session.say(p.Unbind(sequence=50))
        assert status_of(await smsc.came(p.UnbindResp)) == [(50, 0)]
        assert link.room == 0
        session.say(*(p.SubmitSmResp(sequence=one.sequence, message_id="1") for one in (first, second)))
        await until(lambda: len(events.answers) == 2)
        assert [one.status for one in events.answers] == [0, 0]
        await until(lambda: len(smsc.sessions) == 2)


@in_a_loop
async def test_a_stopped_link_unbinds() -> None:
    async with peer() as smsc:
        async with linked(smsc) as (link, _):
            await until(lambda: link.can_send)
        await smsc.came(p.Unbind)
        assert len(smsc.sessions) == 1


# -- receiving ---------------------------------------------------------------------------------


@in_a_loop
async def test_a_deliver_sm_is_answered_once_it_is_kept_and_not_before() -> None:
    async with peer() as smsc, linked(smsc) as (link, events):
        await until(lambda: link.can_receive)
        events.may_answer.clear()
        smsc.session.say(p.DeliverSm(sequence=7), p.DataSm(sequence=8))
        await until(lambda: len(events.deliveries) == 2)
        await asyncio.sleep(0.05)
        assert not smsc.session.of(p.DeliverSmResp)
        events.may_answer.set()
        assert status_of(await smsc.came(p.DeliverSmResp)) == [(7, 0)]
        assert status_of(await smsc.came(p.DataSmResp)) == [(8, 0)]


@in_a_loop
async def test_what_could_not_be_kept_is_not_answered() -> None:
    async with peer() as smsc, linked(smsc) as (link, events):
        await until(lambda: link.can_receive)
        events.error = RuntimeError("the store is gone")
        session = smsc.session
        session.say(p.DeliverSm(sequence=7))
        await until(lambda: session.over)
        assert not session.of(p.DeliverSmResp)


@pytest.mark.parametrize("limit", [1, 2, 10])
@in_a_loop
async def test_no_more_is_read_than_may_wait_and_reading_goes_on_afterwards(limit: int) -> None:
    async with peer() as smsc, linked(smsc, max_unanswered_receipts=limit) as (link, events):
        await until(lambda: link.can_receive)
        events.may_answer.clear()
        smsc.session.say(*(p.DeliverSm(sequence=number) for number in range(1, limit + 1)))
        await until(lambda: len(events.deliveries) == limit)
        smsc.session.say(p.DeliverSm(sequence=100))
        await asyncio.sleep(0.05)
        assert len(events.deliveries) == limit
        events.may_answer.set()
        await until(lambda: len(events.deliveries) == limit + 1)


@in_a_loop
async def test_a_deliver_sm_before_the_bind_is_refused() -> None:
    async with peer(bind_status=None) as smsc, linked(smsc):
        await smsc.came(p.BindTransceiver)
        smsc.session.say(p.DeliverSm(sequence=7))
        assert status_of(await smsc.came(p.GenericNack)) == [(7, 4)]


@in_a_loop
async def test_what_cannot_be_read_is_answered_and_the_session_lives_on() -> None:
    async with peer() as smsc, linked(smsc) as (link, events):
        await until(lambda: link.can_receive)
        smsc.session.write(bytes.fromhex("00000010 00000999 00000000 00000021"))
        assert status_of(await smsc.came(p.GenericNack)) == [(0x21, 3)]
        smsc.session.write(bytes.fromhex("00000012 00000005 00000000 00000022 4141"))
        assert status_of(await smsc.came(p.DeliverSmResp)) == [(0x22, 0)]
        smsc.session.write(bytes.fromhex("00000012 00000004 00000000 00000023 4141"))
        assert status_of(await smsc.came(p.GenericNack, 2))[1:] == [(0x23, 1)]
        smsc.session.say(p.DeliverSm(sequence=0x24))
        await until(lambda: len(events.deliveries) == 2)
        assert [(one.sequence, one.unreadable) for one in events.deliveries] == [(0x22, True), (0x24, False)]
        assert len(smsc.sessions) == 1


@in_a_loop
async def test_a_delivery_that_cannot_be_read_is_kept_whole_before_it_is_answered() -> None:
    async with peer() as smsc, linked(smsc) as (link, events):
        await until(lambda: link.can_receive)
        events.may_answer.clear()
        frames = [bytes.fromhex(f"00000012 {command} 00000000 00000022 4141") for command in ("00000005", "00000103")]
        smsc.session.write(b"".join(frames))
        await until(lambda: len(events.deliveries) == 2)
        assert [one.frame for one in events.deliveries] == frames
        assert smsc.session.of(p.DeliverSmResp) == smsc.session.of(p.DataSmResp) == []
        events.may_answer.set()
        assert status_of(await smsc.came(p.DeliverSmResp)) == status_of(await smsc.came(p.DataSmResp)) == [(0x22, 0)]


@in_a_loop
async def test_a_delivery_that_cannot_be_read_is_refused_before_the_bind_like_any_other() -> None:
    async with peer(bind_status=None) as smsc, linked(smsc) as (_, events):
        await smsc.came(p.BindTransceiver)
        smsc.session.write(bytes.fromhex("00000012 00000005 00000000 00000022 4141"))
        assert status_of(await smsc.came(p.GenericNack)) == [(0x22, 4)]
        assert events.deliveries == []

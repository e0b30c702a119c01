"""What a link does about an SMSC that does not let it in, answers nothing, or answers in ways of its own."""

import asyncio
import struct
from collections.abc import Callable
from contextlib import AsyncExitStack

import msgspec
import pytest

from esito.smpp import bind_refusals
from esito.smpp import pdu as p
from tests.kit.links import Events, in_a_loop, linked, some
from tests.kit.patience import until
from tests.kit.peer import Peer, peer

HINT = 'set bind = "transmitter + receiver"'


async def asking_whether_we_live(smsc: Peer) -> None:
    """Send enquire_link all the time, on whatever connection there is."""
    while True:
        if smsc.sessions and not smsc.session.over:
            smsc.session.say(p.EnquireLink(sequence=9))
        await asyncio.sleep(0.01)


# -- binds -------------------------------------------------------------------------------------


@in_a_loop
async def test_a_bind_that_is_never_answered_is_given_up_though_the_peer_asks_whether_we_live() -> None:
    async with peer(bind_status=None) as smsc, linked(smsc, bind_timeout=0.3) as (link, _):
        asking = asyncio.create_task(asking_whether_we_live(smsc))
        await until(lambda: len(smsc.sessions) > 1)
        asking.cancel()
        assert link.sessions[0].last_error == "no answer to the bind; what came was enquire_link"


@pytest.mark.parametrize("kind", ["transceiver", "transmitter"])
@in_a_loop
async def test_a_bind_answered_by_generic_nack_is_told_at_once(kind: str) -> None:
    async with peer(bind_status=None) as smsc, linked(smsc, bind=kind, rebind_min=30.0) as (link, _):
        await until(lambda: smsc.sessions and smsc.session.came)
        smsc.session.say(p.GenericNack(sequence=0, status=3))  # of no number, as some do
        await until(lambda: link.sessions[0].state == "rejected")
        error = link.sessions[0].last_error
        assert error.startswith("bind answered by generic_nack: ESME_RINVCMDID (0x00000003)")
        assert (HINT in error) is (kind == "transceiver")


@pytest.mark.parametrize("numbered", ["ours", "their own"])
@pytest.mark.parametrize(
    ("kind", "answer", "said"),
    [
        ("transceiver", p.BindTransmitterResp(), "bind_transmitter_resp"),
        ("transceiver", p.BindReceiverResp(), "bind_receiver_resp"),
        ("transmitter", p.BindTransceiverResp(), "bind_transceiver_resp"),
        ("receiver", p.BindTransmitterResp(), "bind_transmitter_resp"),
        ("transceiver", p.BindTransmitterResp(status=0x0E), "bind_transmitter_resp: ESME_RINVPASWD (0x0000000E)"),
        ("transceiver", p.EnquireLinkResp(), "enquire_link_resp"),
        ("transceiver", p.UnbindResp(), "unbind_resp"),
        ("transceiver", p.SubmitSmResp(message_id="7"), "submit_sm_resp"),
    ],
)
@in_a_loop
async def test_a_bind_answered_by_anything_but_its_own_response_is_told_at_once(
    kind: str, answer: p.Pdu, said: str, numbered: str
) -> None:
    async with peer(bind_status=None) as smsc, linked(smsc, bind=kind, rebind_min=30.0) as (link, _):
        await until(lambda: smsc.sessions and smsc.session.came)
        sequence = smsc.session.came[0].sequence if numbered == "ours" else 4711
        smsc.session.say(msgspec.structs.replace(answer, sequence=sequence), p.BindTransceiverResp(sequence=sequence))
        await until(lambda: link.sessions[0].state == "rejected")
        hint = f"; {bind_refusals.HINT}" if kind == "transceiver" else ""
        assert link.sessions[0].last_error == f"bind answered by {said}{hint}"
        assert link.troubles == [f"refused: the SMSC does not let us in (1 in a row): bind answered by {said}{hint}"]
        assert (link.can_send, link.can_receive) == (False, False)
        await until(lambda: smsc.session.over)


@in_a_loop
async def test_a_bind_answered_by_what_cannot_be_read_is_told_at_once() -> None:
    async with peer(bind_status=None) as smsc, linked(smsc, rebind_min=30.0) as (link, _):
        await until(lambda: smsc.sessions and smsc.session.came)
        smsc.session.write(struct.pack(">IIII", 16, 0x80000099, 0, 1))
        await until(lambda: link.sessions[0].state == "rejected")
        error = link.sessions[0].last_error
        assert error.startswith("bind answered by what cannot be read: command 0x80000099, sequence 1")
        assert HINT in error


@in_a_loop
async def test_a_bind_transceiver_that_is_not_known_is_hinted_at() -> None:
    async with peer(bind_status=3) as smsc, linked(smsc, rebind_min=30.0) as (link, _):
        await until(lambda: link.sessions[0].state == "rejected")
        assert link.sessions[0].last_error.startswith("bind rejected: ESME_RINVCMDID (0x00000003)")
        assert HINT in link.sessions[0].last_error


@in_a_loop
async def test_a_bind_answered_under_another_number_counts() -> None:
    async with peer(bind_status=None) as smsc, linked(smsc) as (link, events):
        await smsc.came(p.BindTransceiver)
        smsc.session.say(p.BindTransceiverResp(sequence=4711))
        await until(lambda: link.can_send)
        link.submit(some(1))
        await until(lambda: events.answers)
        smsc.session.say(p.BindTransceiverResp(sequence=4712, status=0x0E))  # no bind of ours waits for this one
        link.submit(some(1))
        await until(lambda: len(events.answers) == 2)
        assert len(smsc.sessions) == 1


@in_a_loop
async def test_a_refusal_under_another_number_counts_too() -> None:
    async with peer(bind_status=None) as smsc, linked(smsc, rebind_min=30.0) as (link, _):
        await smsc.came(p.BindTransceiver)
        smsc.session.say(p.BindTransceiverResp(sequence=4711, status=0x0D))
        await until(lambda: link.sessions[0].state == "rejected")
        assert link.sessions[0].last_error == "bind rejected: ESME_RBINDFAIL (0x0000000D)"


@pytest.mark.parametrize("status", [0x02, 0x03, 0x04, 0x0D, 0x0E, 0x0F, 0x53, 0x65, 0xFF, 0x100, 0x400, 0xFFFF])
@in_a_loop
async def test_a_refused_bind_is_tried_less_often_each_time_up_to_minutes_and_told(status: int) -> None:
    async with peer(bind_status=status) as smsc, linked(smsc, rebind_min=0.001) as (link, _):
        await smsc.came(p.BindTransceiver, 3)
        (trouble,) = link.troubles
        assert trouble.startswith("refused: the SMSC does not let us in (")
        assert p.status_name(status) in trouble
        smsc.bind_status = 0
        await until(lambda: link.can_send)
        assert link.troubles == []
    async with peer() as smsc, linked(smsc, rebind_min=1.0, rebind_max=60.0) as (link, _):
        binding = link.sessions[0]
        pauses = []
        for binding.refusals in range(1, 9):
            pauses.append(binding._pause_after(binding.refusals))
        assert all(
            0.8 * most <= one <= most for one, most in zip(pauses, [10, 20, 40, 80, 160, 300, 300, 300], strict=True)
        )
        binding.refusals = 0
        assert binding._pause_after(30) <= 60


@in_a_loop
async def test_an_smsc_that_refused_us_and_then_went_away_is_looked_for_at_the_usual_pace() -> None:
    async with peer(bind_status=0x0E) as smsc, linked(smsc, rebind_min=0.001) as (link, _):
        await until(lambda: link.sessions[0].refusals > 1)
        smsc.bind_status = None

        def is_looked_for_as_usual() -> bool:
            smsc.session.hang_up()
            return link.sessions[0].refusals == 0

        await until(is_looked_for_as_usual)
        assert link.troubles == []


@in_a_loop
async def test_an_smsc_that_refused_us_and_then_cannot_be_reached_is_looked_for_at_the_usual_pace() -> None:
    async with AsyncExitStack() as there:
        smsc = await there.enter_async_context(peer(bind_status=0x0E))
        async with linked(smsc, rebind_min=0.001) as (link, _):
            await until(lambda: link.sessions[0].refusals > 1)
            await there.aclose()
            await until(lambda: link.sessions[0].last_error.startswith("cannot connect"))
            assert (link.sessions[0].refusals, link.troubles) == (0, [])


@pytest.mark.parametrize("status", [0x05, 0x08, 0x14, 0x58, 0x64])
@in_a_loop
async def test_a_refusal_that_passes_by_itself_is_tried_again_at_the_usual_pace(status: int) -> None:
    async with peer(bind_status=status) as smsc, linked(smsc, rebind_min=0.001) as (link, _):
        await smsc.came(p.BindTransceiver, 3)
        assert (link.troubles, link.refused, link.sessions[0].refusals) == ([], False, 0)
        assert p.status_name(status) in link.sessions[0].last_error
        smsc.bind_status = 0
        await until(lambda: link.can_send)


@pytest.mark.parametrize(
    ("status", "reason", "hint"),
    [
        (0x53, "bind rejected: 0x00000053", "Ask which one the account has; most have none."),
        (0x400, "bind rejected: 0x00000400", "Ask the operator what it means."),
        (None, "bind answered by bind_transmitter_resp; ...", 'try bind = "transmitter + receiver"'),
        (None, "bind answered by what cannot be read: ...", 'try bind = "transmitter + receiver"'),
    ],
)
def test_what_a_refused_bind_means_is_said_with_what_helps(status: int | None, reason: str, hint: str) -> None:
    said = bind_refusals.advice(status, reason)
    assert said is not None
    assert hint in said.hint


# -- responses ---------------------------------------------------------------------------------


@in_a_loop
async def test_an_enquire_link_resp_of_a_submits_number_does_not_swallow_it() -> None:
    async with peer(on_submit=lambda _: None) as smsc, linked(smsc) as (link, events):
        await until(lambda: link.can_send)
        link.submit(some(1))
        (sent,) = await smsc.came(p.SubmitSm)
        smsc.session.say(
            p.EnquireLinkResp(sequence=sent.sequence), p.SubmitSmResp(sequence=sent.sequence, message_id="7")
        )
        await until(lambda: events.answers)
        assert [(one.status, one.message_id) for one in events.answers] == [(0, "7")]


async def answered_once(true: Callable[[], object], smsc: Peer, sent: list[p.Pdu]) -> None:
    """Answer submit_sm once something is true; on the first connection."""
    await until(true)
    smsc.sessions[0].say(*(p.SubmitSmResp(sequence=one.sequence, message_id="7") for one in sent))


def all_taken(events: Events, count: int) -> bool:
    return [one.status for one in events.answers] == [0] * count


@in_a_loop
async def test_responses_are_waited_for_after_the_smsc_has_unbound() -> None:
    async with peer(on_submit=lambda _: None) as smsc, linked(smsc, response_timeout=30.0) as (link, events):
        await until(lambda: link.can_send)
        link.submit(some(20))
        sent = await smsc.came(p.SubmitSm, 20)
        smsc.session.say(p.Unbind(sequence=50))
        await smsc.came(p.UnbindResp)
        await asyncio.sleep(1.5)  # longer than it used to wait
        await answered_once(lambda: True, smsc, sent)
        await until(lambda: len(events.answers) == 20)
        assert all_taken(events, 20)
        await until(lambda: len(smsc.sessions) == 2)


@in_a_loop
async def test_an_smsc_that_unbinds_and_owes_answers_is_not_waited_for_without_end() -> None:
    async with peer(on_submit=lambda _: None) as smsc, linked(smsc, response_timeout=0.3) as (link, events):
        await until(lambda: link.can_send)
        link.submit(some(2))
        await smsc.came(p.SubmitSm, 2)
        smsc.session.say(p.Unbind(sequence=50))
        await until(lambda: len(smsc.sessions) == 2)
        assert [one.status for one in events.answers] == [None, None]


@in_a_loop
async def test_a_stopping_link_waits_for_the_responses_it_is_owed() -> None:
    async with peer(on_submit=lambda _: None) as smsc:
        async with linked(smsc, response_timeout=30.0, stop_patience=60.0) as (link, events):
            await until(lambda: link.can_send)
            link.submit(some(20))
            sent = await smsc.came(p.SubmitSm, 20)
            stopping = asyncio.create_task(link.stop())
            await asyncio.sleep(3.5)  # longer than it used to wait
            assert (link.room, stopping.done()) == (0, False)
            await answered_once(lambda: True, smsc, sent)
            await stopping
        assert all_taken(events, 20)
        await smsc.came(p.Unbind)


@pytest.mark.parametrize("settings", [{"stop_patience": 0.3}, {"response_timeout": 0.3, "stop_patience": 60.0}])
@in_a_loop
async def test_a_stopping_link_waits_no_longer_than_either_setting_says(settings: dict[str, float]) -> None:
    async with peer(on_submit=lambda _: None) as smsc:
        async with linked(smsc, **settings) as (link, events):
            await until(lambda: link.can_send)
            link.submit(some(2))
            await smsc.came(p.SubmitSm, 2)
        assert [one.status for one in events.answers] == [None, None]


# -- an SMSC that is there and answers no submit_sm --------------------------------------------


@in_a_loop
async def test_an_smsc_that_answers_no_submit_sm_costs_one_window_and_then_one_message_a_time() -> None:
    async with (
        peer(on_submit=lambda _: None) as smsc,
        linked(smsc, window=10, response_timeout=0.4, enquire_interval=0.05) as (link, events),
    ):
        await until(lambda: link.room == 10)
        link.submit(some(10))
        for _ in range(3):
            connections = len(smsc.sessions)
            await until(lambda: len(smsc.sessions) > connections and link.can_send)  # noqa: B023
            assert (link.room, link.unanswering, link.usable) == (1, True, True)
            assert "answers no submit_sm" in link.troubles[0]
            link.submit(some(1))
            assert (link.room, link.usable) == (0, False), "others take its place while it is tried"
        await smsc.came(p.SubmitSm, 13)
        smsc.on_submit = lambda pdu: p.SubmitSmResp(sequence=pdu.sequence, message_id="7")
        await until(lambda: len(smsc.sessions) == 5 and link.room == 1)
        assert len(events.answers) == 13
        assert {one.status for one in events.answers} == {None}
        link.submit(some(1))
        await until(lambda: link.room == 10)
        assert (link.unanswering, link.troubles) == (False, [])
        assert len(await smsc.came(p.SubmitSm)) == 14


@in_a_loop
async def test_one_lost_answer_costs_no_session_and_its_answer_may_come_late() -> None:
    kept: list[p.SubmitSm] = []
    async with (
        peer(on_submit=kept.append) as smsc,
        linked(smsc, window=10, response_timeout=0.4, enquire_interval=0.05) as (link, events),
    ):
        await until(lambda: link.room == 10)
        link.submit(some(1))
        await until(lambda: len(events.answers) == 1 and link.room == 1)
        assert (events.answers[0].status, link.unanswering) == (None, False)
        smsc.session.say(p.SubmitSmResp(sequence=kept[0].sequence, status=p.Status.ESME_RINVDSTADR))
        await until(lambda: link.room == 10)
        assert events.answers[1].status == p.Status.ESME_RINVDSTADR
        assert len(smsc.sessions) == 1


@in_a_loop
async def test_two_lost_answers_one_after_the_other_cost_the_session() -> None:
    async with (
        peer(on_submit=lambda _: None) as smsc,
        linked(smsc, window=10, response_timeout=0.4, enquire_interval=0.05) as (link, events),
    ):
        await until(lambda: link.room == 10)
        link.submit(some(1))
        await until(lambda: len(events.answers) == 1 and link.room == 1)
        link.submit(some(1))
        await until(lambda: len(smsc.sessions) == 2 and link.can_send)
        assert (link.room, link.unanswering) == (1, True)


@in_a_loop
async def test_pauses_grow_while_no_submit_sm_is_answered() -> None:
    async with peer() as smsc, linked(smsc, rebind_min=1.0) as (link, _):
        binding = link.sessions[0]
        pauses = []
        for binding.unanswered in range(1, 12):
            pauses.append(binding._pause_after(0))
        assert all(0.8 * min(2**n, 300) <= pause <= min(2**n, 300) for n, pause in enumerate(pauses))


@in_a_loop
async def test_a_link_that_asks_after_its_peer_less_often_than_it_waits_for_answers_is_not_silent_when_idle() -> None:
    async with peer() as smsc, linked(smsc, response_timeout=0.3, enquire_interval=1.2) as (link, _):
        await until(lambda: link.can_send)
        await smsc.came(p.EnquireLink, 2)
        assert len(smsc.sessions) == 1

"""What may be asked of the simulator in which state, and what it answers."""

import asyncio
import socket
import struct

import pytest

from esito.simulator.smsc import Smsc, SmscSettings
from esito.smpp import pdu as p
from esito.smpp.codec import encode
from esito.smpp.pdu import Status, Tag
from tests.kit.patience import A_MOMENT
from tests.unit.simulator.esme import SETTLED, Esme, eventually, in_a_loop, operator, still


@pytest.mark.parametrize("kind", [p.BindTransmitter, p.BindReceiver, p.BindTransceiver])
@in_a_loop
async def test_all_three_binds_are_accepted(kind: type[p.Bind]) -> None:
    async with operator(still()) as smsc:
        esme = await Esme.connect(smsc)
        response = await esme.bind(kind)
        assert isinstance(response, p.BindResp)
        assert type(response).__name__ == f"{kind.__name__}Resp"
        assert (response.status, response.system_id) == (0, "smsc")
        assert response.tlvs[Tag.SC_INTERFACE_VERSION] == b"\x34"
        assert smsc.bound_sessions == 1


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [("other", "secret", Status.ESME_RINVSYSID), ("smsc", "guess", Status.ESME_RINVPASWD)],
)
@in_a_loop
async def test_a_stranger_is_refused_and_hung_up_on(system_id: str, password: str, status: int) -> None:
    async with operator(still()) as smsc:
        esme = await Esme.connect(smsc)
        assert (await esme.bind(system_id=system_id, password=password)).status == status
        await esme.hung_up()
        assert smsc.bound_sessions == 0


@in_a_loop
async def test_a_second_bind_is_one_too_many() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        assert (await esme.bind(p.BindReceiver)).status == Status.ESME_RALYBND
        assert (await esme.submit("33600000005")).status == 0


@in_a_loop
async def test_before_the_bind_only_enquire_link_is_answered_kindly() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.connect(smsc)
        assert isinstance(await esme.ask(p.EnquireLink()), p.EnquireLinkResp)
        assert (await esme.submit("33600000001")).status == Status.ESME_RINVBNDSTS
        assert (await esme.ask(p.QuerySm(message_id="1"))).status == Status.ESME_RINVBNDSTS
        assert smsc.submitted == 0
        assert (await esme.ask(p.Unbind())).status == Status.ESME_RINVBNDSTS


@in_a_loop
async def test_a_receiver_submits_nothing() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc, p.BindReceiver)
        assert (await esme.submit("33600000001")).status == Status.ESME_RINVBNDSTS
        assert (await esme.ask(p.DataSm(destination_addr="33600000001"))).status == Status.ESME_RINVBNDSTS
        assert smsc.submitted == 0


@in_a_loop
async def test_a_transmitter_receives_nothing() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc, p.BindTransmitter)
        assert (await esme.submit("33600000001")).status == 0
        await asyncio.sleep(SETTLED)
        assert esme.delivered == []
        assert smsc.waiting == 1


@in_a_loop
async def test_unknown_and_misplaced_commands_get_a_generic_nack() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        esme.write(struct.pack(">IIII", 16, 0x0000_0777, 0, 41))
        esme.write(struct.pack(">IIII", 16, p.Command.SUBMIT_SM, 0, 42))
        esme.send(p.DeliverSm(sequence=43, source_addr="1", destination_addr="2"))
        esme.write(struct.pack(">IIII", 16, 0x8000_0777, 0, 44))  # an unknown response asks for no answer
        await esme.find(lambda pdu: pdu.sequence == 43)
        assert [(type(nack), nack.status) for nack in esme.came[1:]] == [
            (p.GenericNack, Status.ESME_RINVCMDID),
            (p.GenericNack, Status.ESME_RINVMSGLEN),
            (p.GenericNack, Status.ESME_RINVCMDID),
        ]
        assert isinstance(await esme.ask(p.EnquireLink()), p.EnquireLinkResp)
        assert not any(pdu.sequence == 44 for pdu in esme.came)


@in_a_loop
async def test_an_impossible_length_ends_the_session() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        esme.write(b"\xff\xff\xff\xff rubbish that says nothing")
        nack = await esme.find(lambda pdu: isinstance(pdu, p.GenericNack))
        assert nack.status == Status.ESME_RINVCMDLEN
        await esme.hung_up()


@in_a_loop
async def test_unbind_is_answered_and_then_the_line_is_closed() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        assert isinstance(await esme.ask(p.Unbind()), p.UnbindResp)
        await esme.hung_up()
        assert smsc.bound_sessions == 0


@in_a_loop
async def test_a_simulator_that_stops_unbinds() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        shy = await Esme.connect(smsc)
        await eventually(lambda: len(smsc._sessions) == 2)
        await smsc.stop()
        assert any(isinstance(pdu, p.Unbind) for pdu in esme.came)
        await esme.hung_up()
        await shy.hung_up()
        await smsc.stop()  # a second time changes nothing


@in_a_loop
async def test_a_network_failure_comes_without_a_word() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        smsc.disconnect()
        await esme.hung_up()
        assert not any(isinstance(pdu, p.Unbind) for pdu in esme.came)
        assert (await (await Esme.connect(smsc)).bind()).status == 0


@in_a_loop
async def test_a_silent_esme_is_asked_and_kept_if_it_answers() -> None:
    async with operator(still(), enquire_link_after=0.04, response_timeout=0.2) as smsc:
        esme = await Esme.bound(smsc)
        await esme.until(lambda: sum(isinstance(pdu, p.EnquireLink) for pdu in esme.came) >= 3)
        assert smsc.bound_sessions == 1


@in_a_loop
async def test_an_esme_that_never_answers_is_dropped_as_is_one_that_never_binds() -> None:
    async with operator(still(), enquire_link_after=0.04, response_timeout=0.04) as smsc:
        esme, shy = await Esme.bound(smsc), await Esme.connect(smsc)
        esme.answers_enquiries = False
        await esme.hung_up()
        await shy.hung_up()
        assert any(isinstance(pdu, p.EnquireLink) for pdu in esme.came)
        assert shy.came == []


@in_a_loop
async def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        smsc = Smsc(SmscSettings(port=other.getsockname()[1]), clock=still())
        with pytest.raises(OSError, match="address already in use"):
            await smsc.start()


@pytest.mark.slow
@in_a_loop
async def test_what_a_slow_esme_does_not_read_is_held_back() -> None:
    async with operator(still()) as smsc:
        reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port, limit=1024)
        writer.write(encode(p.BindTransceiver(sequence=1, system_id="smsc", password="secret")))
        ask = encode(p.EnquireLink(sequence=2))
        flood = ask * 2_000
        for _ in range(1_000):  # 32 MB of questions: more than any kernel buffers
            writer.write(flood)
            try:
                await asyncio.wait_for(writer.drain(), A_MOMENT)
            except TimeoutError:
                break
        else:
            pytest.fail("the simulator read on although nobody read its answers")
        await reader.readexactly(16)
        writer.transport.abort()

"""How a link binds to an SMSC that does what the test says, and how it submits there."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from esito.smpp import pdu as p
from esito.smpp.codec import LocalProtocolError
from tests.kit.links import in_a_loop, linked, some
from tests.kit.needs import needs
from tests.kit.peer import peer, until

# -- binding -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bind", "kinds", "sends", "receives"),
    [
        ("transceiver", [p.BindTransceiver], True, True),
        ("transmitter", [p.BindTransmitter], True, False),
        ("receiver", [p.BindReceiver], False, True),
        ("transmitter + receiver", [p.BindTransmitter, p.BindReceiver], True, True),
    ],
)
@in_a_loop
async def test_a_link_binds_as_configured(bind: str, kinds: list[type[p.Pdu]], sends: bool, receives: bool) -> None:
    async with peer() as smsc, linked(smsc, bind=bind) as (link, _):
        await until(lambda: all(one.state == "bound" for one in link.sessions))
        assert {type(session.came[0]) for session in smsc.sessions} == set(kinds)
        assert (link.can_send, link.can_receive) == (sends, receives)


@in_a_loop
async def test_it_says_who_it_is() -> None:
    async with peer() as smsc, linked(smsc, system_type="VMA"):
        (bind,) = await smsc.came(p.BindTransceiver)
        assert isinstance(bind, p.BindTransceiver)
        assert (bind.system_id, bind.password, bind.system_type, bind.interface_version) == (
            "smsc",
            "secret",
            "VMA",
            0x34,
        )


@in_a_loop
async def test_a_refused_bind_is_shown_with_its_status_and_tried_again() -> None:
    async with peer(bind_status=0x0E) as smsc, linked(smsc) as (link, _):
        await smsc.came(p.BindTransceiver, 3)
        assert link.sessions[0].last_error == "bind rejected: ESME_RINVPASWD (0x0000000E)"
        assert not link.can_send
        smsc.bind_status = 0
        await until(lambda: link.can_send)
        assert link.sessions[0].last_error == ""


@in_a_loop
async def test_several_sessions_share_what_is_submitted() -> None:
    async with peer(on_submit=lambda _: None) as smsc, linked(smsc, sessions=3, window=4) as (link, _):
        await until(lambda: link.room == 12)
        link.submit(some(12))
        await smsc.came(p.SubmitSm, 12)
        assert [len(session.of(p.SubmitSm)) for session in smsc.sessions] == [4, 4, 4]


@in_a_loop
async def test_a_lost_link_binds_again() -> None:
    async with peer() as smsc, linked(smsc) as (link, events):
        for number in range(3):
            await until(lambda: link.can_send)
            link.submit([(p.SubmitSm(), number)])
            await until(lambda: len(events.answers) > number)  # noqa: B023  awaited at once
            smsc.session.hang_up()
            await until(lambda: not link.can_send)
        await until(lambda: link.can_send)
        assert len(smsc.sessions) == 4


@in_a_loop
async def test_no_answer_to_the_bind_is_not_waited_for_without_end() -> None:
    async with peer(bind_status=None) as smsc, linked(smsc, bind_timeout=0.05) as (link, _):
        await until(lambda: len(smsc.sessions) > 1)
        assert link.sessions[0].last_error == "no answer to the bind"


@in_a_loop
async def test_an_smsc_that_is_not_there_is_named() -> None:
    async with peer() as smsc:
        pass
    async with linked(smsc) as (link, _):
        await until(lambda: link.sessions[0].state == "lost")
        assert link.sessions[0].last_error.startswith("cannot connect: ")


@in_a_loop
async def test_a_web_server_at_the_other_end_is_recognised() -> None:
    async with peer(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n", bind_status=None) as smsc, linked(smsc) as (link, _):
        await until(lambda: link.sessions[0].last_error == "the peer does not speak SMPP")


@in_a_loop
async def test_a_command_length_of_four_gigabytes_ends_the_connection() -> None:
    async with peer() as smsc, linked(smsc) as (link, _):
        await until(lambda: link.can_send)
        smsc.session.write(b"\xff\xff\xff\xff")
        await until(lambda: len(smsc.sessions) == 2)


def certificate(folder: Path) -> ssl.SSLContext:
    """Make a certificate for 127.0.0.1 that is its own authority."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=peer", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@needs("openssl")
@in_a_loop
async def test_a_link_binds_over_tls_to_a_peer_it_trusts_and_to_no_other(tmp_path: Path) -> None:
    async with peer(certificate(tmp_path)) as smsc:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        async with linked(smsc, tls=trusting) as (link, events):
            await until(lambda: link.can_send)
            link.submit(some(1))
            await until(lambda: events.answers)
        async with linked(smsc, tls=ssl.create_default_context()) as (link, _):
            await until(lambda: "CERTIFICATE_VERIFY_FAILED" in link.sessions[0].last_error)


# -- sending -----------------------------------------------------------------------------------


@in_a_loop
async def test_every_answer_comes_back_with_its_token() -> None:
    async with peer() as smsc, linked(smsc) as (link, events):
        await until(lambda: link.can_send)
        link.submit(some(5))
        await until(lambda: len(events.answers) == 5)
        assert [(one.token, one.status, one.message_id) for one in events.answers] == [
            (number, 0, f"{number + 2}") for number in range(5)
        ]


@in_a_loop
async def test_the_window_is_kept() -> None:
    async with peer(on_submit=lambda _: None) as smsc, linked(smsc, window=3) as (link, events):
        await until(lambda: link.room == 3)
        with pytest.raises(LocalProtocolError):
            link.submit(some(4))
        link.submit(some(3))
        assert (link.room, link.window_in_use) == (0, 3)
        (first, *_) = await smsc.came(p.SubmitSm, 3)
        smsc.session.say(p.SubmitSmResp(sequence=first.sequence, message_id="1"))
        await until(lambda: events.answers)
        assert link.room == 1


@in_a_loop
async def test_the_throughput_is_kept_and_room_is_announced() -> None:
    async with peer() as smsc, linked(smsc, throughput=20) as (link, events):
        await until(lambda: link.room == 2)
        link.submit(some(2))
        assert link.room == 0
        changes = events.changes
        await until(lambda: events.changes > changes and link.room == 1)


@in_a_loop
async def test_throttling_slows_the_link_down() -> None:
    async with peer() as smsc:
        smsc.on_submit = lambda pdu: p.SubmitSmResp(sequence=pdu.sequence, status=0x58)
        async with linked(smsc, throughput=1000) as (link, events):
            await until(lambda: link.room >= 10)
            link.submit(some(10))
            await until(lambda: len(events.answers) == 10)
            assert {one.status for one in events.answers} == {0x58}
            assert link.throttle.rate == pytest.approx(500, rel=0.1)
            assert link.throttled_count == 10


@in_a_loop
async def test_what_is_not_answered_in_time_comes_back_as_unknown_and_a_late_answer_still_counts() -> None:
    def but_the_first(pdu: p.SubmitSm) -> p.Pdu | None:
        return p.SubmitSmResp(sequence=pdu.sequence, message_id="1") if pdu.sequence > 2 else None

    async with peer(on_submit=but_the_first) as smsc, linked(smsc, response_timeout=0.3) as (link, events):
        await until(lambda: link.can_send)
        link.submit(some(2))
        (request, _) = await smsc.came(p.SubmitSm, 2)
        session = smsc.session
        while len(events.answers) < 2:  # it is alive, it only keeps silent about this one
            session.say(p.EnquireLink(sequence=9))
            await asyncio.sleep(0.01)
        assert (events.answers[1].token, events.answers[1].status) == (0, None)
        session.say(p.SubmitSmResp(sequence=request.sequence, message_id="late"))
        await until(lambda: len(events.answers) == 3)
        assert (events.answers[2].token, events.answers[2].message_id) == (0, "late")
        assert len(smsc.sessions) == 1


@in_a_loop
async def test_what_was_open_when_the_connection_broke_is_unknown() -> None:
    async with peer(on_submit=lambda _: None) as smsc, linked(smsc) as (link, events):
        await until(lambda: link.can_send)
        link.submit(some(3))
        await smsc.came(p.SubmitSm, 3)
        smsc.session.hang_up()
        await until(lambda: len(events.answers) == 3)
        assert {(one.status, one.error) for one in events.answers} == {(None, "the connection was lost")}


@in_a_loop
async def test_a_generic_nack_refuses_what_it_names() -> None:
    async with peer() as smsc, linked(smsc) as (link, events):
        smsc.on_submit = lambda pdu: p.GenericNack(sequence=pdu.sequence, status=3)
        await until(lambda: link.can_send)
        link.submit(some(1))
        await until(lambda: events.answers)
        assert (events.answers[0].status, events.answers[0].error) == (3, "generic_nack")


@in_a_loop
async def test_responses_to_nothing_are_ignored() -> None:
    async with peer() as smsc, linked(smsc) as (link, events):
        await until(lambda: link.can_send)
        smsc.session.say(
            p.SubmitSmResp(sequence=999, message_id="1"), p.EnquireLinkResp(sequence=998), p.GenericNack(sequence=997)
        )
        link.submit(some(1))
        await until(lambda: events.answers)
        assert [one.token for one in events.answers] == [0]

"""Trying a link: what is said of a bind, of a refusal, and of a message that is sent for a try."""

import asyncio
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from esito.cli.link_report import as_data, as_lines, is_good
from esito.cli.link_trial import BindResult, TlsSession, Trial, try_link
from esito.config import LinkSettings
from esito.domain.display import mask
from esito.smpp import pdu as p
from esito.smpp.bind_refusals import OF_REASON, OF_STATUS, advice
from esito.smpp.pdu import Status
from esito_cluster.process import free_port
from tests.kit.links import in_a_loop
from tests.kit.needs import needs
from tests.kit.operators import configured
from tests.kit.peer import Peer, peer
from tests.unit.links.test_hosts import Asked, pki, tls_link  # noqa: F401  a fixture

TO = "+33612345678"
DELIVERED = "state DELIVRD, which is DELIVERED: Delivered, error 000"


def said(link: LinkSettings, sessions: list[BindResult], trial: Trial | None = None) -> str:
    return "\n".join(as_lines(link, sessions, trial, []))


@in_a_loop
async def test_it_says_what_the_smsc_accepted(tmp_path: Path) -> None:
    async with peer() as smsc:
        link = configured(tmp_path, "bind = 'transmitter + receiver'\nsessions = 3", port=smsc.port)
        sessions = await try_link(link)
        assert len(smsc.sessions) == 2
        assert [type(one.came[-1]) for one in smsc.sessions] == [p.Unbind, p.Unbind]
    assert [(one.kind, one.good, one.system_id) for one in sessions] == [
        ("transmitter", True, "peer"), ("receiver", True, "peer"),
    ]  # fmt: skip
    lines = said(link, sessions)
    assert lines.startswith("alpha (transmitter) bound after ")
    assert "The SMSC calls itself peer and names no version of SMPP" in lines
    assert "No TLS" in lines


@pytest.mark.parametrize(
    ("version", "words"), [(0x33, "speaks SMPP 3.3."), (0x34, "speaks SMPP 3.4."), (0x50, "speaks SMPP 5.0."),
                           (0x12, "speaks version 0x12.")]
)  # fmt: skip
def test_the_version_that_the_smsc_names_is_told(tmp_path: Path, version: int, words: str) -> None:
    one = BindResult(host="a:1", kind="receiver", state="bound", seconds=0.1, interface_version=version)
    assert words in said(configured(tmp_path), [one])


@in_a_loop
async def test_a_refusal_is_explained(tmp_path: Path) -> None:
    async with peer(bind_status=Status.ESME_RINVPASWD) as smsc:
        link = configured(tmp_path, port=smsc.port)
        sessions = await try_link(link)
    (one,) = sessions
    assert (one.good, one.status) == (False, Status.ESME_RINVPASWD)
    lines = said(link, sessions)
    assert "rejected: bind rejected: ESME_RINVPASWD (0x0000000E)" in lines
    assert "The password is not the one of this system_id." in lines
    assert "Hint: Compare it with the data sheet" in lines
    data = as_data(link, sessions, None, ["a note"])
    assert (data["bound"], data["notes"], data["sessions"][0]["hint"]) == (False, ["a note"], OF_STATUS[0x0E].hint)
    assert "secret" not in lines + str(data)


@pytest.mark.parametrize("status", [*OF_STATUS, 0x400])
def test_every_refusal_has_its_meaning_and_hint(status: int) -> None:
    told = advice(status, "")
    assert told is not None
    assert told.meaning.endswith(".")
    assert told.hint.endswith(".")


@in_a_loop
async def test_a_connection_that_fails_is_explained(tmp_path: Path) -> None:
    link = configured(tmp_path, port=free_port())
    sessions = await try_link(link)
    assert "Nobody listens there." in said(link, sessions)


@pytest.mark.parametrize(
    ("greeting", "meaning"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "Something else listens"), (b"\x15\x03\x01\x00\x02\x02\x46", "is no SMPP")],
)
@in_a_loop
async def test_something_else_that_listens_is_explained(tmp_path: Path, greeting: bytes, meaning: str) -> None:
    async with peer(greeting=greeting) as smsc:
        link = configured(tmp_path, port=smsc.port)
        assert meaning in said(link, await try_link(link))


@in_a_loop
async def test_an_smsc_that_hangs_up_is_explained(tmp_path: Path) -> None:
    async with peer(bind_status=None) as smsc:
        link = configured(tmp_path, port=smsc.port)
        trying = asyncio.create_task(try_link(link))
        await smsc.came(p.BindTransceiver)
        smsc.session.hang_up()
        lines = said(link, await trying)
    assert "It hung up before it answered." in lines


@in_a_loop
async def test_an_smsc_that_never_answers_is_explained(tmp_path: Path) -> None:
    async with peer(bind_status=None) as smsc:
        link = configured(tmp_path, "response_timeout = 0.5", port=smsc.port)
        lines = said(link, await try_link(link))
    assert "Somebody takes the connection and says nothing." in lines


def test_what_is_not_known_is_not_explained() -> None:
    assert advice(None, "") is None
    assert advice(None, "something new") is None
    assert all(word for word, _ in OF_REASON)


@in_a_loop
async def test_every_host_is_tried(tmp_path: Path) -> None:
    async with peer() as first, peer(bind_status=Status.ESME_RSYSERR) as second:
        link = configured(tmp_path, f"fallback_hosts = ['127.0.0.1:{second.port}']", port=first.port)
        sessions = await try_link(link)
    assert [one.good for one in sessions] == [True, False]
    lines = said(link, sessions)
    assert f"alpha (transceiver) at 127.0.0.1:{first.port} bound" in lines
    assert f"alpha (transceiver) at 127.0.0.1:{second.port} rejected" in lines


@needs("openssl")
@in_a_loop
async def test_the_certificate_of_the_smsc_is_shown(tmp_path: Path, pki: Path) -> None:  # noqa: F811
    async with peer(Asked(pki).context) as smsc:
        link = tls_link(tmp_path, pki, smsc.port, tls_ca="theirs.pem", tls_name="smsc.example")
        sessions = await try_link(link)
        (one,) = sessions
        assert isinstance(one.tls, TlsSession)
        assert (one.tls.subject, one.tls.issuer) == ("smsc.example", "theirs")
        assert "its certificate is that of smsc.example, by theirs, good until " in said(link, sessions)
        untrusted = tls_link(tmp_path, pki, smsc.port, tls_ca="ours.pem", tls_name="smsc.example")
        assert "a certificate that we do not trust" in said(untrusted, await try_link(untrusted))


# -- a message ---------------------------------------------------------------------------------


def deliver(text: str, *, sequence: int = 9, source: str = TO[1:], esm_class: int = 4, tlv_id: str = "") -> p.DeliverSm:
    return p.DeliverSm(
        sequence=sequence, source_addr=source, destination_addr="ESITO", esm_class=esm_class,
        short_message=text.encode(),
        tlvs={p.Tag.RECEIPTED_MESSAGE_ID: tlv_id.encode() + b"\0"} if tlv_id else {},
    )  # fmt: skip


def receipt(smsc_id: str, stat: str = "DELIVRD", *, sequence: int = 9, source: str = TO[1:]) -> p.DeliverSm:
    text = f"id:{smsc_id} sub:001 dlvrd:001 stat:{stat} err:000 text:x"
    return deliver(text, sequence=sequence, source=source)


def reporting(smsc: Peer, response_id: str, *receipts: p.DeliverSm, before: bool = False) -> None:
    """Have an SMSC answer every submit_sm under an id, and say these before or after."""

    def answer(pdu: p.SubmitSm) -> p.Pdu | None:
        response = p.SubmitSmResp(sequence=pdu.sequence, message_id=response_id)
        smsc.session.say(*((*receipts, response) if before else (response, *receipts)))
        return None

    smsc.on_submit = answer


def trial(text: str = "ciao", *, patience: float = 60.0) -> Trial:
    return Trial(to=TO, text=text, sender="ESITO", patience=patience)


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize(
    ("response_id", "receipt_id", "form"),
    [("1f", "1f", "as-is"), ("001F", "1f", "strip-zeros"), ("1F", "31", "hex-to-dec"), ("31", "1F", "dec-to-hex")],
)
@in_a_loop
async def test_a_receipt_is_followed_and_its_id_explained(
    tmp_path: Path, before: bool, response_id: str, receipt_id: str, form: str
) -> None:
    async with peer() as smsc:
        reporting(smsc, response_id, receipt(receipt_id), before=before)
        link = configured(tmp_path, port=smsc.port)
        one = trial()
        sessions = await try_link(link, one)
        (response,) = await smsc.came(p.DeliverSmResp)
        assert response.status == Status.ESME_ROK
    assert is_good(link, one)
    lines = said(link, sessions, one)
    assert f"submit_sm to {mask(TO)} accepted after " in lines
    assert f"under the id {response_id}" in lines
    assert f"id {receipt_id}, {DELIVERED}. The id is spelled {form}." in lines
    message = as_data(link, sessions, one, [])["message"]
    assert (message["accepted"], message["reported"]) == (True, True)
    assert (message["receipts"][0]["idForm"], message["receipts"][0]["status"]) == (form, "Delivered")


@pytest.mark.parametrize(
    ("rule", "tlv", "taken"),
    [("known-id", "1F", True), ("known-id", "1E", False), ("known-id", "", False), ("always", "", True),
     ("never", "1F", False)],
)  # fmt: skip
@in_a_loop
async def test_a_receipt_without_its_esm_class_is_taken_as_the_link_is_set(
    tmp_path: Path, rule: str, tlv: str, taken: bool
) -> None:
    unmarked = deliver("id:1F sub:001 dlvrd:001 stat:DELIVRD err:000 text:x", esm_class=0, tlv_id=tlv)
    async with peer() as smsc:
        reporting(smsc, "1F", unmarked)
        link = configured(tmp_path, f"receipts_without_esm_class = '{rule}'", port=smsc.port)
        one = trial(patience=60.0 if taken else 0.1)
        await try_link(link, one)
        (response,) = await smsc.came(p.DeliverSmResp)
    assert response.status == (Status.ESME_ROK if taken else Status.ESME_RMSGQFUL)
    assert len(one.heard) == taken


@in_a_loop
async def test_what_is_not_about_the_message_is_put_off(tmp_path: Path) -> None:
    async with peer() as smsc:
        reporting(
            smsc, "1F",
            receipt("777", sequence=1, source="33699999999"),  # of another message to another number
            receipt("31", sequence=2, source="33699999999"),  # whose id looks like ours in another base
            receipt("778", sequence=3),  # to the same number, under another id
            deliver("arr\xeat", sequence=4, esm_class=0),  # what a subscriber wrote
            receipt("1F", "ENROUTE", sequence=5), receipt("1F", "UNDELIV", sequence=6),
        )  # fmt: skip
        link = configured(tmp_path, port=smsc.port)
        one = trial()
        sessions = await try_link(link, one)
        answered = {pdu.sequence: pdu.status for pdu in await smsc.came(p.DeliverSmResp, 6)}
    later = Status.ESME_RMSGQFUL
    assert answered == {1: later, 2: later, 3: later, 4: later, 5: 0, 6: 0}
    lines = said(link, sessions, one)
    assert f"id 778, {DELIVERED}. It names the number and not our id" in lines
    assert "state ENROUTE, which is ENROUTE: Waiting" in lines
    assert "state UNDELIV, which is UNDELIVERABLE: Not delivered" in lines
    assert "777" not in lines


@in_a_loop
async def test_words_that_we_do_not_know_are_shown_with_what_helps(tmp_path: Path) -> None:
    async with peer() as smsc:
        reporting(smsc, "5", receipt("5", "LANDED"))
        link = configured(tmp_path, port=smsc.port)
        one = trial(patience=0.2)
        sessions = await try_link(link, one)
        assert "state LANDED, which we do not know: give it a meaning in [link.words]" in said(link, sessions, one)
        assert not is_good(link, one)
        link = configured(tmp_path, "words = {LANDED = 'DELIVRD'}", port=smsc.port)
        one = trial()
        await try_link(link, one)
        assert is_good(link, one)


@pytest.mark.parametrize(
    ("shift", "said_of_it"),
    [(timedelta(hours=1), "lies in the future: is"), (timedelta(hours=-2), "minutes back: is"), (timedelta(), None)],
)
@in_a_loop
async def test_a_date_of_another_zone_is_noticed(tmp_path: Path, shift: timedelta, said_of_it: str | None) -> None:
    async with peer() as smsc:
        done = datetime.now(UTC) + shift
        text = f"id:5 sub:001 dlvrd:001 submit date:{done:%y%m%d%H%M} done date:{done:%y%m%d%H%M} stat:DELIVRD err:000"
        reporting(smsc, "5", deliver(text))
        link = configured(tmp_path, port=smsc.port)
        one = trial()
        lines = said(link, await try_link(link, one), one)
    assert ("receipt_timezone" in lines) is (said_of_it is not None)
    assert said_of_it is None or said_of_it in lines


@in_a_loop
async def test_a_message_without_a_receipt_says_what_may_be_the_reason(tmp_path: Path) -> None:
    async with peer() as smsc:
        link = configured(tmp_path, port=smsc.port)
        one = trial(patience=0.1)
        sessions = await try_link(link, one)
    assert one.accepted
    assert not is_good(link, one)
    assert "No final receipt of it came within 0.1 s." in said(link, sessions, one)


@in_a_loop
async def test_a_message_that_is_refused_says_the_status(tmp_path: Path) -> None:
    async with peer() as smsc:
        smsc.on_submit = lambda pdu: p.SubmitSmResp(sequence=pdu.sequence, status=Status.ESME_RINVDSTADR)
        link = configured(tmp_path, port=smsc.port)
        one = trial()
        sessions = await try_link(link, one)
    assert "refused after" in said(link, sessions, one)
    assert "ESME_RINVDSTADR (0x0000000B)" in said(link, sessions, one)
    assert not is_good(link, one)


@in_a_loop
async def test_a_message_that_is_never_answered_is_told(tmp_path: Path) -> None:
    async with peer() as smsc:
        smsc.on_submit = lambda _pdu: None
        link = configured(tmp_path, "response_timeout = 0.4", port=smsc.port)
        one = trial()
        sessions = await try_link(link, one)
    assert "has no answer: " in said(link, sessions, one)
    assert not is_good(link, one)


@in_a_loop
async def test_each_segment_of_a_long_text_is_told(tmp_path: Path) -> None:
    async with peer() as smsc:
        link = configured(tmp_path, "bind = 'transmitter'\nconcatenation = 'udh16'", port=smsc.port)
        one = trial("x" * 200)
        sessions = await try_link(link, one)
        pdus = [pdu for pdu in await smsc.came(p.SubmitSm, 2) if isinstance(pdu, p.SubmitSm)]
    assert [struct.unpack_from(">BBB", pdu.short_message) for pdu in pdus] == [(6, 8, 4)] * 2
    lines = said(link, sessions, one)
    assert "(segment 2 of 2) accepted" in lines
    assert "Its receipts come by another link of the operator." in lines
    assert is_good(link, one)


@in_a_loop
async def test_a_message_is_not_sent_where_no_session_is_bound(tmp_path: Path) -> None:
    link = configured(tmp_path, port=free_port())
    one = trial()
    sessions = await try_link(link, one)
    assert "The message was not sent" in said(link, sessions, one)
    assert not is_good(link, one)

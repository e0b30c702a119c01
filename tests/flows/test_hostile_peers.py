"""Whatever one operator's SMSC sends or leaves out, the server lives, its memory stays, and other links go on."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import apsw
import httpx
import pytest

from esito.smpp import pdu as p
from esito.smpp.codec import encode
from tests.kit.hostile import Hostile, Line
from tests.kit.patience import A_TRY, PATIENCE, Stopwatch
from tests.torture.house import OPERATOR, House, until
from tests.torture.witness import Witness

ENQUIRE, RESPONSE = 0.5, 1.0
"""Seconds: `enquire_interval` and `response_timeout` of the link to a peer that may fall silent.

To the other hostile peer the link is patient: it must not be left because the machine, and thus the peer, is slow.
"""

HOSTILE = f"""operator = "hostile"
prefixes = ["+39"]
window = 20
enquire_interval = {ENQUIRE}
response_timeout = {PATIENCE}
rebind_max = 0.3
"""
SILENT = f"""operator = "silent"
prefixes = ["+40"]
enquire_interval = {ENQUIRE}
response_timeout = {RESPONSE}
rebind_max = 0.3
"""

MOST_GROWTH_MB = 48.0


@dataclass(slots=True)
class Scene:
    """A server between a hostile operator, which serves Italy, and a good one."""

    house: House
    hostile: Hostile
    silent: Hostile
    witness: Witness
    sent: int = 0

    def send(self, prefix: str, count: int = 1) -> tuple[int, list[str]]:
        numbers = [f"+{prefix}{self.sent + one:07d}" for one in range(count)]
        self.sent += count
        body = {"apiKey": self.house.key, "phoneNumbers": numbers, "message": "ciao"}
        answer = httpx.post(f"{self.house.url}/v1/send", json=body, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return answer.json()["message_id"], numbers

    def statuses(self, message: int) -> list[str]:
        return [one["status"] for one in self.house.status(message).json()["StatutResponse_List"]]

    def trail(self, like: str) -> int:
        """Count the receipts that were kept under ids like this."""
        reader = apsw.Connection(str(self.house.database), flags=apsw.SQLITE_OPEN_READONLY)
        (count,) = next(iter(reader.execute("SELECT count(*) FROM trail WHERE smsc_id LIKE ? AND raw <> x''", (like,))))
        reader.close()
        return int(str(count))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("hostile")
    with Hostile() as hostile, Hostile() as silent, Witness() as witness:
        links = {"good": witness.port, "evil": hostile.port, "silent": silent.port}
        settings = {"good": OPERATOR, "evil": HOSTILE, "silent": SILENT}
        with House(folder=folder, database=folder / "esito.db", links=links, link_settings=settings) as house:
            house.start()
            yield Scene(house, hostile, silent, witness)
            house.stop()
            assert house.esito("check").strip() == "The books balance."
            assert "Traceback" not in house.log


@pytest.fixture(autouse=True)
def unharmed(scene: Scene) -> Iterator[None]:
    """After each test the server lives, has not grown, and the good operator's link delivers at once."""
    before = scene.house.rss_mb
    yield
    assert scene.house.process is not None
    assert scene.house.process.poll() is None
    assert scene.house.rss_mb < before + MOST_GROWTH_MB
    message, _ = scene.send("3361")
    until(lambda: scene.statuses(message) == ["Delivered"])


def receipt(smsc_id: str, sequence: int, to: str = "39333000000") -> p.DeliverSm:
    text = f"id:{smsc_id} sub:001 dlvrd:001 submit date:2611230500 done date:2611230501 stat:DELIVRD err:000 text:"
    return p.DeliverSm(
        sequence=sequence, source_addr=to, destination_addr="36111", esm_class=p.EsmClass.DELIVERY_RECEIPT,
        short_message=text.encode(),
    )  # fmt: skip


def accept(line: Line, smsc_id: str) -> str:
    """Take one submit_sm; return the number it was for."""
    asked = line.until(p.SubmitSm)
    assert isinstance(asked, p.SubmitSm)
    line.say(p.SubmitSmResp(sequence=asked.sequence, message_id=smsc_id))
    return asked.destination_addr


NONSENSE = {
    "garbage": bytes(range(256)) * 40,
    "text of another protocol": b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n" * 20,
    "4 GB announced": struct.pack(">IIII", 0xFFFFFFFF, 0x00000005, 0, 1),
    "less than a header announced": struct.pack(">IIII", 3, 0x00000005, 0, 1),
    "nothing announced": bytes(16),
    "a response to nothing that cannot be read": struct.pack(">IIII", 17, 0x80000004, 0, 77) + b"\xff",
}


@pytest.mark.parametrize("octets", [octets for name, octets in NONSENSE.items() if "cannot" not in name],
                         ids=[name for name in NONSENSE if "cannot" not in name])  # fmt: skip
def test_a_stream_that_cannot_be_cut_into_pdus_is_closed(scene: Scene, octets: bytes) -> None:
    scene.silent.forget()
    with scene.silent.line() as line:
        line.bind()
        line.octets(octets)
        assert line.closed()


def test_what_is_whole_before_the_nonsense_counts(scene: Scene) -> None:
    message, _ = scene.send("3933")
    with scene.hostile.line() as line:
        asked = line.bind().until(p.SubmitSm)
        assert isinstance(asked, p.SubmitSm)
        answer = p.SubmitSmResp(sequence=asked.sequence, message_id="BEFORE")
        line.octets(encode(answer) + encode(receipt("BEFORE", 1, asked.destination_addr)) + bytes(16))
        assert line.closed()
    until(lambda: scene.statuses(message) == ["Delivered"])


@pytest.mark.parametrize("octets", [b"\x00", b"\x00\x00\x00\x50\x00", encode(receipt("PARTIAL", 1))[:-1]])
def test_a_partial_pdu_before_the_end_is_nothing(scene: Scene, octets: bytes) -> None:
    with scene.hostile.line() as line:
        line.bind().octets(octets)
    assert scene.trail("PARTIAL") == 0


def test_a_conversation_one_octet_at_a_time(scene: Scene) -> None:
    message, _ = scene.send("3933")
    with scene.hostile.line() as line:
        line.bind()
        to = accept(line, "SLOW1")
        for octet in encode(receipt("SLOW1", 1, to)):
            line.octets(bytes([octet]))
        answer = line.until(p.DeliverSmResp)
        assert (answer.sequence, answer.status) == (1, 0)
        assert scene.statuses(message) == ["Delivered"]


def test_an_unbind_amid_a_full_window_doubts_what_was_on_its_way_and_sends_nothing_twice(scene: Scene) -> None:
    message, numbers = scene.send("3933", 30)
    with scene.hostile.line() as line:
        line.bind()
        first = [line.until(p.SubmitSm) for _ in range(20)]
        line.say(p.Unbind(sequence=900))
        assert line.until(p.UnbindResp).sequence == 900
        assert line.closed()
    seen = [one.destination_addr for one in first if isinstance(one, p.SubmitSm)]
    with scene.hostile.line() as line:
        line.bind()
        seen += [accept(line, f"AFTER{number}") for number in range(10)]
    assert sorted(f"+{one}" for one in seen) == numbers
    assert set(scene.statuses(message)) == {"Waiting"}


def test_a_bind_that_is_never_answered_is_given_up(scene: Scene) -> None:
    scene.silent.forget()
    with scene.silent.line() as line:
        assert isinstance(line.read(), p.BindTransceiver)
        assert line.closed()


def test_a_peer_that_falls_silent_is_left_in_time(scene: Scene) -> None:
    scene.silent.forget()
    with scene.silent.line() as line:
        line.bind()
        silent = Stopwatch()
        said = [*iter(line.read, None)]
        assert silent.at_least(RESPONSE)
        asked = [one for one in said if isinstance(one, p.EnquireLink)]
        assert 1 <= len(asked) <= 1 + RESPONSE / ENQUIRE, "it was asked on although it did not answer"


def test_sequence_numbers_that_come_again_are_each_answered_and_kept(scene: Scene) -> None:
    with scene.hostile.line() as line:
        line.bind()
        line.say(receipt("SEQ1", 5), receipt("SEQ2", 5), receipt("SEQ3", 0), receipt("SEQ4", 0xFFFFFFFF))
        answers = [line.until(p.DeliverSmResp) for _ in range(4)]
        assert [(one.sequence, one.status) for one in answers] == [(5, 0), (5, 0), (0, 0), (0xFFFFFFFF, 0)]
    assert scene.trail("SEQ_") == 4


def test_responses_to_nothing_are_ignored(scene: Scene) -> None:
    message, _ = scene.send("3933")
    with scene.hostile.line() as line:
        line.bind()
        line.say(
            p.SubmitSmResp(sequence=4711, message_id="NOTHING"),
            p.EnquireLinkResp(sequence=4712),
            p.GenericNack(sequence=4713, status=3),
            p.SubmitSmResp(sequence=4711, message_id="NOTHING"),
        )
        to = accept(line, "REAL")
        line.say(p.SubmitSmResp(sequence=4711, message_id="NOTHING"), receipt("REAL", 1, to))
        line.until(p.DeliverSmResp)
    assert scene.statuses(message) == ["Delivered"]


def test_a_response_that_cannot_be_read_does_not_end_the_link(scene: Scene) -> None:
    with scene.hostile.line() as line:
        line.bind().octets(NONSENSE["a response to nothing that cannot be read"])
        line.say(receipt("STILL", 1))
        assert line.until(p.DeliverSmResp).status == 0


def test_ten_thousand_receipts_whose_responses_nobody_reads_are_kept_or_not_acknowledged(scene: Scene) -> None:
    count = 10_000
    with scene.hostile.line() as line:
        line.bind()
        line.socket.settimeout(A_TRY)
        said = b"".join(encode(receipt(f"DEAF{number:05d}", number + 1)) for number in range(count))
        written = 0
        try:
            while written < len(said):
                written += line.socket.send(said[written : written + 65536])
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass  # the server stopped reading, or left a peer that does not read: both are well
        line.socket.settimeout(2 * A_TRY)
        acknowledged = set()
        try:
            while isinstance(answer := line.read(), p.Pdu):
                if isinstance(answer, p.DeliverSmResp) and answer.status == 0:
                    acknowledged.add(answer.sequence)
                line.courtesy(answer)
                if len(acknowledged) == count:
                    break
        except (TimeoutError, BrokenPipeError):
            pass
    assert acknowledged
    assert scene.trail("DEAF%") >= len(acknowledged)

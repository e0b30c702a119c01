"""Readers of what operators and subscribers write, and of the log that receipts go through."""

import struct
import zlib
from collections.abc import Callable
from datetime import UTC
from hashlib import blake2b
from typing import cast

from esito.domain import coding, gsm0338, message_ids, number_forms, opt_out, reply, vocabulary
from esito.domain.display import hide_in
from esito.domain.receipt import read_stat
from esito.domain.states import MessageState
from esito.lifecycle.readable import without_text
from esito.receipt_log import frames
from esito.smpp import codec, incoming, pdu, receipt_text, receipts, reply_text, responses
from esito.smpp.codec import encode
from esito.smpp.incoming import IncomingSettings
from tests.growth.spite import BODY, PDU, SPITEFUL, Reader, allowed, octets, wrapped
from tests.kit.builders import NOW


def delivered(given: str, coding_: int = 0) -> pdu.DeliverSm:
    """Return a deliver_sm in which everything is this text."""
    written = given.encode("latin-1", "replace")
    tlvs = {int(tag): written for tag in pdu.Tag}
    return pdu.DeliverSm(source_addr=given, destination_addr=given, data_coding=coding_, esm_class=0x44, tlvs=tlvs)


def a_receipt(given: str) -> object:
    one = delivered(given)
    receipts.kind_of(one)
    receipts.has_text_of_receipt(one)
    return receipts.read_receipt(one, link="alpha", at=NOW, settings=incoming.IncomingSettings(sender="+33612345678"))


def a_number(given: str) -> object:
    written = number_forms.written_number(given)
    known = ("33612345678", "5491112345678", "5511912345678", "22990123456", "22507123456", given)
    return [number_forms.is_same_line(written, one) for one in known], (
        [number_forms.is_another_short_one(given, one) for one in known],
        number_forms.are_one(written, "33612345678"),
        written and number_forms.tails_of(written),
    )


def a_code(given: str) -> object:
    return [VOCABULARY.of_receipt("", code, MessageState.REJECTED, stat=given) for code in (given, f"3:{given}")]


def an_answer(given: str) -> object:
    said = given.encode("ascii", "replace").decode().replace("\0", "")
    one = pdu.QuerySmResp(message_id=said, final_date=said[:16])
    return responses.read_answer(one, link="a", zone=UTC, at=NOW)


def words_of(given: str) -> object:
    raw = encode(pdu.DeliverSm(tlvs={pdu.Tag.MESSAGE_PAYLOAD: given.encode("utf-8", "replace")[: PDU - 1]}))
    return without_text(raw, whole=False), without_text(raw, whole=True), without_text(raw[16:], whole=True)


VOCABULARY = vocabulary.Vocabulary(vocabulary.ErrorTable(), {})
WORDS = opt_out.StopWords(["STOP", "ARRET"])


TEXTS: dict[str, Reader] = {
    name: Reader(most, allowed(read), SPITEFUL)
    for name, most, read in cast(
        "list[tuple[str, int, Callable[[str], object]]]",
        [
            # What operators and subscribers write.
            ("receipt", PDU // 2, a_receipt),
            (
                "text of a receipt",
                PDU // 2,
                lambda given: (receipt_text.read_fields(given), receipt_text.reads_as_receipt(given)),
            ),
            ("dates of a receipt", PDU, lambda given: receipts.instants(given, UTC)),
            ("final date", PDU, lambda given: responses.read_final_date(given, UTC)),
            (
                "message id",
                PDU,
                lambda given: (
                    message_ids.canonical(given),
                    message_ids.match_keys(given),
                    message_ids.clean_id(given),
                ),
            ),
            (
                "two message ids",
                PDU,
                lambda given: (message_ids.spelling(given, given + "1"), receipt_text.ids_disagree(given, "1" + given)),
            ),
            ("error code", PDU, vocabulary.normal_code),
            ("meaning of an error", PDU, a_code),
            ("state that was kept", PDU, read_stat),
            ("answer to a query", 60, an_answer),
            ("octets of an orphan", PDU, lambda given: hide_in(given.encode("utf-8", "replace"), "+33611110001")),
            ("words of an orphan", PDU, words_of),
            ("number of an operator", PDU, a_number),
            ("address of a reply", PDU, reply.same_address),
            ("STOP", PDU, lambda given: WORDS.stops(given, ["36111", "acme"])),
            ("plain words", opt_out.LONGEST_STOP, opt_out.plain_words),
            ("whole reply", PDU, lambda given: reply.whole_text([given, given])),
            ("body of a reply", PDU, lambda given: reply.short_code_body(reply.ReplyKind.STOP, given, given, 1)),
            (
                "body of a long number",
                PDU,
                lambda given: reply.long_number_body(
                    reply.Reply(link="a", source=given, destination=given, received_at=NOW, raw=b"", text=given),
                    given,
                    uuid="",
                ),
            ),
            *[
                (
                    f"text written as {alphabet.value}",
                    BODY,
                    lambda given, alphabet=alphabet: coding.write(
                        given, unicode=False, segments=3, codings=coding.Codings(alphabet)
                    ),
                )
                for alphabet in coding.Alphabet
            ],
            ("text cut by the operator", BODY, lambda given: coding.whole.__wrapped__(given, unicode=False)),
        ],
    )
}


# -- PDUs --------------------------------------------------------------------------------------


def a_frame(command: int, content: bytes) -> bytes:
    return struct.pack(">IIII", 16 + len(content), command, 0, 1) + content


def cut_into(size: int) -> Callable[[bytes], object]:
    """Return a reader of a stream that comes in pieces of this size."""

    def reads(stream: bytes) -> object:
        buffer = codec.FrameBuffer()
        return [len(buffer.feed(stream[at : at + size])) for at in range(0, len(stream), size)]

    return reads


def decoded(given: bytes) -> object:
    for command in codec.COMMAND_OF.values():
        for content in (given, given[:-1] + b"\0", b"\0" * 40 + given):
            codec.decode_to_keep(a_frame(command, content))
    return None


def decoded_or_not(given: bytes) -> object:
    try:
        return decoded(given)
    except codec.ProtocolError:
        return None


def a_reply(coding_: int, alphabet: coding.Alphabet, esm_class: int) -> Callable[[bytes], object]:
    settings = IncomingSettings(codings=coding.Codings(alphabet))

    def reads(given: bytes) -> object:
        one = pdu.DeliverSm(data_coding=coding_, esm_class=esm_class, tlvs={pdu.Tag.MESSAGE_PAYLOAD: given})
        return reply_text.read_reply(one, link="alpha", at=NOW, settings=settings), receipts.text_of(one)

    return reads


ALPHABETS_OF_REPLIES = [
    *((code, coding.Alphabet.GSM) for code in (0, 1, 2, 5, 6, 7, 8, 10, 13, 14, 0x11, 0xF4)),
    *((0, one) for one in coding.Alphabet),
]
REPLIES = {
    **octets(
        b"\0",
        b"\x1b",
        b"\x1ba",
        b"a",
        b"\xff",
        b"\x80",
        b"\xd8\x00",
        b"\xdc\x00",
        b"\xd8\x00\xdc\x00",
        b"\0a",
        b"\x1b\x1b",
    ),
    **octets(b"\x1b$B", b"\x1b(J", b"\x8f", b"\xe9", b"\xc3\xa9", b"\r", b" ", b"\x7f"),
    **wrapped(b"", b"a", b"\xff"),
    **wrapped(b"\xff", b"\x00\x00", b""),
    **wrapped(b"", b"\x00\x01", b""),
    **wrapped(b"", b"a", b"\0"),
    **wrapped(b"", b"\0", b"a"),
}
BODIES_OF_PDUS = {
    **octets(
        b"\0", b"a", b"\xff", b"\0a", b"\x00\x1e\x00\x00", b"\x04\x24\x00\x01a", b"\x04\x24\x00\x01a\x04\x24\x00\x01b"
    ),
    "tags that all differ": lambda length: b"".join(struct.pack(">HH", tag, 0) for tag in range(length // 4)),
}
STREAMS = {
    "one PDU": lambda length: a_frame(5, b"a" * length),
    "small PDUs": lambda length: a_frame(0x15, b"") * (length // 16),
    "a PDU and a bit": lambda length: (a_frame(5, b"a" * 1000) + b"\0") * (length // 1000),
}
FRAMES = {
    **octets(b"EF\x02", b"\0", b"\xff"),
    "a frame": lambda length: frames.encode(
        frames.Frame(
            "a",
            1,
            1,
            tuple(
                receipts.read_receipt(pdu.DeliverSm(frame=b"a" * 90), link="a", at=NOW) for _ in range(length // 100)
            ),
        )
    ),
    "zeros, deflated": lambda length: sealed(b"\0" * length),
    "arrays in arrays, deflated": lambda length: sealed(b"\x91" * length),
}


def sealed(packed: bytes) -> bytes:
    whole = b"EF\x02" + zlib.compress(packed, 0)
    return whole + blake2b(whole, digest_size=8).digest()


PDUS: dict[str, Reader] = {
    "PDU": Reader(PDU, decoded_or_not, BODIES_OF_PDUS),
    "stream at once": Reader(2 * PDU, allowed(cut_into(48 * 1024)), STREAMS),
    "stream octet by octet": Reader(2 * PDU, allowed(cut_into(1)), STREAMS),
    **{
        f"reply, data_coding {code}, {alphabet.value}, esm_class {esm_class}": Reader(
            PDU, a_reply(code, alphabet, esm_class), REPLIES
        )
        for code, alphabet in ALPHABETS_OF_REPLIES
        for esm_class in (0, 0x40)
    },
    "packed septets": Reader(PDU, lambda given: gsm0338.pack(gsm0338.unpack(given)), REPLIES),
    "frame of the log": Reader(BODY, allowed(frames.decode), FRAMES),
}

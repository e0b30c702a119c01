"""Rows of the trail: their checksum, and what a batch of receipts changes, written within the writer's transaction."""

from collections.abc import Iterable, Sequence
from typing import TypeVar
from zlib import crc32

from esito.domain.decisions import Decisions
from esito.domain.message_ids import canonical
from esito.domain.receipt import DeliveryReceipt
from esito.store.sql_connection import Connection, SqlValue
from esito.store.transactions.known_links import Links


def checksum(
    *,
    received_at: int,
    verdict: str,
    smsc_id: str,
    state: int | None,
    error: str,
    message_id: int | None,
    seq: int | None,
    part: int | None,
    raw: bytes,
) -> int:
    """Return the CRC-32 over what the row says and the octets it keeps."""
    said = f"{received_at}|{verdict}|{smsc_id}|{state}|{error}|{message_id}|{seq}|{part}|"
    return crc32(raw, crc32(said.encode("utf-8", "surrogatepass")))


_Move = TypeVar("_Move", bound=tuple[object, ...])


def write_decisions(
    connection: Connection,
    links: Links,
    receipts: Sequence[DeliveryReceipt],
    decisions: Decisions,
    *,
    origins: Sequence[int] = (),
    at: int | None = None,
) -> Sequence[int]:
    """Write decisions down; return the numbers of the new rows of the trail, in its order.

    `origins`: the rows in which the receipts were kept before, of receipts that were matched later, at `at`.
    """
    numbers = connection.ids("trail", len(decisions.trail))
    connection.run_rows("insert_trail", _trail_rows(links, receipts, decisions, numbers, origins=origins, at=at))
    # In the order of their keys: whole pages at a time, and nobody waits for who waits for him.
    connection.run_rows(
        "move_segments",
        [move[:6] for move in sorted(_last(decisions.segments, 3))],
    )
    connection.run_rows("move_recipients", sorted(_last(decisions.recipients, 2)))
    connection.run_rows(
        "identify_segments",
        [
            (*ref, smsc_id, canonical(smsc_id), at, links.asks.get(link))
            for *ref, smsc_id, at, link in decisions.identified
        ],
    )
    connection.run_rows("insert_callbacks", decisions.callbacks)
    return numbers


def _trail_rows(
    links: Links,
    receipts: Sequence[DeliveryReceipt],
    decisions: Decisions,
    numbers: Sequence[int],
    *,
    origins: Sequence[int],
    at: int | None,
) -> Iterable[tuple[SqlValue, ...]]:
    link_ids = {link: links.named(link).id for link in {receipt.link for receipt in receipts}}
    for place, (number, verdict, flags, done_at, message_id, seq, part) in enumerate(decisions.trail):
        receipt = receipts[number]
        state = None if receipt.state is None else int(receipt.state)
        received_at = receipt.received_at if at is None else at
        yield (
            numbers[place],
            received_at,
            link_ids[receipt.link],
            message_id,
            seq,
            part,
            verdict,
            receipt.smsc_message_id,
            state,
            receipt.stat,
            receipt.error_code,
            done_at,
            flags,
            origins[number] if origins else None,
            receipt.raw,
            checksum(
                received_at=received_at,
                verdict=verdict,
                smsc_id=receipt.smsc_message_id,
                state=state,
                error=receipt.error_code,
                message_id=message_id,
                seq=seq,
                part=part,
                raw=receipt.raw,
            ),
        )


def _last(moves: Sequence[_Move], key: int) -> list[_Move]:
    """Keep only the last move of each segment or recipient: one UPDATE must not name a row twice."""
    return list({move[:key]: move for move in moves}.values())

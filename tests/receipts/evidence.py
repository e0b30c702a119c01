"""What a store holds of a message, read beside the running server."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from esito.domain.operator_habits import IdForm, Learned
from esito.domain.states import MessageState
from tests.kit.tables import tables_at

_TRAIL = """
SELECT id, verdict, flags, error, raw, state FROM trail
 WHERE message_id = ?1 AND seq = ?2
    OR id IN (SELECT origin FROM trail WHERE message_id = ?1 AND seq = ?2 AND origin IS NOT NULL)
 ORDER BY id"""

_SEGMENTS = """
SELECT part, state, coalesce(smsc_id, ''), phase, done_at FROM segment
 WHERE message_id = ?1 AND seq = ?2 ORDER BY part"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailRow:
    """One line of a recipient's trail."""

    verdict: str
    flags: frozenset[str]
    error: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment of a recipient."""

    part: int
    state: MessageState
    smsc_id: str
    answered: bool
    done_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Everything the store holds of one recipient."""

    message_id: int
    seq: int
    msisdn: str
    state: MessageState
    trail: list[TrailRow]
    segments: list[Segment]
    callbacks: int


class Evidence:
    """A store's tables."""

    def __init__(self, url: str) -> None:
        self.tables = tables_at(url)
        self._rows = self.tables.rows

    def close(self) -> None:
        self.tables.close()

    def one(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        return int(self._rows(sql, parameters)[0][0] or 0)

    def recipients(self, message_id: int) -> list[Recipient]:
        """Return the recipients of a message in their order."""
        rows = self._rows("SELECT seq, msisdn, state FROM recipient WHERE message_id = ?1 ORDER BY seq", (message_id,))
        return [self._recipient(message_id, *row) for row in rows]

    def _recipient(self, message_id: int, seq: int, msisdn: int, state: int) -> Recipient:
        key = message_id, seq
        return Recipient(
            message_id=message_id,
            seq=seq,
            msisdn=str(msisdn),
            state=MessageState(state),
            trail=[
                TrailRow(verdict=verdict, flags=frozenset(flags.split()), error=error, raw=raw)
                for _, verdict, flags, error, raw, _ in self._rows(_TRAIL, key)
            ],
            segments=[
                Segment(
                    part=part, state=MessageState(state), smsc_id=smsc_id, answered=phase in {3, 4}, done_at=done_at
                )
                for part, state, smsc_id, phase, done_at in self._rows(_SEGMENTS, key)
            ],
            callbacks=self.one("SELECT count(*) FROM callback WHERE message_id = ?1 AND seq = ?2", key),
        )

    def open_segments(self, *, uncertain: bool = False) -> int:
        """Count the segments whose response is not stored yet; `uncertain`: those that wait for none do not count."""
        return self.one(f"SELECT count(*) FROM segment WHERE phase NOT IN ({'3, 4, 5' if uncertain else '3, 4'})")

    def submitted(self) -> int:
        """Count the segments whose response is awaited."""
        return self.one("SELECT count(*) FROM segment WHERE phase = 1")

    def next_try(self) -> int | None:
        """Return when the next segment is submitted again, where nothing else is under way; None: never."""
        rows = self._rows("SELECT min(retry_at), sum(CASE phase WHEN 1 THEN 1 ELSE 0 END) FROM segment")
        retry_at, under_way = rows[0]
        return None if retry_at is None or under_way else int(retry_at)

    def ends_due(self, at: int) -> int:
        """Count the messages whose wait for a last word has ended, or may have, and is not looked at yet."""
        return self.one("SELECT count(*) FROM message WHERE check_at <= ?1", (at,))

    def trail_rows(self) -> int:
        """Count the receipts that are kept; what was matched later has one row more, which is left out."""
        return self.one("SELECT count(*) FROM trail WHERE origin IS NULL AND length(raw) > 0")

    def has_raw(self, octets: bytes) -> bool:
        """Tell whether a PDU is kept as it came."""
        return bool(self.one("SELECT EXISTS (SELECT 1 FROM trail WHERE raw = ?1)", (octets,)))

    def orphans(self) -> list[frozenset[str]]:
        """Return the flags of every receipt that has no segment."""
        rows = self._rows("SELECT t.flags FROM unmatched u JOIN trail t ON t.id = u.trail ORDER BY t.id")
        return [frozenset(flags.split()) for (flags,) in rows]

    def replies(self) -> int:
        return self.one("SELECT count(*) FROM reply")

    def learned(self, operator: str) -> Learned:
        """Return what is known of an operator's ids."""
        rows = self._rows(
            "SELECT as_is, strip_zeros, hex_to_dec, dec_to_hex, ambiguous, dates FROM operator WHERE name = ?1",
            (operator,),
        )
        as_is, strip_zeros, hex_to_dec, dec_to_hex, ambiguous, dates = rows[0]
        seen = {
            IdForm.AS_IS: as_is,
            IdForm.STRIP_ZEROS: strip_zeros,
            IdForm.HEX_TO_DEC: hex_to_dec,
            IdForm.DEC_TO_HEX: dec_to_hex,
        }
        return Learned(IdForm.AUTO, seen, ambiguous, dates)

    def complaints(self) -> list[str]:
        """Return what `esito check` would say of the books."""
        return self.tables.complaints()

    def hold_writes(self) -> Callable[[], None]:
        """Keep everybody else from writing, until what is returned is called."""
        return self.tables.hold_writes()

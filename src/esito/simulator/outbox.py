"""Every deliver_sm that is scheduled, due, or not yet answered.

All sessions of the ESME share one schedule and one queue. A deliver_sm is finished only
when it is answered; until then it is sent again, on whatever session there is.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from datetime import tzinfo
from typing import Protocol

from esito.clockwork import Schedule
from esito.domain.states import MessageState
from esito.domain.timing import SECOND_MS, Clock
from esito.simulator.fates import STATS
from esito.simulator.journal import DeliverSmEvent, Journal
from esito.simulator.simulated_message import Message, PendingDelivery, receipt, reply
from esito.smpp.pdu import DeliverSm, Pdu, Status

FINAL_REFUSALS = {Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN, Status.ESME_RX_T_APPN}
"""Refusals after which it is not sent again, as with some operators."""

BUSY = {Status.ESME_RMSGQFUL, Status.ESME_RTHROTTLED}
"""Refusals after which nothing is sent on the session for a while."""


class ReceivingSession(Protocol):
    """What the outbox needs of a session."""

    number: int
    sequences: Iterator[int]
    outstanding: dict[int, tuple[PendingDelivery, float]]
    """deliver_sm not yet answered, oldest first: sequence_number, what was sent, when."""
    paused_until: float
    congested: bool

    def send(self, pdu: Pdu) -> None:
        """Write a PDU at the next flush."""

    def flush(self) -> None:
        """Write."""


class Outbox:
    """Sends deliver_sm to the ESME."""

    def __init__(
        self, *, clock: Clock, journal: Journal, zone: tzinfo, window: int, response_timeout: float, retry_pause: float
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._zone = zone
        self._window = window
        self._response_timeout = response_timeout
        self._retry_pause = retry_pause
        self._loop = asyncio.get_running_loop()
        self._schedule: Schedule[PendingDelivery] = Schedule(clock, self._due)
        self._ready: deque[PendingDelivery] = deque()
        self._pausing: deque[tuple[float, PendingDelivery]] = deque()
        self._receivers: dict[int, ReceivingSession] = {}
        self._turn = 0
        self._dropped = 0
        self._closed = False
        self.receipts_sent = 0
        """Receipts sent, repetitions included."""
        self.receipts_acknowledged = 0

    @property
    def waiting(self) -> int:
        """deliver_sm that are scheduled, due, or not yet answered."""
        unanswered = sum(len(receiver.outstanding) for receiver in self._receivers.values())
        return self._dropped + len(self._schedule) + len(self._ready) + len(self._pausing) + unanswered

    def expect(self, message: Message) -> ReceivingSession | None:
        """Schedule the receipts and the reply of a message.

        Return the session on which a receipt left at once, if the fate wants it before the submit_sm_resp.
        """
        used = None
        for said in message.plan:
            if not message.wants(said.state):
                continue
            for _ in range(message.fate.copies):
                delivery = PendingDelivery(message=message, said=said)
                if message.fate.receipt_first and used is None and (used := self._send_now(delivery)):
                    continue
                if said.after_ms:
                    self._schedule.add(message.submitted_at + said.after_ms, delivery)
                else:
                    self._ready.append(delivery)  # it leaves right after the response, in the same write
        last = message.plan[-1] if message.plan else None
        # A subscriber replies after reading the message, and once, however many segments it had.
        if message.fate.reply and message.segment == 1 and (last is None or last.state is MessageState.DELIVERED):
            at = message.submitted_at + (last.after_ms if last else 0) + SECOND_MS
            self._schedule.add(at, PendingDelivery(message=message, said=None))
        return used

    def join(self, receiver: ReceivingSession) -> None:
        """Send on this session too; it is bound for receiving."""
        self._receivers[receiver.number] = receiver
        self.pump()

    def leave(self, receiver: ReceivingSession) -> None:
        """Send no more on this session; what it has not answered is sent on another one, or at the next bind."""
        if self._receivers.pop(receiver.number, None) is not None:
            self._ready.extendleft(delivery for delivery, _ in reversed(receiver.outstanding.values()))
            receiver.outstanding.clear()
            self.pump()

    def answered(self, receiver: ReceivingSession, sequence: int, status: int) -> None:
        """Note a deliver_sm_resp; one that is late or repeated changes nothing."""
        delivery, _ = receiver.outstanding.pop(sequence, (None, 0.0))
        if delivery is None:
            return
        if status == Status.ESME_ROK:
            self.receipts_acknowledged += delivery.said is not None
            self._note("acknowledged", receiver, sequence, delivery)
            return
        final = status in FINAL_REFUSALS
        self._note("refused", receiver, sequence, delivery, status=status, final=final)
        if not final:
            again_at = self._loop.time() + self._retry_pause
            self._pausing.append((again_at, delivery))
            if status in BUSY:
                receiver.paused_until = again_at

    def pump(self) -> None:
        """Send what is due and fits the windows."""
        if self._closed or not self._ready:
            return
        now = self._loop.time()
        free = [r for r in self._receivers.values() if self._has_room(r) and r.paused_until <= now]
        used: dict[int, ReceivingSession] = {}
        while self._ready and free:
            delivery = self._ready.popleft()
            receiver = self._choose(delivery.message, free)
            self._send(receiver, delivery, now)
            used[receiver.number] = receiver
            if not self._has_room(receiver):
                free.remove(receiver)
        # It is in the journal before it is on the wire.
        self._journal.flush()
        for receiver in used.values():
            receiver.flush()

    def look_after(self) -> None:
        """Send again what was not answered in time or paused; called regularly."""
        now = self._loop.time()
        for receiver in self._receivers.values():
            late = []
            for sequence, (_, sent_at) in receiver.outstanding.items():
                if sent_at + self._response_timeout > now:
                    break
                late.append(sequence)
            self._ready.extendleft(receiver.outstanding.pop(sequence)[0] for sequence in reversed(late))
        while self._pausing and self._pausing[0][0] <= now:
            self._ready.append(self._pausing.popleft()[1])
        self.pump()

    def close(self) -> None:
        """Send nothing more; `waiting` still tells how much was left."""
        self._dropped = len(self._schedule)
        self._schedule.close()
        self._closed = True

    def _due(self, deliveries: list[PendingDelivery]) -> None:
        self._ready.extend(deliveries)
        self.pump()

    def _has_room(self, receiver: ReceivingSession) -> bool:
        return len(receiver.outstanding) < self._window and not receiver.congested

    def _choose(self, message: Message, free: list[ReceivingSession]) -> ReceivingSession:
        """Return the session that submitted, else any other; for `other_session` another one first."""
        if len(free) == 1:
            return free[0]
        if message.fate.other_session:
            free = [receiver for receiver in free if receiver.number != message.session]
        else:
            for receiver in free:
                if receiver.number == message.session:
                    return receiver
        self._turn += 1
        return free[self._turn % len(free)]

    def _send_now(self, delivery: PendingDelivery) -> ReceivingSession | None:
        """Send at once, whatever the windows; return the session, or None if none receives."""
        if not self._receivers:
            return None
        receiver = self._choose(delivery.message, list(self._receivers.values()))
        self._send(receiver, delivery, self._loop.time())
        return receiver

    def _send(self, receiver: ReceivingSession, delivery: PendingDelivery, now: float) -> None:
        sequence = next(receiver.sequences)
        receiver.send(self._pdu(delivery, sequence))
        receiver.outstanding[sequence] = delivery, now
        delivery.attempts += 1
        self.receipts_sent += delivery.said is not None
        self._note("sent", receiver, sequence, delivery)

    def _pdu(self, delivery: PendingDelivery, sequence: int) -> DeliverSm:
        if delivery.said is None:
            return reply(delivery.message, sequence=sequence)
        return receipt(delivery.message, delivery.said, sequence=sequence, zone=self._zone)

    def _note(
        self,
        what: str,
        receiver: ReceivingSession,
        sequence: int,
        delivery: PendingDelivery,
        *,
        status: int | None = None,
        final: bool | None = None,
    ) -> None:
        if not self._journal.on:
            return
        message, said = delivery.message, delivery.said
        self._journal.write(
            DeliverSmEvent(
                event=f"receipt_{what}" if said else f"reply_{what}",
                at=self._clock.now(),
                session=receiver.number,
                seq=sequence,
                smsc_message_id=message.response_id,
                receipted_message_id=message.receipt_id,
                to=message.recipient.digits,
                stat=STATS[said.state] if said else None,
                attempt=delivery.attempts,
                status=status,
                final=final,
            )
        )

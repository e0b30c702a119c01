"""Accepts or refuses submit_sm and data_sm, and decides the fate of each message."""

import time
from collections import OrderedDict
from collections.abc import Hashable

from esito.domain.states import STATE_VALUES, MessageState
from esito.domain.timing import VALIDITY_MS, Clock
from esito.simulator.behaviour import Behaviour, Chooser
from esito.simulator.dates import absolute, validity_ms
from esito.simulator.fates import Fate
from esito.simulator.ids import Ids
from esito.simulator.journal import Journal, SubmitSmAnswered
from esito.simulator.simulated_message import Message, SmppAddress, opening_of, segment_of, text_of
from esito.simulator.trouble import Meter
from esito.smpp.pdu import DataSm, QuerySm, QuerySmResp, Status, SubmitSm

ESME_RINVEXPIRY = 0x62
"""command_status: the validity_period is invalid."""

ADDRESS_LENGTH = 20
"""Characters of an address (SMPP 3.4, 5.2.8); a receipt has room for no more."""

REMEMBERED = 100_000
"""Messages that query_sm finds, and throttled ones that are recognised when they come again."""

STATE_NUMBERS = {state: value for value, state in STATE_VALUES.items()}


class Submissions:
    """Accepts messages, and answers query_sm about them."""

    def __init__(self, behaviour: Behaviour, *, clock: Clock, journal: Journal, seed: int | None, texts: bool) -> None:
        self._behaviour = behaviour
        self._chooser = Chooser(behaviour, seed)
        self._clock = clock
        self._journal = journal
        self._ids = Ids(behaviour.ids, start=behaviour.ids_start, wrap=behaviour.ids_wrap, seed=seed)
        self._texts = texts
        self._meter = Meter(behaviour.submit_per_second)
        self._throttled: OrderedDict[Hashable, int] = OrderedDict()
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self.submitted = 0
        """Messages that were accepted."""

    def take(self, pdu: SubmitSm | DataSm, *, session: int) -> Message | int:
        """Return the accepted message, or the command_status that refuses it."""
        now = self._clock.now()
        taken = self._decide(pdu, session, now)
        if isinstance(taken, Message):
            self._remember(taken)
            self.submitted += 1
            self._note(pdu, session, now, message_id=taken.response_id)
        else:
            self._note(pdu, session, now, status=taken)
        return taken

    def refuse(self, pdu: SubmitSm | DataSm, status: int, *, session: int) -> None:
        """Note a refusal that was decided elsewhere."""
        self._note(pdu, session, self._clock.now(), status=status)

    def _note(
        self, pdu: SubmitSm | DataSm, session: int, at: int, *, message_id: str = "", status: int = Status.ESME_ROK
    ) -> None:
        if self._journal.on:
            self._journal.write(
                SubmitSmAnswered(
                    at=at,
                    session=session,
                    seq=pdu.sequence,
                    smsc_message_id=message_id,
                    sender=pdu.source_addr,
                    to=pdu.destination_addr,
                    status=status,
                    text=text_of(pdu).hex() if self._texts else None,
                )
            )

    def query(self, pdu: QuerySm) -> QuerySmResp:
        """Answer query_sm (4.8); ESME_RQUERYFAIL for an unknown or forgotten id, or one of another sender."""
        message = self._messages.get(pdu.message_id)
        if message is None or pdu.source_addr not in {"", message.sender.digits}:
            return QuerySmResp(sequence=pdu.sequence, status=Status.ESME_RQUERYFAIL)
        said, state = message.state_at(self._clock.now())
        final = said is not None and state > MessageState.ACCEPTED
        return QuerySmResp(
            sequence=pdu.sequence,
            message_id=pdu.message_id,
            final_date=absolute(message.submitted_at + said.after_ms) if said is not None and final else "",
            message_state=STATE_NUMBERS[state],
            error_code=int(said.error) if said is not None and said.error.isdecimal() else 0,
        )

    def _decide(self, pdu: SubmitSm | DataSm, session: int, now: int) -> Message | int:
        if not self._meter.passes(time.monotonic()):
            return Status.ESME_RTHROTTLED
        if len(pdu.source_addr) > ADDRESS_LENGTH:
            return Status.ESME_RINVSRCADR
        if len(pdu.destination_addr) > ADDRESS_LENGTH or not pdu.destination_addr.removeprefix("+").isdecimal():
            return Status.ESME_RINVDSTADR
        valid_ms = VALIDITY_MS
        if isinstance(pdu, SubmitSm) and pdu.validity_period:
            try:
                valid_ms = min(VALIDITY_MS, validity_ms(pdu.validity_period, now))
            except ValueError:
                return ESME_RINVEXPIRY
        fate = self._chooser.fate_of(pdu.destination_addr)
        if fate.throttled and not self._patient(pdu, fate.throttled):
            return Status.ESME_RTHROTTLED
        if fate.refused:
            return fate.refused
        return self._message(pdu, fate, valid_ms, session, now)

    def _message(self, pdu: SubmitSm | DataSm, fate: Fate, valid_ms: int, session: int, now: int) -> Message:
        smsc_id = self._ids.next()
        return Message(
            response_id=smsc_id.written(fate.response_id or self._behaviour.response_id),
            receipt_id=smsc_id.written(fate.receipt_id or self._behaviour.receipt_id),
            sender=SmppAddress(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
            recipient=SmppAddress(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr),
            fate=fate,
            plan=self._chooser.plan(fate, valid_ms),
            untold=self._chooser.plan(Fate(words=fate.untold), valid_ms) if fate.untold else (),
            registered_delivery=pdu.registered_delivery,
            submitted_at=now,
            session=session,
            opening=opening_of(pdu),
            segment=segment_of(pdu) if fate.reply else 1,
        )

    def _patient(self, pdu: SubmitSm | DataSm, times: int) -> bool:
        """Tell whether this message was throttled often enough; if not, count it."""
        # SMPP does not mark a submit_sm that is repeated; equal contents have to do.
        key = (pdu.source_addr, pdu.destination_addr, getattr(pdu, "short_message", b""), tuple(pdu.tlvs.items()))
        refusals = self._throttled.pop(key, 0)
        if refusals >= times:
            return True
        self._throttled[key] = refusals + 1
        if len(self._throttled) > REMEMBERED:
            self._throttled.popitem(last=False)
        return False

    def _remember(self, message: Message) -> None:
        self._messages.pop(message.response_id, None)  # a reused id means the newest message
        self._messages[message.response_id] = message
        if len(self._messages) > REMEMBERED:
            self._messages.popitem(last=False)

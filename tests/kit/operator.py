"""An operator on a socket that takes its time; its log of what it was given is the witness that nothing is doubled."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from esito.smpp import pdu as p
from tests.kit.peer import BIND_RESPONSES, Peer, Session, peer

REPEAT_AFTER = 1.0
"""Seconds after which a receipt is said again that nobody has acknowledged."""


class Operator:
    """Answers each submit_sm a little later, then reports it delivered, again and again until that is acknowledged."""

    def __init__(self, name: str, one: Peer) -> None:
        self.name = name
        self.peer = one
        self.taken: Counter[str] = Counter()
        """How often each number was submitted."""
        self.unreported: set[str] = set()
        """Ids whose receipt was not acknowledged yet."""
        self._numbers = count(1)
        self._sequences = count(1)
        self._random = random.Random(name)
        one.on_submit = self._take

    @property
    def port(self) -> int:
        return self.peer.port

    @property
    def binds(self) -> int:
        """How often somebody has bound."""
        return sum(type(pdu) in BIND_RESPONSES for session in self.peer.sessions for pdu in session.came)

    @property
    def bound(self) -> bool:
        """Whether somebody is bound now."""
        return self._session() is not None

    def _session(self) -> Session | None:
        def is_bound(session: Session) -> bool:
            return (
                not session.over and not session.of(p.Unbind) and any(type(o) in BIND_RESPONSES for o in session.came)
            )

        return next((session for session in reversed(self.peer.sessions) if is_bound(session)), None)

    def _take(self, pdu: p.SubmitSm) -> None:
        session = next(one for one in self.peer.sessions if one.came and one.came[-1] is pdu)
        self.taken[pdu.destination_addr] += 1
        smsc_id = f"{self.name}{next(self._numbers)}"
        self.unreported.add(smsc_id)
        self._later(0.05, self._answer, session, pdu, smsc_id)

    def _later(self, seconds: float, doing: object, *about: object) -> None:
        asyncio.get_running_loop().call_later(self._random.uniform(0, seconds), doing, *about)  # type: ignore[arg-type]

    def _answer(self, session: Session, pdu: p.SubmitSm, smsc_id: str) -> None:
        if not session.over:
            session.say(p.SubmitSmResp(sequence=pdu.sequence, message_id=smsc_id))
        self._later(0.1, self._report, smsc_id, pdu.destination_addr, pdu.source_addr)

    def _report(self, smsc_id: str, number: str, sender: str) -> None:
        session = self._session()
        if session is None:
            self._later(0.2, self._report, smsc_id, number, sender)
            return
        sequence = next(self._sequences)
        text = f"id:{smsc_id} sub:001 dlvrd:001 stat:DELIVRD err:000 text:ciao"
        session.say(
            p.DeliverSm(
                sequence=sequence,
                esm_class=int(p.EsmClass.DELIVERY_RECEIPT),
                source_addr=number,
                destination_addr=sender,
                short_message=text.encode(),
            )
        )
        about = (session, sequence, smsc_id, number, sender)
        asyncio.get_running_loop().call_later(REPEAT_AFTER, self._look, *about)

    def _look(self, session: Session, sequence: int, smsc_id: str, number: str, sender: str) -> None:
        answers = [one for one in session.of(p.DeliverSmResp) if one.sequence == sequence]
        if any(one.status == 0 for one in answers):
            self.unreported.discard(smsc_id)
        else:
            self._report(smsc_id, number, sender)


@asynccontextmanager
async def operators(*names: str) -> AsyncIterator[dict[str, Operator]]:
    """Run operators until the block ends."""
    if not names:
        yield {}
        return
    async with peer() as one, operators(*names[1:]) as others:
        yield {names[0]: Operator(names[0], one), **others}

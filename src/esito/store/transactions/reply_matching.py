"""What follows from one piece of a reply, step by step, within one transaction.

repeated? -> whose is it, what does it answer -> kept -> whole? -> STOP? -> response, callback
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

from esito.domain.msisdn import read_address
from esito.domain.opt_out import STOP_NUMBER, StopWords
from esito.domain.reply import (
    INCOMPLETE_AFTER_MS,
    REPEATED_WITHIN_MS,
    STOP_WINDOW_MS,
    Reply,
    ReplyKind,
    ReplyPhase,
    SentBefore,
    answered_message,
    long_number_body,
    same_address,
    short_code_body,
    whole_text,
)
from esito.store.interface.reply_store import RepliesKept
from esito.store.sql_connection import Connection
from esito.store.transactions.accounts import add_stop
from esito.store.transactions.known_links import Links
from esito.store.transactions.sent_to import sent_before


class CompleteReply(NamedTuple):
    """A reply with all the parts it will ever have."""

    link: str
    source: str
    destination: str
    received_at: int
    text: str
    missing: int = 0


class LongReply(NamedTuple):
    """What the parts of a long reply have in common."""

    reference: int
    total: int


class StoredPart(NamedTuple):
    """A part of a long reply, as it is kept."""

    id: int
    part: int
    text: bytes
    received_at: int


class WaitingPart(NamedTuple):
    """A part that waits for the others."""

    id: int
    text: str
    received_at: int


class Owner(NamedTuple):
    """Whom a reply belongs to."""

    account: int | None
    message: SentBefore | None
    long_number: bool


class ReplyMatching:
    """Takes the pieces of one batch."""

    def __init__(self, connection: Connection, links: Links, words: StopWords) -> None:
        self._connection = connection
        self._links = links
        self._words = words
        self._owners: dict[str, int | None] = {}
        self._sent: dict[int, list[SentBefore]] = {}
        self._looked_up: set[int] = set()
        self.kept = RepliesKept()

    def look_up(self, replies: Sequence[Reply]) -> None:
        """Find what the writers of these were sent, all in one go."""
        msisdns = {msisdn for reply in replies if (msisdn := msisdn_of(reply.source)) is not None}
        if msisdns:
            self._look_up(msisdns, since=min(reply.received_at for reply in replies) - STOP_WINDOW_MS)

    def take(self, reply: Reply) -> None:
        """Keep one piece, and do what follows from it."""
        if self._is_repeated(reply):
            self._insert(reply, ReplyPhase.REPEATED)
            return
        waiting = self._waiting(reply)
        same = waiting.get(reply.concatenated.part) if reply.concatenated is not None else None
        if same is not None and same.text == reply.text:
            self._insert(reply, ReplyPhase.REPEATED)
            return
        owner = self._owner(reply.link, reply.source, reply.destination, reply.received_at)
        if owner.long_number:
            self._tell_piece(reply, owner)
        if reply.concatenated is None:
            number = self._insert(reply, ReplyPhase.DONE)
            text = whole_text([reply.text])
            whole = CompleteReply(reply.link, reply.source, reply.destination, reply.received_at, text)
            self._finish(whole, owner, [number])
            return
        if same is not None:  # the reference has come round: these will never be whole
            self._join(reply.link, reply.source, reply.destination, waiting, reply.concatenated.total)
            waiting = {}
        number = self._insert(reply, ReplyPhase.WAITS)
        waiting[reply.concatenated.part] = WaitingPart(number, reply.text, reply.received_at)
        if len(waiting) == reply.concatenated.total:
            self._join(reply.link, reply.source, reply.destination, waiting, reply.concatenated.total)

    def give_up(self, link: str, source: str, destination: str, reference: int, total: int) -> int:
        """Join what there is of a long reply; return how many parts it lacks."""
        waiting = self._waiting_under(source, 0, link, destination, LongReply(reference, total))
        if waiting:
            self._join(link, source, destination, waiting, total)
        return total - len(waiting)

    # -- pieces -------------------------------------------------------------------------------

    def _is_repeated(self, reply: Reply) -> bool:
        # The reference in a part tells it from any other for longer than a whole text can be told from another "yes".
        within = REPEATED_WITHIN_MS if reply.concatenated is None else INCOMPLETE_AFTER_MS
        since = reply.received_at - within
        operator = self._links.named(reply.link).operator
        found = self._connection.number(
            "repeated_reply",
            source=reply.source,
            since=since,
            operator=operator,
            destination=reply.destination,
            raw=reply.raw,
        )
        return bool(found)

    def _insert(self, reply: Reply, phase: ReplyPhase) -> int:
        reference, total, part = reply.concatenated or (None, 1, 1)
        return self._connection.number(
            "insert_reply",
            received_at=reply.received_at,
            link=self._links.named(reply.link).id,
            source=reply.source,
            destination=reply.destination,
            raw=reply.raw,
            text=reply.text.encode("utf-16-be", "surrogatepass"),
            phase=phase,
            reference=reference,
            total=total,
            part=part,
        )

    def _waiting(self, reply: Reply) -> dict[int, WaitingPart]:
        if reply.concatenated is None:
            return {}
        reference, total, _ = reply.concatenated
        since = reply.received_at - INCOMPLETE_AFTER_MS
        return self._waiting_under(reply.source, since, reply.link, reply.destination, LongReply(reference, total))

    def _waiting_under(
        self, source: str, since: int, link: str, destination: str, long: LongReply
    ) -> dict[int, WaitingPart]:
        """Return each part that waits by its number, by whichever link of the operator it came."""
        rows = self._connection.rows(
            "waiting_parts",
            StoredPart,
            source=source,
            since=since,
            operator=self._links.named(link).operator,
            destination=destination,
            reference=long.reference,
            total=long.total,
        )
        return {row.part: WaitingPart(row.id, _text_of(row.text), row.received_at) for row in rows}

    def _join(self, link: str, source: str, destination: str, parts: dict[int, WaitingPart], total: int) -> None:
        in_order = [parts[part] for part in sorted(parts)]
        whole = CompleteReply(
            link,
            source,
            destination,
            min(part.received_at for part in in_order),
            whole_text([part.text for part in in_order]),
            total - len(parts),
        )
        last = max(part.received_at for part in in_order)
        self._finish(whole, self._owner(link, source, destination, last), [part.id for part in in_order])

    # -- the whole ------------------------------------------------------------------------------

    def _finish(self, whole: CompleteReply, owner: Owner, pieces: Sequence[int]) -> None:
        kind, owner = self._kind(whole, owner)
        message = owner.message
        response = self._connection.number(
            "insert_response",
            received_at=whole.received_at,
            link=self._links.named(whole.link).id,
            source=shown_number(whole.source),
            destination=whole.destination,
            kind=kind.value,
            account=owner.account,
            message_id=None if message is None else message.message_id,
            seq=None if message is None else message.seq,
            missing=whole.missing,
            text=whole.text,
        )
        for piece in pieces:
            self._connection.run("finish_reply", reply=piece, response=response)
        self.kept = self.kept._replace(responses=self.kept.responses + 1)
        if message is not None and message.url_response and not owner.long_number:
            body = short_code_body(kind, shown_number(whole.source), whole.text, message.message_id)
            self._tell(message, whole.received_at, body)
        if kind is ReplyKind.STOP and owner.account is not None:
            self._stop(whole, owner, owner.account, response)

    def _kind(self, whole: CompleteReply, owner: Owner) -> tuple[ReplyKind, Owner]:
        """Tell whether it is a STOP, and whose; a STOP is obeyed also by who sent under a name (contract 2.5)."""
        heard = owner
        if not owner.long_number:
            message = self._match(whole.link, whole.source, whole.destination, whole.received_at, None, any_sender=True)
            heard = Owner(None if message is None else message.account, message, long_number=False)
        names = [whole.destination, STOP_NUMBER, *(link.stop_number for link in self._links.known)]
        if heard.message is not None:
            names += [heard.message.sender, *heard.message.stop_numbers]
        if heard.account is not None:
            names.append(self._words_of(heard.account)[0])
        if self._words.stops(whole.text, names):
            return ReplyKind.STOP, heard
        return ReplyKind.RESPONSE, owner

    def _stop(self, whole: CompleteReply, owner: Owner, account: int, response: int) -> None:
        msisdn = msisdn_of(whole.source)
        if msisdn is None:
            return
        _, new = add_stop(self._connection, account, msisdn, whole.received_at)
        self.kept = self.kept._replace(stops=self.kept.stops + 1)
        answer = self._words_of(account)[1]
        # Once: a machine that answers our answer must not be answered again.
        if new and answer:
            sender = "" if owner.message is None else owner.message.sender
            if owner.long_number:
                sender = same_address(whole.destination)
            self._connection.run(
                "insert_stop_answer", response=response, account=account, msisdn=msisdn, sender=sender, text=answer
            )

    def _tell_piece(self, reply: Reply, owner: Owner) -> None:
        if owner.message is not None and owner.message.url_response:
            body = long_number_body(reply, shown_number(reply.source), uuid=str(uuid4()))
            self._tell(owner.message, reply.received_at, body)

    def _tell(self, message: SentBefore, at: int, body: str) -> None:
        self._connection.run("insert_reply_callback", message_id=message.message_id, seq=message.seq, at=at, body=body)
        self.kept = self.kept._replace(pushed=self.kept.pushed + 1)

    # -- whose it is ----------------------------------------------------------------------------

    def _owner(self, link: str, source: str, destination: str, at: int) -> Owner:
        account = self._owner_of(same_address(destination))
        message = self._match(link, source, destination, at, account)
        if account is not None:
            return Owner(account, message, long_number=True)
        return Owner(None if message is None else message.account, message, long_number=False)

    def _owner_of(self, number: str) -> int | None:
        """Return the account whose own long number this is."""
        if not (number.isascii() and number.isdecimal()):
            return None
        if number not in self._owners:
            self._owners[number] = self._connection.number("owner_of_number", digits=number) or None
        return self._owners[number]

    def _match(
        self, link: str, source: str, destination: str, at: int, owner: int | None, *, any_sender: bool = False
    ) -> SentBefore | None:
        msisdn = msisdn_of(source)
        if msisdn is None:
            return None
        if msisdn not in self._looked_up:
            self._look_up({msisdn}, since=at - STOP_WINDOW_MS)
        candidates = self._sent.get(msisdn, ())
        return answered_message(
            candidates,
            destination=destination,
            at=at,
            owner=owner,
            operator=self._links.named(link).operator,
            any_sender=any_sender,
        )

    def _look_up(self, msisdns: set[int], *, since: int) -> None:
        self._looked_up |= msisdns
        self._sent |= sent_before(self._connection, self._links, msisdns, since=since)

    def _words_of(self, account: int) -> tuple[str, str]:
        """Return the account's name, and what it answers to a STOP."""
        return self._connection.row("account_words", tuple[str, str], account=account) or ("", "")


def msisdn_of(source: str) -> int | None:
    """Return the digits of the number that wrote; None for a name, or what is no number."""
    number = read_address(source)
    return None if number is None else int(number)


def shown_number(source: str) -> str:
    """Return a number in E.164 with plus; anything else as it came."""
    msisdn = msisdn_of(source)
    return source if msisdn is None else f"+{msisdn}"


def _text_of(octets: bytes) -> str:
    return octets.decode("utf-16-be", "surrogatepass")

"""Whether a receipt may be about a segment: its number and its time must fit.

Operators reuse ids, ids are lost with a response, and one id may read as another in a
different base. So an id alone proves nothing: a receipt that names a number is never about
another number, a receipt that came before a submit_sm left is not about it, and if several
segments fit, the operator's submit date tells which.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from esito.domain.number_forms import (
    are_one,
    is_another_short_one,
    is_same_line,
    is_written_whole,
    tail_of,
    tails_of,
    written_number,
)
from esito.domain.receipt import DeliveryReceipt

SUBMIT_DATE_WITHIN_MS = 2 * 60 * 1000
"""How far an operator's submit date, which may have no seconds, may be from our own."""


def named_numbers(receipt: DeliveryReceipt) -> list[str]:
    """Return the addresses that are subscribers' numbers, as written (`number_forms.written_number`)."""
    return [written for address in receipt.addresses if (written := written_number(address))]


def tails(receipt: DeliveryReceipt) -> list[int]:
    """Return the last digits of the numbers in the receipt, by which they are looked up."""
    return list({tail for written in named_numbers(receipt) for tail in tails_of(written)})


def is_addressed(receipt: DeliveryReceipt, msisdn: str) -> bool:
    """Tell whether either address of the receipt is this number (E.164 digits), in whatever form."""
    if msisdn in receipt.addresses:
        return True
    return any(is_same_line(written, msisdn) for written in named_numbers(receipt))


def is_addressed_whole(receipt: DeliveryReceipt, msisdn: str) -> bool:
    """Tell whether either address is this number with its calling code, so it cannot be another."""
    return any(is_written_whole(written, msisdn) for written in named_numbers(receipt))


def is_named_first(receipt: DeliveryReceipt, msisdn: str) -> bool:
    """Tell whether this number is the first that a receipt names.

    The source address counts first: a receipt has the addresses of the submit_sm swapped (SMPP 3.4, 4.6.1). But some
    operators do not swap them.
    """
    source, destination = receipt.addresses
    if source == msisdn:
        return True
    if written := written_number(source):
        return is_same_line(written, msisdn)
    return destination == msisdn or is_same_line(written_number(destination), msisdn)


def is_sent_by(receipt: DeliveryReceipt, sender: str) -> bool:
    """Tell whether the source address of a receipt is the sender of a message: the addresses are not swapped."""
    return are_one(written_number(receipt.addresses[0]), written_number(sender))


def names_only(receipt: DeliveryReceipt, sender: str) -> bool:
    """Tell whether a receipt names only the sender of a message, and so no recipient.

    If the destination is a name or a short code, the source is the recipient, even if it is also our sender.
    """
    source, destination = (written_number(address) for address in receipt.addresses)
    ours = written_number(sender)
    if not ours or (source and not destination and receipt.addresses[1]):
        return False
    return all(are_one(written, ours) for written in (source, destination) if written)


def fits(receipt: DeliveryReceipt, msisdn: str, *submitted_at: int) -> bool:
    """Tell whether a receipt may be about a submit_sm to this number that left at one of these instants."""
    if receipt.received_at < min(submitted_at):
        return False
    if is_addressed(receipt, msisdn):
        return True
    return not (named_numbers(receipt) or is_another_short_one(receipt.addresses[0], msisdn))


def is_dated(receipt: DeliveryReceipt, *submitted_at: int) -> bool:
    """Tell whether the operator's submit date is readable and near one of these instants."""
    said = receipt.submitted_at
    return said is not None and any(abs(said - one) <= SUBMIT_DATE_WITHIN_MS for one in submitted_at)


def contradicts(receipt: DeliveryReceipt, *submitted_at: int) -> bool:
    """Tell whether the operator's submit date is readable and far from each of these instants."""
    return receipt.submitted_at is not None and not is_dated(receipt, *submitted_at)


class OpenSubmission(NamedTuple):
    """A submit_sm without a response."""

    msisdn: str
    """E.164 digits without the plus."""
    submitted_at: int


class Owed:
    """The submit_sm of one operator that still lack a response, which will bring their id."""

    def __init__(self, submissions: Iterable[OpenSubmission] = (), *, lost: bool = False) -> None:
        """`lost`: whether the operator has segments whose response was lost, and with it their id."""
        self.lost = lost
        self._times: dict[str, list[int]] = {}
        self._by_tail: dict[int, set[str]] = {}
        for msisdn, submitted_at in sorted(set(submissions), key=itemgetter(1)):
            self._times.setdefault(msisdn, []).append(submitted_at)
            self._times.setdefault("", []).append(submitted_at)
            self._by_tail.setdefault(tail_of(msisdn), set()).add(msisdn)

    def may_bring(self, receipt: DeliveryReceipt) -> bool:
        """Tell whether the receipt may be about one of these."""
        return self._has(receipt, 0, receipt.received_at)

    def newer(self, receipt: DeliveryReceipt, submitted_at: int) -> bool:
        """Tell whether the receipt may be about one that left after this instant."""
        return self._has(receipt, submitted_at + 1, receipt.received_at)

    def rather(self, receipt: DeliveryReceipt, submitted_at: int, *earlier: int) -> bool:
        """Tell whether the receipt is more likely about one of these than about one that left at this instant.

        That is a newer one; or one that left at the operator's submit date, if that is far from this instant and from
        the earlier tries.
        """
        if self.newer(receipt, submitted_at):
            return True
        return contradicts(receipt, submitted_at, *earlier) and self.dated(receipt)

    def dated(self, receipt: DeliveryReceipt) -> bool:
        """Tell whether the receipt may be about one that left at the operator's submit date."""
        said = receipt.submitted_at
        if said is None:
            return False
        return self._has(receipt, said - SUBMIT_DATE_WITHIN_MS, min(said + SUBMIT_DATE_WITHIN_MS, receipt.received_at))

    def is_owed(self, written: str) -> bool:
        """Tell whether one of these went to a written number."""
        near = [msisdn for tail in tails_of(written) for msisdn in self._by_tail.get(tail, ())]
        return any(is_same_line(written, msisdn) for msisdn in near)

    def _has(self, receipt: DeliveryReceipt, first: int, last: int) -> bool:
        """Tell whether one that the receipt may name left between two instants, both included."""
        return any(_any_between(self._times[msisdn], first, last) for msisdn in self._named(receipt))

    def _named(self, receipt: DeliveryReceipt) -> Iterator[str]:
        """Yield the recipients of these that the receipt names; '' (all of them) if it names none."""
        if not self._times:
            return
        if not (wanted := tails(receipt)):
            yield ""
        for tail in wanted:
            yield from (msisdn for msisdn in self._by_tail.get(tail, ()) if is_addressed(receipt, msisdn))


def _any_between(times: list[int], first: int, last: int) -> bool:
    place = bisect_left(times, first)
    return place < len(times) and times[place] <= last


NOTHING_OWED = Owed()

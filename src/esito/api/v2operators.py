"""The links to the operators, and the receipts that match nothing (design 6).

Both describe the whole installation, whose links all accounts share: any valid key may see them.
Numbers of recipients, who may be another account's, are never shown whole.
"""

import re
from collections.abc import Iterator

from esito.api.answer import Answer
from esito.api.call import Call
from esito.api.paging import page_cursor, page_limit
from esito.api.services import LinkStatus
from esito.api.xml import Value
from esito.domain.id_forms import IdForm, Learned
from esito.lifecycle.readable import without_text
from esito.store.records import Orphan

OCTETS_OF_ONE = 512
"""Of a receipt as it came: longer ones count as several."""

SHOWN = 4
"""Last digits of an address that are shown."""


async def links(call: Call) -> Answer:
    """GET /v2/links: every link, its state, and what is known of its operator's ids."""
    forms = await call.services.store.id_forms()
    return call.answer({"links": [_link(one, forms.get(one.operator)) for one in await call.services.links()]})


async def orphans(call: Call) -> Answer:
    """GET /v2/orphans: the receipts that match no segment, oldest first, a page at a time."""
    limit = page_limit(call)
    found = await call.services.store.orphans(after=page_cursor(call, first=0), limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    cursor = str(page[-1].number) if more else None
    octets = sum(len(one.raw) for one in page)
    return await call.work(
        lambda: call.answer({"orphans": [_orphan(one) for one in page], "next_cursor": cursor}),
        items=max(len(page), octets // OCTETS_OF_ONE),
    )


def _link(one: LinkStatus, learned: Learned | None) -> dict[str, Value]:
    return {
        "link": one.name,
        "operator": one.operator,
        "state": one.state,
        "sessions": [
            {"bind": session.bind, "state": session.state, "since": session.since, "last_error": session.last_error}
            for session in one.sessions
        ],
        # Empty: not known yet, or the evidence disagrees.
        "id_form": "" if learned is None or learned.form is IdForm.AUTO else learned.form.value,
        "id_form_locked": learned is not None and learned.locked is not IdForm.AUTO,
        "ambiguous_receipts": 0 if learned is None else learned.ambiguous,
        "warnings": [*one.troubles, *_warnings(learned)],
    }


AMBIGUOUS = "ambiguous: receipts were kept as orphans because their id could mean two segments; see message_id_form"

MISLEADING = (
    "dates: the submit dates in the operator's receipts are far from our own; is receipt_timezone right? Until they"
    " agree, receipts of segments whose response was lost are not recognised"
)


def _warnings(learned: Learned | None) -> Iterator[Value]:
    """Say what somebody should look at; an ambiguity is over once the form is known."""
    if learned is not None and learned.ambiguous and learned.form is IdForm.AUTO:
        yield AMBIGUOUS
    if learned is not None and learned.dates.mislead:
        yield MISLEADING


def _orphan(one: Orphan) -> dict[str, Value]:
    return {
        "number": one.number,
        "received_at": one.received_at,
        "verdict": one.verdict,
        "link": one.link,
        "operator": one.operator,
        "smsc_message_id": one.smsc_message_id,
        "source_addr": hide_address(one.addresses[0]),
        "destination_addr": hide_address(one.addresses[1]),
        "stat": one.stat,
        "error": one.error,
        "flags": one.flags.split(),
        "raw": _shown(one).hex(),
    }


def _shown(one: Orphan) -> bytes:
    """Return the octets without numbers, and without what somebody wrote."""
    unknown = {"unreadable", "unparsed"}.intersection(one.flags.split())
    raw = without_text(one.raw, whole=bool(unknown))
    return _hidden_in(raw, one.addresses) if any(one.addresses) else _numbers_hidden(raw)


def hide_address(address: str) -> str:
    """Return an address of which, when it is a number, only the last digits show."""
    if sum(sign.isdigit() for sign in address) <= SHOWN:
        return address
    return "*" * (len(address) - SHOWN) + address[-SHOWN:]


_NUMBER = re.compile(rb"\d{6,}")


def _numbers_hidden(raw: bytes) -> bytes:
    """Return the octets of a PDU whose addresses could not be read, with whatever may be a number hidden."""
    return _NUMBER.sub(lambda found: b"*" * (len(found[0]) - SHOWN) + found[0][-SHOWN:], raw)


def _hidden_in(raw: bytes, addresses: tuple[str, str]) -> bytes:
    """Return the octets with both addresses hidden, each as long as it was."""
    for address in sorted(addresses, key=len, reverse=True):
        if hide_address(address) != address:
            raw = raw.replace(address.encode("latin-1", "replace"), hide_address(address).encode("latin-1", "replace"))
    return raw

"""The receipts that match nothing (design 6).

They are the installation's: an administrator's key opens them. Numbers are hidden until he asks for them with a reason.
"""

import re

from esito.api.answer import Answer
from esito.api.call import AdminCall
from esito.api.paging import page_cursor, page_limit
from esito.api.unmasking import unmasked_for_administrator
from esito.api.xml import Value
from esito.domain.display import hide_in
from esito.lifecycle.readable import without_text
from esito.store.records import Orphan

OCTETS_OF_ONE = 512
"""Of a receipt as it came: longer ones count as several."""

SHOWN = 4
"""Last digits of an address that are shown."""


async def orphans(call: AdminCall) -> Answer:
    """GET /v2/orphans: the receipts that match no segment, oldest first, a page at a time."""
    limit, cursor = page_limit(call), page_cursor(call, first=0)
    whole = await unmasked_for_administrator(call, subject="orphans")
    found = await call.services.store.orphans(after=cursor, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    next_cursor = str(page[-1].number) if more else None
    octets = sum(len(one.raw) for one in page)
    return await call.work(
        lambda: call.answer({"orphans": [_orphan(one, whole=whole) for one in page], "next_cursor": next_cursor}),
        items=max(len(page), octets // OCTETS_OF_ONE),
    )


def _orphan(one: Orphan, *, whole: bool) -> dict[str, Value]:
    shown = str if whole else hide_address
    raw = one.raw if whole else _numbers_hidden(one)
    return {
        "number": one.number,
        "received_at": one.received_at,
        "verdict": one.verdict,
        "link": one.link,
        "operator": one.operator,
        "smsc_message_id": one.smsc_message_id,
        "source_addr": shown(one.addresses[0]),
        "destination_addr": shown(one.addresses[1]),
        "stat": one.stat,
        "error": one.error,
        "flags": one.flags.split(),
        "raw": raw.hex(),
    }


def hide_address(address: str) -> str:
    """Return an address of which, when it is a number, only the last digits show."""
    if sum(sign.isdigit() for sign in address) <= SHOWN:
        return address
    return "*" * (len(address) - SHOWN) + address[-SHOWN:]


_NUMBER = re.compile(rb"\d{6,}")


def _numbers_hidden(one: Orphan) -> bytes:
    """Return its octets without what somebody wrote, with both addresses hidden, or whatever may be a number."""
    unknown = {"unreadable", "unparsed"}.intersection(one.flags.split())
    raw = without_text(one.raw, whole=bool(unknown))
    if any(one.addresses):
        return _hidden_in(raw, one.addresses)
    return _NUMBER.sub(lambda found: b"*" * (len(found[0]) - SHOWN) + found[0][-SHOWN:], raw)


def _hidden_in(raw: bytes, addresses: tuple[str, str]) -> bytes:
    """Return the octets with both addresses hidden, in whatever form they stand there."""
    for address in sorted(addresses, key=len, reverse=True):
        if hide_address(address) != address:
            raw = raw.replace(address.encode("latin-1", "replace"), hide_address(address).encode("latin-1", "replace"))
        raw = hide_in(raw, address)
    return raw

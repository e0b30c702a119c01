"""The receipts that match nothing (design 6).

They are the installation's: an administrator's key opens them. Numbers are hidden until he asks for them with a reason.
"""

import re

from esito.api.answer import Answer
from esito.api.call import AdminCall
from esito.api.paging import page_cursor, page_limit
from esito.api.unmasking import unmasked_for_administrator
from esito.api.xml import Value
from esito.domain.masking import hide_in
from esito.store.records import Orphan

SHOWN = 4
"""Last digits of an address that are shown."""


async def orphans(call: AdminCall) -> Answer:
    """GET /v2/orphans: the receipts that match no segment, oldest first, a page at a time."""
    limit, cursor = page_limit(call), page_cursor(call, first=0)
    whole = await unmasked_for_administrator(call, subject="orphans")
    found = await call.services.store.orphans(after=cursor, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    return call.answer(
        {"orphans": [_orphan(one, whole=whole) for one in page], "next_cursor": str(page[-1].number) if more else None}
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
    """Return its octets with both addresses hidden; where they could not be read, with whatever may be a number."""
    if any(one.addresses):
        return _hidden_in(one.raw, one.addresses)
    return _NUMBER.sub(lambda found: b"*" * (len(found[0]) - SHOWN) + found[0][-SHOWN:], one.raw)


def _hidden_in(raw: bytes, addresses: tuple[str, str]) -> bytes:
    """Return the octets with both addresses hidden, in whatever form they stand there."""
    for address in sorted(addresses, key=len, reverse=True):
        if hide_address(address) != address:
            raw = raw.replace(address.encode("latin-1", "replace"), hide_address(address).encode("latin-1", "replace"))
        raw = hide_in(raw, address)
    return raw

"""Receipts that match nothing (api.md#orphans), for administrators. Numbers are masked unless a reason is given."""

import re
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import AdminEndpoint
from esito.api.http.paging import MOST, page_cursor, page_limit
from esito.api.http.request import AdminRequest
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, GoodAnswer, Milliseconds, Parameters, words
from esito.api.v2.member_types import Cursor, Hexadecimal, NextCursor, PageLimit, Unmask
from esito.api.v2.unmasking import unmasked_for_administrator
from esito.domain.display import hide_in
from esito.domain.errors import InvalidFields
from esito.domain.receipt import Verdict
from esito.lifecycle.readable import without_text
from esito.store.interface.message_records import Orphan

OCTETS_OF_ONE = 512
"""Of a raw receipt; a longer one counts as several items."""

SHOWN = 4
"""Last digits of an address that are shown."""


class OrphanItem(AnswerPart):
    """A receipt that matches nothing, or nothing yet."""

    number: Annotated[int, Meta(ge=1)]
    received_at: Milliseconds
    verdict: Annotated[str, words([Verdict.PARKED.value, Verdict.ORPHAN.value])]
    link: str
    operator: str
    smsc_message_id: str
    source_addr: Annotated[str, Meta(description="Of a number, the last four digits.")]
    destination_addr: Annotated[str, Meta(description="Of a number, the last four digits.")]
    stat: str
    error: str
    flags: list[str]
    raw: Annotated[
        Hexadecimal,
        Meta(description="The octets in hexadecimal, numbers hidden as above, and what somebody wrote."),
    ]


class OrphanPage(GoodAnswer):
    """A page of receipts."""

    orphans: Annotated[list[OrphanItem], Meta(max_length=MOST)]
    next_cursor: NextCursor


class OrphansQuery(Parameters):
    """Which page, and whether numbers are shown whole."""

    cursor: Cursor | UnsetType = UNSET
    limit: PageLimit | UnsetType = UNSET
    unmask: Unmask | UnsetType = UNSET


async def orphans(request: AdminRequest) -> Response:
    """Receipts that match nothing, oldest first."""
    limit, cursor = page_limit(request), page_cursor(request, first=0)
    whole = await unmasked_for_administrator(request, subject="orphans")
    found = await request.services.store.orphans(after=cursor, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    next_cursor = str(page[-1].number) if more else None
    octets = sum(len(one.raw) for one in page)
    return await request.work(
        lambda: request.answer(OrphanPage(orphans=[_item(one, whole=whole) for one in page], next_cursor=next_cursor)),
        items=max(len(page), octets // OCTETS_OF_ONE),
    )


def _item(one: Orphan, *, whole: bool) -> OrphanItem:
    shown = str if whole else hide_address
    raw = one.raw if whole else _numbers_hidden(one)
    return OrphanItem(
        number=one.number,
        received_at=one.received_at,
        verdict=one.verdict,
        link=one.link,
        operator=one.operator,
        smsc_message_id=one.smsc_message_id,
        source_addr=shown(one.addresses[0]),
        destination_addr=shown(one.addresses[1]),
        stat=one.stat,
        error=one.error,
        flags=one.flags.split(),
        raw=raw.hex(),
    )


def hide_address(address: str) -> str:
    """Return an address, all but the last digits masked when it is a number."""
    if sum(sign.isdigit() for sign in address) <= SHOWN:
        return address
    return "*" * (len(address) - SHOWN) + address[-SHOWN:]


_NUMBER = re.compile(rb"\d{6,}")


def _numbers_hidden(one: Orphan) -> bytes:
    """Return the octets without the user's text, with both addresses masked, or everything that may be a number."""
    unknown = {"unreadable", "unparsed"}.intersection(one.flags.split())
    raw = without_text(one.raw, whole=bool(unknown))
    if any(one.addresses):
        return _hidden_in(raw, one.addresses)
    return _NUMBER.sub(lambda found: b"*" * (len(found[0]) - SHOWN) + found[0][-SHOWN:], raw)


def _hidden_in(raw: bytes, addresses: tuple[str, str]) -> bytes:
    """Return the octets with both addresses masked, in every form they are written."""
    for address in sorted(addresses, key=len, reverse=True):
        if hide_address(address) != address:
            raw = raw.replace(address.encode("latin-1", "replace"), hide_address(address).encode("latin-1", "replace"))
        raw = hide_in(raw, address)
    return raw


ORPHANS = AdminEndpoint(
    "GET",
    "/v2/orphans",
    orphans,
    parameters=OrphansQuery(limit=100),
    answer=OrphanPage(
        orphans=[
            OrphanItem(
                number=815,
                received_at=1_600_000_000_000,
                verdict="orphan",
                link="north",
                operator="north",
                smsc_message_id="0B2C",
                source_addr="*******1111",
                destination_addr="ACME",
                stat="DELIVRD",
                error="000",
                flags=[],
                raw="",
            )
        ],
        next_cursor=None,
    ),
    refusals=(InvalidFields,),
)

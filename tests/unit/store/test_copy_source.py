"""A SQLite file that holds something of everything, made through the store as its callers make it."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from esito.domain.account import Account, AccountState
from esito.domain.callback import Callback, CallbackPhase, Outcome
from esito.domain.message import Once, SubmitAnswer, SubmitOutcome
from esito.domain.routing import Route
from esito.domain.slots import Slots
from esito.domain.timing import DAY_MS, MINUTE_MS
from esito.lifecycle.receive import stop_words
from esito.store.copy.tables import TABLES
from esito.store.interface.account_store import NewSubaccount
from esito.store.interface.callback_store import ClaimRequest
from esito.store.interface.frame_store import NumberedFrame
from esito.store.interface.link_store import KeptLink
from esito.store.interface.message_store import MessageFilter as Searched
from esito.store.interface.store import Store
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW, account_in, links_in, message, receipt, refused, submitted
from tests.kit.looking import change
from tests.kit.postgres import drop_database, fresh_database
from tests.kit.replying import LATER, keep, reply, send

pytestmark = pytest.mark.anyio

URL = "https://example.org/dlr"
ANNA = 33612345678
ODD = "a\0b \U0010fffd00 ciao"
"""A text with U+0000, which PostgreSQL does not hold, and with the mark of what stands for it."""
HALF = "\ud83d"
"""Half of a surrogate pair, as the end of one part of a long reply."""
OTHER_HALF = "\ude00"


@asynccontextmanager
async def an_empty_database() -> AsyncIterator[str]:
    """Have a PostgreSQL database without a schema."""
    url = await fresh_database(migrated=False)
    try:
        yield url
    finally:
        await drop_database(url)


async def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Ask a PostgreSQL database something, or change it."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


def meanwhile(url: str, sql: str) -> None:
    """Do so while a copy stands still, as it does while it says something."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, query(url, sql)).result()


async def filled(path: Path) -> dict[str, Any]:
    """Make the file; return what its store answers."""
    store = SqliteStore(path)
    await store.open()
    try:
        await _fill(store)
        return await answers(store)
    finally:
        await store.close()


async def _fill(store: SqliteStore) -> None:
    account = await account_in(store)
    await account_in(store, "other", "7.5")
    await links_in(store, "alpha", "beta", operator="one")
    await store.register_routes([Route("alpha", ("beta",))])
    await _administer(store, account)
    await _report(store, account)
    await _call_back(store, account)
    await _write_back(store, account)
    await _share(store)
    # The books need no more than this of a run; they are made of 20,000 recipients at once.
    await change(store, "INSERT INTO sent_run VALUES (1, 1000, 1)")
    await change(store, "INSERT INTO sent_to VALUES (1, 33612345678, 1, 0)")


async def _administer(store: Store, account: Account) -> None:
    made = await store.add_key("acme", key_digest=b"second", label="a key\0", at=NOW, networks=["10.0.0.0/8"])
    await store.disable_key("acme", made.id)
    await store.set_account_state("other", AccountState.BLOCKED)
    await store.change_profile("acme", {"stop_answer": "Adieu"})
    sub = NewSubaccount(
        email="sub@example.org", kind="simple", token="t0k3n", key_digest=b"sub", firstname="S", lastname="U", credit=5
    )
    await store.ledger.create_subaccount(account.id, sub, actor="cli:root", at=NOW)
    await store.ledger.grant("acme", 2_000_000, actor="cli:root", at=NOW)
    await store.keep_setting("clock_offset_ms", "17")
    await store.stops.add(account.id, 33600000001, at=NOW)
    gone = await store.stops.add(account.id, 33600000002, at=NOW)
    await store.stops.delete(account.id, gone)


async def _report(store: Store, account: Account) -> None:
    await submitted(store, message(account, tag="spring", text=ODD), ["D1"])
    await submitted(store, message(account, [ANNA, ANNA + 1], segments=2), ["M1", "M2", "M3", "M4"])
    for ids, word in (("D1 D1 M1 M2 M3", "DELIVRD"), ("M4", "UNDELIV"), ("M3", "LATER\0"), ("no\0one", "DELIVRD")):
        await store.apply_receipts([receipt(id_, word) for id_ in ids.split()])
    early = message(account)
    await store.apply_receipts([receipt("EARLY", "UNDELIV")])
    await submitted(store, early, ["EARLY"])
    await store.accept(replace(early, once=Once(key="once", request=b"\0digest", answer='"cost": 1')))
    await store.accept(message(account, [33600000010, 33600000011], sandbox=True, url_dlr=URL))
    scheduled = await store.accept(message(account, due_at=NOW + DAY_MS))
    await store.sending.cancel(account.id, scheduled, at=NOW)
    await store.accept(replace(message(account, due_at=NOW + DAY_MS, tag="later"), reference="order 7"))
    rejected, uncertain, again = [await store.accept(message(account, [ANNA + n])) for n in (2, 3, 4)]
    claimed = {one.ref.message_id: one for one in await store.claim("alpha", limit=100, at=NOW)}
    await store.record_answers("alpha", [refused(claimed[rejected])])
    retried = SubmitAnswer(
        ref=claimed[again].ref, answer=SubmitOutcome.LATER, at=NOW, status=0x58, retry_at=NOW + 9_000
    )
    await store.record_answers(
        "alpha", [retried, SubmitAnswer(ref=claimed[uncertain].ref, answer=SubmitOutcome.UNCERTAIN, at=NOW)]
    )
    # Two that are under way: one whose receipt is still to come, one whose answer is, though its receipt came.
    await submitted(store, message(account, [33699999999], url_dlr=URL, tag="open"), ["OPEN"])
    await store.accept(message(account, [33688888888], tag="overtaken"))
    await store.claim("alpha", limit=100, at=NOW)
    await store.apply_receipts([receipt("OVERTAKEN", "DELIVRD")])


async def _call_back(store: Store, account: Account) -> None:
    """Leave a callback in every phase."""
    wanted = ClaimRequest(at=NOW, lease_ms=MINUTE_MS, slots=Slots(most=8000, usual=1000))
    for number, (words, status, next_at) in enumerate(
        [("DELIVRD", 200, None), ("DELIVRD", 410, None), ("DELIVRD", 500, NOW + DAY_MS), ("UNDELIV DELIVRD", 0, None)]
    ):
        await submitted(store, message(account, [ANNA + number], url_dlr=f"{URL}{number}"), [f"C{number}"])
        for word in words.split():
            await store.apply_receipts([receipt(f"C{number}", word)])
        await store.callbacks.route(NOW)
        claimed = (await store.callbacks.claim(wanted)).callbacks
        if status:
            await store.callbacks.record([_outcome(one, status, next_at) for one in claimed])
    await submitted(store, message(account, url_dlr=URL), ["NEW"])
    await store.apply_receipts([receipt("NEW", "DELIVRD")])


def _outcome(callback: Callback, status: int, next_at: int | None) -> Outcome:
    return Outcome(
        callback=callback, at=NOW, ended_at=NOW, milliseconds=7, status=status, next_at=next_at, answer=b"s\0aid"
    )


async def _write_back(store: Store, account: Account) -> None:
    await send(store, account)
    await keep(store, reply("oui"), reply("oui", at=LATER + 1), reply("STOP", at=LATER + 2), reply(ODD, at=LATER + 3))
    await keep(store, reply(f"un {HALF}", at=LATER + 4, part=(9, 2, 1)))
    await store.replies.keep([reply("?", source="Orange")], stop_words())


async def _share(store: Store) -> None:
    changed = KeptLink("beta", added=False, settings='{"window":5}')
    await store.administrators.create("ada", key_digest=b"ada", networks=[], actor="cli:tests", at=NOW)
    await store.links.keep(changed, before=None, act="link changed", details="window = 5", actor="cli:tests", at=NOW)
    assert await store.leases.take("link:alpha", "g1", seconds=0.0) is not None
    frames = [NumberedFrame("g1", 7, number, [receipt(f"F{number}", "DELIVRD")]) for number in (1, 2, 5)]
    await store.frames.apply(frames)
    await store.frames.set_aside(17, b"\0nonsense", reason="no such version", at=NOW)


async def answers(store: Store) -> dict[str, Any]:
    """Return what a store answers to about everything that it can be asked."""
    accounts = await store.accounts()
    told: dict[str, Any] = {
        "accounts": accounts,
        "counts": await store.counts(),
        "orphans": await store.orphans(after=0, limit=100),
        "links": await store.links.all(),
        "audit": await store.ledger.audit(limit=100),
        "marks": await store.frames.marks(),
        "poison": await store.frames.poison(),
        "leases": [(line.name, line.holder, line.token, line.told) for line in await store.leases.all()],
        "stop answers": await store.replies.stop_answers(),
        "setting": await store.setting("clock_offset_ms"),
        "keys": [await store.account_by_key(digest) for digest in (b"acme", b"second", b"sub")],
    }
    for account, _ in accounts:
        told[account.name] = await _answers_to(store, account)
    return told


async def _answers_to(store: Store, account: Account) -> dict[str, Any]:
    found = await store.searching.find(account.id, Searched(), before=None, limit=100)
    numbers = [one.message_id for one in found]
    callbacks = await store.callbacks.page(account.id)
    recipients = {number: await store.recipients_of(account.id, number) for number in numbers}
    return {
        "messages": found,
        "overviews": [await store.message_of(account.id, number) for number in numbers],
        "recipients": recipients,
        "evidence": [
            await store.evidence_of(account.id, number, row[0])
            for number in numbers
            for row in recipients[number] or []
        ],
        "events": (await store.events(account.id, after=0, limit=1000))[0],
        "stops": await store.stops.list(account.id),
        "replies": await store.replies.page(account.id, after=0, limit=100),
        "callbacks": [await store.callbacks.one(account.id, line.id) for line in callbacks],
        "destinations": await store.callbacks.destinations(account.id),
        "spent": await store.ledger.spent(account.id, ["2027-01"]),
        "subaccounts": await store.ledger.subaccounts(account.id, page=1, size=10),
        "once": await store.sending.answered_once(account.id, "once"),
        "to send": await store.to_send(account.id),
    }


async def test_the_source_has_a_row_in_every_table_that_is_copied(path: Path) -> None:
    told = await filled(path)
    connection = apsw.Connection(str(path))
    empty = [table.name for table in TABLES if not connection.execute(f"SELECT 1 FROM {table.name}").fetchall()]
    phases = connection.execute("SELECT DISTINCT phase FROM callback ORDER BY phase").fetchall()
    connection.close()
    assert empty == []
    assert phases == [(phase,) for phase in CallbackPhase]
    assert all(told["acme"].values())

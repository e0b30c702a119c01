"""A worker that settles receipts in PostgreSQL, batch after batch; a process of its own, as workers are.

It submits what waits on its link and keeps the operator's answers, as the gateway does; makes its receipts, prints
`ready`, waits for a line, and prints one JSON object: seconds, and how many moved.
"""

import asyncio
import gc
import json
import random
import sys
import time

from benchmarks import many
from esito.app.process_tuning import COLLECT_AFTER
from esito.domain.message import SubmitAnswer, SubmitOutcome
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.store.postgres import PostgresStore

TEXT = "sub:001 dlvrd:001 submit date:2609220000 done date:2609220000 stat:DELIVRD err:000 text:What happ"

BATCH = 2000
UNDER_WAY = 4
"""Batches that wait for their commit at once."""


def receipts(link: int, first: int, messages: int) -> list[DeliveryReceipt]:
    """Make one receipt for every recipient of so many messages of a link, in any order."""
    made = []
    for message_id in range(first, first + 2 * messages):
        if message_id % 2 != link:
            continue
        for seq in range(1, many.EACH + 1):
            number, to = many.smsc_id(message_id, seq), many.msisdn(message_id, seq)
            text = f"id:{number} {TEXT}"
            made.append(
                DeliveryReceipt(
                    link=f"bench{link}",
                    smsc_message_id=number,
                    state=MessageState.DELIVERED,
                    stat="DELIVRD",
                    error_code="000",
                    addresses=(str(to), "ESITO"),
                    done_at=many.AT + 60_000,
                    received_at=many.AT + 61_000,
                    raw=text.encode() + bytes(70),
                )
            )
    random.Random(link).shuffle(made)
    return made


async def main() -> None:
    url, link, first, messages = sys.argv[1], *map(int, sys.argv[2:5])
    made = receipts(link, first, messages)
    store = PostgresStore(url)
    await store.open()
    await store.register_links(many.LINKS)
    await _submit_all(store, f"bench{link}")
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    print("ready", flush=True)
    sys.stdin.readline()
    began, moved = time.perf_counter(), 0
    waiting: list[asyncio.Future[int]] = []
    for place in range(0, len(made), BATCH):
        waiting.append(asyncio.ensure_future(_settle(store, made[place : place + BATCH])))
        if len(waiting) >= UNDER_WAY:
            moved += await waiting.pop(0)
    moved += sum(await asyncio.gather(*waiting))
    print(json.dumps({"seconds": time.perf_counter() - began, "moved": moved}), flush=True)
    await store.close()


async def _submit_all(store: PostgresStore, link: str) -> None:
    """Claim everything that waits, and keep an answer for each segment."""
    while claimed := await store.claim(link, limit=1000, at=many.AT):
        await store.record_answers(
            link,
            [
                SubmitAnswer(
                    ref=one.ref,
                    answer=SubmitOutcome.ACCEPTED,
                    at=many.AT,
                    smsc_message_id=many.smsc_id(one.ref.message_id, one.ref.seq),
                    attempts=one.attempts,
                )
                for one in claimed
            ],
        )


async def _settle(store: PostgresStore, batch: list[DeliveryReceipt]) -> int:
    return (await store.apply_receipts(batch)).moved


if __name__ == "__main__":
    asyncio.run(main())

"""Short ways to say what subscribers wrote, and what came of it."""

import json
from dataclasses import replace
from typing import Any

from esito.domain.account import Account
from esito.domain.reply import Concatenated, Reply
from esito.lifecycle.receive import stop_words
from esito.store.interface.reply_store import RepliesKept
from esito.store.interface.store import Store
from tests.kit import looking
from tests.kit.builders import NOW, account_in, links_in, message

ANNA = 33611111111
URL = "https://example.net/reply?secret=1"
LATER = NOW + 60_000
WORDS = stop_words()


def reply(
    text: str,
    *,
    to: str = "36111",
    at: int = LATER,
    part: tuple[int, int, int] | None = None,
    source: str = f"{ANNA}",
    link: str = "alpha",
) -> Reply:
    return Reply(
        link=link,
        source=source,
        destination=to,
        received_at=at,
        raw=b"header, 16 bytes" + repr((source, to, text, part)).encode("utf-8", "surrogatepass"),
        text=text,
        concatenated=None if part is None else Concatenated(*part),
    )


async def keep(store: Store, *replies: Reply) -> RepliesKept:
    return await store.replies.keep(replies, WORDS)


async def send(
    store: Store, account: Account, *, sender: str = "", url: str | None = URL, due_at: int = NOW, sandbox: bool = False
) -> int:
    new = message(account, [ANNA], due_at=due_at, sandbox=sandbox, cost=0)
    return await store.accept(replace(new, sender=sender, url_response=url))


async def furnished(store: Store, **profile: object) -> Account:
    account = await account_in(store)
    await links_in(store)
    return await store.change_profile(account.name, profile) if profile else account


async def pushed(store: Store) -> list[tuple[int, dict[str, Any]]]:
    """Return message id and body of every callback of a reply."""
    found = await looking.rows(store, "SELECT message_id, seq, state, kind, body FROM callback ORDER BY id")
    assert all((seq, state, kind) == (0, 0, 2) for _, seq, state, kind, _ in found)
    return [(number, json.loads(body)) for number, _, _, _, body in found]


async def texts(store: Store, account: Account) -> list[str]:
    return [one.text for one in await store.replies.page(account.id, after=0, limit=100)]

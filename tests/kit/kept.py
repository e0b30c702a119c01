"""Short ways to say what a store keeps of messages and replies."""

from esito.domain.account import Account
from esito.store.interface.store import Store
from tests.kit.builders import message, receipt, submitted

ANNA = 33611111111


async def delivered(store: Store, account: Account, *numbers: int, **options: object) -> int:
    """Have a message delivered to numbers; return its id."""
    new = message(account, numbers or (ANNA,), **options)  # type: ignore[arg-type]  # as the builder takes them
    ids = [f"{id(new)}-{number}" for number in numbers or (ANNA,)]
    number = await submitted(store, new, ids)
    await store.apply_receipts([receipt(id_, "DELIVRD") for id_ in ids])
    return number


async def texts_of(store: Store, account: Account, number: int) -> list[str]:
    found = await store.message_of(account.id, number)
    assert found is not None
    return list(found.texts)


async def numbers_of(store: Store, account: Account, number: int) -> list[str]:
    return [row[0] for row in await store.recipients_of(account.id, number) or []]


async def texts_of_replies(store: Store, account: Account) -> list[tuple[str, str]]:
    return [(one.source, one.text) for one in await store.replies.page(account.id, after=0, limit=10)]

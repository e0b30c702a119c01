"""Short ways to say a message, a receipt, a link in a test."""

from collections.abc import Sequence
from decimal import Decimal

from esito.domain.account import Account
from esito.domain.message import NewMessage, NewRecipient, Range, Submission, SubmitAnswer, SubmitOutcome
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import STAT_WORDS, MultipartRule
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store

NOW = 1_800_000_000_000
"""An instant to start from."""


async def account_in(store: Store, name: str = "acme", credit: str = "100") -> Account:
    return await store.create_account(name, credit=Decimal(credit), key_digest=name.encode(), at=NOW)


async def links_in(
    store: Store, *names: str, operator: str = "", rule: MultipartRule = MultipartRule.ANY_FAILED, again: bool = False
) -> dict[str, int]:
    return await store.register_links(
        [
            LinkRecord(name=name, operator=operator or name, multipart_rule=rule, resubmit_uncertain=again)
            for name in names or ("alpha",)
        ]
    )


def message(
    account: Account,
    msisdns: Sequence[int] = (33612345678,),
    *,
    link: int = 1,
    segments: int = 1,
    cost: int = 45_000,
    due_at: int = NOW,
    tag: str | None = None,
    url_dlr: str | None = None,
    sandbox: bool = False,
    text: str = "ciao",
) -> NewMessage:
    return NewMessage(
        account_id=account.id,
        created_at=NOW,
        due_at=due_at,
        sender="ESITO",
        gamme=Range.PREMIUM,
        texts=(text,),
        unicode=False,
        recipients=[NewRecipient(msisdn, link, 0, segments, cost) for msisdn in msisdns],
        tag=tag,
        url_dlr=url_dlr,
        sandbox=sandbox,
    )


def receipt(
    smsc_message_id: str,
    word: str,
    *,
    link: str = "alpha",
    at: int = NOW + 5_000,
    addresses: tuple[str, str] = ("", ""),
    counts: bool = True,
) -> DeliveryReceipt:
    return DeliveryReceipt(
        link=link,
        smsc_message_id=smsc_message_id,
        state=STAT_WORDS.get(word),
        stat=word,
        error_code="000",
        addresses=addresses,
        received_at=at,
        counts=counts,
        raw=f"id:{smsc_message_id} stat:{word}".encode(),
    )


def accepted(submission: Submission, smsc_message_id: str, *, at: int = NOW + 1_000) -> SubmitAnswer:
    return SubmitAnswer(ref=submission.ref, answer=SubmitOutcome.ACCEPTED, at=at, smsc_message_id=smsc_message_id)


def refused(submission: Submission, *, status: int = 0x0B, at: int = NOW + 1_000) -> SubmitAnswer:
    return SubmitAnswer(ref=submission.ref, answer=SubmitOutcome.REFUSED, at=at, status=status)


async def submitted(store: Store, new: NewMessage, ids: Sequence[str], *, link: str = "alpha", at: int = NOW) -> int:
    """Accept a message, submit all its segments and answer them with these SMSC ids; return the message id."""
    number = await store.accept(new)
    claimed = await store.claim(link, limit=1000, at=at)
    mine = [one for one in claimed if one.ref.message_id == number]
    answers = [accepted(one, smsc_id, at=at + 1_000) for one, smsc_id in zip(mine, ids, strict=True)]
    await store.record_answers(link, answers)
    return number


async def states_of(store: Store, account: Account, message_id: int) -> list[int]:
    rows = await store.recipients_of(account.id, message_id)
    return [row[1] for row in rows or []]


async def complaints(store: Store) -> list[str]:
    return [sentence async for sentence in store.check()]


async def expire(store: Store, at: int) -> None:
    """Conclude everything that is due."""
    while await store.expire(at):
        pass

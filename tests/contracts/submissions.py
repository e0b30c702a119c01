"""Messages on their way, and what comes back of them, in few words."""

from esito.domain.account import Account
from esito.domain.message import Submission, SubmitAnswer, SubmitOutcome
from esito.domain.receipt import DeliveryReceipt
from esito.store.interface.store import Store
from tests.kit.builders import accepted, message, receipt, states_of

PARIS, ROME = 33612345678, 393331234567


async def sent(store: Store, account: Account, msisdn: int, *, at: int, segments: int = 1) -> list[Submission]:
    """Accept a message and write its submit_sm; no response yet."""
    await store.accept(message(account, [msisdn], segments=segments, due_at=at))
    return await store.claim("alpha", limit=10, at=at)


async def answered(store: Store, submission: Submission, smsc_id: str, *, at: int) -> None:
    await store.record_answers("alpha", [accepted(submission, smsc_id, at=at)])


async def lost(store: Store, *submissions: Submission, at: int) -> None:
    """Let the responses be overdue."""
    await store.record_answers(
        "alpha",
        [
            SubmitAnswer(ref=one.ref, answer=SubmitOutcome.UNCERTAIN, at=at, attempts=one.attempts)
            for one in submissions
        ],
    )


def dated(smsc_id: str, msisdn: int, *, at: int, submitted_at: int | None, word: str = "DELIVRD") -> DeliveryReceipt:
    said = receipt(smsc_id, word, at=at, addresses=(str(msisdn), "ESITO"))
    return said._replace(submitted_at=submitted_at)


async def state_of(store: Store, account: Account, submission: Submission) -> int:
    (state,) = await states_of(store, account, submission.ref.message_id)
    return state

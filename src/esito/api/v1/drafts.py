"""What all sends share: from the options to a draft, from a draft to an accepted message, and what is said of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from esito.api.http.error_answers import NumberErrorItem, with_bare_texts
from esito.api.http.error_replies import number_errors
from esito.api.http.idempotency import IdempotentRequest
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response, success
from esito.api.v1 import schedule
from esito.api.v1.send_fields import FieldErrors, read_options
from esito.domain import errors as e
from esito.domain.message import fields_of
from esito.lifecycle.accept import Accepted, Draft, DraftOptions

REFUSALS = (
    e.InvalidFields,
    e.PhoneNumberMissing,
    e.SenderNotAllowed,
    e.TooManyRecipients,
    e.LowCostNotEligible,
    e.LowCostTooLong,
    e.TooManySegments,
    e.CommercialHour,
    e.CommercialDay,
    e.NothingToSend,
    e.NotEnoughCredit,
    e.DailyCeilingReached,
    e.IdempotencyKeyReused,
)
"""Why a send may be refused."""

Segments = Annotated[int, Meta(ge=1, description="Segments over all recipients.")]
LeftOut = list[NumberErrorItem] | UnsetType
"""Numbers that were left out (contract 2.6); unset when none was."""
Due = Annotated[str, Meta(description="Paris date and time; there only when the message is scheduled.")] | UnsetType


def options_of(request: AccountRequest, errors: FieldErrors) -> DraftOptions:
    """Read the options; what cannot be used is noted in `errors`."""
    services = request.services
    return read_options(
        request.inputs, errors, account=request.account, now=services.clock.now(), never_called=services.never_called
    )


def draft_of(
    request: AccountRequest,
    options: DraftOptions,
    texts: tuple[str, ...],
    numbers: list[tuple[str, int]],
    sender: str | None = None,
) -> Draft:
    """Return the draft of a message; `sender` goes before the one that the options name."""
    if sender is not None:
        options = replace(options, sender=sender)
    return Draft(account=request.account, texts=texts, numbers=numbers, **fields_of(options, DraftOptions))


async def accept(
    request: AccountRequest,
    draft: Draft,
    raws: Sequence[str],
    asked: IdempotentRequest | None,
    answer: Callable[[Accepted], Struct],
) -> Response:
    """Accept a draft and answer; a refusal speaks of numbers the way the caller wrote them, in `raws`."""
    once = None if asked is None else lambda accepted: asked.once(msgspec.to_builtins(answer(accepted)))
    try:
        accepted = await request.services.acceptance.accept(draft, once=once)
    except e.NothingToSend as error:
        raise e.NothingToSend(_as_written(error.problems, draft, raws)) from None
    if request.xml:
        return success(with_bare_texts(msgspec.to_builtins(answer(accepted))), xml=True)
    return request.answer(answer(accepted))


def _as_written(problems: Sequence[e.NumberProblem], draft: Draft, raws: Sequence[str]) -> list[e.NumberProblem]:
    written = {number: raw for (number, _), raw in zip(draft.numbers, raws, strict=True)}
    return [replace(problem, msisdn=written[problem.msisdn]) for problem in problems]


def left_out(accepted: Accepted, draft: Draft, raws: Sequence[str]) -> LeftOut:
    """Return which numbers were left out, as the caller wrote them, and why."""
    return number_errors(_as_written(accepted.problems, draft, raws)) if accepted.problems else UNSET


def due(accepted: Accepted) -> Due:
    """Return when a scheduled message is due."""
    return UNSET if accepted.due_at is None else schedule.shown(accepted.due_at)

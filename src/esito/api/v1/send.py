"""Sending: one text to many, or a text for each (contract 2.1, 2.2)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from esito.api.http.error_replies import number_error, number_errors
from esito.api.http.idempotency import IdempotentRequest, answer_once
from esito.api.http.request import AccountRequest, as_text
from esito.api.http.response import Response
from esito.api.http.xml import Value
from esito.api.v1 import schedule
from esito.api.v1.send_fields import (
    FieldErrors,
    Options,
    flaw_of,
    raw_numbers,
    read_numbers,
    read_options,
    read_text,
    require_readable,
)
from esito.domain.errors import NothingToSend, NumberProblem, PhoneNumberMissing
from esito.domain.pricing import as_number
from esito.lifecycle.accept import Accepted, Draft

REPEATED = 15
"""Code of a number that stands in the request twice."""


async def send(request: AccountRequest) -> Response:
    """POST /v1/send: one text to up to 500 numbers; with `SMSList` it is a bulk-send."""
    if request.inputs.has("SMSList"):  # two of the documented samples post the batch here
        return await bulk_send(request)
    return await answer_once(request, "send", _send)


async def _send(request: AccountRequest, asked: IdempotentRequest | None) -> Response:
    return await send_one_text(request, asked, raw_numbers(request.inputs.raw("phoneNumbers")), "phoneNumbers")


async def send_one_text(
    request: AccountRequest,
    asked: IdempotentRequest | None,
    raws: Sequence[str],
    field: str,
    *,
    sender: str | None = None,
) -> Response:
    """Send `message` to these numbers, which the caller named in `field`; `sender` goes before the one it names."""
    draft = await request.work(lambda: _read_one_text(request, raws, field, sender), items=len(raws))

    def members(accepted: Accepted) -> dict[str, Value]:
        told: dict[str, Value] = {
            "message_id": accepted.message_id,  # an integer here, a string in bulk-status
            "nb_sms": accepted.segments,
            "cost": as_number(accepted.cost),
            "currency": accepted.currency,
        }
        return told | _left_out(accepted, draft, raws) | _due(accepted)

    return request.answer(members(await _accept(request, draft, raws, asked, members)))


def _read_one_text(request: AccountRequest, raws: Sequence[str], field: str, sender: str | None) -> Draft:
    errors = FieldErrors()
    text = read_text(request.inputs, errors)
    numbers = read_numbers(raws, field, errors)
    options = _read_options(request, errors)
    errors.raise_any()
    if not raws:
        raise PhoneNumberMissing
    return _draft(request, options, (text,), [(number, 0) for number in numbers], sender)


async def bulk_send(request: AccountRequest) -> Response:
    """POST /v1/bulk-send: up to 500 pairs of number and text, as one message."""
    return await answer_once(request, "bulk-send", _bulk_send)


async def _bulk_send(request: AccountRequest, asked: IdempotentRequest | None) -> Response:
    items = request.inputs.raw("SMSList")
    if items is None or items in ("", []):
        raise PhoneNumberMissing
    raws, draft = await request.work(
        lambda: _read_batch(request, items), items=len(items) if isinstance(items, list) else 0
    )

    def members(accepted: Accepted) -> dict[str, Value]:
        told: dict[str, Value] = {
            "message_id": accepted.message_id,
            "currency": accepted.currency,
            "cost": as_number(accepted.cost),
            "nbSMS": accepted.segments,  # `nbSms` within an item
            "SMSResponse_List": list(_items(accepted, draft)),
        }
        return told | _left_out(accepted, draft, raws) | _due(accepted)

    return request.answer(members(await _accept(request, draft, raws, asked, members)))


def _read_batch(request: AccountRequest, items: Any) -> tuple[list[str], Draft]:
    """Return the numbers as written, and the draft."""
    errors = FieldErrors()
    raws, texts, chosen = _read_items(items, errors)
    numbers = read_numbers(raws, "phoneNumber", errors)
    options = _read_options(request, errors)
    errors.raise_any()
    return raws, _draft(request, options, texts, list(zip(numbers, chosen, strict=True)))


def _read_items(items: Any, errors: FieldErrors) -> tuple[list[str], tuple[str, ...], list[int]]:
    """Return the numbers as written, the different texts, and which text each number gets."""
    if isinstance(items, list):
        require_readable(len(items))
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        errors.add("SMSList", "Le format n'est pas correct")
        return [], (), []
    texts: dict[str, int] = {}
    flaws: dict[str, str] = {}
    raws, chosen = [], []
    for item in items:
        text = as_text(item.get("message"))
        if text not in flaws:
            flaws[text] = flaw_of(text)
        if flaws[text]:
            errors.add("message", flaws[text])
        chosen.append(texts.setdefault(text, len(texts)))
        raws.append(as_text(item.get("phoneNumber")).strip())
    return raws, tuple(texts), chosen


def _read_options(request: AccountRequest, errors: FieldErrors) -> Options:
    services = request.services
    return read_options(
        request.inputs, errors, account=request.account, now=services.clock.now(), never_called=services.never_called
    )


def _draft(
    request: AccountRequest,
    options: Options,
    texts: tuple[str, ...],
    numbers: list[tuple[str, int]],
    sender: str | None = None,
) -> Draft:
    return Draft(
        account=request.account,
        texts=texts,
        numbers=numbers,
        sender=options.sender if sender is None else sender,
        gamme=options.gamme,
        priority=options.priority,
        tag=options.tag,
        reference=options.reference,
        due_at=options.due_at,
        url_dlr=options.url_dlr,
        url_response=options.url_response,
        unicode=options.unicode,
        stop_mention=options.stop_mention,
        sandbox=options.sandbox,
    )


async def _accept(
    request: AccountRequest,
    draft: Draft,
    raws: Sequence[str],
    asked: IdempotentRequest | None,
    members: Callable[[Accepted], dict[str, Value]],
) -> Accepted:
    """Accept a draft; a refusal speaks of numbers the way the caller wrote them."""
    once = None if asked is None else lambda accepted: asked.once(members(accepted))
    try:
        return await request.services.acceptance.accept(draft, once=once)
    except NothingToSend as error:
        raise NothingToSend(_as_written(error.problems, draft, raws)) from None


def _as_written(problems: Sequence[NumberProblem], draft: Draft, raws: Sequence[str]) -> list[NumberProblem]:
    written = {number: raw for (number, _), raw in zip(draft.numbers, raws, strict=True)}
    return [replace(problem, msisdn=written[problem.msisdn]) for problem in problems]


def _left_out(accepted: Accepted, draft: Draft, raws: Sequence[str]) -> dict[str, Value]:
    """Return `errors` when numbers were dropped (contract 2.6); the key is not there when none was."""
    if not accepted.problems:
        return {}
    return {"errors": number_errors(_as_written(accepted.problems, draft, raws))}


def _due(accepted: Accepted) -> dict[str, Value]:
    """Return the last key of the answer to a scheduled send."""
    return {} if accepted.due_at is None else {"scheduledDeliveryDate": schedule.shown(accepted.due_at)}


def _items(accepted: Accepted, draft: Draft) -> Iterator[Value]:
    """Yield an item for each of the request, in its order; one that was dropped costs nothing and says why."""
    recipients = {recipient.msisdn: recipient for recipient in accepted.recipients}
    problems = {one.msisdn: one for one in accepted.problems if one.code != REPEATED}
    seen = set()
    for msisdn, _ in draft.numbers:
        if msisdn in recipients and msisdn not in seen:
            recipient = recipients[msisdn]
            yield {
                "success": True,
                "code": 200,
                "nbSms": recipient.segments,
                "cost": as_number(recipient.cost),
                "phoneNumber": msisdn,
            }
        else:
            yield _dropped(problems.get(msisdn) if msisdn not in seen else None, msisdn)
        seen.add(msisdn)


def _dropped(problem: NumberProblem | None, msisdn: str) -> Value:
    problem = problem or NumberProblem(code=REPEATED, msisdn=msisdn)
    reason = number_error(problem)["message"]
    return {
        "success": False,
        "code": problem.code,
        "nbSms": 0,
        "cost": 0,
        "phoneNumber": msisdn,
        "message": reason,
    }

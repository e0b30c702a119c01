"""Accounts of one's own customers or branches: made, listed, given credit, removed (contract 4.4)."""

import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from esito.api.answer import Answer
from esito.api.call import Call, Inputs, as_text
from esito.api.xml import Value
from esito.domain import errors as e
from esito.domain.credentials import key_digest
from esito.domain.pricing import as_number, to_micros
from esito.domain.timing import PARIS, SECOND_MS
from esito.store.ledger import NewSubaccount, Subaccount

PER_PAGE = 20
KINDS = frozenset({"simple", "advanced"})
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
FLAGS = frozenset({"0", "1", "true", "false"})

LARGEST_AMOUNT = Decimal(1_000_000_000)
_AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,18})?", re.ASCII)


async def create(call: Call) -> Answer:
    """POST /v1/subaccount/create (a badge of the documentation says GET)."""
    if not call.account.profile.creates_subaccounts:
        raise e.SubaccountsNotAllowed
    new = _new(call)
    await call.services.store.ledger.create_subaccount(
        call.account.id, new, actor=_actor(call), at=call.services.clock.now()
    )
    return call.answer(
        {
            "subaccount": {"email": new.email, "token": new.token},
            "sendConfirmMailTo": new.email,
            "parent_email": call.account.profile.email or call.account.name,
        }
    )


def _new(call: Call) -> NewSubaccount:
    """Read what is to be made, in the order of the codes. Raises their refusals."""
    given = call.inputs.raw("parameters")
    wanted = Inputs(given if isinstance(given, Mapping) else {})
    if wanted.text("isBuyer").strip().lower() not in FLAGS:
        raise e.BuyerMissing
    kind = call.inputs.text("type").strip()
    if not kind:
        raise e.SubaccountTypeMissing
    if kind not in KINDS:
        raise e.SubaccountTypeUnknown
    email = wanted.text("email").strip()
    if not EMAIL.fullmatch(email):
        raise e.EmailMissing
    credit = Decimal(0)
    if wanted.has("creditToAttribute"):
        found = _amount(wanted.raw("creditToAttribute"))
        if found is None:
            raise e.CreditNotPositive
        credit = found
    token = secrets.token_hex(16)
    return NewSubaccount(
        email=email,
        kind=kind,
        token=token,
        key_digest=key_digest(_key(call, token, before=0), call.services.key_secret),
        firstname=wanted.text("firstname")[:100],
        lastname=wanted.text("lastname")[:100],
        credit=to_micros(credit),
    )


async def list_(call: Call) -> Answer:
    """GET /v1/subaccount/list: a page of twenty, oldest first."""
    asked = call.inputs.text("page").strip()
    page = max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 1
    total, found = await call.services.store.ledger.subaccounts(call.account.id, page=page, size=PER_PAGE)
    return call.answer(
        {
            "total": total,
            "nb_per_page": PER_PAGE,
            "page": page,
            "data": [_shown(call, one) for one in found],
        }
    )


def _shown(call: Call, one: Subaccount) -> dict[str, Value]:
    created = datetime.fromtimestamp(one.created_at // SECOND_MS, PARIS)
    return {
        "id": one.id,
        "email": one.email,
        "type": one.kind,
        "token": one.token,
        "apiKey": _key(call, one.token, before=one.keys - 1),
        "createdAt": created.strftime("%Y-%m-%d %H:%M:%S"),
        "credits": {"balance": f"{one.credit:.3f}", "currency": call.services.currency},
    }


async def add_credit(call: Call) -> Answer:
    """POST /v1/subaccount/credit/add: from the parent's credit to the sub-account's."""
    return await _move(call, 1)


async def remove_credit(call: Call) -> Answer:
    """POST /v1/subaccount/credit/remove: from the sub-account's credit back to the parent's."""
    return await _move(call, -1)


async def _move(call: Call, sign: int) -> Answer:
    if not call.account.profile.creates_subaccounts:
        raise e.SubaccountsNotAllowed
    if not call.inputs.has("credit"):
        raise e.CreditMissing
    amount = _amount(call.inputs.raw("credit"))
    if amount is None:
        raise e.CreditInvalid
    token = call.inputs.text("tokenSubaccount").strip()
    if not token:
        raise e.TokenMissing
    try:
        left = await call.services.store.ledger.move_credit(
            call.account.id, token, sign * to_micros(amount), actor=_actor(call), at=call.services.clock.now()
        )
    except e.BalanceTooLow:
        raise e.TransferBalanceTooLow from None
    return call.answer(
        {
            "credit": as_number(left.parent),
            "subaccountCredit": as_number(left.subaccount),
            "currency": call.services.currency,
        }
    )


async def remove(call: Call) -> Answer:
    """DELETE /v1/subaccount/remove: its key opens nothing any more, its credit comes back."""
    token = call.inputs.text("token").strip()
    if not token:
        raise e.RemovalTokenMissing
    try:
        await call.services.store.ledger.remove_subaccount(
            call.account.id, token, actor=_actor(call), at=call.services.clock.now()
        )
    except e.SubaccountNotFound:
        raise e.SubaccountGone from None
    return call.answer({})


async def rotate_key(call: Call) -> Answer:
    """POST /v2/subaccounts/rotate-key: a new key; the one before opens nothing any more."""
    token, secret = call.inputs.text("token").strip(), call.services.key_secret
    if not token:
        raise e.TokenMissing
    before = await call.services.store.ledger.rotate_key(
        call.account.id,
        token,
        lambda before: key_digest(_key(call, token, before=before), secret),
        actor=_actor(call),
        at=call.services.clock.now(),
    )
    return call.answer({"apiKey": _key(call, token, before=before)})


def _amount(value: Any) -> Decimal | None:
    """Return an amount above nothing with at most three decimals; None for anything else."""
    text = as_text(value).strip()
    if isinstance(value, bool) or not _AMOUNT.fullmatch(text):
        return None
    amount = Decimal(text)
    if not 0 < amount < LARGEST_AMOUNT or amount != round(amount, 3):
        return None
    return amount


def _key(call: Call, token: str, *, before: int) -> str:
    """Return the API key of a sub-account that has had so many before.

    Its parent may look it up again (contract 4.4), and yet no key is kept anywhere: it is made
    of the token and the secret of the installation, which is not in the database.
    """
    made_of = f"subaccount {token} {before}" if before else f"subaccount {token}"
    return hmac.digest(call.services.key_secret, made_of.encode(), "sha256").hex()[:40]


def _actor(call: Call) -> str:
    return f"account:{call.account.name}"

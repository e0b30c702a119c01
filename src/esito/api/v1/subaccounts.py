"""Accounts of one's own customers or branches: made, listed, removed (contract 4.4)."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest, Inputs
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, Count, Flag, GoodAnswer, Parameters, ParisTime, constant, words
from esito.api.v1.subaccount_credit import Amount, Token, read_amount
from esito.api.v1.subaccount_keys import EXAMPLE_TOKEN, actor_of, subaccount_key
from esito.domain import errors as e
from esito.domain.credentials import key_digest
from esito.domain.pricing import to_micros
from esito.domain.timing import PARIS, SECOND_MS
from esito.store.interface.account_store import NewSubaccount, Subaccount

PER_PAGE = 20
KINDS = ("simple", "advanced")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
FLAGS = frozenset({"0", "1", "true", "false"})

# -- create ------------------------------------------------------------------------------------


class SubaccountParameters(Parameters):
    """Who has it."""

    email: Annotated[str, Meta(pattern="^[a-z0-9]{1,20}@[a-z0-9]{1,20}$")]
    is_buyer: Annotated[Flag, Meta(description="Whether it buys for itself; kept nowhere, but required.")] = field(
        name="isBuyer"
    )
    credit: Amount | UnsetType = field(name="creditToAttribute", default=UNSET)
    title: str | UnsetType = UNSET
    firstname: str | UnsetType = UNSET
    lastname: str | UnsetType = UNSET


class SubaccountRequest(Parameters):
    """What kind of sub-account, and who has it."""

    type: Annotated[str, words(KINDS)]
    parameters: SubaccountParameters


class SubaccountMade(AnswerPart):
    """The sub-account."""

    email: str
    token: str


class SubaccountCreated(GoodAnswer):
    """The sub-account, and the account above it."""

    subaccount: SubaccountMade
    mail_to: Annotated[str, Meta(description="Esito sends no mail; the address is repeated.")] = field(
        name="sendConfirmMailTo"
    )
    parent_email: str


async def create(request: AccountRequest) -> Response:
    """Make a sub-account, with credit of one's own if wanted."""
    profile = request.account.profile
    if not profile.creates_subaccounts:
        raise e.SubaccountsNotAllowed
    new = _new(request)
    await request.services.store.ledger.create_subaccount(
        request.account.id, new, actor=actor_of(request), at=request.services.clock.now()
    )
    return request.answer(
        SubaccountCreated(
            subaccount=SubaccountMade(email=new.email, token=new.token),
            mail_to=new.email,
            parent_email=profile.email or request.account.name,
        )
    )


def _new(request: AccountRequest) -> NewSubaccount:
    """Read what is to be made, in the order of the codes. Raises their refusals."""
    given = request.inputs.raw("parameters")
    wanted = Inputs(given if isinstance(given, Mapping) else {})
    if wanted.text("isBuyer").strip().lower() not in FLAGS:
        raise e.BuyerMissing
    kind = request.inputs.text("type").strip()
    if not kind:
        raise e.SubaccountTypeMissing
    if kind not in KINDS:
        raise e.SubaccountTypeUnknown
    email = wanted.text("email").strip()
    if not EMAIL.fullmatch(email):
        raise e.EmailMissing
    credit = Decimal(0)
    if wanted.has("creditToAttribute"):
        found = read_amount(wanted.raw("creditToAttribute"))
        if found is None:
            raise e.CreditNotPositive
        credit = found
    token = secrets.token_hex(16)
    return NewSubaccount(
        email=email,
        kind=kind,
        token=token,
        key_digest=key_digest(subaccount_key(request, token, before=0), request.services.key_secret),
        firstname=wanted.text("firstname")[:100],
        lastname=wanted.text("lastname")[:100],
        credit=to_micros(credit),
    )


CREATE = Endpoint(
    "POST",
    "/v1/subaccount/create",
    create,
    body=SubaccountRequest(
        type="simple", parameters=SubaccountParameters(email="branch@example.org", is_buyer=0, credit=10)
    ),
    answer=SubaccountCreated(
        subaccount=SubaccountMade(email="branch@example.org", token=EXAMPLE_TOKEN),
        mail_to="branch@example.org",
        parent_email="office@example.org",
    ),
    refusals=(
        e.SubaccountsNotAllowed,
        e.BuyerMissing,
        e.SubaccountTypeMissing,
        e.SubaccountTypeUnknown,
        e.EmailMissing,
        e.EmailTaken,
        e.CreditNotPositive,
        e.BalanceTooLow,
    ),
)

CREATE_BY_GET = replace(CREATE, method="GET")
"""A badge of the documentation says so; its body is read then too."""

# -- list --------------------------------------------------------------------------------------


class SubaccountCredit(AnswerPart):
    """What a sub-account has."""

    balance: Annotated[str, Meta(description="Three decimal places.")]
    currency: str


class SubaccountItem(AnswerPart):
    """One sub-account."""

    id: int
    email: str
    type: Annotated[str, words(KINDS)]
    token: str
    api_key: Annotated[
        str, Meta(description="Made of the token and the installation's secret; it is kept nowhere.")
    ] = field(name="apiKey")
    created_at: ParisTime = field(name="createdAt")
    credit: SubaccountCredit = field(name="credits")


class SubaccountList(GoodAnswer):
    """A page of sub-accounts, oldest first."""

    total: Count
    nb_per_page: Annotated[int, constant(PER_PAGE)]
    page: Annotated[int, Meta(ge=1)]
    items: list[SubaccountItem] = field(name="data")


class SubaccountListQuery(Parameters):
    """Which page."""

    page: Annotated[int, Meta(ge=1, extra_json_schema={"default": 1})] | UnsetType = UNSET


async def list_subaccounts(request: AccountRequest) -> Response:
    """The sub-accounts, twenty to a page."""
    asked = request.inputs.text("page").strip()
    page = max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 1
    ledger = request.services.store.ledger
    total, found = await ledger.subaccounts(request.account.id, page=page, size=PER_PAGE)
    items = [_item(request, one) for one in found]
    return request.answer(SubaccountList(total=total, nb_per_page=PER_PAGE, page=page, items=items))


def _item(request: AccountRequest, one: Subaccount) -> SubaccountItem:
    created = datetime.fromtimestamp(one.created_at // SECOND_MS, PARIS)
    return SubaccountItem(
        id=one.id,
        email=one.email,
        type=one.kind,
        token=one.token,
        api_key=subaccount_key(request, one.token, before=one.keys - 1),
        created_at=created.strftime("%Y-%m-%d %H:%M:%S"),
        credit=SubaccountCredit(balance=f"{one.credit:.3f}", currency=request.services.currency),
    )


LIST_SUBACCOUNTS = Endpoint(
    "GET",
    "/v1/subaccount/list",
    list_subaccounts,
    parameters=SubaccountListQuery(page=1),
    answer=SubaccountList(
        total=1,
        nb_per_page=PER_PAGE,
        page=1,
        items=[
            SubaccountItem(
                id=2,
                email="branch@example.org",
                type="simple",
                token=EXAMPLE_TOKEN,
                api_key="0f3c6b1d9a4e7f2085b1c3d5e7f90a1b2c3d4e5f",
                created_at="2026-11-23 14:00:00",
                credit=SubaccountCredit(balance="10.000", currency="EUR"),
            )
        ],
    ),
)

# -- remove ------------------------------------------------------------------------------------


class SubaccountRemovalRequest(Parameters):
    """Which sub-account."""

    token: Token


class SubaccountRemoved(GoodAnswer):
    """Nothing but that it is removed."""


async def remove(request: AccountRequest) -> Response:
    """Remove a sub-account: its key opens nothing any more, its credit comes back."""
    token = request.inputs.text("token").strip()
    if not token:
        raise e.RemovalTokenMissing
    try:
        await request.services.store.ledger.remove_subaccount(
            request.account.id, token, actor=actor_of(request), at=request.services.clock.now()
        )
    except e.SubaccountNotFound:
        raise e.SubaccountGone from None
    return request.answer(SubaccountRemoved())


REMOVE = Endpoint(
    "DELETE",
    "/v1/subaccount/remove",
    remove,
    body=SubaccountRemovalRequest(token=EXAMPLE_TOKEN),
    takes_form=True,
    answer=SubaccountRemoved(),
    refusals=(e.RemovalTokenMissing, e.SubaccountGone),
)

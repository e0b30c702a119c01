"""Looking numbers up in the numbering plans (contract 4.3).

No other source is asked: a number that was ported is shown under the network it was first given to.
"""

import re
from typing import Annotated, Any

from msgspec import Meta, field

from esito.api import plans
from esito.api.http.endpoint import Endpoint
from esito.api.http.rate_limits import check
from esito.api.http.request import AccountRequest, as_text
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, GoodAnswer, Parameters, constant, one_of
from esito.api.v1.send_fields import require_readable
from esito.domain.errors import (
    LookupUnavailable,
    NumbersNotSeparated,
    PhoneNumberMissing,
    TooManyRecipients,
    TooManyRequests,
)
from esito.domain.message import MAX_RECIPIENTS
from esito.domain.msisdn import split_numbers

SEPARATORS = re.compile(r"[;|\n\t]|(?<=[0-9]) +\+")
"""Separators that people write instead of commas."""


class NumberFormats(AnswerPart):
    """A number in the ways it is written."""

    e164: str
    international: str
    national: str
    rfc3966: str


class NumberFound(AnswerPart):
    """What a number is."""

    request: Annotated[str, Meta(description="As it was asked.")]
    success: Annotated[bool, constant(value=True)]
    country: Annotated[str, Meta(description="The name of a country, in French.")] = field(name="countryCode")
    prefix: Annotated[int, Meta(description="Calling code.")] = field(name="prefixCode")
    phone_number: Annotated[str, Meta(description="E.164 with plus.")] = field(name="phoneNumber")
    type: str
    network: Annotated[str, Meta(description="That the number was given to; empty where it is not known.")]
    format: NumberFormats


class NumberNotFound(AnswerPart):
    """What is no number."""

    request: str
    success: Annotated[bool, constant(value=False)]
    message: Annotated[str, constant(plans.INVALID)]


class LookedUp(GoodAnswer):
    """What each number is, in the order of the request."""

    lookup: list[Annotated[object, one_of(NumberFound, NumberNotFound)]]


class LookupRequest(Parameters):
    """Which numbers."""

    phone_numbers: Annotated[str, Meta(min_length=1, description="Separated by commas, at most 500.")] = field(
        name="phoneNumbers"
    )


async def lookup(request: AccountRequest) -> Response:
    """What numbers are by the numbering plans; 360 times a minute."""
    services = request.services
    check(services.limits.lookups, request.account, services.clock.now())
    raws = await request.work(lambda: numbers_of(request.inputs.raw("phoneNumbers")))
    found = await services.plans.look(request.account.id, raws)
    return await request.work(lambda: request.answer(LookedUp(lookup=[*found])), items=len(found))


def numbers_of(value: Any) -> list[str]:
    """Return what is to be looked up. Raises NumbersNotSeparated, PhoneNumberMissing, TooManyRecipients."""
    if isinstance(value, list):
        require_readable(len(value))
        raws = [as_text(item).strip() for item in value]
    else:
        text = as_text(value)
        require_readable(text.count(",") + 1)
        if SEPARATORS.search(text.strip()):
            raise NumbersNotSeparated
        raws = split_numbers(text)
    if not raws:
        raise PhoneNumberMissing
    if len(raws) > MAX_RECIPIENTS:
        raise TooManyRecipients
    return raws


LOOKUP = Endpoint(
    "POST",
    "/v1/lookup",
    lookup,
    body=LookupRequest(phone_numbers="0611111111,12"),
    takes_form=True,
    answer=LookedUp(
        lookup=[
            NumberFound(
                request="0611111111",
                success=True,
                country="France",
                prefix=33,
                phone_number="+33611111111",
                type="mobile",
                network="SFR",
                format=NumberFormats(
                    e164="+33611111111",
                    international="+33 6 11 11 11 11",
                    national="06 11 11 11 11",
                    rfc3966="tel:+33-6-11-11-11-11",
                ),
            ),
            NumberNotFound(request="12", success=False, message=plans.INVALID),
        ]
    ),
    refusals=(TooManyRequests, NumbersNotSeparated, PhoneNumberMissing, TooManyRecipients, LookupUnavailable),
)

"""What numbers are: asks the process that knows the numbering plans (contract 4.3).

Nobody else is asked. A number that was ported to another network is shown under the one it was given to.
"""

import re
from typing import Any

from esito.api.http.rate_limits import check
from esito.api.http.request import AccountRequest, as_text
from esito.api.http.response import Response
from esito.api.v1.send_fields import require_readable
from esito.domain.errors import NumbersNotSeparated, PhoneNumberMissing, TooManyRecipients
from esito.domain.message import MAX_RECIPIENTS
from esito.domain.msisdn import split_numbers

SEPARATORS = re.compile(r"[;|\n\t]|(?<=[0-9]) +\+")
"""What people write between numbers instead of commas."""


async def lookup(request: AccountRequest) -> Response:
    """POST /v1/lookup: up to 500 numbers, 360 times a minute."""
    check(request.services.limits.lookups, request.account, request.services.clock.now())
    raws = await request.work(lambda: numbers_of(request.inputs.raw("phoneNumbers")))
    told = await request.services.plans.look(request.account.id, raws)
    return await request.work(lambda: request.answer({"lookup": told}), items=len(told))


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

"""What numbers are: asks the process that knows the numbering plans (contract 4.3).

Nobody else is asked. A number that was ported to another network is shown under the one it was given to.
"""

import re
from typing import Any

from esito.api.answer import Answer
from esito.api.call import Call, as_text
from esito.api.fields import require_readable
from esito.api.limits import check
from esito.domain.errors import NumbersNotSeparated, PhoneNumberMissing, TooManyRecipients
from esito.domain.message import MAX_RECIPIENTS
from esito.domain.msisdn import split_numbers

SEPARATORS = re.compile(r"[;|\n\t]|(?<=[0-9]) +\+")
"""What people write between numbers instead of commas."""


async def lookup(call: Call) -> Answer:
    """POST /v1/lookup: up to 500 numbers, 360 times a minute."""
    check(call.services.limits.lookups, call.account, call.services.clock.now())
    raws = await call.work(lambda: numbers_of(call.inputs.raw("phoneNumbers")))
    told = await call.services.plans.look(call.account.id, raws)
    return await call.work(lambda: call.answer({"lookup": told}), items=len(told))


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

"""What numbers are: asks the process that knows the numbering plans (contract 4.3).

Nobody else is asked. A number that was ported to another network is shown under the one it was given to.
"""

import re

from esito.api.answer import Answer
from esito.api.call import Call, as_text
from esito.api.limits import check
from esito.domain.errors import NumbersNotSeparated, PhoneNumberMissing, TooManyRecipients
from esito.domain.message import MAX_RECIPIENTS
from esito.domain.msisdn import split_numbers

SEPARATORS = re.compile(r"[;|\n\t]|(?<=[0-9]) +\+")
"""What people write between numbers instead of commas."""


async def lookup(call: Call) -> Answer:
    """POST /v1/lookup: up to 500 numbers, 360 times a minute."""
    check(call.services.limits.lookups, call.account, call.services.clock.now())
    value = call.inputs.raw("phoneNumbers")
    if isinstance(value, list):
        raws = [as_text(item).strip() for item in value]
    else:
        text = as_text(value)
        if SEPARATORS.search(text.strip()):
            raise NumbersNotSeparated
        raws = split_numbers(text)
    if not raws:
        raise PhoneNumberMissing
    if len(raws) > MAX_RECIPIENTS:
        raise TooManyRecipients
    return call.answer({"lookup": await call.services.plans.look(call.account.id, raws)})

"""What was spent, month by month (contract 4.5)."""

import re
from datetime import date, datetime

from esito.api.answer import Answer, render
from esito.api.call import Call
from esito.api.limits import check
from esito.api.xml import Value
from esito.domain.errors import IntervalInvalid
from esito.domain.pricing import as_number
from esito.domain.timing import PARIS, SECOND_MS, month_begins, months_between
from esito.store.ledger import MonthSpent

NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
         "november", "december")  # fmt: skip

DAY = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})")
LONGEST_MONTHS = 120


async def cost_resume(call: Call) -> Answer:
    """GET /v1/statistics/cost-resume: five times a minute."""
    now = call.services.clock.now()
    months = _months(call, datetime.fromtimestamp(now // SECOND_MS, PARIS).date())
    check(call.services.limits.statistics, call.account, now)
    spent = await call.services.store.ledger.spent(call.account.id, months)
    return render({"success": True, "datas": [_shown(one) for one in spent]}, status=200, xml=call.xml)


def _months(call: Call, today: date) -> list[str]:
    """Return the months that are asked for. Raises IntervalInvalid."""
    interval = call.inputs.text("interval").strip()
    if interval == "last_month":
        before = today.replace(year=today.year - 1, month=12, day=1) if today.month == 1 else today.replace(
            month=today.month - 1, day=1
        )  # fmt: skip
        return months_between(before, before)
    if interval == "last_twelve_months":
        return months_between(today.replace(year=today.year - 1, day=1), today)[1:]
    if interval != "custom":
        raise IntervalInvalid
    first, last = _day(call.inputs.text("from")), _day(call.inputs.text("to"))
    if first > last:
        raise IntervalInvalid
    months = months_between(first, last)
    if len(months) > LONGEST_MONTHS:
        raise IntervalInvalid
    return months


def _day(text: str) -> date:
    found = DAY.fullmatch(text.strip())
    if found is None:
        raise IntervalInvalid
    try:
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        raise IntervalInvalid from None


def _shown(one: MonthSpent) -> dict[str, Value]:
    year, number = one.month.split("-")
    return {
        "month": NAMES[int(number) - 1],
        "year": year,
        "m": str(int(number)),
        "date": month_begins(one.month),
        "type": "month",
        "cost": str(as_number(one.cost)),
        "nb_send": str(one.segments),
    }

"""What was spent, month by month (contract 4.5)."""

import re
from datetime import date, datetime
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.rate_limits import check
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, Parameters, constant, words
from esito.domain.errors import IntervalInvalid, TooManyRequests
from esito.domain.pricing import as_number
from esito.domain.timing import PARIS, SECOND_MS, month_begins, months_between
from esito.store.interface.account_store import MonthSpending

NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
         "november", "december")  # fmt: skip

DAY = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})")
LONGEST_MONTHS = 120


class MonthItem(AnswerPart):
    """What was spent in one month."""

    month: Annotated[str, words(NAMES)]
    year: Annotated[str, Meta(pattern="^[0-9]{4}$")]
    number: Annotated[str, Meta(pattern="^[0-9]{1,2}$")] = field(name="m")
    date: Annotated[int, Meta(description="When the month begins in Paris, Unix seconds.")]
    type: Annotated[str, constant("month")]
    cost: str
    segments: Annotated[str, Meta(pattern="^[0-9]+$", description="Segments.")] = field(name="nb_send")


class CostResume(AnswerPart):
    """The months that were asked for, oldest first; this answer has no `code`."""

    success: Annotated[bool, constant(value=True)]
    months: list[MonthItem] = field(name="datas")


Day = Annotated[
    str, Meta(pattern="^[0-9]{2}-[0-9]{2}-[0-9]{4}$", description="`dd-mm-YYYY`; with `custom` it is required.")
]


class CostResumeQuery(Parameters):
    """Which months."""

    interval: Annotated[str, words(["last_month", "last_twelve_months", "custom"])]
    from_: Day | UnsetType = field(name="from", default=UNSET)
    to: Day | UnsetType = UNSET


async def cost_resume(request: AccountRequest) -> Response:
    """What was spent, month by month; five times a minute."""
    now = request.services.clock.now()
    months = _months(request, datetime.fromtimestamp(now // SECOND_MS, PARIS).date())
    check(request.services.limits.statistics, request.account, now)
    spent = await request.services.store.ledger.spent(request.account.id, months)
    return request.answer(CostResume(success=True, months=[_item(one) for one in spent]))


def _months(request: AccountRequest, today: date) -> list[str]:
    """Return the months that are asked for. Raises IntervalInvalid."""
    interval = request.inputs.text("interval").strip()
    if interval == "last_month":
        before = today.replace(year=today.year - 1, month=12, day=1) if today.month == 1 else today.replace(
            month=today.month - 1, day=1
        )  # fmt: skip
        return months_between(before, before)
    if interval == "last_twelve_months":
        return months_between(today.replace(year=today.year - 1, day=1), today)[1:]
    if interval != "custom":
        raise IntervalInvalid
    first, last = _day(request.inputs.text("from")), _day(request.inputs.text("to"))
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


def _item(one: MonthSpending) -> MonthItem:
    year, number = one.month.split("-")
    return MonthItem(
        month=NAMES[int(number) - 1],
        year=year,
        number=str(int(number)),
        date=month_begins(one.month),
        type="month",
        cost=str(as_number(one.cost)),
        segments=str(one.segments),
    )


COST_RESUME = Endpoint(
    "GET",
    "/v1/statistics/cost-resume",
    cost_resume,
    parameters=CostResumeQuery(interval="last_twelve_months"),
    answer=CostResume(
        success=True,
        months=[
            MonthItem(
                month="october",
                year="2026",
                number="10",
                date=1790805600,
                type="month",
                cost="0.09",
                segments="2",
            )
        ],
    ),
    refusals=(IntervalInvalid, TooManyRequests),
)

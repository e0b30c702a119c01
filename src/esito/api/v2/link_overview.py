"""The links to the operators, as they stand now (design 6)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from esito.api.http.endpoint import AdminEndpoint
from esito.api.http.request import AdminRequest
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, Count, GoodAnswer, Milliseconds, words
from esito.api.services import LinkStatus
from esito.domain.operator_habits import IdForm, Learned


class SessionItem(AnswerPart):
    """One session of a link."""

    bind: str
    state: str
    since: Milliseconds
    last_error: str


class LinkItem(AnswerPart):
    """One link."""

    link: str
    operator: str
    state: Annotated[str, words(["bound", "sending only", "receiving only", "down", "disabled"])]
    sessions: list[SessionItem]
    id_form: Annotated[str, Meta(description="How the operator spells ids in receipts; empty: not known yet.")]
    id_form_locked: Annotated[bool, Meta(description="It is set in the configuration.")]
    ambiguous_receipts: Annotated[Count, Meta(description="Receipts whose id could have meant two segments.")]
    warnings: list[Annotated[str, Meta(description="What somebody should look at; begins with a word for programs.")]]


class LinkOverview(GoodAnswer):
    """Every link."""

    links: list[LinkItem]


async def links(request: AdminRequest) -> Response:
    """How the links to the operators stand."""
    forms = await request.services.store.id_forms()
    items = [_item(one, forms.get(one.operator)) for one in await request.services.links()]
    return request.answer(LinkOverview(links=items))


def _item(one: LinkStatus, learned: Learned | None) -> LinkItem:
    return LinkItem(
        link=one.name,
        operator=one.operator,
        state=one.state,
        sessions=[
            SessionItem(bind=session.bind, state=session.state, since=session.since, last_error=session.last_error)
            for session in one.sessions
        ],
        # Empty: not known yet, or the evidence disagrees.
        id_form="" if learned is None or learned.form is IdForm.AUTO else learned.form.value,
        id_form_locked=learned is not None and learned.locked is not IdForm.AUTO,
        ambiguous_receipts=0 if learned is None else learned.ambiguous,
        warnings=[*one.troubles, *_warnings(learned)],
    )


AMBIGUOUS = "ambiguous: receipts were kept as orphans because their id could mean two segments; see message_id_form"

MISLEADING = (
    "dates: the submit dates in the operator's receipts are far from our own; is receipt_timezone right? Until they"
    " agree, receipts of segments whose response was lost are not recognised"
)


def _warnings(learned: Learned | None) -> Iterator[str]:
    """Say what somebody should look at; an ambiguity is over once the form is known."""
    if learned is not None and learned.ambiguous and learned.form is IdForm.AUTO:
        yield AMBIGUOUS
    if learned is not None and learned.dates.mislead:
        yield MISLEADING


LINKS = AdminEndpoint(
    "GET",
    "/v2/links",
    links,
    answer=LinkOverview(
        links=[
            LinkItem(
                link="north",
                operator="north",
                state="bound",
                sessions=[SessionItem(bind="transceiver", state="bound", since=1_600_000_000_000, last_error="")],
                id_form="hex-to-dec",
                id_form_locked=False,
                ambiguous_receipts=0,
                warnings=[],
            )
        ]
    ),
)

"""Making callbacks again (design 6)."""

from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import Endpoint
from esito.api.http.paging import LONGEST_DATE, status_among, unusable
from esito.api.http.request import AccountRequest, as_message_id, as_text
from esito.api.http.response import Response
from esito.api.http.schema import Count, GoodAnswer, Parameters, names_a, words
from esito.domain.errors import InvalidFields, NoSuchCallback
from esito.domain.timing import SECOND_MS


class ReplayRequest(Parameters, forbid_unknown_fields=True):
    """One callback by its id, or several by `since`."""

    id: Annotated[int, Meta(ge=1, description="One callback."), names_a("callback")] | UnsetType = UNSET
    since: (
        Annotated[str, Meta(description="All finished ones whose change is not older: ISO 8601, or milliseconds.")]
        | UnsetType
    ) = UNSET
    status: Annotated[str, words(["dead"], "With `since`: those given up alone.")] | UnsetType = UNSET


class Replayed(GoodAnswer):
    """How many are made again."""

    replayed: Count


async def replay(request: AccountRequest) -> Response:
    """Make one callback again, or all since a moment, under the same webhook-id."""
    outbox, now = request.services.store.callbacks, request.services.clock.now()
    if request.inputs.has("id") == request.inputs.has("since"):
        raise unusable("id", "Indiquez soit id, soit since")
    if request.inputs.has("id"):
        number = as_message_id(request.inputs.raw("id"))
        if number is None:
            raise NoSuchCallback
        return request.answer(Replayed(replayed=await outbox.replay(request.account.id, number, now)))
    status = status_among(request, {"dead"})
    since = _instant(request.inputs.raw("since"))
    count = await outbox.replay_since(request.account.id, since, now, dead_only=status == "dead")
    return request.answer(Replayed(replayed=count))


def _instant(value: Any) -> int:
    """Return `since` in milliseconds: a date of ISO 8601, UTC unless it says otherwise, or milliseconds.

    Raises InvalidFields.
    """
    text = as_text(value).strip()
    if text.isascii() and text.isdecimal() and len(text) <= 15:
        return int(text)
    try:
        moment = datetime.fromisoformat(text[: LONGEST_DATE + 1])
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(aware.timestamp() * SECOND_MS)
    except (ValueError, OverflowError):
        raise unusable("since", "La date n'est pas valide") from None


REPLAY = Endpoint(
    "POST",
    "/v2/callbacks/replay",
    replay,
    body=ReplayRequest(id=1),
    answer=Replayed(replayed=1),
    refusals=(InvalidFields, NoSuchCallback),
)

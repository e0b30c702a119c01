"""Words of version 2, and types of members and parameters that occur in several of its endpoints."""

from typing import Annotated

from msgspec import Meta

from esito.api.http.paging import LIMIT, MOST
from esito.api.http.schema import names_a, words
from esito.domain.states import PUBLIC_WORDS, MessageState

STATE_NAMES = {state: state.name.lower() for state in MessageState}
STATUSES = {word.lower().replace(" ", "-"): word for word in PUBLIC_WORDS.values()}
"""How a public status is written in a query, beside the way answers spell it."""

State = Annotated[str, words(STATE_NAMES.values())]
StateOrUnknown = Annotated[str | None, words([*STATE_NAMES.values(), None], "null: a word we do not know.")]
Hexadecimal = Annotated[str, Meta(pattern="^([0-9a-f]{2})*$", description="The octets as they came, in hexadecimal.")]
NextCursor = Annotated[str, Meta(pattern="^[0-9]+$", description="`cursor` of the next page; null on the last.")] | None
Operator = Annotated[str, Meta(description="Empty: none serves the number.")]

MessagePiece = Annotated[
    str, Meta(pattern="^[0-9]{1,16}$", description="Message id.", examples=["4711"]), names_a("message")
]
MsisdnPiece = Annotated[
    str, Meta(min_length=1, description="French or international.", examples=["+33611111111"]), names_a("number")
]
Unmask = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=200,
        description="The reason why somebody sees numbers whole, which are hidden otherwise; the audit log keeps it.",
    ),
]
StatusFilter = Annotated[
    str, words([*STATUSES, *STATE_NAMES.values()], "A status, or a state. An unknown word finds nobody.")
]
Cursor = Annotated[str, Meta(description="`next_cursor` of the page before.")]
PageLimit = Annotated[int, Meta(ge=1, le=MOST, description="Items on a page.", extra_json_schema={"default": LIMIT})]

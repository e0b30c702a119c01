"""What is copied: every table and column by name, and what has its own form, or its place, on one side only.

Nothing is found by looking into a database: a column that this page does not know would be lost in silence, or copied
without a thought. A test compares the page with both schemas.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class TableChecksum(NamedTuple):
    """How much a table holds, and a sum over it that says whether two hold the same."""

    rows: int
    checksum: int
    """Of 128 bits; the order of the rows does not matter."""

    @property
    def shown(self) -> str:
        """The checksum as it is written for people."""
        return f"{self.checksum:032x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table as both engines have it."""

    name: str
    key: tuple[str, ...]
    """Columns that order its rows in SQLite, without two alike; none is ever null."""
    columns: tuple[str, ...]
    """In PostgreSQL; the same in SQLite unless `derived` says otherwise."""
    derived: Mapping[str, str] = field(default_factory=dict)
    """How SQLite comes by a column that it keeps in another form."""
    only: str = ""
    """Which rows of SQLite are copied, where not all are."""
    spanned: str = ""
    """The column by which PostgreSQL divides the table into spans of message ids."""
    counted: bool = False
    """Whether the engine gives each new row the next id."""


def _table(name: str, key: str, columns: str, **more: object) -> Table:
    return Table(name=name, key=tuple(key.split()), columns=tuple(columns.split()), **more)  # type: ignore[arg-type]  # as the fields are


TABLES = (
    # Where the next message ids begin is a setting in SQLite and a sequence in PostgreSQL (`sequences`).
    _table("setting", "name", "name value", only="name <> 'next_message_id'"),
    _table(
        "account",
        "id",
        "id name state granted credit retired created_at profile parent kind email token",
        counted=True,
    ),
    _table("api_key", "id", "id account digest label created_at disabled networks", counted=True),
    _table("administrator", "id", "id name digest created_at disabled networks", counted=True),
    _table("stop", "id", "id account msisdn created_at", counted=True),
    _table("operator", "id", "id name as_is strip_zeros hex_to_dec dec_to_hex ambiguous dates", counted=True),
    _table("link", "id", "id name operator resubmit_uncertain prefixes sender stop_number", counted=True),
    _table("link_kept", "name", "name added settings"),
    _table("route", "id", "id name link", counted=True),
    # Tokens go on growing from where they are: whoever slept through the move is still fenced off.
    _table("lease", "name", "name holder token expires_at told"),
    _table("frame_mark", "gateway epoch", "gateway epoch confirmed"),
    _table("frame_beyond", "gateway epoch sequence", "gateway epoch sequence"),
    _table("poison", "id", "id at place reason content", counted=True),
    _table(
        "message",
        "id",
        "id account created_at due_at check_at cancelled_at sender gamme unicode sandbox stage tag reference"
        " url_dlr url_response priority recipients",
        spanned="id",
    ),
    _table("message_text", "message_id number", "message_id number text stop_number", spanned="message_id"),
    _table(
        "recipient",
        "message_id seq",
        "message_id account msisdn cost changed_at seq link text segments state",
        spanned="message_id",
    ),
    _table(
        "outgoing", "link lane due_at message_id", "link lane due_at message_id next_seq next_part last_seq account"
    ),
    _table(
        "segment",
        "message_id seq part",
        "message_id submitted_at retry_at answered_at status done_at seq part link operator attempts phase state"
        " smsc_id match_key error number_tail query_at tries",
        spanned="message_id",
    ),
    # A receipt of no known message has none in SQLite and 0 in PostgreSQL, which divides the table by it.
    _table(
        "trail",
        "id",
        "id message_id received_at done_at origin checksum link seq part state verdict smsc_id stat error flags raw",
        derived={"message_id": "coalesce(message_id, 0)"},
        spanned="message_id",
    ),
    _table("unmatched", "trail", "trail operator source_addr destination_addr submitted_at received_at waits"),
    _table("unmatched_key", "operator match_key trail", "operator match_key trail"),
    _table("destination", "id", "id account origin last_success failing_since disabled_at reason", counted=True),
    _table("gone_path", "destination digest", "destination digest at path"),
    _table(
        "callback",
        "id",
        "id message_id at done_at account destination first_at next_at seq attempts tries state kind phase sandbox"
        " reason body",
        counted=True,
    ),
    _table("callback_attempt", "callback_id number", "callback_id at milliseconds number status error address answer"),
    _table(
        "reply",
        "id",
        "id received_at response link reference total part phase source destination raw text",
        counted=True,
    ),
    _table(
        "response",
        "id",
        "id received_at account message_id link seq missing source destination kind text",
        counted=True,
    ),
    _table("stop_answer", "response", "response account msisdn message_id done sender text"),
    _table("spending", "account day", "account day cost segments cost_below segments_below"),
    _table("audit", "id", "id at actor act subject details", counted=True),
    _table("idempotency", "account key", "account key at request message_id answer"),
)
"""In an order in which no row refers to one that comes later."""

LEFT_BEHIND = {
    "sent_run": "whom a number heard from: PostgreSQL finds recipients by an index on their number",
    "sent_to": "the same",
    "sqlite_sequence": "the highest ids ever given: they move on into sequences",
}
"""Tables of SQLite that are not copied, and why."""

MADE_THERE = {
    "schema_version": "which migrations were applied: written when the schema is made",
    "span": "the partitions that there are: made for the ids that come",
    "writer": "the last transaction of every process that writes there",
}
"""Tables of PostgreSQL that nothing is copied into, and why."""

SPAN = 10_000_000
"""Message ids of a partition."""

BLOCK = 1_000
"""Message ids that are handed out at once."""


def quoted(name: str) -> str:
    """Return a name as SQL takes it, whatever else that word means there."""
    return f'"{name}"'

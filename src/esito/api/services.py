"""What the API needs of the rest of the server."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from esito.api.http.client_address import Network
from esito.api.http.rate_limits import Limits
from esito.api.plans_process import Plans
from esito.domain.pricing import PriceList
from esito.domain.retrying import RetryTable
from esito.domain.timing import Clock
from esito.domain.vocabulary import ErrorTable, Vocabulary
from esito.lifecycle.accept import Acceptance
from esito.lifecycle.account_threads import AccountThreads
from esito.store.interface.store import Store

MAX_HEADER_OCTETS = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatus:
    """One session of a link."""

    bind: str
    state: str
    since: int
    """Milliseconds since the epoch; when it entered this state."""
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus:
    """One configured link, as it stands now."""

    name: str
    operator: str
    state: str
    """`bound`, `sending only`, `receiving only`, `down` or `disabled`."""
    sessions: tuple[SessionStatus, ...]
    troubles: tuple[str, ...] = ()
    """Problems to look at; each begins with a word for programs: `refused`, `unanswered` or `unqueried`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEdited:
    """The effect of a change of a link."""

    changed: bool
    rebinds: bool
    notes: tuple[str, ...] = ()
    """Remarks for whoever made the change."""


class LinkDesk(Protocol):
    """Changes links while servers run; settings are those of a section `[[link]]`, as JSON or as text.

    Every act raises InvalidFields for what cannot be used, NoSuchLink, LinkInUse and LinkChanged.
    """

    async def add(self, name: str, settings: Mapping[str, Any], *, actor: str) -> LinkEdited:
        """Add a link."""

    async def change(self, name: str, settings: Mapping[str, Any], unset: Sequence[str], *, actor: str) -> LinkEdited:
        """Change settings of a link; give back those of `unset`."""

    async def remove(self, name: str, *, forced: bool, actor: str) -> LinkEdited:
        """Remove a link that was added."""


async def _no_links() -> list[LinkStatus]:
    return []


async def _nothing_missing() -> list[str]:
    return []


def _called(_url: str) -> str:
    return ""


def _no_warnings() -> list[str]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of the server that endpoints use."""

    store: Store
    acceptance: Acceptance
    clock: Clock
    key_secret: bytes
    """The secret of the keyed hashes of API keys."""
    prices: PriceList = field(default_factory=PriceList)
    """By which `me` computes how many messages a credit buys."""
    currency: str = "EUR"
    """Of all prices and credits."""
    vocabulary: Vocabulary = field(default_factory=lambda: Vocabulary(ErrorTable(), {}))
    """Says what operators' error codes mean."""
    retries: Mapping[str, RetryTable] = field(default_factory=dict)
    """Which refusals are retried, by link; the default table where a link has none."""
    error_status: int = 400
    """HTTP status of error envelopes (contract 0.1)."""
    pushable: bool = False
    """Whether `POST /v2/clock/advance` is served; the clock must then be a PushableClock."""
    ready: Callable[[], Awaitable[list[str]]] = _nothing_missing
    """Returns what keeps us from serving; empty when we are ready."""
    warnings: Callable[[], list[str]] = _no_warnings
    """Returns problems to look at although we serve."""
    links: Callable[[], Awaitable[list[LinkStatus]]] = _no_links
    """Returns the status of every link."""
    link_desk: LinkDesk | None = None
    """Changes links; None where there are none to change."""
    limits: Limits = field(default_factory=Limits)
    """How often accounts may ask."""
    plans: Plans = field(default_factory=Plans)
    """Looks numbers up in the numbering plans."""
    aside: AccountThreads = field(default_factory=AccountThreads)
    """Runs long work in threads."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose `X-Forwarded-For` is believed."""
    bad_keys_per_minute: int = 0
    """Wrong keys of one address that are checked in a minute; 0: all."""
    requested: Callable[[tuple[str, int | str]], None] | None = None
    """Called with the address and port of each request."""
    never_called: Callable[[str], str] = _called
    """Returns why callbacks to a URL are refused whatever its name resolves to; empty when they are not."""
    max_body: int = 1_000_000
    """Octets of a request's body."""
    body_patience: float = 10.0
    """Seconds that the whole body may take to arrive."""

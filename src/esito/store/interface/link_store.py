"""What we ask of a database about links: how it must know them, what commands changed of them, and who holds them.

Several processes share work that only one may do at a time. A lease has a name, a holder and a token that grows with
every change of hands. Whoever acts under a lease gives its token, and the store refuses the act once somebody else
holds the lease: a process that was asleep does no harm. The clock is the database's own: processes need not agree.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from esito.domain.operator_habits import IdForm
from esito.domain.opt_out import STOP_NUMBER
from esito.domain.states import MultipartRule
from esito.domain.timing import VALIDITY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """A link as the store must know it to keep and match segments."""

    name: str
    operator: str
    """Links of one operator share their SMSC ids."""
    multipart_rule: MultipartRule = MultipartRule.ANY_FAILED
    resubmit_uncertain: bool = False
    priority: int = 1
    """Of usable links that serve a number, those with the lowest take it."""
    message_id_form: IdForm = IdForm.AUTO
    """How the operator spells its ids in receipts, when it is not to be learned."""
    wait_ms: int = VALIDITY_MS
    """How long after a submission we wait for the operator's last word."""
    query_after_ms: int = 0
    """How long after a submission the operator is asked by query_sm for the first time; 0: never."""
    prefixes: tuple[str, ...] | None = None
    """What it serves, none for all other numbers; None: nobody stands in for it, and it for nobody."""
    sender: str = ""
    """Of messages that name none; empty: the operator's choice."""
    stop_number: str = STOP_NUMBER
    """Where a STOP to it is to go."""


class KeptLink(NamedTuple):
    """What goes over the settings file for one link."""

    name: str
    added: bool
    """Whether there is such a link because of this; else it only goes over one of the file."""
    settings: str
    """A JSON object of settings, the password sealed."""


class LinkWork(NamedTuple):
    """What still has to do with a link."""

    waiting: int
    """Recipients that were not submitted yet, those too that other links may take."""
    postponed: int
    """Segments that are to be submitted again."""
    open: int
    """Segments that were written and lack their submit_sm_resp."""


class LinkSettingStore(Protocol):
    """The links that commands have added or changed. Every change has its line in the audit log."""

    async def all(self) -> list[KeptLink]:
        """Return what is kept, by name."""

    async def keep(
        self, after: KeptLink, *, before: KeptLink | None, act: str, details: str, actor: str, at: int
    ) -> None:
        """Put this in the place of what was kept of the link before. Raises LinkChanged where that is not so any more.

        `act` and `details` stand in the audit log; no secret may be among them.
        """

    async def remove(self, before: KeptLink, *, forced: bool, details: str, actor: str, at: int) -> None:
        """Forget an added link.

        Raises LinkChanged, and LinkInUse while segments wait for it or for its operator's answer unless `forced`.
        """

    async def work(self, name: str) -> LinkWork:
        """Count what still has to do with a link."""


class Lease(NamedTuple):
    """Something that is held."""

    name: str
    token: int


class LeaseLine(NamedTuple):
    """A lease as it is shown."""

    name: str
    holder: str
    token: int
    left_ms: int
    """Until it ends; negative once it has."""
    told: str
    """What its holder says of what it does with it."""


class LeaseStore(Protocol):
    """Who may do what."""

    async def take(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """Take what nobody holds, for so long; None while somebody else holds it."""

    async def renew(self, lease: Lease, *, seconds: float, told: str = "") -> bool:
        """Hold it for so long from now; False when it has changed hands."""

    async def give_back(self, lease: Lease) -> None:
        """Let others take it at once, if it is still ours."""

    async def now(self) -> int:
        """Return what time it is by the clock of the database, in milliseconds since the epoch."""

    async def all(self) -> list[LeaseLine]:
        """Return every lease that was ever taken, by name."""

"""What we ask of a database about links that are added or changed by command, over those of the settings file."""

from typing import NamedTuple, Protocol


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


class LinkKeeper(Protocol):
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

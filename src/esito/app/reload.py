"""Links that change while the server runs: by SIGHUP those of the settings file, by command those of the store.

Every process of an installation reads the store about once a second. New settings are checked as at a start; then the
difference is applied: rules for receipts and routes at once, and only links that must bind again are stopped and
started. Settings that cannot be used change nothing, and are reported in the log and in `/readyz`.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial

import structlog

from esito.app.link_changes import LinkChange, bound_with, changes, doubts
from esito.app.link_factory import check_links, incoming_of, make_link, register_links, revise_link
from esito.app.link_settings import EditContext, overridden
from esito.config import ConfigError, LinkSettings, Settings
from esito.domain.errors import StoreError
from esito.domain.timing import Clock
from esito.lifecycle.accept import Acceptance
from esito.lifecycle.receive import Receiver
from esito.links.gateway import Gateway
from esito.links.supervisor import LinkPlan, LinkSupervisor
from esito.store.interface.link_store import KeptLink
from esito.store.interface.store import Store

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two reads of the links in the store."""


@dataclass(slots=True, kw_only=True)
class LinkFollowers:
    """The parts of the application that are told when links change."""

    store: Store
    clock: Clock
    receiving: Receiver
    acceptance: Acceptance
    gateway: Gateway
    relinking: LinkSupervisor | None
    """None where this process binds to nobody."""


class LinkReloader:
    """Knows the current links, and passes changes on to the followers."""

    def __init__(
        self,
        file: Settings,
        settings: Settings,
        followers: LinkFollowers,
        *,
        secret: bytes,
        environ: Mapping[str, str],
        load: Callable[[], Settings] | None = None,
    ) -> None:
        """Take the `settings`: those of the `file`, with the links of the store over them.

        `load` reads the file again; it may raise ConfigError.
        """
        self.settings = settings
        self._file = file
        self._followers = followers
        self._secret = secret
        self._environ = environ
        self._load = load
        self._kept: list[KeptLink] | None = None
        self._problems: dict[str, str] = {}
        self.retries = {link.name: link.retries for link in settings.links}
        """Which refusals of each link's operator pass; it changes with the links."""
        self._one_at_a_time = asyncio.Lock()

    @property
    def problems(self) -> list[str]:
        """What was refused, and so is not in use."""
        return list(self._problems.values())

    def begin(self) -> None:
        """Start the links as they are configured now."""
        for name, sentence in doubts(self.settings):
            log.warning("link_doubtful", link=name, reason=sentence)
        self._work_on(self.settings)

    async def run(self) -> None:
        """Follow the store until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except StoreError as error:
                log.warning("links_not_asked", reason=str(error))
            except Exception:  # whatever the store holds, the links that are bound go on
                log.exception("links_not_followed")

    async def look(self) -> None:
        """Apply what commands have changed. Raises StoreError."""
        async with self._one_at_a_time:
            kept = await self._followers.store.links.all()
            if kept != self._kept and await self._apply(self._file, kept, "store"):
                self._kept = kept

    def edit_context(self, actor: str) -> EditContext:
        """Return what an edit of links needs; `actor` goes into the audit log."""
        return EditContext(self._file, self._followers.store, self._secret, self._environ, actor)

    async def reload(self) -> None:
        """Read the settings file again, and apply its links."""
        if self._load is None:
            return
        async with self._one_at_a_time:
            try:
                file = self._load()
                kept = await self._followers.store.links.all()
            except (ConfigError, StoreError) as error:
                self._refuse("file", error)
                return
            before = self._file.links
            try:
                applied = await self._apply(file, kept, "file")
            except StoreError as error:
                self._refuse("file", error)
                return
            if applied:
                self._warn_of_other_sections(file)
                self._file, self._kept = file, kept
                await self._note(list(changes(before, file.links)))

    def _refuse(self, source: str, error: Exception) -> None:
        consequence = "the links stay as they were"
        if self._problems.get(source) != str(error):
            log.warning("links_refused", source=source, reason=str(error), consequence=consequence)
        self._problems[source] = str(error)

    async def _apply(self, file: Settings, kept: Sequence[KeptLink], source: str) -> bool:
        """Use these links from now on; return False when they cannot be used. Raises StoreError."""
        try:
            settings = overridden(file, kept, secret=self._secret, environ=self._environ)
            check_links(settings)
        except ConfigError as error:
            self._refuse(source, error)
            return False
        self._problems.pop(source, None)
        found = list(changes(self.settings.links, settings.links))
        if found:
            await self._pass_on(settings, found)
        return True

    async def _pass_on(self, settings: Settings, found: Sequence[LinkChange]) -> None:
        """Update the followers, in an order in which none meets a link that it does not know."""
        to = self._followers
        routes = await register_links(settings, to.store)
        to.receiving.follow(incoming_of(settings.links))
        to.acceptance.follow(routes)
        self.settings = settings
        self.retries.update({link.name: link.retries for link in settings.links})
        self._work_on(settings)
        if gone := [one.name for one in found if one.act == "link removed"]:
            await to.store.retire_links(gone)
        for one in found:
            log.info(one.act.replace(" ", "_"), link=one.name, details=one.details, rebinds=one.rebinds)
        touched = {one.name for one in found}
        for name, sentence in doubts(settings):
            if name in touched:
                log.warning("link_doubtful", link=name, reason=sentence)

    def _work_on(self, settings: Settings) -> None:
        to = self._followers
        to.gateway.disabled = frozenset(link.name for link in settings.links if not link.enabled)
        if to.relinking is not None:
            to.relinking.want({link.name: self._wanted(link) for link in settings.links if link.enabled})
        to.gateway.wake()

    def _wanted(self, link: LinkSettings) -> LinkPlan:
        to = self._followers
        make = partial(make_link, link, to.gateway, to.store, to.clock)
        return LinkPlan(bound_with(link), make, partial(revise_link, link))

    def _warn_of_other_sections(self, file: Settings) -> None:
        """Log which other sections of the file have changed: they wait for a restart."""
        changed = [
            one.name
            for one in fields(Settings)
            if one.name not in {"links", "http"} and getattr(file, one.name) != getattr(self._file, one.name)
        ]
        if changed:
            log.warning("settings_need_a_start", sections=changed, reason="a running server takes up links only")

    async def _note(self, found: Sequence[LinkChange]) -> None:
        """Write the changes of the file into the audit log."""
        to = self._followers
        for one in found:
            try:
                await to.store.ledger.note(
                    actor=f"file:{socket.gethostname()}", act=one.act, subject=one.name, details=one.details,
                    at=to.clock.now(),
                )  # fmt: skip
            except StoreError as error:
                log.warning("change_not_noted", link=one.name, reason=str(error))

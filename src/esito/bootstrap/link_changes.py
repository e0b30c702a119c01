"""Links that change while the server runs: by SIGHUP those of the settings file, by command those of the store.

Every process of an installation looks at the store about every second. What is new is checked as at a start; then the
difference is applied: rules for receipts and routes at once, and of the links at work only those that must be bound
anew are laid down and taken up. What cannot be used changes nothing, and is said in the log and in `/readyz`.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import NamedTuple

import structlog

from esito.bootstrap.link_doubts import doubts
from esito.bootstrap.link_settings import Editing, differences, laid_over, told_of
from esito.bootstrap.links import bound_with, incoming_of, make_link, register_links, revise_link, smpp_settings
from esito.config import ConfigError, LinkSettings, Settings
from esito.domain.errors import StoreError
from esito.domain.timing import Clock
from esito.lifecycle.accept import Acceptance
from esito.lifecycle.receive import Receiver
from esito.links.gateway import Gateway
from esito.links.supervisor import LinkPlan, LinkSupervisor
from esito.store.base import Store
from esito.store.links import KeptLink

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between looks at what commands have kept in the store."""


class Change(NamedTuple):
    """One link that differs."""

    act: str
    name: str
    details: str
    rebinds: bool


def check(settings: Settings) -> None:
    """Check what shows only when a link is made, such as files of TLS. Raises ConfigError."""
    for link in settings.links:
        if link.enabled:
            smpp_settings(link)


def changes(before: Sequence[LinkSettings], after: Sequence[LinkSettings]) -> Iterator[Change]:
    """Yield how links differ; passwords are not told."""
    old, new = {link.name: link for link in before}, {link.name: link for link in after}
    for name, link in new.items():
        if name not in old:
            yield Change("link added", name, f"{link.host}:{link.port}", rebinds=link.enabled)
        elif names := differences(old[name], link):
            details = ", ".join(told_of(one, getattr(link, one)) for one in names)
            rebinds = link.enabled and (bound_with(old[name]) != bound_with(link) or not old[name].enabled)
            yield Change("link changed", name, details, rebinds=rebinds)
    for name in old:
        if name not in new:
            yield Change("link removed", name, "", rebinds=False)


async def present(settings: Settings, store: Store, *, secret: bytes, environ: Mapping[str, str]) -> Settings:
    """Return the settings with the links that there are. Raises ConfigError, StoreError."""
    return laid_over(settings, await store.links.all(), secret=secret, environ=environ)


@dataclass(slots=True, kw_only=True)
class Followers:
    """The parts of the house that follow the links."""

    store: Store
    clock: Clock
    receiving: Receiver
    acceptance: Acceptance
    gateway: Gateway
    relinking: LinkSupervisor | None
    """None where this process binds to nobody."""


class LinkChanges:
    """Knows which links there are, and brings changes to those who follow."""

    def __init__(
        self,
        file: Settings,
        settings: Settings,
        followers: Followers,
        *,
        secret: bytes,
        environ: Mapping[str, str],
        load: Callable[[], Settings] | None = None,
    ) -> None:
        """Have `settings`: those of the `file`, with what the store says of links over them.

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
        """Say what was refused, and so is not in use."""
        return list(self._problems.values())

    def begin(self) -> None:
        """Take up the links as they are."""
        for name, sentence in doubts(self.settings):
            log.warning("link_doubtful", link=name, reason=sentence)
        self._work_on(self.settings)

    async def run(self) -> None:
        """Look at the store again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except StoreError as error:
                log.warning("links_not_asked", reason=str(error))
            except Exception:  # whatever stands there, the links that there are work on
                log.exception("links_not_followed")

    async def look(self) -> None:
        """Apply what commands have changed. Raises StoreError."""
        async with self._one_at_a_time:
            kept = await self._followers.store.links.all()
            if kept != self._kept and await self._apply(self._file, kept, "store"):
                self._kept = kept

    def editing(self, actor: str) -> Editing:
        """Return where somebody changes links."""
        return Editing(self._file, self._followers.store, self._secret, self._environ, actor)

    async def reload(self) -> None:
        """Read the settings file again, and apply what it says of links."""
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
                self._tell_what_waits_for_a_start(file)
                self._file, self._kept = file, kept
                await self._note(list(changes(before, file.links)))

    def _refuse(self, source: str, error: Exception) -> None:
        consequence = "the links stay as they were"
        if self._problems.get(source) != str(error):
            log.warning("links_refused", source=source, reason=str(error), consequence=consequence)
        self._problems[source] = str(error)

    async def _apply(self, file: Settings, kept: Sequence[KeptLink], source: str) -> bool:
        """Work with these links from now on; False when they cannot be used. Raises StoreError."""
        try:
            settings = laid_over(file, kept, secret=self._secret, environ=self._environ)
            check(settings)
        except ConfigError as error:
            self._refuse(source, error)
            return False
        self._problems.pop(source, None)
        found = list(changes(self.settings.links, settings.links))
        if found:
            await self._bring(settings, found)
        return True

    async def _bring(self, settings: Settings, found: Sequence[Change]) -> None:
        """Tell those who follow, in an order in which nobody meets a link that he does not know."""
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

    def _tell_what_waits_for_a_start(self, file: Settings) -> None:
        changed = [
            one.name
            for one in fields(Settings)
            if one.name not in {"links", "http"} and getattr(file, one.name) != getattr(self._file, one.name)
        ]
        if changed:
            log.warning("settings_need_a_start", sections=changed, reason="a running server takes up links only")

    async def _note(self, found: Sequence[Change]) -> None:
        """Write into the audit log what the file has changed."""
        to = self._followers
        for one in found:
            try:
                await to.store.ledger.note(
                    actor=f"file:{socket.gethostname()}", act=one.act, subject=one.name, details=one.details,
                    at=to.clock.now(),
                )  # fmt: skip
            except StoreError as error:
                log.warning("change_not_noted", link=one.name, reason=str(error))

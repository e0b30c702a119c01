"""The status of links: as this process has them, and as their lease holders publish it in the store."""

from collections.abc import Iterable, Sequence

import msgspec

from esito.api.services import LinkStatus, SessionStatus
from esito.config import LinkSettings
from esito.domain.timing import SECOND_MS
from esito.links.smpp_link import SmppLink
from esito.store.interface.link_store import LeaseLine


def statuses_of_ours(configured: Sequence[LinkSettings], links: Iterable[SmppLink]) -> list[LinkStatus]:
    """Return each configured link's status, by the links of this process."""
    ours = {link.name: link for link in links}
    return [link_status(one, ours[one.name]) if one.name in ours else _not_bound(one) for one in configured]


def statuses_of_leases(configured: Sequence[LinkSettings], lines: Sequence[LeaseLine]) -> list[LinkStatus]:
    """Return each configured link's status, as published by its lease holder."""
    leases = {line.name.removeprefix("link:"): line for line in lines}
    return [_status_of_lease(one, leases.get(one.name)) for one in configured]


def published(configured: LinkSettings, link: SmppLink) -> str:
    """Return a link's status as JSON, for the processes that do not hold it."""
    status = msgspec.to_builtins(link_status(configured, link))
    return msgspec.json.encode(status | {"usable": link.usable}).decode()


def _status_of_lease(configured: LinkSettings, line: LeaseLine | None) -> LinkStatus:
    if configured.enabled and line is not None and line.left_ms > 0 and line.told:
        return msgspec.json.decode(line.told, type=LinkStatus)
    return _not_bound(configured)


def _not_bound(configured: LinkSettings) -> LinkStatus:
    return LinkStatus(
        name=configured.name,
        operator=configured.operator or configured.name,
        state="down" if configured.enabled else "disabled",
        sessions=(),
    )


def link_status(configured: LinkSettings, link: SmppLink) -> LinkStatus:
    """Return the status of a link of this process."""
    bound = [word for word, can in (("sending", link.can_send), ("receiving", link.can_receive)) if can]
    return LinkStatus(
        name=configured.name,
        operator=configured.operator or configured.name,
        state="bound" if len(bound) == 2 else f"{bound[0]} only" if bound else "down",
        sessions=tuple(
            SessionStatus(
                bind=binding.kind,
                state=binding.state,
                since=int(binding.since * SECOND_MS),
                last_error=binding.last_error,
            )
            for binding in link.sessions
        ),
        troubles=(*link.troubles, *filter(None, [link.not_queried])),
    )

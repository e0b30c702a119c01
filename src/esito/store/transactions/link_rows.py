"""Links and routes under stable numbers, and the settings of links that commands have changed."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from esito.domain.errors import LinkChanged, LinkInUse, UnknownLink
from esito.domain.routing import Route
from esito.store.interface.link_store import KeptLink, LinkRecord, LinkWork
from esito.store.sql_connection import Connection
from esito.store.transactions.auditing import note
from esito.store.transactions.known_links import RegisteredLink


class Registered(NamedTuple):
    """What a registration came to."""

    numbers: dict[str, int]
    """Of the links, by name."""
    kept: list[RegisteredLink]
    """Every link that there is or was; those that were configured once too: receipts for them may still come."""


def register(connection: Connection, batches: Sequence[Sequence[LinkRecord]]) -> list[Registered]:
    """Keep links under stable numbers."""
    before = {row.name: row.prefixes for row in connection.rows("links", RegisteredLink)}
    numbers = [
        {record.name: _register(connection, record, before.get(record.name)) for record in batch} for batch in batches
    ]
    kept = connection.rows("links", RegisteredLink)
    return [Registered(one, kept) for one in numbers]


def _register(connection: Connection, record: LinkRecord, before: str | None) -> int:
    connection.run("insert_operator", name=record.operator)
    connection.run(
        "keep_link",
        name=record.name,
        operator=connection.number("operator_named", name=record.operator),
        resubmit_uncertain=int(record.resubmit_uncertain),
        prefixes=_prefixes(connection, record, before),
        sender=record.sender,
        stop_number=record.stop_number,
    )
    return connection.number("link_named", name=record.name)


class Routed(NamedTuple):
    """What a registration of routes came to."""

    numbers: dict[Route, int]
    """Of one link that of the link, of several ones below zero."""
    kept: dict[int, Route]
    """All routes of several links; those that were configured once too: what still has them is taken by what is left
    of their links."""


def register_routes(connection: Connection, batches: Sequence[Sequence[Route]]) -> list[Routed]:
    """Keep routes over registered links under stable numbers. Raises UnknownLink."""
    links = {row.name: row.id for row in connection.rows("links", RegisteredLink)}
    for route in {route for batch in batches for route in batch}:
        if route.link not in links:
            raise UnknownLink(f"there is no link {route.link!r}")
        if route.others:
            connection.run("keep_route", name=route.name, link=links[route.link])
    kept = {-number: Route.named(name) for number, name in connection.rows("routes", tuple[int, str])}
    numbers = {route: number for number, route in kept.items()}
    return [
        Routed({route: numbers[route] if route.others else links[route.link] for route in batch}, kept)
        for batch in batches
    ]


def _prefixes(connection: Connection, record: LinkRecord, before: str | None) -> str | None:
    """Return the prefixes to keep of a link: while anything waits for it, those of before too."""
    if record.prefixes is None:
        return None
    served = {*(record.prefixes or ("",))}
    if before is not None:
        earlier = set(msgspec.json.decode(before, type=list[str]))
        if earlier - served and connection.number(
            "something_waits", link=connection.number("link_named", name=record.name)
        ):
            served |= earlier
    return msgspec.json.encode(sorted(served)).decode()


NOTHING = "{}"
"""No settings."""

NO_WORK = LinkWork(0, 0, 0)


def _kept_link(row: tuple[str, int, str]) -> KeptLink:
    name, added, settings = row
    return KeptLink(name, bool(added), settings)


def read_kept_links(read: Connection) -> list[KeptLink]:
    """Return what commands have kept of links, by name."""
    return [_kept_link(row) for row in read.rows("links_kept", tuple[str, int, str])]


def keep_link(
    connection: Connection, after: KeptLink, *, before: KeptLink | None, act: str, details: str, actor: str, at: int
) -> None:
    """Put this in the place of what was kept before. Raises LinkChanged."""
    _require_unchanged(connection, after.name, before)
    if after.added or after.settings != NOTHING:
        connection.run("keep_link_settings", name=after.name, added=int(after.added), settings=after.settings)
    else:  # nothing goes over the file any more
        connection.run("forget_link_settings", name=after.name)
    note(connection, at=at, actor=actor, act=act, subject=after.name, details=details)


def remove_link(connection: Connection, before: KeptLink, *, forced: bool, details: str, actor: str, at: int) -> None:
    """Forget an added link. Raises LinkChanged, LinkInUse."""
    _require_unchanged(connection, before.name, before)
    if not forced and any(link_work(connection, before.name)):
        raise LinkInUse
    connection.run("forget_link_settings", name=before.name)
    note(connection, at=at, actor=actor, act="link removed", subject=before.name, details=details)


def _require_unchanged(connection: Connection, name: str, before: KeptLink | None) -> None:
    """Let nobody change what is kept of a link behind our back. Raises LinkChanged."""
    connection.hold("link_kept")
    row = connection.row("link_kept", tuple[str, int, str], name=name)
    if (None if row is None else _kept_link(row)) != before:
        raise LinkChanged(f"somebody else has changed link {name} meanwhile; look at it and try again")


def link_work(connection: Connection, name: str) -> LinkWork:
    """Count what still has to do with a link."""
    number = connection.number("link_named", name=name)
    found = connection.row("link_work", LinkWork, link=number) if number else None
    return found or NO_WORK

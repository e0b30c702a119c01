"""Which links there are: those of the settings file, overridden by what commands keep in the store.

The environment overrides the file, and a command overrides both until a command takes it back. So a restart changes
nothing, and every process of an installation sees the same links.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from esito.config import ConfigError, Settings, changed_link, new_link, with_links
from esito.domain.credentials import seal, unseal
from esito.store.interface.link_store import KeptLink
from esito.store.interface.store import Store

FILE, STORE, BOTH, FORGOTTEN = "file", "store", "file, store", "none"
"""Where a link comes from; `FORGOTTEN`: the store overrides a link that the file no longer has."""

WHERE = "esito link"
"""Names the source of a setting of the store in a refusal."""

SECRET = "password"  # noqa: S105  the name of the setting
HIDDEN = "(set)"


class EditContext(NamedTuple):
    """What an edit of links needs, and who makes it."""

    settings: Settings
    """Those of the file."""
    store: Store
    secret: bytes
    environ: Mapping[str, str]
    actor: str
    """For the audit log."""


def overridden(
    settings: Settings, kept: Sequence[KeptLink], *, secret: bytes | None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings with the links of file and store. Raises ConfigError for a fault in either.

    Without a `secret` the passwords of the store are left out: enough to show links.
    """
    links = {link.name: link for link in settings.links}
    for one in kept:
        if one.name in links:
            links[one.name] = changed_link(links[one.name], unsealed(one, secret), where=WHERE)
        elif one.added:
            links[one.name] = new_link({"name": one.name, **unsealed(one, secret)}, environ or {}, where=WHERE)
    return with_links(settings, list(links.values()), where=WHERE) if kept else settings


async def present(settings: Settings, store: Store, *, secret: bytes, environ: Mapping[str, str]) -> Settings:
    """Return the settings with the links as they are now. Raises ConfigError, StoreError."""
    return overridden(settings, await store.links.all(), secret=secret, environ=environ)


def sources(settings: Settings, kept: Sequence[KeptLink]) -> dict[str, str]:
    """Return where every link comes from; `settings` are those of the file."""
    found = {link.name: FILE for link in settings.links}
    for one in kept:
        found[one.name] = BOTH if one.name in found else STORE if one.added else FORGOTTEN
    return found


def settings_of(one: KeptLink) -> dict[str, Any]:
    """Return what the store keeps of a link, its password sealed."""
    return msgspec.json.decode(one.settings, type=dict[str, Any])


def unsealed(one: KeptLink, secret: bytes | None) -> dict[str, Any]:
    """Return what the store keeps of a link, as its section of a file would say it. Raises ConfigError."""
    settings = settings_of(one)
    if secret is None:
        settings.pop(SECRET, None)
    elif SECRET in settings:
        try:
            settings[SECRET] = unseal(settings[SECRET], secret)
        except ValueError:
            raise ConfigError(
                f"link.{one.name}.password was kept under another store.secret; give that back, or set the password"
                f" again: esito link change {one.name} --password-file FILE"
            ) from None
    return settings


def sealed(name: str, settings: Mapping[str, Any], *, added: bool, secret: bytes) -> KeptLink:
    """Return what the store keeps of a link, its password sealed."""
    password = {SECRET: seal(str(settings[SECRET]), secret)} if SECRET in settings else {}
    return KeptLink(name, added, msgspec.json.encode({**settings, **password}).decode())


def shown_setting(name: str, value: Any) -> str:
    """Return a setting as people and the audit log see it; a password is hidden."""
    return f"{name} = {HIDDEN if name == SECRET else msgspec.json.encode(value).decode()}"

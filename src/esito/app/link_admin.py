"""Administrators change links over HTTP, in a running server."""

from collections.abc import Mapping, Sequence
from typing import Any

from esito.api.http.paging import unusable
from esito.api.services import LinkEdited
from esito.app import link_edits
from esito.app.link_edits import LinkEdit
from esito.app.link_settings import SECRET
from esito.app.reload import LinkReloader
from esito.config import ConfigError, as_written


class LinkAdmin:
    """Changes links as the commands do; this server applies a change at once."""

    def __init__(self, changes: LinkReloader) -> None:
        self._changes = changes

    async def add(self, name: str, settings: Mapping[str, Any], *, actor: str) -> LinkEdited:
        """Add a link. Raises InvalidFields, LinkChanged."""
        return await self._edit(name, "link added", settings, (), actor)

    async def change(self, name: str, settings: Mapping[str, Any], unset: Sequence[str], *, actor: str) -> LinkEdited:
        """Change settings of a link; those of `unset` go back to the file or their default.

        Raises InvalidFields, NoSuchLink, LinkChanged.
        """
        return await self._edit(name, "link changed", settings, unset, actor)

    async def remove(self, name: str, *, forced: bool, actor: str) -> LinkEdited:
        """Remove a link that was added by command. Raises InvalidFields, NoSuchLink, LinkInUse, LinkChanged."""
        try:
            _, notes = await link_edits.remove(self._changes.edit_context(actor), name, forced=forced)
        except ConfigError as error:
            raise unusable("name", str(error)) from None
        await self._changes.look()
        return LinkEdited(changed=True, rebinds=False, notes=tuple(notes))

    async def _edit(
        self, name: str, act: str, settings: Mapping[str, Any], unset: Sequence[str], actor: str
    ) -> LinkEdited:
        try:
            said = LinkEdit({field: _read(name, field, value) for field, value in settings.items()}, unset)
            found, notes = await link_edits.edit(self._changes.edit_context(actor), name, act, lambda _kept: said)
        except ConfigError as error:
            raise unusable("link", str(error)) from None
        if found is not None:
            await self._changes.look()
        return LinkEdited(changed=found is not None, rebinds=found is not None and found.rebinds, notes=tuple(notes))


OF_THE_MACHINE = frozenset({"tls_ca", "tls_cert", "tls_key"})
"""Settings that name files of the server: over HTTP nobody may choose them or learn whether they exist."""


def _read(name: str, field: str, value: Any) -> Any:
    """Return a setting as a file would have it: text is read as on a command line. Raises ConfigError."""
    if field in OF_THE_MACHINE:
        raise ConfigError(f"link.{name}.{field} names a file of the server: set it by command, or in the settings file")
    if field == SECRET and not isinstance(value, str):
        raise ConfigError(f"link.{name}.{field} must be text")
    return as_written(field, value, where=f"link.{name}") if isinstance(value, str) else value

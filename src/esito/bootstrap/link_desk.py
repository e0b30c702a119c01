"""Links that administrators change over HTTP, in a running server."""

from collections.abc import Mapping, Sequence
from typing import Any

from esito.api.http.paging import unusable
from esito.api.services import LinkEdited
from esito.bootstrap import link_edits
from esito.bootstrap.link_changes import LinkChanges
from esito.bootstrap.link_edits import Edit
from esito.bootstrap.link_settings import SECRET, Editing
from esito.config import ConfigError, as_written


class HttpLinkDesk:
    """Changes links as the commands do, and lets this server take it up at once."""

    def __init__(self, changes: LinkChanges) -> None:
        self._changes = changes

    async def add(self, name: str, settings: Mapping[str, Any], *, actor: str) -> LinkEdited:
        """Add a link. Raises InvalidFields, LinkChanged."""
        return await self._edit(name, "link added", settings, (), actor)

    async def change(self, name: str, settings: Mapping[str, Any], unset: Sequence[str], *, actor: str) -> LinkEdited:
        """Change settings of a link; give back those of `unset`. Raises InvalidFields, NoSuchLink, LinkChanged."""
        return await self._edit(name, "link changed", settings, unset, actor)

    async def remove(self, name: str, *, forced: bool, actor: str) -> LinkEdited:
        """Remove a link that was added. Raises InvalidFields, NoSuchLink, LinkInUse, LinkChanged."""
        try:
            _, notes = await link_edits.remove(self._editing(actor), name, forced=forced)
        except ConfigError as error:
            raise unusable("name", str(error)) from None
        await self._changes.look()
        return LinkEdited(changed=True, rebinds=False, notes=tuple(notes))

    async def _edit(
        self, name: str, act: str, settings: Mapping[str, Any], unset: Sequence[str], actor: str
    ) -> LinkEdited:
        try:
            said = Edit({field: _read(name, field, value) for field, value in settings.items()}, unset)
            found, notes = await link_edits.edit(self._editing(actor), name, act, lambda _kept: said)
        except ConfigError as error:
            raise unusable("link", str(error)) from None
        if found is not None:
            await self._changes.look()
        return LinkEdited(changed=found is not None, rebinds=found is not None and found.rebinds, notes=tuple(notes))

    def _editing(self, actor: str) -> Editing:
        return self._changes.editing(actor)


OF_THE_MACHINE = frozenset({"tls_ca", "tls_cert", "tls_key"})
"""Settings that name files of the server: who is not on it neither chooses them nor learns whether they are there."""


def _read(name: str, field: str, value: Any) -> Any:
    """Return a setting as a file would hold it: text as on a command line, else as JSON has it. Raises ConfigError."""
    if field in OF_THE_MACHINE:
        raise ConfigError(f"link.{name}.{field} names a file of the server: set it by command, or in the settings file")
    if field == SECRET and not isinstance(value, str):
        raise ConfigError(f"link.{name}.{field} must be text")
    return as_written(field, value, where=f"link.{name}") if isinstance(value, str) else value

"""What we ask of a database about administrators and their keys."""

from collections.abc import Sequence
from typing import Protocol

from esito.domain.credentials import Administrator


class AdministratorStore(Protocol):
    """Keys that open what belongs to the installation. Every change has its line in the audit log."""

    async def create(
        self, name: str, *, key_digest: bytes, networks: Sequence[str], actor: str, at: int
    ) -> Administrator:
        """Keep an administrator's key. Raises NameTaken."""

    async def all(self) -> list[Administrator]:
        """Return every administrator, by name."""

    async def by_key(self, key_digest: bytes) -> Administrator | None:
        """Return whose key this is; None for an unknown or disabled one."""

    async def set_disabled(self, name: str, *, disabled: bool, actor: str, at: int) -> Administrator:
        """Let a key open nothing any more, or again. Raises NoSuchAdministrator."""

    async def replace_key(self, name: str, *, key_digest: bytes, actor: str, at: int) -> Administrator:
        """Give an administrator another key; the one before opens nothing any more. Raises NoSuchAdministrator."""

"""What one process of an installation does: everything, or one part of the work."""

from enum import Enum

from esito.config import ConfigError, Settings


class Role(Enum):
    """What a process does."""

    ALL = "all"
    API = "api"
    GATEWAY = "gateway"
    WORKER = "worker"

    @property
    def serves_clients(self) -> bool:
        """Whether it answers clients; every role answers monitors."""
        return self in {Role.ALL, Role.API}

    @property
    def has_links(self) -> bool:
        """Whether it binds to operators."""
        return self in {Role.ALL, Role.GATEWAY}

    @property
    def has_background_jobs(self) -> bool:
        """Whether it sends callbacks, expires, handles replies and removes old data."""
        return self in {Role.ALL, Role.WORKER}

    @property
    def uses_receipt_log(self) -> bool:
        """Whether receipts go through it."""
        return self is not Role.API


def role_named(name: str, settings: Settings) -> Role:
    """Return the role of that name. Raises ConfigError if this store cannot be shared by several processes."""
    if name != "all" and not settings.store.shared:
        raise ConfigError(f"role: {name!r} needs a store that several processes share, such as postgresql://...")
    return Role(name)

"""Whose key a request has: an account's, or an administrator's."""

from collections.abc import Mapping
from typing import Any

from esito.api.http.asgi import Scope, header
from esito.api.http.client_address import client_address, is_within
from esito.api.http.key_guard import KeyGuard
from esito.api.http.request import as_text
from esito.api.services import Services
from esito.domain.account import SHUT_OUT, Account, AccountState
from esito.domain.credentials import Administrator, is_monitor_pass, key_digest
from esito.domain.errors import (
    AddressNotAllowed,
    ApiKeyMissing,
    ApiKeyUnknown,
    ForAdministrators,
    Refusal,
    StoreError,
)
from esito.domain.timing import RealClock

_MACHINE = RealClock()
"""The machine's own time, by which monitors make their passes: the server's clock may be a pushed one."""


class Keys:
    """Authenticates requests."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._guard = KeyGuard(services.clock, per_minute=services.bad_keys_per_minute)
        self._known: dict[bytes, Administrator] = {}
        """Administrators seen before, by digest: they are let in while the store cannot be asked."""

    async def account(self, scope: Scope, key: Any) -> Account:
        """Return whose key this is. Raises ApiKeyMissing, ApiKeyUnknown, AddressNotAllowed, or what `SHUT_OUT` says."""
        if key is None or key == "":
            raise ApiKeyMissing
        services = self._services
        account = await services.store.account_by_key(self._digest(key))
        if account is None:
            raise await self._unknown(scope)
        if account.state is not AccountState.ACTIVE:
            raise SHUT_OUT[account.state]
        if account.networks or account.parent is not None:
            address = client_address(scope, services.trusted_proxies)
            if not all(is_within(address, one.networks) for one in account.lineage if one.networks):
                raise AddressNotAllowed
        return account

    async def administrator(self, scope: Scope, key: Any) -> Administrator:
        """Return whose key this is. Raises ApiKeyMissing, ApiKeyUnknown, AddressNotAllowed, and ForAdministrators."""
        if key is None or key == "":
            raise ApiKeyMissing
        services, digest = self._services, self._digest(key)
        found = await self._administrator(digest)
        if found is None:
            if await services.store.account_by_key(digest) is not None:
                raise ForAdministrators
            raise await self._unknown(scope)
        if found.networks and not is_within(client_address(scope, services.trusted_proxies), found.networks):
            raise AddressNotAllowed
        return found

    async def turn_of_account(self, scope: Scope, key: Any) -> int:
        """Return by whom long work is serialised: one piece at a time for each. Raises what `account` does."""
        return (await self.account(scope, key)).top

    async def turn_of_administrator(self, scope: Scope, key: Any) -> int:
        """Return the same for an administrator; no account has this number. Raises what `administrator` does."""
        return -(await self.administrator(scope, key)).id

    async def _administrator(self, digest: bytes) -> Administrator | None:
        """Return whose key this is; while the store cannot be asked, who was seen with it last. Raises StoreError."""
        try:
            found = await self._services.store.administrators.by_key(digest)
        except StoreError:
            if digest not in self._known:
                raise
            return self._known[digest]
        if found is None:
            self._known.pop(digest, None)
        else:
            self._known[digest] = found
        return found

    async def monitor(self, scope: Scope) -> None:
        """Admit an administrator, or a monitor that has the installation's secret. Raises what `administrator` does."""
        key = bearer(scope)
        if not is_monitor_pass(key, self._services.key_secret, _MACHINE.now()):
            await self.administrator(scope, key)

    def _digest(self, key: Any) -> bytes:
        return key_digest(as_text(key).strip(), self._services.key_secret)

    async def _unknown(self, scope: Scope) -> Refusal:
        await self._guard.wrong_key(client_address(scope, self._services.trusted_proxies))
        return ApiKeyUnknown()


def key_of(scope: Scope, values: Mapping[str, Any], *, by_bearer: bool) -> Any:
    """Return the key of a request: `Authorization: Bearer KEY`; in version 1 the parameter `apiKey` goes first."""
    if not by_bearer and values.get("apiKey") not in (None, ""):
        return values["apiKey"]
    return bearer(scope)


def bearer(scope: Scope) -> str:
    """Return the key of an `Authorization: Bearer KEY` header; empty when there is none."""
    scheme, _, key = header(scope, b"authorization").decode("latin-1").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""

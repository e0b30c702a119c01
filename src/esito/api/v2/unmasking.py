"""Numbers are masked for people, unless they give a reason to see them; the audit log keeps it."""

from esito.api.http.paging import unusable
from esito.api.http.request import AccountRequest, AdminRequest, ApiRequest
from esito.domain.errors import UnmaskingNotAllowed

SHORTEST, LONGEST = 3, 200
"""Characters of a reason."""


async def unmasked(request: AccountRequest, *, subject: str, about: str) -> bool:
    """Tell whether an account sees a number unmasked; that it does is logged first.

    `subject` and `about` stand in the audit log. Raises InvalidFields without a reason, UnmaskingNotAllowed.
    """
    reason = _reason(request)
    if not reason:
        return False
    if not request.account.profile.unmasks:
        raise UnmaskingNotAllowed
    await _note(request, f"account:{request.account.name}", subject, f"{about}: {reason}")
    return True


async def unmasked_for_administrator(request: AdminRequest, *, subject: str) -> bool:
    """Tell whether an administrator sees numbers unmasked, logged first. Raises InvalidFields for a bad reason."""
    reason = _reason(request)
    if reason:
        await _note(request, request.administrator.actor, subject, reason)
    return bool(reason)


async def _note(request: ApiRequest, actor: str, subject: str, details: str) -> None:
    now = request.services.clock.now()
    await request.services.store.ledger.note(
        actor=actor, act="number unmasked", subject=subject, details=details, at=now
    )


def _reason(request: ApiRequest) -> str:
    if not request.inputs.has("unmask"):
        return ""
    reason = " ".join(request.inputs.text("unmask").split())
    if not SHORTEST <= len(reason) <= LONGEST:
        raise unusable("unmask", "Le motif doit avoir entre 3 et 200 caractères")
    return reason

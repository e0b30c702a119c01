"""Numbers are hidden where people look, until somebody asks for them with a reason; the audit log keeps it."""

from esito.api.call import AdminCall, Asked, Call
from esito.api.paging import unusable
from esito.domain.errors import UnmaskingNotAllowed

SHORTEST, LONGEST = 3, 200
"""Characters of a reason."""


async def unmasked(call: Call, *, subject: str, about: str) -> bool:
    """Tell whether an account sees a number whole, which is noted first.

    `subject` and `about` stand in the audit log. Raises InvalidFields without a reason, UnmaskingNotAllowed.
    """
    reason = _reason(call)
    if not reason:
        return False
    if not call.account.profile.unmasks:
        raise UnmaskingNotAllowed
    await _note(call, f"account:{call.account.name}", subject, f"{about}: {reason}")
    return True


async def unmasked_for_administrator(call: AdminCall, *, subject: str) -> bool:
    """Tell whether an administrator sees numbers whole, which is noted first. Raises InvalidFields without a reason."""
    reason = _reason(call)
    if reason:
        await _note(call, call.administrator.actor, subject, reason)
    return bool(reason)


async def _note(call: Asked, actor: str, subject: str, details: str) -> None:
    now = call.services.clock.now()
    await call.services.store.ledger.note(actor=actor, act="number unmasked", subject=subject, details=details, at=now)


def _reason(call: Asked) -> str:
    if not call.inputs.has("unmask"):
        return ""
    reason = " ".join(call.inputs.text("unmask").split())
    if not SHORTEST <= len(reason) <= LONGEST:
        raise unusable("unmask", "Le motif doit avoir entre 3 et 200 caractères")
    return reason

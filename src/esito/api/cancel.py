"""Taking a scheduled message back (contract 2.4)."""

from esito.api.answer import Answer, render
from esito.api.call import Call

CANCELLED = "L'envoi du SMS a été annulé."


async def cancel(call: Call) -> Answer:
    """GET /v1/message-cancel, and DELETE /v1/message-cancel/{messageId}, which two clients use."""
    message_id = call.message_id()
    await call.services.store.sending.cancel(call.account.id, message_id, at=call.services.clock.now())
    return render({"success": True, "code": 200, "message": CANCELLED}, status=200, xml=call.xml)

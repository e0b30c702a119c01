"""Taking a scheduled message back (contract 2.4)."""

from esito.api.http.request import AccountRequest
from esito.api.http.response import Response, render

CANCELLED = "L'envoi du SMS a été annulé."


async def cancel(request: AccountRequest) -> Response:
    """GET /v1/message-cancel, and DELETE /v1/message-cancel/{messageId}, which two clients use."""
    message_id = request.message_id()
    await request.services.store.sending.cancel(request.account.id, message_id, at=request.services.clock.now())
    return render({"success": True, "code": 200, "message": CANCELLED}, status=200, xml=request.xml)

"""`esito listen`: receives callbacks on this machine, shows, verifies and forwards them."""

import asyncio
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import click
from aiohttp import web

from esito.cli.options import ListenAddress, listenable, print_json, run, with_json
from esito.cli.terminal import say
from esito.config_rules import host_and_port
from esito.webhooks.signing import is_signed

PASSED_ON = ("content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature",
             "esito-sequence", "esito-attempt")  # fmt: skip
"""Headers that a forwarded callback keeps."""

FORWARD_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class CallbackReceiver:
    """Shows, verifies and forwards callbacks."""

    secret: str
    forward_to: str
    as_json: bool
    session: aiohttp.ClientSession

    async def take(self, request: web.Request) -> web.Response:
        """Show a callback and forward it; return the other server's answer, or 204."""
        body = await request.read()
        verified = self._verified(request.headers, body)
        answer = await self._forwarded(request, body) if self.forward_to else web.Response(status=204)
        self._show(request.headers, body, verified, answer.status)
        return answer

    def _verified(self, headers: Mapping[str, str], body: bytes) -> str:
        signature = headers.get("webhook-signature", "")
        if not signature:
            return "not signed"
        if not self.secret:
            return "signed, not verified: give --secret"
        good = is_signed(
            self.secret, headers.get("webhook-id", ""), headers.get("webhook-timestamp", ""), body, signature
        )
        return "signature good" if good else "SIGNATURE BAD"

    async def _forwarded(self, request: web.Request, body: bytes) -> web.Response:
        kept = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        target = self.forward_to + (f"?{request.query_string}" if request.query_string else "")
        try:
            async with self.session.post(target, data=body, headers=kept, allow_redirects=False) as answer:
                return web.Response(status=answer.status, body=await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            say(f"cannot forward: {error or type(error).__name__}", err=True)
            return web.Response(status=502)

    def _show(self, headers: Mapping[str, str], body: bytes, verified: str, answered: int) -> None:
        try:
            said = json.loads(body)
        except ValueError:
            said = body.decode("utf-8", "replace")
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.as_json:
            told = {
                "at": at,
                "webhookId": headers.get("webhook-id"),
                "attempt": headers.get("esito-attempt"),
                "signature": verified,
                "answered": answered,
                "body": said,
            }
            print_json(told, one_line=True)
            return
        attempt = headers.get("esito-attempt", "1")
        again = "" if attempt == "1" else f", attempt {attempt}"
        say(f"{at}  {summary(said)}  ({headers.get('webhook-id', 'no id')}{again}, {verified}) -> {answered}")


def summary(said: Any) -> str:
    """Return the body of a callback as one line."""
    if not isinstance(said, dict):
        return repr(said)[:100]
    if "status" in said:
        tag = f" [{said['tag']}]" if said.get("tag") else ""
        return f"{said.get('phone')} {said['status']}, message {said.get('msgId')}{tag}"
    number = said.get("phone_number") or said.get("msisdn")
    kind = {"stop": "STOP", "response": "reply"}.get(str(said.get("type")), "reply")
    message = said.get("message_id") or said.get("messageId")
    return f"{number} {kind}, message {message}: {str(said.get('text'))[:80]!r}"


@click.command()
@click.option(
    "--listen", type=ListenAddress(), default="127.0.0.1:9000", show_default=True, help="Where callbacks come."
)
@click.option("--forward-to", metavar="URL", default="", help="Pass each on to your own program, and its answer back.")
@click.option("--secret", envvar="ESITO_SIGNING_SECRET", default="", help="Verify signatures with this secret.")
@with_json
def listen(*, listen: str, forward_to: str, secret: str, as_json: bool) -> None:
    """Receive callbacks, show each on a line, and forward it."""
    address = listenable(listen)
    run(_serve(address, forward_to, secret, as_json=as_json))


async def _serve(address: str, forward_to: str, secret: str, *, as_json: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    timeout = aiohttp.ClientTimeout(total=FORWARD_WITHIN)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
        app = web.Application()
        app.router.add_post("/{rest:.*}", CallbackReceiver(secret, forward_to, as_json, session).take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        host, port = host_and_port(address)
        await web.TCPSite(runner, host, port).start()
        where = f", forwarded to {forward_to}" if forward_to else ""
        say(f"Callbacks are received at http://{address}/{where}. Ctrl-C stops.", err=True)
        try:
            await stopping.wait()
        finally:
            await runner.cleanup()

"""The HTTP room on a real store, asked in-process: `with desk(tmp_path) as api: api.get("/v1/me")`."""

import asyncio
import json
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from esito.api.asgi_app import build, served_by
from esito.api.http.app import AsgiApp
from esito.api.plans_process import Plans
from esito.api.services import Services
from esito.domain.account import Account
from esito.domain.credentials import key_digest
from esito.domain.pricing import PriceList
from esito.domain.routing import Routes
from esito.domain.timing import PushableClock
from esito.lifecycle.accept import Acceptance
from esito.store.interface.store import Store
from tests.kit.builders import NOW, accepted, links_in, receipt
from tests.kit.declared import held
from tests.kit.loop_watch import loops_are_let_go
from tests.kit.stores import a_store

SECRET = b"secret of the tests"
KEY = "a-key"
ADMIN_KEY = "an-administrators-key"
ADMIN = (("authorization", f"Bearer {ADMIN_KEY}"),)
"""Headers of an administrator's request."""

Headers = Sequence[tuple[str, str]]


class Standing:
    """A base for a clock that stands still."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def refused(self) -> tuple[int, int, str]:
        """HTTP status, code and text of an error envelope."""
        envelope = self.json
        assert list(envelope) == ["success", "code", "message"]
        assert envelope["success"] is False
        return self.status, envelope["code"], envelope["message"]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Element and text of every error of a code 9 envelope."""
        envelope = self.json
        assert (self.status, list(envelope)) == (400, ["success", "code", "error", "errors"])
        assert (envelope["success"], envelope["code"]) == (False, 9)
        assert envelope["error"] == envelope["errors"]
        return [(one["elementId"], one["message"]) for one in envelope["errors"]]


@dataclass(slots=True, kw_only=True)
class Desk:
    """One application, its store, and an account whose key is KEY."""

    runner: asyncio.Runner
    app: AsgiApp
    services: Services
    store: Any
    """A `Store`; some tests look into the engine of the one they asked for."""
    clock: PushableClock
    account: Account
    faults: list[str]
    """What handlers read or raised that their declarations do not say."""

    def get(self, path: str, /, **query: object) -> Reply:
        """Ask with the account's key, unless another is given."""
        return self.ask("GET", path, query=urlencode({"apiKey": KEY} | query))

    def post(self, path: str, body: object = None, /, **members: object) -> Reply:
        """Post JSON, by default with the account's key."""
        given = {"apiKey": KEY} | members if body is None else body
        return self.ask("POST", path, body=json.dumps(given).encode(), headers=[("content-type", "application/json")])

    def ask(
        self, method: str, path: str, *, query: str = "", body: bytes = b"", headers: Headers = (), client: str = ""
    ) -> Reply:
        """Make one request, byte by byte as given; `client` is the address it comes from."""
        return self.runner.run(ask(self.app, method, path, query=query, body=[body], headers=headers, client=client))

    def add_account(self, name: str, key: str, credit: str = "100") -> Account:
        digest = key_digest(key, SECRET)
        created: Coroutine[Any, Any, Account]
        created = self.store.create_account(name, credit=Decimal(credit), key_digest=digest, at=NOW)
        return self.runner.run(created)

    def send(self, *numbers: str, **options: object) -> int:
        """Send a message; return its id."""
        reply = self.post("/v1/send", phoneNumbers=",".join(numbers), message="ciao", **options)
        assert reply.status == 200, reply.text
        return int(reply.json["message_id"])

    def settle(self, *words: str, after: Sequence[int] = ()) -> None:
        """Submit what waits and have the operator say one word of each segment; an empty word is silence.

        It speaks ten seconds from now, or each time `after` so many.
        """
        self.runner.run(self._settle(words, after or [10] * len(words)))

    async def _settle(self, words: Sequence[str], after: Sequence[int]) -> None:
        claimed = await self.store.claim("alpha", limit=1000, at=self.clock.now())
        ids = [f"{one.ref.message_id}-{one.ref.seq}-{one.ref.part}" for one in claimed]
        await self.store.record_answers("alpha", [accepted(one, id_) for one, id_ in zip(claimed, ids, strict=True)])
        now = self.clock.now()
        for id_, word, seconds in zip(ids, words, after, strict=True):
            if word:
                await self.store.apply_receipts([receipt(id_, word, at=now + seconds * 1000)])

    def let(self, account: str = "acme", **settings: object) -> None:
        """Change what an account may."""
        self.runner.run(self.store.change_profile(account, settings))

    def stop(self, *msisdns: int, account: Account | None = None) -> None:
        """Put numbers on the STOP list of an account."""
        number = (account or self.account).id
        for msisdn in msisdns:
            self.runner.run(self.store.stops.add(number, msisdn, at=self.clock.now()))


async def ask(
    app: AsgiApp,
    method: str,
    path: str,
    *,
    query: str = "",
    body: Sequence[bytes] = (b"",),
    headers: Headers = (),
    client: str = "",
) -> Reply:
    """Speak ASGI to an application; the body comes in pieces, and never ends after an empty list."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "client": (client, 40000) if client else None,
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
    }
    pieces = list(body)
    sent: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not pieces:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(event: Mapping[str, Any]) -> None:
        sent.append(event)

    await app(scope, receive, send)
    start, *rest = sent
    return Reply(
        status=start["status"],
        headers={name.decode(): value.decode() for name, value in start["headers"]},
        body=b"".join(event["body"] for event in rest),
    )


@contextmanager
def desk(
    directory: Path, *, kind: str = "sqlite", credit: str = "100", now: int = NOW, **services: Any
) -> Iterator[Desk]:
    """Open a desk on a store of a kind, whose time stands still; `services` go before what it would choose.

    Nothing that it is asked may hold the event loop: see `loop_watch`. No endpoint reads or raises what it does not
    declare: see `declared`.
    """
    with asyncio.Runner() as runner:
        doors = AsyncExitStack()
        store = runner.run(doors.enter_async_context(a_store(kind, directory)))
        try:
            if "plans" not in services:
                services["plans"] = Plans()
                doors.push_async_callback(services["plans"].close)
            furnished = _furnished(runner, store, credit, PushableClock(Standing(now)), services)
            with loops_are_let_go():
                yield furnished
            assert furnished.faults == []
        finally:
            runner.run(doors.aclose())


def _furnished(
    runner: asyncio.Runner, store: Store, credit: str, clock: PushableClock, services: Mapping[str, Any]
) -> Desk:
    digest = key_digest(KEY, SECRET)
    account = runner.run(store.create_account("acme", credit=Decimal(credit), key_digest=digest, at=NOW))
    opens = key_digest(ADMIN_KEY, SECRET)
    runner.run(store.administrators.create("root", key_digest=opens, networks=(), actor="cli:tests", at=NOW))
    links = runner.run(links_in(store))
    prices = services.get("prices", PriceList())
    acceptance = Acceptance(
        store=store, clock=clock, routes=Routes(prefixes={"": "alpha"}, numbers=links), prices=prices
    )
    given: dict[str, Any] = {"store": store, "acceptance": acceptance, "clock": clock, "key_secret": SECRET}
    made = Services(**(given | dict(services)))
    faults: list[str] = []
    app = build(made, [held(one, faults) for one in served_by(made)])
    return Desk(runner=runner, app=app, services=made, store=store, clock=clock, account=account, faults=faults)

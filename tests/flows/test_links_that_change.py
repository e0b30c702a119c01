"""Links are changed, disabled, enabled, added and removed while messages flow; the operators' logs are the witness."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from esito.app.application import Application
from esito.app.link_status import statuses_of_ours
from esito.app.run import serve
from esito.config import ConfigError, LinkSettings, load
from esito.domain.account import Account
from esito.domain.states import MessageState
from esito.lifecycle.accept import Draft
from esito.smpp import pdu as p
from esito.store.interface.link_store import KeptLink
from esito_cluster.process import free_port
from tests.kit.abroad import PRICED, let_abroad
from tests.kit.builders import account_in, complaints, states_of
from tests.kit.monitoring import as_monitor
from tests.kit.operator import Operator, operators
from tests.kit.patience import PATIENCE, until

ALL = ", ".join(LinkSettings.__dataclass_fields__)


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Undo what serving changes for the whole process."""
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)


class Scene:
    """A server, its settings file, and operators that its links may lead to."""

    def __init__(self, path: Path, app: Application, smscs: dict[str, Operator]) -> None:
        self.path = path
        self.app = app
        self.smscs = smscs

    def link(self, name: str, **settings: Any) -> str:
        """Return the section of a link to the operator of its name, as JSON is TOML too."""
        told = {"name": name, "port": self.smscs[name].port, "system_id": "us", "password": "secret", **settings}
        return "[[link]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items())

    def write(self, *links: str) -> None:
        """Write the settings file anew with these links."""
        head = self.path.read_text(encoding="utf-8").partition("[[link]]")[0]
        self.path.write_text(head + "".join(links), encoding="utf-8")

    def hang_up(self) -> None:
        """Send SIGHUP to the server, which is this process."""
        os.kill(os.getpid(), signal.SIGHUP)

    async def esito(self, *words: str, code: int = 0, stdin: str = "") -> str:
        """Run a command on the settings file; return what it says."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ESITO_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "esito", *words, "--config", str(self.path),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=clean,
        )  # fmt: skip
        said, _ = await process.communicate(stdin.encode())
        assert process.returncode == code, said.decode()
        return said.decode()

    async def links(self) -> list[Any]:
        """Return what the server says of its links."""
        return [
            {"link": one.name, "state": one.state}
            for one in statuses_of_ours(self.app.changes.settings.links, self.app.gateway.links)
        ]

    async def asked(self, path: str) -> Any:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            return (await client.get(self.app.url + path, headers=as_monitor(self.app.settings))).json()


def played(
    folder: Path, names: str, links: Callable[[Scene], list[str]], test: Callable[[Scene], Awaitable[None]]
) -> None:
    """Run a test beside a server with links to some of these operators."""

    async def beside(scene: Scene) -> None:
        try:
            await test(scene)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    async def run() -> None:
        async with operators(*names.split()) as smscs:
            path = folder / "esito.toml"
            http = f"[http]\nlisten = '127.0.0.1:{free_port()}'\n"
            path.write_text(f"{http}[store]\nurl = 'sqlite:///{folder}/esito.db'\n{PRICED}", encoding="utf-8")
            scene = Scene(path, None, smscs)  # type: ignore[arg-type]  # it is built in a moment
            scene.write(*links(scene))

            async def ready(app: Application) -> None:
                scene.app = app
                await beside(scene)

            await serve(load(path, {}), on_ready=ready, load=lambda: load(path, {}))

    failed: list[BaseException] = []
    asyncio.run(run())
    for error in failed:
        raise error


class Load:
    """Two accounts that send without a pause, to France and to Belgium."""

    def __init__(self, app: Application, accounts: list[Account]) -> None:
        self._app = app
        self._accounts = accounts
        self._numbers = count(1)
        self.sent: list[tuple[Account, int]] = []
        self.numbers: set[str] = set()
        self.over = False

    async def run(self) -> None:
        while not self.over:
            for account in self._accounts:
                some = [f"+336{next(self._numbers):08d}" for _ in range(3)] + [f"+324{70000000 + next(self._numbers)}"]
                draft = Draft(account=account, texts=("ciao",), numbers=[(one, 0) for one in some], sender="ESITO")
                self.sent.append((account, (await self._app.acceptance.accept(draft)).message_id))
                self.numbers |= {one[1:] for one in some}
            await asyncio.sleep(0.02)


@asynccontextmanager
async def under_load(scene: Scene) -> AsyncIterator[Load]:
    """Send while the block lasts; then everything must have been submitted once and be known as delivered."""
    store = scene.app.store
    load_ = Load(
        scene.app, [await let_abroad(store, await account_in(store, name, "1000000")) for name in ("acme", "zeta")]
    )
    sending = asyncio.create_task(load_.run())
    try:
        await until(lambda: len(load_.sent) > 20)
        yield load_
    finally:
        load_.over = True
        await sending
    for account, message_id in load_.sent:

        async def is_delivered(account: Account = account, message_id: int = message_id) -> bool:
            return set(await states_of(store, account, message_id)) == {MessageState.DELIVERED}

        await until(is_delivered, f"message {message_id} of {account.name} is not delivered")
    taken = sum((one.taken for one in scene.smscs.values()), Counter[str]())
    assert {number for number, times in taken.items() if times > 1} == set(), "submitted twice"
    assert set(taken) == load_.numbers
    await until(lambda: not any(one.unreported for one in scene.smscs.values()), "a receipt is not acknowledged")
    assert await complaints(store) == []
    counts = await store.counts()
    assert (counts.queued, counts.unanswered, counts.unmatched) == (0, 0, 0)


async def more(one: Operator, count: int = 20) -> None:
    """Return once an operator was given so many more."""
    before = one.taken.total()
    await until(lambda: one.taken.total() >= before + count)


def test_links_change_by_command_under_load(tmp_path: Path) -> None:
    def links(scene: Scene) -> list[str]:
        return [
            scene.link("alpha", prefixes=["+33"]),
            scene.link("beta", prefixes=["+33"]),
            scene.link("gamma", prefixes=["+32"]),
        ]

    async def test(scene: Scene) -> None:
        alpha, beta, gamma, delta = (scene.smscs[name] for name in ("alpha", "beta", "gamma", "delta"))
        async with under_load(scene):
            said = await scene.esito("link", "change", "alpha", "weight=3", "receipt_timezone=Europe/Paris")
            assert "without binding it anew" in said
            await until(lambda: scene.app.changes.settings.links[0].weight == 3)
            await more(alpha)
            assert alpha.binds == 1

            assert "servers bind it" in await scene.esito("link", "change", "alpha", "window=7")
            await until(lambda: alpha.binds == 2)
            await more(alpha)

            await scene.esito("link", "disable", "alpha")
            await until(lambda: not alpha.bound)
            before = alpha.taken.total()
            await more(beta)
            await more(gamma)
            assert (alpha.taken.total(), alpha.binds) == (before, 2)
            assert (await scene.asked("/readyz"))["ready"]

            await scene.esito(
                "link", "add", "delta", f"port={delta.port}", "system_id=us", "prefixes=+33", "weight=2",
                "--password-file", "-", stdin="secret\n",
            )  # fmt: skip
            await until(lambda: delta.bound)
            await more(delta)

            await scene.esito("link", "enable", "alpha")
            await until(lambda: alpha.bound)
            await more(alpha)

            await scene.esito("link", "disable", "delta")
            await until(lambda: not delta.bound)
            # Its receipts come while it is away: the operator keeps those, and tells them once it is bound again.
            await scene.esito("link", "enable", "delta")
            await until(lambda: delta.bound)
            await more(delta)
            await until(lambda: delta.unreported)
            await scene.esito("link", "change", "delta", "prefixes=+590")
            await until(lambda: not delta.unreported)
            await scene.esito("link", "disable", "delta")
            await until(lambda: not delta.bound)
            await scene.esito("link", "remove", "delta")
            await until(lambda: [one.name for one in scene.app.changes.settings.links] == ["alpha", "beta", "gamma"])
            await more(alpha)
            assert (alpha.binds, beta.binds, gamma.binds, delta.binds) == (3, 1, 1, 2)
        lines = [(one.act, one.subject) for one in await scene.app.store.ledger.audit(limit=50)]
        assert [one for one in reversed(lines) if one[0].startswith("link ")] == [
            ("link changed", "alpha"), ("link changed", "alpha"), ("link disabled", "alpha"), ("link added", "delta"),
            ("link enabled", "alpha"), ("link disabled", "delta"), ("link enabled", "delta"), ("link changed", "delta"),
            ("link disabled", "delta"), ("link removed", "delta"),
        ]  # fmt: skip

    played(tmp_path, "alpha beta gamma delta", links, test)


def test_links_change_by_sighup_under_load(tmp_path: Path) -> None:
    def links(scene: Scene) -> list[str]:
        return [
            scene.link("alpha", prefixes=["+33"]),
            scene.link("beta", prefixes=["+33"]),
            scene.link("gamma", prefixes=["+32"]),
        ]

    async def test(scene: Scene) -> None:
        alpha, beta, gamma, delta = (scene.smscs[name] for name in ("alpha", "beta", "gamma", "delta"))
        _, second, third = links(scene)

        def hang_up_with(*sections: str) -> None:
            scene.write(*sections)
            scene.hang_up()

        async with under_load(scene):
            hang_up_with(scene.link("alpha", prefixes=["+33"], weight=2, words={}), second, third)
            await until(lambda: scene.app.changes.settings.links[0].weight == 2)
            await more(alpha)
            assert alpha.binds == 1

            hang_up_with(scene.link("alpha", prefixes=["+33"], window=5), second, third)
            await until(lambda: alpha.binds == 2)
            await more(alpha)

            hang_up_with(scene.link("alpha", prefixes=["+33"], window="many"), second, third)
            await until(lambda: scene.app.changes.problems)
            (warning,) = (await scene.asked("/readyz"))["warnings"]
            assert warning.endswith("esito.toml: link.alpha.window must be a whole number, 1 to 65535; it is 'many'")
            await more(alpha)

            hang_up_with(second, third, scene.link("delta", prefixes=["+33"]))
            await until(lambda: delta.bound and not alpha.bound)
            assert not scene.app.changes.problems
            await more(delta)
            await more(beta)
            hang_up_with(scene.link("alpha", prefixes=["+33"], enabled=False), second, third)
            await until(lambda: not delta.bound)
            states = {one["link"]: one["state"] for one in await scene.links()}
            assert states == {"alpha": "disabled", "beta": "bound", "gamma": "bound"}
            # What they owe is reported over them alone: each comes back for it.
            hang_up_with(scene.link("alpha", prefixes=["+33"]), second, third, scene.link("delta", prefixes=["+590"]))
            await until(lambda: alpha.bound and delta.bound)
            await more(alpha)
        assert (alpha.binds, beta.binds, gamma.binds, delta.binds) == (3, 1, 1, 2)

    played(tmp_path, "alpha beta gamma delta", links, test)


def test_what_waits_for_a_link_leaves_by_its_successor(tmp_path: Path) -> None:
    async def test(scene: Scene) -> None:
        old, new, other = (scene.smscs[name] for name in ("old", "new", "other"))
        async with under_load(scene) as load_:
            await scene.esito("link", "disable", "old")
            await until(lambda: not old.bound)
            sent = len(load_.sent)
            await until(lambda: len(load_.sent) > sent + 20)  # what was routed to it alone
            waiting = {number for number in load_.numbers if number.startswith("33")} - old.taken.keys()
            refused = await scene.esito("link", "remove", "old", code=1)
            assert "link old stands in the settings file" in refused
            await scene.esito(
                "link", "add", "other", f"port={other.port}", "system_id=us", "password=secret", "prefixes=+33"
            )
            await until(lambda: other.bound)
            await more(other)
            assert not other.taken.keys() & waiting, "it does not serve all that old serves"
            await scene.esito("link", "change", "other", "prefixes=+590")
            await scene.esito(
                "link", "add", "new", f"port={new.port}", "system_id=us", "password=secret", "prefixes=+33,+34"
            )
            await until(lambda: new.bound)
            await until(lambda: waiting <= new.taken.keys())
            await scene.esito("link", "change", "old", "prefixes=+590", "enabled=true")  # for the receipts it is owed
            await until(lambda: old.bound)
        assert not waiting & old.taken.keys(), "it left by the successor, and not by both"
        assert (old.binds, new.binds) == (2, 1)

    played(
        tmp_path,
        "old new other belgium",
        lambda scene: [scene.link("old", prefixes=["+33", "+34"]), scene.link("belgium", prefixes=["+32"])],
        test,
    )


def test_what_a_server_cannot_use_changes_nothing_there_and_stops_a_start(tmp_path: Path) -> None:
    bad = KeptLink("delta", added=True, settings='{"tls":true,"tls_ca":"nowhere.pem","prefixes":["+33"]}')
    worse = KeptLink("delta", added=True, settings='{"windows":5}')

    async def test(scene: Scene) -> None:
        alpha, store, changes = scene.smscs["alpha"], scene.app.store, scene.app.changes
        await until(lambda: alpha.bound)
        await store.links.keep(
            bad, before=None, act="link added", details="", actor="cli:tests", at=1
        )  # as from another machine
        await until(lambda: changes.problems)
        (problem,) = changes.problems
        assert problem.startswith("link.delta.tls_ca: nowhere.pem holds no certificates we can read")
        answer = await scene.asked("/readyz")
        assert (answer["ready"], answer["warnings"]) == (True, [problem])
        assert await scene.links() == [{"link": "alpha", "state": "bound"}]
        assert f"The server says: {problem}" in await scene.esito("link", "list")
        await store.links.keep(worse, before=bad, act="link changed", details="", actor="cli:tests", at=2)
        await until(lambda: changes.problems == [f"esito link: link.delta.windows is not known; [[link]] has {ALL}"])
        await store.links.remove(worse, forced=False, details="", actor="cli:tests", at=3)
        await until(lambda: not changes.problems)
        assert "warnings" not in await scene.asked("/readyz")
        assert alpha.binds == 1
        await store.links.keep(bad, before=None, act="link added", details="", actor="cli:tests", at=4)

    played(tmp_path, "alpha", lambda scene: [scene.link("alpha", prefixes=["+33"])], test)
    with pytest.raises(ConfigError, match=r"link\.delta\.tls_ca: nowhere\.pem"):
        asyncio.run(serve(load(tmp_path / "esito.toml", {})))


def test_a_link_that_is_changed_to_and_fro_ends_as_it_was_said_last(tmp_path: Path) -> None:
    async def test(scene: Scene) -> None:
        alpha, changes = scene.smscs["alpha"], scene.app.changes
        await until(lambda: alpha.bound)
        for window in (9, 10, 11, 100, 9, 100):
            scene.write(scene.link("alpha", window=window))
            await changes.reload()
        scene.write(scene.link("alpha", window=100, sender="LAST"))
        await changes.reload()
        await until(lambda: alpha.bound)
        store = scene.app.store
        account = await let_abroad(store, await account_in(store))
        draft = Draft(account=account, texts=("ciao",), numbers=[("+33600000001", 0)])
        await scene.app.acceptance.accept(draft)
        await until(lambda: alpha.taken)
        (submit,) = [pdu for session in alpha.peer.sessions for pdu in session.of(p.SubmitSm)]
        assert isinstance(submit, p.SubmitSm)
        assert submit.source_addr == "LAST"
        assert alpha.binds <= 7
        binds = [session for session in alpha.peer.sessions if not session.over]
        assert len(binds) == 1, "two sessions of one link"

    played(tmp_path, "alpha", lambda scene: [scene.link("alpha")], test)

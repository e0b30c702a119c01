"""Making a standby the primary, after the primary has died, without losing a commit that was acknowledged.

With `synchronous_standby_names = 'ANY 1 (a, b)'` an acknowledged commit is on the primary and on one of the
standbys, and nobody but the standbys knows on which. So both must be asked before one is promoted, and the one that
has received more has everything. If one of them is gone as well, it may be the one; going on without it is a decision
to lose what only it had, which `accept_loss` takes.

Before they are compared, the standbys are cut off from the old primary. From then on it finds nobody to confirm
a commit: should it be alive behind a broken network, or wake up later, no client gets a commit acknowledged by it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field

import asyncpg

from esito.cluster.postgres_roles import (
    Connection,
    address_of,
    await_streaming,
    change,
    connect,
    make_slot,
    readdressed,
    set_quorum,
    value_in,
)

NOWHERE = "/cut-off-by-failover"
"""The address of a standby that must follow nobody for now; what else it knows of its primary stays."""

_ABOUT_STANDBY = """
    SELECT pg_is_in_recovery() AS follows, current_setting('primary_conninfo') AS conninfo,
           coalesce(nullif(current_setting('cluster_name'), ''), 'walreceiver') AS name,
           current_setting('primary_slot_name') AS slot
"""
_RECEIVES = """
    SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status <> 'starting')
        OR position($1 IN current_setting('primary_conninfo')) = 0
"""
_HAS = """
    SELECT greatest(coalesce(pg_last_wal_receive_lsn(), '0/0'), coalesce(pg_last_wal_replay_lsn(), '0/0'))::text
"""


class FailoverRefused(Exception):
    """Nothing was promoted; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOver:
    """What a failover came to."""

    primary: str
    """The URL of the new primary, as it was given."""
    standbys: list[str]
    """The names of those that follow it, which its commits wait for."""
    seconds: dict[str, float]
    """How long each step took, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A node that answers."""

    url: str
    follows: bool
    name: str
    conninfo: str
    slot: str
    connection: Connection = field(repr=False)

    async def has(self) -> int:
        """Return how far its log reaches."""
        high, _, low = (await self.connection.fetchval(_HAS)).partition("/")
        return (int(high, 16) << 32) + int(low, 16)


@dataclass(slots=True)
class _Steps:
    say: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began
        self.say(f"{name}: {self.seconds[name]:.2f} s")


async def fail_over(
    nodes: Sequence[str],
    *,
    quorum: int = 1,
    accept_loss: bool = False,
    fence: Callable[[], Awaitable[None]] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> FailedOver:
    """Promote the standby that has received most, and let the others follow it.

    `nodes` are the URLs of all members, the dead primary too: how many there are tells how many standbys there
    were, of which an acknowledged commit is on `quorum`. `fence` stops a primary that still answers; without it
    such a primary is a reason to refuse. Called again after it was interrupted, it goes on where that is safe.

    Raises FailoverRefused before anything is promoted; TimeoutError where a node falls silent on the way.
    """
    steps = _Steps(say)
    async with AsyncExitStack() as stack:
        with steps.step("asking every node"):
            standbys = await _standbys(nodes, stack, fence)
        _require_enough(standbys, len(nodes) - 1, quorum, accept_loss=accept_loss)
        with steps.step("cutting the standbys off from the old primary"):
            await asyncio.gather(*map(_cut_off, standbys))
        chosen, *others = await _most_first(standbys)
        say(f"{chosen.name} has received most")
        with steps.step(f"promoting {chosen.name}"):
            await _promote(chosen, others, quorum)
        with steps.step("letting the others follow"):
            await asyncio.gather(*(_follow(chosen, one) for one in others))
    names = [one.name for one in others]
    waits = f"a commit waits for {min(quorum, len(names))} of {', '.join(names)}" if names else ALONE
    say(f"{chosen.name} is the primary; {waits}")
    return FailedOver(primary=chosen.url, standbys=names, seconds=steps.seconds)


ALONE = "a commit is on this node alone until a standby joins"


async def _standbys(
    urls: Sequence[str], stack: AsyncExitStack, fence: Callable[[], Awaitable[None]] | None
) -> list[_Node]:
    answering = await _ask(urls, stack)
    if any(not node.follows for node in answering) and fence is not None:
        await fence()
        answering = await _ask(urls, stack)
    for node in answering:
        if not node.follows:
            raise FailoverRefused(f"{node.name} answers and is a primary; stop it first")
    return answering


async def _ask(urls: Sequence[str], stack: AsyncExitStack) -> list[_Node]:
    found = await asyncio.gather(*(_look_at(url, stack) for url in urls))
    return [node for node in found if node is not None]


async def _look_at(url: str, stack: AsyncExitStack) -> _Node | None:
    try:
        connection = await connect(url)
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
        return None
    stack.callback(connection.terminate)
    about = await connection.fetchrow(_ABOUT_STANDBY)
    name = value_in(about["conninfo"], "application_name") or about["name"]
    return _Node(
        url=url,
        follows=about["follows"],
        name=name,
        conninfo=about["conninfo"],
        slot=about["slot"] or name,
        connection=connection,
    )


def _require_enough(standbys: list[_Node], members: int, quorum: int, *, accept_loss: bool) -> None:
    needed = members - quorum + 1
    if not standbys:
        raise FailoverRefused("no standby answers")
    if len(standbys) < needed and not accept_loss:
        raise FailoverRefused(
            f"{len(standbys)} of {members} standbys answer, {needed} are needed: "
            "an acknowledged commit may be on one that does not answer"
        )


async def _cut_off(standby: _Node) -> None:
    await change(standby.connection, "primary_conninfo", readdressed(standby.conninfo, NOWHERE, 1))
    quiet = 0
    async with asyncio.timeout(30):
        while quiet < 3:  # one look may fall between two attempts to reach the old primary
            quiet = 0 if await standby.connection.fetchval(_RECEIVES, NOWHERE) else quiet + 1
            await asyncio.sleep(0.05)


async def _most_first(standbys: list[_Node]) -> list[_Node]:
    reach = {node.url: await node.has() for node in standbys}
    return sorted(standbys, key=lambda node: reach[node.url], reverse=True)


async def _promote(chosen: _Node, others: list[_Node], quorum: int) -> None:
    for other in others:
        await make_slot(chosen.connection, other.slot)
    # Before it accepts the first commit: that one must wait for a standby already.
    await set_quorum(chosen.connection, [other.name for other in others], quorum)
    if not await chosen.connection.fetchval("SELECT pg_promote(true, 60)"):
        raise TimeoutError(f"{chosen.name} was told to become the primary and did not within 60 s")
    async with asyncio.timeout(30):
        while await chosen.connection.fetchval("SELECT pg_is_in_recovery()"):
            await asyncio.sleep(0.02)


async def _follow(chosen: _Node, standby: _Node) -> None:
    await change(standby.connection, "primary_slot_name", standby.slot)
    await change(standby.connection, "primary_conninfo", readdressed(standby.conninfo, *address_of(chosen.url)))
    await await_streaming(chosen.connection, standby.name)

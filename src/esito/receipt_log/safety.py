"""Checks that a NATS server can be trusted with receipts.

An independent test of NATS 2.12.1 found acknowledged records lost: after a power failure, because the server syncs
its files every two minutes by default, and after one flipped bit in the file of one replica. So we ask every server, at
its monitoring address, whether it always syncs and which release it is; the client protocol does not say the former.
What remains of the second fault is why frames are counted from end to end (see `interface`).
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import aiohttp

from esito.receipt_log.interface import UnsafeLog

OLDEST = (2, 12, 2)
"""The first release without the known faults."""

LONGEST = 1 << 20
"""Octets of a record that a server must accept; the default of NATS."""

ANSWER_WITHIN = 5.0


async def verify(monitors: Sequence[str], *, replicas: int) -> set[str]:
    """Check every server at these monitoring addresses; return their names.

    Raises UnsafeLog, which names the server and the reason.
    """
    if len(monitors) < replicas:
        raise UnsafeLog(
            f"bus.monitors names {len(monitors)} of the {replicas} servers that keep each record: "
            "only there can be asked whether a server syncs always"
        )
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        names = await asyncio.gather(*(_verify_one(session, address) for address in monitors))
    return set(names)


async def _verify_one(session: aiohttp.ClientSession, address: str) -> str:
    try:
        async with session.get(f"{address.rstrip('/')}/varz") as answer:
            told: dict[str, Any] = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise UnsafeLog(f"the NATS server at {address} does not say whether it syncs always: {error!r}") from error
    for reason in faults(told):
        raise UnsafeLog(f"the NATS server at {address} {reason}")
    return str(told["server_name"])


def faults(told: dict[str, Any]) -> list[str]:
    """Return what makes a server unsafe, by its `/varz`.

    >>> faults({"version": "2.12.1", "jetstream": {"config": {"sync_always": False}}})
    ['has release 2.12.1; 2.12.2 or later is needed', 'does not say `sync_interval: always`']
    """
    found = []
    release = tuple(int(part) for part in re.findall(r"\d+", str(told.get("version", "")))[:3])
    if release < OLDEST:
        found.append(f"has release {told.get('version')}; {'.'.join(map(str, OLDEST))} or later is needed")
    config = (told.get("jetstream") or {}).get("config")
    if config is None:
        found.append("has no JetStream")
    elif config.get("sync_always") is not True:
        found.append("does not say `sync_interval: always`")
    if told.get("max_payload", LONGEST) < LONGEST:
        found.append(f"has max_payload = {told['max_payload']}; {LONGEST} is needed")
    return found

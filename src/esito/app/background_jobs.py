"""Background jobs, one task each: callbacks, expiry, replies and retention."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from esito.config import Settings
from esito.config_rules import port_range
from esito.domain.timing import Clock
from esito.lifecycle.accept import Acceptance
from esito.lifecycle.expire import ExpiryJob
from esito.lifecycle.reply_job import ReplyJob
from esito.lifecycle.retain import RetentionJob
from esito.links.lease_keeper import HeldLease, LeaseKeeper
from esito.store.interface.store import Store
from esito.webhooks.addresses import Judge
from esito.webhooks.sender import Sender
from esito.webhooks.signing import sign
from esito.webhooks.worker import CallbackWorker

ALONE = frozenset({"replies", "retention"})
"""Jobs that two processes would do twice, so one runs them under a lease; the others share their work row by row."""

Job = Callable[[], Coroutine[Any, Any, None]]
"""Runs until cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundJobs:
    """All of them, by name."""

    by_name: dict[str, Job]

    def start(self, holder: LeaseKeeper | None = None) -> list[asyncio.Task[None]]:
        """Start every job; with a holder, those of `ALONE` run only while this process has their lease."""
        loop = asyncio.get_running_loop()
        return [
            loop.create_task(_hold(holder, name, run) if holder is not None and name in ALONE else run(), name=name)
            for name, run in self.by_name.items()
        ]


async def _hold(holder: LeaseKeeper, name: str, run: Job) -> None:
    """Run a job while its lease is ours."""
    doing: list[asyncio.Task[None]] = []

    async def start(_: HeldLease) -> None:
        doing.append(asyncio.get_running_loop().create_task(run(), name=name))

    async def stop() -> None:
        while doing:
            task = doing.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    await holder.hold(f"chore:{name}", start=start, stop=stop)


def address_judge(settings: Settings) -> Judge:
    """Return the rules for where callbacks may go."""
    return Judge(
        allow_private_networks=settings.callbacks.allow_private_networks,
        refused_networks=settings.callbacks.refused_networks,
        ports=[port_range(one) for one in settings.callbacks.ports],
    )


def callback_worker(settings: Settings, *, store: Store, clock: Clock) -> CallbackWorker:
    """Return the worker that sends callbacks; it is woken when receipts are stored."""
    return CallbackWorker(
        store=store,
        clock=clock,
        poster=Sender(judge=address_judge(settings)),
        sign=sign,
        secret=settings.callbacks.signing_secret,
        currency=settings.pricing.currency,
    )


def background_jobs(
    settings: Settings,
    *,
    store: Store,
    clock: Clock,
    acceptance: Acceptance,
    callbacks: CallbackWorker,
    stop_kept: asyncio.Event,
) -> BackgroundJobs:
    """Return the jobs; `stop_kept` is set when a STOP of a subscriber has been stored."""
    return BackgroundJobs(
        by_name={
            "expiry": ExpiryJob(store=store, clock=clock).run,
            "replies": ReplyJob(store=store, clock=clock, acceptance=acceptance, stop_kept=stop_kept).run,
            "callbacks": callbacks.run,
            "retention": RetentionJob(store=store, clock=clock, settings=settings.retention).run,
        }
    )

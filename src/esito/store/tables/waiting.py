"""What waits for the writer, and in which order it comes to a transaction.

Whatever waits shares the next one, but for what must be alone. What can wait longer, such as callbacks and replays, is
*patient*: each such job is a transaction of its own, and others have three times as long after it as it took.
"""

import asyncio
import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from esito.store.tables.engine import Handler

MAX_JOBS = 512
"""Jobs that share one commit at the most."""

REST = 3.0
"""Times as long as it took that others have after a patient job, if they have work."""

LONGEST_REST = 0.25
"""Seconds that a patient job waits after the one before, at the most, while others have work."""


class Job:
    """Work for one handler, and who waits for its end."""

    __slots__ = ("alone", "future", "handler", "patient", "payload", "result")

    def __init__(
        self, handler: Handler, payload: Any, future: asyncio.Future[Any], *, alone: bool = False, patient: bool = False
    ) -> None:
        """`alone`: no other process writes meanwhile."""
        self.handler = handler
        self.payload = payload
        self.future = future
        self.alone = alone
        self.patient = patient
        self.result: Any = None


class Waiting:
    """Jobs, handed over by any thread and taken by the writer's alone."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._handed_over: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._usual: deque[Job] = deque()
        self._patient: deque[Job] = deque()
        self._rest_until = 0.0
        self._others = False
        """Whether others were served since the last patient job."""
        self._ending = False

    def put(self, job: Job | None) -> None:
        """Hand a job over; None: no other will come."""
        self._handed_over.put(job)

    def __len__(self) -> int:
        return self._handed_over.qsize() + len(self._usual) + len(self._patient)

    def next(self) -> list[Job] | None:
        """Return what the next transaction is for, once there is something; None: the end was said, and all is done."""
        while True:
            self._sort_all()
            rest = self._rest_until - self._now()
            if self._patient and (rest <= 0 or self._ending):
                return [self._patient.popleft()]
            if self._usual:
                self._others = True
                return self._neighbours()
            if self._ending:
                return None
            try:
                self._sort(self._handed_over.get(timeout=rest if self._patient else None))
            except queue.Empty:
                continue

    def _neighbours(self) -> list[Job]:
        """Take what shares a transaction: whoever keeps all others from writing does so for no longer than he must."""
        batch = [self._usual.popleft()]
        while self._usual and len(batch) < MAX_JOBS and self._usual[0].alone == batch[0].alone:
            batch.append(self._usual.popleft())
        return batch

    def ended(self, batch: Sequence[Job], seconds: float) -> None:
        """Note how long a transaction took: who is patient rests after it if others have work."""
        if batch[0].patient:
            others = self._others or self._usual or not self._handed_over.empty()
            self._rest_until = self._now() + (min(seconds * REST, LONGEST_REST) if others else 0.0)
            self._others = False

    def _sort_all(self) -> None:
        while True:
            try:
                self._sort(self._handed_over.get_nowait())
            except queue.Empty:
                return

    def _sort(self, job: Job | None) -> None:
        if job is None:
            self._ending = True
        elif job.patient:
            self._patient.append(job)
        else:
            self._usual.append(job)

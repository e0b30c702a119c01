"""What waits for the writer, and in which order it comes to a transaction.

Whatever waits shares the next one, but for what must be alone. What can wait longer, such as callbacks and replays, is
*patient*: each such job is a transaction of its own, and others have three times as long after it as it took.
"""

import asyncio
import queue
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic

from esito.domain.errors import StoreUnavailable
from esito.store.sql_connection import Connection, Request, Result, Transaction

MAX_JOBS = 512
"""Jobs that share one commit at the most."""

REST = 3.0
"""Times as long as it took that others have after a patient job, if they have work."""

LONGEST_REST = 0.25
"""Seconds that a patient job waits after the one before, at the most, while others have work."""

NOTHING_YET = StoreUnavailable("it was never begun")
"""The result of a call before it has one."""


class Job(ABC):
    """What waits for the writer, whatever it is about."""

    __slots__ = ("alone", "patient")

    def __init__(self, *, alone: bool = False, patient: bool = False) -> None:
        """`alone`: no other process writes meanwhile."""
        self.alone = alone
        self.patient = patient

    @property
    @abstractmethod
    def transaction(self) -> object:
        """What does the work; neighbours with the same one are done by one call of it."""

    @abstractmethod
    def work(self, connection: Connection, neighbours: "Sequence[Job]") -> None:
        """Do the work of all these, whose transaction is this one's; whatever it raises undoes all of it."""

    @abstractmethod
    def refuse(self, error: Exception) -> None:
        """Let this be the result."""

    @abstractmethod
    def settle(self) -> None:
        """Tell whoever waits; in the event loop."""


class WriteRequest(Job, Generic[Request, Result]):
    """A request for one transaction, and who waits for its result."""

    __slots__ = ("_future", "_result", "_transaction", "request")

    def __init__(
        self,
        transaction: Transaction[Request, Result],
        request: Request,
        future: asyncio.Future[Result],
        *,
        alone: bool = False,
        patient: bool = False,
    ) -> None:
        super().__init__(alone=alone, patient=patient)
        self._transaction = transaction
        self.request = request
        self._future = future
        self._result: Result | Exception = NOTHING_YET

    @property
    def transaction(self) -> Transaction[Request, Result]:
        """What does the work."""
        return self._transaction

    def work(self, connection: Connection, neighbours: Sequence[Job]) -> None:
        """Do the work of all these."""
        calls = [one for one in neighbours if isinstance(one, WriteRequest)]
        results = self._transaction(connection, [call.request for call in calls])
        for call, result in zip(calls, results, strict=True):
            call.keep(result)

    def keep(self, result: Result | Exception) -> None:
        """Let this be the result."""
        self._result = result

    def refuse(self, error: Exception) -> None:
        """Let this be the result."""
        self._result = error

    def settle(self) -> None:
        """Tell whoever waits."""
        if self._future.done():  # its caller was cancelled; the work is kept all the same
            return
        if isinstance(self._result, Exception):
            self._future.set_exception(self._result)
        else:
            self._future.set_result(self._result)


class WriteQueue:
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

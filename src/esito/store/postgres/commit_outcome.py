"""The connection that writes: transactions whose end is known even when the connection is lost in their commit.

Every transaction notes its number in a row of this writer. When nobody answers a commit, the row tells later, on
whatever server is the primary then, whether it was kept. A transaction that is still under way holds the row.
"""

import time
from typing import Any
from uuid import uuid4

import asyncpg
import structlog

from esito.domain.errors import NewerSchema, StoreUnavailable, UnsafeEngine
from esito.store.postgres.migrating import require_known_schema
from esito.store.postgres.postgres_connect import LOST, Connection, failed_us
from esito.store.postgres.postgres_connection import PostgresConnection
from esito.store.postgres.server_checks import require_safe_server
from esito.store.postgres.stall_detection import StallDetection

log = structlog.get_logger()

ASK_EVERY = 0.25
"""Seconds between attempts to learn the end of a commit."""

PLANS_LAST = 2.0
"""Seconds for which the plans of statements are kept."""

GETS_IN_THE_WAY = (
    asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)  # fmt: skip


class NotKept(Exception):
    """What was to be committed was not kept."""


class PostgresWriter(PostgresConnection):
    """What the writer's thread works with."""

    def __init__(self, url: str, *, allow_unsafe: bool = False, silence: StallDetection | None = None) -> None:
        super().__init__(url, silence=silence)
        self._allow_unsafe = allow_unsafe
        self._looked_at: Connection | None = None
        self._name = uuid4().hex
        self._number = 0
        self._known = False
        self._warning = ""
        self._planned_at = 0.0

    def connect(self) -> None:
        """Connect; a first time, and where our row is not known, write it."""
        super().connect()
        if not self._known:
            self._known = True
            try:
                self.wait(self.bare.execute(_FORGET_OLD))
                self.wait(self.bare.execute("INSERT INTO writer (name, number, at) VALUES ($1, 0, now())", self._name))
            except BaseException:
                self._known = False
                raise

    def begin(self, *, alone: bool) -> None:
        """Open a transaction, in one round trip where the connection is no new one."""
        self._number += 1
        self.connect()
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        begin = f"BEGIN; SELECT {lock}(hashtext('esito writing'));{self._plan_anew()}"
        note = f"UPDATE writer SET number = {self._number}, at = now() WHERE name = '{self._name}'"  # noqa: S608  ours
        self._within = True  # whatever comes of it: a statement of these that fails leaves a transaction to be undone
        if self._looked_at is self._connection:
            noted = self.wait(self.bare.execute(begin + note))
        else:
            self.wait(self.bare.execute(begin))
            self._look()
            noted = self.wait(self.bare.execute(note))
        if noted != "UPDATE 1":  # somebody removed it: without it nobody could tell what became of us
            self._known = False
            raise asyncpg.SerializationError("the row of this writer is gone")

    def _look(self) -> None:
        """Look at the server when the connection is new: it may be another one, or others may have changed it.

        Raises StoreUnavailable. Within a transaction, which keeps the schema from being contracted behind us.
        """
        if self._looked_at is self._connection:
            return
        try:
            self.wait(require_safe_server(self.bare, allow_unsafe=self._allow_unsafe))
            self.wait(require_known_schema(self.bare))
        except (UnsafeEngine, NewerSchema) as error:
            raise StoreUnavailable(str(error)) from error
        self._looked_at = self._connection
        self.bare.add_log_listener(self._take_note)

    def _take_note(self, _: object, message: asyncpg.PostgresLogMessage) -> None:
        if message.severity_en == "WARNING":
            self._warning = message.message

    def _plan_anew(self) -> str:
        """Forget plans now and then: one that was made for a young partition is bad for what it has become."""
        if time.monotonic() - self._planned_at <= PLANS_LAST:
            return ""
        self._planned_at = time.monotonic()
        return " DISCARD PLANS;"

    def commit(self) -> None:
        """Make it durable. Raises NotKept."""
        self._warning = ""
        try:
            ended = self.wait(self.bare.execute("COMMIT"))
        except LOST as error:
            ended = ""
            doubt = str(error) or type(error).__name__
        else:
            # Who is told to wait no longer for the standbys says no more than a warning that they may lack it.
            doubt = self._warning
        self._within = False
        if doubt:
            log.warning("commit_in_doubt", reason=doubt)
            self.drop()
            if not self._was_kept():
                raise NotKept(f"the commit did not come about: {doubt}")
        elif ended != "COMMIT":
            raise NotKept(f"the server ended the transaction by {ended}")

    def _was_kept(self) -> bool:
        """Ask until somebody knows: nothing may be said to anybody before.

        A primary that was replaced may show a commit that no standby ever got. So we ask by a commit of our own:
        once that is acknowledged, by the standbys too, so is everything it was answered from.
        """
        asked = "UPDATE writer SET at = now() WHERE name = $1 RETURNING number"
        while True:
            try:
                self.connect()
                self._look()
                self._warning = ""
                number = self.wait(self.bare.fetchval(asked, self._name))
                if self._warning:
                    raise StoreUnavailable(self._warning)
                log.info("commit_known", kept=number == self._number)
                return bool(number == self._number)
            except (*LOST, StoreUnavailable, asyncpg.PostgresError):
                self.drop()
                time.sleep(ASK_EVERY)

    def rollback(self) -> None:
        """Undo what is open; on a connection that is lost the server does it."""
        if not self._within:
            return
        try:
            self.wait(self.bare.execute("ROLLBACK"))
        except (*LOST, asyncpg.PostgresError):
            self.drop()
        finally:
            self._within = False

    def savepoint(self) -> None:
        """Remember this point."""
        self.wait(self.bare.execute("SAVEPOINT work"))

    def release_savepoint(self) -> None:
        """Go on without the point."""
        self.wait(self.bare.execute("RELEASE SAVEPOINT work"))

    def rollback_to_savepoint(self) -> None:
        """Undo what was done since."""
        self.wait(self.bare.execute("ROLLBACK TO SAVEPOINT work"))

    def is_engine_failure(self, error: Exception) -> bool:
        """Tell whether the server or the way to it failed us."""
        return isinstance(error, StoreUnavailable) or failed_us(error)

    def outcome_unknown(self, error: Exception) -> bool:  # noqa: ARG002  we ask until we know
        """Nothing stays unknown."""
        return False

    def is_retryable(self, error: Exception) -> bool:
        """Tell whether it was others in the way, or a connection that may be made anew."""
        return isinstance(error, GETS_IN_THE_WAY + LOST + (NotKept,))

    def run_once(self, sql: str, *parameters: Any) -> Any:
        """Ask something outside any transaction."""
        return self.wait(self.bare.fetchval(sql, *parameters))


_FORGET_OLD = "DELETE FROM writer WHERE at < now() - interval '7 days'"

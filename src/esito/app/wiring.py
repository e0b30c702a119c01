"""Opens the store, the receipt log, the spool and the key secret; the one module that names concrete classes."""

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from esito.config import ConfigError, Settings
from esito.private_files import make_folder, new_private
from esito.receipt_log.interface import ReceiptLog
from esito.receipt_log.spool import Spool, SpoolInUse
from esito.store.interface.store import Store
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.backup import backup
from esito.store.sqlite.serving import only_server


def key_secret(settings: Settings) -> bytes:
    """Return the secret of the keyed hashes of API keys; beside a SQLite file it is created if missing.

    Raises ConfigError if that file cannot be read or created, or if a shared store has no secret.
    """
    if settings.store.secret:
        return settings.store.secret.encode()
    if settings.store.shared:
        raise ConfigError("store.secret must be set, the same for every process that works with this store")
    path = settings.store.path.parent / "esito.secret"
    try:
        make_folder(path.parent)
        _write_once(path, secrets.token_hex(32).encode())
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"store.secret: cannot read or make {path}: {error.strerror}") from error
    if not secret:
        raise ConfigError(f"store.secret: {path} is empty; the keys that were made with its content need it back")
    return secret


def known_secret(settings: Settings) -> bytes | None:
    """Return the secret if there is one that we may read; never create one."""
    shared, path = settings.store.shared, settings.store.path.parent / "esito.secret"
    if settings.store.secret or shared or not path.exists():
        return settings.store.secret.encode() or None
    try:
        return path.read_bytes().strip() or None
    except OSError:
        return None


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, durably, unless it exists; two processes may do so at once."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with new_private(draft) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@asynccontextmanager
async def open_serving(settings: Settings) -> AsyncIterator[Store]:
    """Open the store for a server; a SQLite file has one server. Raises StoreInUse, and what `open_store` raises."""
    with nullcontext() if settings.store.shared else only_server(settings.store.path):
        async with open_store(settings) as store:
            yield store


@asynccontextmanager
async def open_store(settings: Settings, *, actor: str = "server") -> AsyncIterator[Store]:
    """Open the store of the settings, migrated; close it at the end. `actor` goes into the audit log."""
    store: Store
    if settings.store.shared:
        from esito.store.postgres import PostgresStore  # noqa: PLC0415  its driver takes 3 MB that SQLite does not need

        store = PostgresStore(settings.store.url, actor=actor, allow_unsafe=settings.store.allow_unsafe)
    else:
        store = SqliteStore(settings.store.path, actor=actor)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def save(settings: Settings, target: Path) -> None:
    """Copy the SQLite database to a new file while others use it.

    Raises ConfigError for another engine, OSError, StoreError.
    """
    if settings.store.shared:
        raise ConfigError(
            "this saves a SQLite file; save PostgreSQL by pg_basebackup, as docs/howto/operations.md tells"
        )
    backup(settings.store.path, target)


@asynccontextmanager
async def open_receipt_log(settings: Settings) -> AsyncIterator[ReceiptLog | None]:
    """Open the receipt log if the settings name one; close it at the end. Raises UnsafeLog, LogUnavailable."""
    if not settings.bus.url:
        yield None
        return
    from esito.receipt_log.jetstream import JetStreamLog  # noqa: PLC0415  not needed where there is no log

    receipt_log = JetStreamLog(
        settings.bus.url.split(","),
        monitors=settings.bus.monitors,
        stream=settings.bus.stream,
        replicas=settings.bus.replicas,
        most=settings.bus.max_megabytes << 20,
        allow_unsafe=settings.bus.allow_unsafe,
    )
    await receipt_log.open()
    try:
        yield receipt_log
    finally:
        await receipt_log.close()


@asynccontextmanager
async def open_spool(settings: Settings) -> AsyncIterator[Spool]:
    """Open the spool, and lock its folder until the end. Raises ConfigError."""
    spool = Spool(Path(settings.bus.spool))
    try:
        spool.open()
    except (OSError, SpoolInUse) as error:
        raise ConfigError(f"bus.spool: {error}") from error
    try:
        yield spool
    finally:
        spool.close()


def gateway_name(settings: Settings) -> str:
    """Return the name under which the store counts the frames of this spool."""
    return f"{socket.gethostname()}:{Path(settings.bus.spool).resolve()}"

"""How much of the time the removal of what is old takes: receipts and sends have the rest."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from esito.config import RetentionSettings
from esito.domain.timing import RealClock
from esito.lifecycle.retain import LONGEST_PAUSE, PAUSE, REST, RetentionJob
from esito.store.interface.retention_store import Sweep, SweepPosition
from esito.store.interface.store import Store

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("took", "pause"), [(0.001, PAUSE), (0.1, 0.1 * REST), (60.0, LONGEST_PAUSE)], ids=["quick", "slow", "stalled"]
)
async def test_after_a_transaction_others_have_the_store_for_longer_than_it_took(
    took: float, pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    pauses: list[float] = []
    left = dict.fromkeys(Sweep, 3)

    async def sweep(kind: Sweep, **_asked: Any) -> SweepPosition | None:
        nonlocal now
        now += took
        left[kind] -= 1
        return SweepPosition() if left[kind] else None

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    store = cast("Store", SimpleNamespace(retention=SimpleNamespace(sweep=sweep)))
    with monkeypatch.context() as patched:
        patched.setattr("esito.lifecycle.retain.time", SimpleNamespace(monotonic=lambda: now))
        patched.setattr("esito.lifecycle.retain.asyncio", SimpleNamespace(sleep=sleep))
        await RetentionJob(store=store, clock=RealClock(), settings=RetentionSettings()).look()
    assert not any(left.values())
    assert pauses == pytest.approx([pause] * 2 * len(Sweep))

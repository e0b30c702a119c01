"""Whatever happens, in whatever order: receipts move whom they are about, or nobody (see decidable.py and watch.py)."""

import pytest

from tests.histories.trying import histories
from tests.kit.patience import HANGS
from tests.kit.stores import KINDS

HISTORIES = {"sqlite": 300, "postgres": 40}

SEED = 20261128
"""The same histories in every run; `make fuzz` plays others each time."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(3 * HANGS)
def test_a_receipt_moves_whom_it_is_about_or_nobody(kind: str) -> None:
    histories(kind, HISTORIES[kind], number=SEED)

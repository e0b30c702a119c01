"""Whatever happens, in whatever order: receipts move whom they are about, or nobody (see decidable.py and watch.py)."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from esito.domain.states import MessageState
from tests.histories.acts import HISTORIES, Act, Setup
from tests.histories.place import Place
from tests.kit.stores import KINDS

EXAMPLES = {"sqlite": 300, "postgres": 40}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(600)
def test_a_receipt_moves_whom_it_is_about_or_nobody(kind: str) -> None:
    with Place(kind) as place:

        @settings(
            max_examples=EXAMPLES[kind], deadline=None, print_blob=True, suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        )  # fmt: skip
        @given(HISTORIES)
        def it_does(history: tuple[Setup, list[Act]]) -> None:
            place.play(*history)

        it_does()

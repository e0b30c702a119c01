"""A sub-account takes turns with the account above it: together they have no more of what is bounded."""

from types import SimpleNamespace
from typing import Any, cast

from esito.api.http.request import AccountRequest, Inputs


def test_all_below_an_account_share_its_turn() -> None:
    nothing = cast("Any", None)
    below = cast("Any", SimpleNamespace(id=7, top=3))
    assert AccountRequest(nothing, below, Inputs({}), xml=False, scope=nothing).turn == 3

"""What `esito send` says of numbers that a message does not go to."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from click.testing import Result

from esito.client.models import Failure, Sent
from esito.client.sync import Client

LEFT_OUT = Failure(message="STOP", code=14, msisdn="+33622222222")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_number_that_was_left_out_is_named_with_its_reason(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    def send(*_words: Any) -> Sent:
        return Sent(message_id=7, segments=1, cost=Decimal("0.045"), currency="EUR", errors=(LEFT_OUT,))

    monkeypatch.setattr(Client, "send", send)
    done = run("send", "--to", "+33611111111,+33622222222", "--message", "x", "--api-key", "k", *form)
    assert done.exit_code == 0
    told = done.stdout if form else done.stderr
    assert "+33622222222" in told
    assert "14" in told

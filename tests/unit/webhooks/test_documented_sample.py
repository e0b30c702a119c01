"""The ten lines of docs/reference/callbacks.md that verify a signature are run as they stand there."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from esito.webhooks.signing import sign

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "callbacks.md"
BODY = b'{"status": "delivered"}'


@pytest.fixture
def is_from_esito() -> Callable[[str, dict[str, str], bytes], bool]:
    (sample,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Callable[[str, dict[str, str], bytes], bool]] = {}
    exec(sample, names)
    return names["is_from_esito"]


def headers(secret: str, *, at: float, body: bytes = BODY) -> dict[str, str]:
    return {
        "webhook-id": "msg_1_0_8",
        "webhook-timestamp": str(int(at)),
        "webhook-signature": sign(secret, "msg_1_0_8", int(at), body),
    }


@pytest.mark.parametrize("secret", ["a plain word", "whsec_dHdlbnR5LWZvdXIgb2N0ZXRzIGxvbmch"])
def test_the_documented_lines_verify_what_we_sign(
    is_from_esito: Callable[[str, dict[str, str], bytes], bool], secret: str
) -> None:
    now = time.time()
    assert is_from_esito(secret, headers(secret, at=now), BODY)
    assert not is_from_esito(secret, headers("other", at=now), BODY)
    assert not is_from_esito(secret, headers(secret, at=now), BODY + b" ")
    assert not is_from_esito(secret, headers(secret, at=now - 1000), BODY)

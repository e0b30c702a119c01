"""The signature is verified with the scheme's own library."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from esito.webhooks.signing import is_signed, sign

SECRET = "whsec_" + base64.b64encode(b"twenty-four octets long!").decode()
BODY = b'{"status": "delivered", "msgId": "4712"}'


def headers(signature: str, *, body_id: str = "msg_4712_0_8", at: int | None = None) -> dict[str, str]:
    now = int(datetime.now(UTC).timestamp()) if at is None else at
    return {"webhook-id": body_id, "webhook-timestamp": str(now), "webhook-signature": signature}


def test_the_library_of_the_scheme_verifies_it() -> None:
    now = int(datetime.now(UTC).timestamp())
    signature = sign(SECRET, "msg_4712_0_8", now, BODY)
    assert Webhook(SECRET).verify(BODY, headers(signature, at=now)) == json.loads(BODY)


@pytest.mark.parametrize("changed", [BODY + b" ", b"{}"])
def test_the_library_refuses_another_body(changed: bytes) -> None:
    now = int(datetime.now(UTC).timestamp())
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(changed, headers(sign(SECRET, "msg_4712_0_8", now, BODY), at=now))


def test_it_is_what_the_library_makes() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert sign(SECRET, "msg_1", int(at.timestamp()), BODY) == Webhook(SECRET).sign("msg_1", at, BODY.decode())


@pytest.mark.parametrize("secret", ["plain words", "whsec_no base64!", "whsec_", "é"])
def test_any_text_is_a_secret(secret: str) -> None:
    assert is_signed(secret, "msg_1", "1800000000", BODY, sign(secret, "msg_1", 1_800_000_000, BODY))


def test_one_signature_of_several_is_enough_and_others_are_not() -> None:
    good = sign(SECRET, "msg_1", 1_800_000_000, BODY)
    assert is_signed(SECRET, "msg_1", "1800000000", BODY, f"v1,AAAA v2,x {good}")
    for id_, at, body, said in [
        ("msg_2", "1800000000", BODY, good), ("msg_1", "1800000001", BODY, good), ("msg_1", "x", BODY, good),
        ("msg_1", "1800000000", b"", good), ("msg_1", "1800000000", BODY, ""), ("msg_1", "1800000000", BODY, "é"),
    ]:  # fmt: skip
        assert not is_signed(SECRET, id_, at, body, said)


def test_a_timestamp_that_is_no_moment_is_not_signed() -> None:
    for timestamp in ("9" * 5_000, "", "1.5", "-1", "\u0661"):
        assert not is_signed("secret", "msg_1", timestamp, b"{}", "v1,a")

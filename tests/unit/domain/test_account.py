import hashlib
import hmac
import re
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from esito.domain.account import Account, AccountState
from esito.domain.credentials import key_digest, new_api_key


def test_a_new_key_is_forty_hexadecimal_digits_and_never_the_same() -> None:
    keys = {new_api_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch("[0-9a-f]{40}", key) for key in keys)


def test_the_digest_is_hmac_sha_256() -> None:
    assert key_digest("key", b"secret") == hmac.new(b"secret", b"key", hashlib.sha256).digest()


def test_another_key_or_another_secret_has_another_digest() -> None:
    assert len({key_digest("a", b"s"), key_digest("b", b"s"), key_digest("a", b"t")}) == 3


@pytest.mark.parametrize("key", ["", "é", "\ud83d", "x" * 100_000])
def test_whatever_a_client_sends_as_its_key_has_a_digest(key: str) -> None:
    assert len(key_digest(key, b"secret")) == 32


def test_without_a_secret_there_is_no_digest() -> None:
    with pytest.raises(ValueError, match="secret"):
        key_digest("key", b"")


def test_an_account_cannot_be_altered() -> None:
    account = Account(id=1, name="acme", state=AccountState.ACTIVE, credit=Decimal(100))
    assert account.username == "acme"
    with pytest.raises(FrozenInstanceError):
        account.credit = Decimal(200)  # type: ignore[misc]  # what is tested

import pytest

from esito.domain.receipt import DeliveryReceipt, Verdict
from esito.domain.states import MessageState


def test_a_receipt_that_says_little_claims_nothing_more() -> None:
    bare = DeliveryReceipt(link="alpha", smsc_message_id="7", state=None)
    assert (bare.stat, bare.error_code, bare.addresses, bare.flags, bare.raw) == ("", "", ("", ""), "", b"")
    assert bare.done_at is None
    assert bare.counts


def test_a_receipt_cannot_be_altered() -> None:
    said = DeliveryReceipt(link="alpha", smsc_message_id="7", state=MessageState.DELIVERED)
    with pytest.raises(AttributeError):
        said.state = MessageState.EXPIRED  # type: ignore[misc]  # what is tested


def test_the_words_of_the_trail_are_these() -> None:
    """They are stored: a word may be added, none renamed."""
    assert [verdict.value for verdict in Verdict] == [
        "moved", "weaker", "duplicate", "unknown_word", "parked", "orphan", "not_a_receipt", "inferred", "queried",
    ]  # fmt: skip

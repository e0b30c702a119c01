"""Which message a reply answers, and what its sender is told."""

import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.reply import (
    WINDOW_MS,
    Concatenated,
    Reply,
    ReplyKind,
    SentBefore,
    answered_message,
    long_number_body,
    same_address,
    short_code_body,
    whole_text,
)

AT = 1_800_000_000_000


def sent(number: int, sender: str = "", *, due_at: int = AT - 1, account: int = 1) -> SentBefore:
    return SentBefore(number, 0, account, sender, due_at, None)


def answered(
    *candidates: SentBefore,
    to: str = "36111",
    owner: int | None = None,
    operator: int | None = None,
    any_sender: bool = False,
) -> int:
    found = answered_message(candidates, destination=to, at=AT, owner=owner, operator=operator, any_sender=any_sender)
    return 0 if found is None else found.message_id


def test_a_reply_cannot_be_altered() -> None:
    reply = Reply(link="alpha", source="33612345678", destination="36111", received_at=1, raw=b"\x00")
    with pytest.raises(FrozenInstanceError):
        reply.raw = b""  # type: ignore[misc]  # what is tested


def test_the_newest_is_answered_and_of_one_instant_the_later_one() -> None:
    assert answered(sent(1, due_at=AT - 5), sent(2, due_at=AT - 9), sent(3, due_at=AT - 5)) == 3
    assert answered() == 0


@pytest.mark.parametrize(("due_at", "found"), [(AT, 1), (AT + 1, 0), (AT - WINDOW_MS, 1), (AT - WINDOW_MS - 1, 0)])
def test_only_what_was_due_within_the_window_is_answered(due_at: int, found: int) -> None:
    assert answered(sent(1, due_at=due_at)) == found


def test_a_sender_must_be_the_destination_or_the_operators_own_choice() -> None:
    assert answered(sent(1, "36222"), sent(2, "ESITO")) == 0
    assert answered(sent(1, "36222"), sent(2, "ESITO"), any_sender=True) == 2
    assert answered(sent(1, "+33700000001"), to="33700000001") == 1
    assert answered(sent(1), to="36222") == 1


def test_on_a_long_number_only_its_account_and_that_number_count() -> None:
    number = "33700000001"
    assert answered(sent(1), to=number, owner=1) == 0
    assert answered(sent(1, number, account=2), to=number, owner=1) == 0
    assert answered(sent(1, number, account=1), to=number, owner=1) == 1


NORTH, SOUTH = 1, 2


def by(number: int, sender: str = "", *, operator: int, source: str = "", stops: tuple[str, ...] = ()) -> SentBefore:
    return sent(number, sender)._replace(operator=operator, source=source, stop_numbers=stops)


def test_who_wrote_from_the_address_is_answered_before_who_wrote_later() -> None:
    both = by(1, operator=NORTH, source="36222"), by(2, operator=SOUTH, source="36333")
    assert answered(*both, to="36222", operator=SOUTH) == 1
    assert answered(*both, to="36333", operator=NORTH) == 2
    assert answered(*both, to="36444", operator=NORTH) == 1
    assert answered(*both, to="36444", operator=3) == 2


def test_who_left_the_address_to_the_operator_of_the_reply_may_have_been_given_it() -> None:
    chosen = by(2, operator=NORTH), by(1, "36222", operator=SOUTH, source="36222")
    assert answered(*chosen, to="36222", operator=NORTH) == 2
    assert answered(*chosen, to="36222", operator=SOUTH) == 1


def test_a_stop_is_for_who_named_the_address_and_a_reply_is_not() -> None:
    named = by(1, "SHOP", operator=NORTH, stops=("36222",)), by(2, "ESITO", operator=SOUTH, stops=("+33700000001",))
    assert answered(*named, to="36222", operator=SOUTH, any_sender=True) == 1
    assert answered(*named, to="33700000001", operator=NORTH, any_sender=True) == 2
    assert answered(*named, to="36222", operator=NORTH) == 0


def test_addresses_are_compared_without_plus_case_and_filling() -> None:
    assert same_address(" +33700000001\0") == same_address("33700000001")
    assert same_address("Esito") == same_address("ESITO")


def test_a_body_is_written_as_the_contract_shows_it() -> None:
    assert short_code_body(ReplyKind.RESPONSE, "+33611111111", "oui", 4712) == (
        '{"type":"response","phone_number":"+33611111111","text":"oui","message_id":4712}'
    )
    assert short_code_body(ReplyKind.STOP, "+33611111111", "Stop", 4712) == (
        '{"type":"stop","phone_number":"+33611111111","text":"Stop","message_id":4712}'
    )


def test_a_body_of_a_long_number_has_text_for_every_value() -> None:
    piece = Reply(
        link="alpha", source="33611111111", destination="+33700000001", received_at=AT, raw=b"", text="Oui merci",
        concatenated=Concatenated(0x10102, 3, 2),
    )  # fmt: skip
    told = json.loads(long_number_body(piece, "+33611111111", uuid="an-id"))
    assert told == {
        "msisdn": "33611111111", "to": "33700000001", "messageId": "an-id", "text": "Oui merci", "type": "text",
        "keyword": "Oui", "message-timestamp": "2027-01-15 09:00:00", "concat": "true", "concat-ref": "258",
        "concat-total": "3", "concat-part": "2",
    }  # fmt: skip


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_can_be_joined_told_and_kept(first: str, second: str) -> None:
    """Lone halves of surrogate pairs too."""
    whole = whole_text([first, second])
    assert json.loads(short_code_body(ReplyKind.RESPONSE, "+33611111111", whole, 1))["text"] == whole
    assert whole.encode().decode() == whole

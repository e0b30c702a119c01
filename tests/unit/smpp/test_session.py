"""What may follow what, and which request a response answers."""

import pytest

from esito.smpp import pdu as p
from esito.smpp.codec import LocalProtocolError, RemoteProtocolError
from esito.smpp.pdu import Command
from esito.smpp.session import LAST_SEQUENCE, BindState, Session

RESPONSES: list[tuple[p.Pdu, BindState]] = [
    (p.BindTransceiverResp(), BindState.BOUND_TRX),
    (p.BindTransmitterResp(), BindState.BOUND_TX),
    (p.BindReceiverResp(), BindState.BOUND_RX),
]


def bound(response: p.Pdu = RESPONSES[0][0]) -> Session:
    session = Session()
    session.receive(response)
    return session


@pytest.mark.parametrize(("response", "state"), RESPONSES)
def test_a_bind_response_binds(response: p.Pdu, state: BindState) -> None:
    session = bound(response)
    assert session.bind is state
    assert session.bind.can_send is (state is not BindState.BOUND_RX)
    assert session.bind.can_receive is (state is not BindState.BOUND_TX)


def test_a_refused_bind_leaves_the_session_open() -> None:
    session = Session()
    session.receive(p.BindTransceiverResp(status=0x0E))
    assert session.bind is BindState.OPEN


def test_nothing_is_submitted_before_the_bind_nor_as_a_receiver() -> None:
    for session in (Session(), bound(p.BindReceiverResp())):
        with pytest.raises(LocalProtocolError):
            session.ask(Command.SUBMIT_SM, None, 0)


@pytest.mark.parametrize("session", [Session(), bound(p.BindTransmitterResp())], ids=["open", "transmitter"])
def test_a_deliver_sm_out_of_turn_is_the_smscs_fault(session: Session) -> None:
    with pytest.raises(RemoteProtocolError, match="deliver_sm while"):
        session.receive(p.DeliverSm())


def test_an_unbind_ends_sending_but_not_the_answers_owed() -> None:
    session = bound()
    sequence = session.ask(Command.SUBMIT_SM, "token", 0)
    session.receive(p.Unbind())
    assert not session.bind.can_send
    session.receive(p.SubmitSmResp(sequence=sequence))
    request = session.answered(sequence, Command.SUBMIT_SM_RESP)
    assert request is not None
    assert request.token == "token"


def test_sequence_numbers_wrap_around_and_leave_out_those_in_use() -> None:
    session = bound()
    first = session.ask(Command.SUBMIT_SM, None, 0)
    session._sequence = LAST_SEQUENCE - 1
    assert [session.ask(Command.SUBMIT_SM, None, 0) for _ in range(2)] == [LAST_SEQUENCE, first + 1]


def test_a_late_response_still_finds_its_request_once() -> None:
    session = bound()
    sequence = session.ask(Command.SUBMIT_SM, "token", 10)
    assert session.overdue(9.9) == []
    assert [one.token for one in session.overdue(10)] == ["token"]
    assert session.outstanding == 0
    late = session.answered(sequence, Command.SUBMIT_SM_RESP)
    assert late is not None
    assert late.token == "token"
    assert session.answered(sequence, Command.SUBMIT_SM_RESP) is None
    assert session.unknown_responses == 1


def test_late_requests_are_not_remembered_without_bound() -> None:
    session = bound()
    sequences = [session.ask(Command.SUBMIT_SM, number, 0) for number in range(5)]
    session.overdue(0, keep=2)
    assert [session.answered(one, Command.SUBMIT_SM_RESP) is not None for one in sequences] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_a_lost_connection_gives_every_open_request_back() -> None:
    session = bound()
    session.ask(Command.SUBMIT_SM, "a", 0)
    session.ask(Command.ENQUIRE_LINK, None, 0)
    assert [one.command for one in session.give_up()] == [Command.SUBMIT_SM, Command.ENQUIRE_LINK]
    assert session.outstanding == 0


@pytest.mark.parametrize("response", [c for c in Command if c & 0x80000000])
def test_a_response_answers_only_a_request_of_its_own_command(response: Command) -> None:
    session = bound()
    sequence = session.ask(Command.SUBMIT_SM, "token", 0)
    found = session.answered(sequence, response)
    if response in {Command.SUBMIT_SM_RESP, Command.GENERIC_NACK}:
        assert found is not None
    else:
        assert found is None
        assert session.answered(sequence, Command.SUBMIT_SM_RESP) is not None


def test_a_response_of_another_command_takes_no_late_request_either() -> None:
    session = bound()
    sequence = session.ask(Command.SUBMIT_SM, "token", 0)
    session.overdue(0)
    assert session.answered(sequence, Command.ENQUIRE_LINK_RESP) is None
    assert session.answered(sequence, Command.SUBMIT_SM_RESP) is not None

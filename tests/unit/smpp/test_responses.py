"""What a query_sm says, and what its answer means."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from esito.app.link_factory import outgoing_settings
from esito.domain.message import SegmentRef
from esito.domain.states import STATE_VALUES, MessageState
from esito.domain.status_query import Query
from esito.smpp import pdu as p
from esito.smpp.codec import encode
from esito.smpp.outgoing import query_sm, submit_sm
from esito.smpp.responses import is_unknown_command, read_answer, read_final_date
from tests.kit.operators import NOW, configured, submission

ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize("sender", ["ESITO", "36111", "+33612345678", ""])
@pytest.mark.parametrize("lines", ["", "sender = 'SHOP'", "source_numbering = {all = [3, 8]}"])
def test_a_query_sm_names_the_source_address_of_the_submit_sm(tmp_path: Path, sender: str, lines: str) -> None:
    outgoing = outgoing_settings(configured(tmp_path, lines))
    submitted = submit_sm(submission(sender=sender), outgoing, at=NOW)
    asked = query_sm(Query(SegmentRef(1, 0, 1), "00A7", sender), outgoing)
    assert asked.message_id == "00A7"
    assert (asked.source_addr_ton, asked.source_addr_npi, asked.source_addr) == (
        submitted.source_addr_ton, submitted.source_addr_npi, submitted.source_addr,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("261123060000000+", datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("261123060000004+", datetime(2026, 11, 23, 5, tzinfo=UTC)),
        ("261123060000034-", datetime(2026, 11, 23, 14, 30, tzinfo=UTC)),
        ("2611230600", datetime(2026, 11, 23, 5, tzinfo=UTC)),
        ("261123060000", datetime(2026, 11, 23, 5, tzinfo=UTC)),
        ("", None),
        ("000002000000000R", None),
        ("261323060000000+", None),
        ("soon", None),
        ("٢٦١١٢٣٠٦٠٠٠٠٠٠٠+", None),
    ],
)
def test_a_final_date_is_read(written: str, instant: datetime | None) -> None:
    found = read_final_date(written, ROME)
    assert found == (None if instant is None else int(instant.timestamp() * 1000))


def test_tenths_of_a_second_count() -> None:
    assert (read_final_date("261123060000700+", UTC) or 0) % 1000 == 700


@pytest.mark.parametrize("number", range(12))
def test_an_answer_says_a_state_by_its_number(number: int) -> None:
    pdu = p.QuerySmResp(message_id="7", message_state=number, final_date="261123060000000+", error_code=8)
    said = read_answer(pdu, link="alpha", zone=UTC, at=NOW)
    assert (said.state, said.stat) == (STATE_VALUES.get(number), f"message_state {number}")
    assert (said.smsc_message_id, said.error_code, said.received_at) == ("7", "008", NOW)
    assert said.raw == encode(pdu)


def test_a_date_that_is_none_is_flagged_and_the_state_counts() -> None:
    said = read_answer(p.QuerySmResp(message_state=2, final_date="soon"), link="alpha", zone=UTC, at=NOW)
    assert (said.state, said.done_at, said.flags, said.error_code) == (MessageState.DELIVERED, None, "bad_date", "")


@pytest.mark.parametrize(
    ("pdu", "stat", "error", "unknown"),
    [
        (p.QuerySmResp(status=0x67), "ESME_RQUERYFAIL", "0x00000067", False),
        (p.QuerySmResp(status=0x03), "ESME_RINVCMDID", "0x00000003", True),
        (p.QuerySmResp(status=0x04), "ESME_RINVBNDSTS", "0x00000004", True),
        (p.GenericNack(status=0x03), "generic_nack", "0x00000003", True),
        (p.GenericNack(), "generic_nack", "0x000000FF", True),
        (p.QuerySmResp(status=0x412), "0x00000412", "0x00000412", False),
    ],
)
def test_a_refusal_says_nothing_of_the_state(
    pdu: p.QuerySmResp | p.GenericNack, stat: str, error: str, *, unknown: bool
) -> None:
    said = read_answer(pdu, link="alpha", zone=UTC, at=NOW)
    assert (said.state, said.stat, said.error_code) == (None, stat, error)
    assert is_unknown_command(pdu) is unknown

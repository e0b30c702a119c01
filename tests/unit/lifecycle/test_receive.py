"""From deliver_sm to a commit, and the status of each response."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import apsw
import pytest

from esito.domain.errors import StoreFailed
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.domain.timing import HOUR_MS, PushableClock
from esito.lifecycle.receive import MAX_IN_FLIGHT, Receiver
from esito.smpp.codec import InvalidDelivery, decode
from esito.smpp.incoming import IncomingSettings, WithoutEsmClass
from esito.smpp.pdu import DataSm, DeliverSm, EsmClass, Status, Tag
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW, accepted, account_in, complaints, links_in, message, states_of, submitted
from tests.unit.lifecycle.parts import allow_growth, appendix_b, deliver, forbid_growth

pytestmark = pytest.mark.anyio

ROK, LATER = Status.ESME_ROK, Status.ESME_RMSGQFUL


def receiving(store: SqliteStore, clock: PushableClock) -> Receiver:
    return Receiver(store=store, clock=clock, incoming={"paris": IncomingSettings(zone=ZoneInfo("Europe/Paris"))})


def asked(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


async def test_a_receipt_is_kept_and_then_acknowledged(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["7"])
    pdu = deliver(appendix_b("7"))
    assert await receiving(store, clock).keep("alpha", [pdu]) == [ROK]
    assert await states_of(store, account, number) == [MessageState.DELIVERED]
    assert asked(tmp_path / "esito.db", "SELECT verdict, raw FROM trail") == [("moved", pdu.frame)]


async def test_a_reply_is_kept_apart_from_receipts(store: SqliteStore, clock: PushableClock, tmp_path: Path) -> None:
    await links_in(store)
    pdu = deliver("id:7 stat:DELIVRD err:000", esm_class=0)
    assert await receiving(store, clock).keep("alpha", [pdu]) == [ROK]
    rows = asked(tmp_path / "esito.db", "SELECT received_at, source, destination, raw FROM reply")
    assert rows == [(NOW, "33612345678", "36111", pdu.frame)]
    assert asked(tmp_path / "esito.db", "SELECT count(*) FROM trail") == [(0,)]


async def test_everything_of_one_read_is_answered_in_its_order(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account, [33612345678, 33612345679]), ["7", "8"])
    pdus: list[DeliverSm | DataSm] = [
        deliver(appendix_b("7")),
        deliver("STOP", esm_class=0),
        deliver(appendix_b("8", "UNDELIV"), source="33612345679"),
        deliver(appendix_b("nobody")),
        deliver("\x00\xff unreadable"),
        deliver(appendix_b("7"), esm_class=EsmClass.DELIVERY_ACKNOWLEDGEMENT),
        DataSm(esm_class=4, tlvs={Tag.RECEIPTED_MESSAGE_ID: b"8\0", Tag.MESSAGE_STATE: b"\x02"}, frame=b"data_sm"),
    ]
    assert await receiving(store, clock).keep("alpha", pdus) == [ROK] * len(pdus)
    assert await states_of(store, account, number) == [MessageState.DELIVERED, MessageState.DELIVERED]
    assert (await store.counts()).unmatched == 2


@pytest.mark.parametrize("command", ["00000005", "00000103"])
async def test_what_cannot_be_read_is_kept_in_the_trail_and_then_acknowledged(
    store: SqliteStore, clock: PushableClock, tmp_path: Path, command: str
) -> None:
    await links_in(store)
    frame = bytes.fromhex(f"00000012 {command} 00000000 00000022 4141")
    with pytest.raises(InvalidDelivery) as caught:
        decode(frame)
    assert await receiving(store, clock).keep("alpha", [caught.value.pdu]) == [ROK]
    rows = asked(tmp_path / "esito.db", "SELECT verdict, flags, smsc_id, state, raw FROM trail")
    assert rows == [("orphan", "unreadable", "", None, frame)]
    (told,) = await store.orphans(after=0, limit=10)
    assert (told.link, told.flags, told.raw) == ("alpha", "unreadable", frame)
    assert await complaints(store) == []


# -- receipts whose esm_class calls them a subscriber's message --------------------------------


def unmarked(smsc_id: str, *, text: str = appendix_b("7"), parameter: bool = True) -> DeliverSm:
    tlvs: dict[int, bytes] = {Tag.RECEIPTED_MESSAGE_ID: smsc_id.encode() + b"\0"} if parameter else {}
    return deliver(text, esm_class=0, tlvs=tlvs)


NEVER, KNOWN, ALWAYS = WithoutEsmClass


@pytest.mark.parametrize(
    ("rule", "pdu", "is_receipt"),
    [
        (NEVER, unmarked("7"), False),
        (KNOWN, unmarked("7"), True),
        (KNOWN, unmarked("0007"), True),
        (KNOWN, unmarked("8"), False),
        (KNOWN, unmarked("7", parameter=False), False),
        (KNOWN, unmarked("7", text="STOP"), False),
        (KNOWN, unmarked("", text=appendix_b("7")), False),
        (ALWAYS, unmarked("8"), True),
        (ALWAYS, unmarked("7", parameter=False), True),
        (ALWAYS, unmarked("7", text="STOP"), False),
        (None, unmarked("7"), True),
        (None, unmarked("8"), False),
    ],
)
async def test_a_receipt_without_its_esm_class_is_one_by_the_rule_of_the_link(
    *,
    store: SqliteStore,
    clock: PushableClock,
    tmp_path: Path,
    rule: WithoutEsmClass | None,
    pdu: DeliverSm,
    is_receipt: bool,
) -> None:
    await links_in(store)
    await submitted(store, message(await account_in(store)), ["7"])
    rules = {} if rule is None else {"alpha": IncomingSettings(without_esm_class=rule)}
    desk = Receiver(store=store, clock=clock, incoming=rules)
    assert await desk.keep("alpha", [pdu]) == [ROK]
    counted = asked(tmp_path / "esito.db", "SELECT (SELECT count(*) FROM trail), (SELECT count(*) FROM reply)")
    assert counted == [(1, 0) if is_receipt else (0, 1)]


async def test_while_an_answer_is_owed_any_id_may_be_the_one_it_brings(
    store: SqliteStore, clock: PushableClock
) -> None:
    await links_in(store)
    account = await account_in(store)
    number = await store.accept(message(account))
    (one,) = await store.claim("alpha", limit=1, at=NOW)
    assert await receiving(store, clock).keep("alpha", [unmarked("7")]) == [ROK]
    await store.record_answers("alpha", [accepted(one, "7")])
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def test_only_what_must_be_asked_about_waits_for_a_store_that_cannot_be_asked(
    clock: PushableClock, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "esito.db")
    await store.open()
    await links_in(store)
    await store.close()
    publisher = Kept()
    desk = Receiver(store=store, clock=clock, publisher=publisher)  # type: ignore[arg-type]
    assert await desk.keep("alpha", [deliver(appendix_b("1")), unmarked("7"), deliver(appendix_b("2"))]) == [
        ROK,
        LATER,
        ROK,
    ]
    assert [one.smsc_message_id for one in publisher.receipts] == ["1", "2"]


class Kept:
    """A log of receipts in memory."""

    def __init__(self) -> None:
        self.receipts: list[DeliveryReceipt] = []

    async def publish(self, receipts: Sequence[DeliveryReceipt]) -> None:
        self.receipts += receipts


async def test_dates_are_read_in_the_zone_of_the_link(store: SqliteStore, clock: PushableClock, tmp_path: Path) -> None:
    await links_in(store, "alpha", "paris")
    keeper = receiving(store, clock)
    for link in ("alpha", "paris"):
        await keeper.keep(link, [deliver(appendix_b("7", done="2701150700"))])
    (in_utc,), (in_paris,) = asked(tmp_path / "esito.db", "SELECT done_at FROM trail ORDER BY id")
    assert isinstance(in_utc, int)
    assert in_paris == in_utc - HOUR_MS


# -- when it cannot be kept --------------------------------------------------------------------


async def test_a_full_store_says_later_to_each_and_keeps_none(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["7"])
    keeper = receiving(store, clock)
    await forbid_growth(store)
    pdus = [deliver(appendix_b("7") + "x" * 100)] * 500
    assert await keeper.keep("alpha", pdus) == [LATER] * 500
    assert await states_of(store, account, number) == [MessageState.WAITING]
    await allow_growth(store)
    assert await keeper.keep("alpha", pdus) == [ROK] * 500
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def test_a_closed_store_says_later(clock: PushableClock, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "esito.db")
    await store.open()
    await links_in(store)
    await store.close()
    assert await receiving(store, clock).keep("alpha", [deliver(appendix_b("7")), deliver("STOP", esm_class=0)]) == [
        LATER,
        LATER,
    ]


@pytest.mark.slow
async def test_a_store_that_is_behind_is_spared_and_what_waits_is_counted_rightly(
    store: SqliteStore, clock: PushableClock
) -> None:
    await links_in(store)
    keeper = receiving(store, clock)
    reply = deliver("STOP", esm_class=0)
    assert set(await keeper.keep("alpha", [reply] * (MAX_IN_FLIGHT + 1))) == {LATER}
    await forbid_growth(store)
    assert set(await keeper.keep("alpha", [reply] * MAX_IN_FLIGHT)) == {LATER}
    await allow_growth(store)
    assert set(await keeper.keep("alpha", [reply] * 100)) == {ROK}, "what was refused no longer waits"


@contextmanager
def no_file_longer_than(octets: int) -> Iterator[None]:
    """Let writes beyond that fail as on a broken disk, with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.slow
async def test_a_commit_of_unknown_end_is_answered_neither_way(clock: PushableClock, tmp_path: Path) -> None:
    """Whoever asks gets an exception, so that the link closes; the process would stop by itself."""
    told: list[Exception] = []
    store = SqliteStore(tmp_path / "esito.db", failed=told.append)
    await store.open()
    await links_in(store)
    keeper = receiving(store, clock)
    with no_file_longer_than(1_000_000), pytest.raises(StoreFailed):
        await keeper.keep("alpha", [deliver(appendix_b(str(n))) for n in range(10_000)])
    assert [type(error) for error in told] == [apsw.IOError]
    with pytest.raises(StoreFailed):
        await keeper.keep("alpha", [deliver(appendix_b("7"))])
    await store.close()


async def test_whoever_makes_callbacks_is_told_of_receipts_that_moved_someone(
    store: SqliteStore, clock: PushableClock
) -> None:
    told: list[str] = []
    desk = Receiver(store=store, clock=clock, on_moved=lambda: told.append("moved"))
    await links_in(store)
    await submitted(store, message(await account_in(store)), ["7"])
    await desk.keep("alpha", [deliver(appendix_b("nobody"))])
    assert told == []
    await desk.keep("alpha", [deliver(appendix_b("7"))])
    assert told == ["moved"]
    await desk.keep("alpha", [deliver("ciao", esm_class=0)])
    assert told == ["moved", "moved"]

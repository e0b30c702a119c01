"""Answers and receipts reach the store in the order of the wire: a receipt never overtakes its own answer."""

import asyncio
from collections.abc import Callable

import pytest

from esito.domain.timing import PushableClock
from esito.lifecycle.receive import Receiver
from esito.lifecycle.submit import Submitter, Try
from esito.links.gateway import Gateway
from esito.links.smpp_link import SmppLink
from esito.smpp import pdu as p
from esito.smpp.connect import SmppSettings
from esito.smpp.responses import SubmitResponse
from esito.store.sqlite import SqliteStore
from tests.kit import looking
from tests.kit.builders import account_in, links_in, message
from tests.kit.patience import until
from tests.kit.peer import Peer, peer
from tests.unit.lifecycle.parts import allow_growth, appendix_b, forbid_growth

pytestmark = pytest.mark.anyio

MESSAGES = 1_000


def delivered(smsc_id: str, *, destination: str, sequence: int = 1) -> p.DeliverSm:
    return p.DeliverSm(
        sequence=sequence,
        source_addr=destination,
        destination_addr="ESITO",
        esm_class=int(p.EsmClass.DELIVERY_RECEIPT),
        short_message=appendix_b(smsc_id).encode(),
    )


def answers_and_reports(smsc: Peer) -> Callable[[p.SubmitSm], None]:
    """Count ids, and write each response and its receipt as one piece: the response first."""
    ids = iter(range(1, 10 * MESSAGES))

    def on_submit(submit: p.SubmitSm) -> None:
        number = next(ids)
        smsc.session.say(
            p.SubmitSmResp(sequence=submit.sequence, message_id=f"{number}"),
            delivered(f"{number}", destination=submit.destination_addr, sequence=number),
        )

    return on_submit


def gateway_to(store: SqliteStore, clock: PushableClock, smsc: Peer) -> Gateway:
    gateway = Gateway(Receiver(store=store, clock=clock))

    def make() -> tuple[SmppLink, Submitter]:
        link = SmppLink(
            SmppSettings(name="alpha", host="127.0.0.1", port=smsc.port, system_id="smsc", password="secret"), gateway
        )
        return link, Submitter(store=store, clock=clock, link=link)

    gateway.add("alpha", make)
    return gateway


async def verdicts(store: SqliteStore) -> dict[str, int]:
    return dict(await looking.rows(store, "SELECT verdict, count(*) FROM trail GROUP BY verdict"))


@pytest.mark.slow
@pytest.mark.parametrize("one_number", [True, False])
async def test_a_receipt_in_one_segment_with_its_response_is_never_parked(
    store: SqliteStore, clock: PushableClock, one_number: bool
) -> None:
    account = await account_in(store, credit="1000")
    await links_in(store)
    async with peer() as smsc:
        smsc.on_submit = answers_and_reports(smsc)
        gateway = gateway_to(store, clock, smsc)
        await gateway.start()
        for start in range(0, MESSAGES, 20):  # they come as from twenty clients, while others are on their way
            numbers = [33600000000 + (0 if one_number else start + place) for place in range(20)]
            await asyncio.gather(*(store.accept(message(account, [number])) for number in numbers))
            gateway.wake()
        await smsc.came(p.DeliverSmResp, MESSAGES)
        await gateway.stop()
    assert "parked" not in await verdicts(store)


async def test_a_receipt_goes_behind_the_answers_that_a_full_store_has_refused(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account, range(33600000000, 33600000500)))
    claimed = await store.claim("alpha", limit=500, at=clock.now())
    async with peer() as smsc:
        gateway = gateway_to(store, clock, smsc)
        ((link, submitter),) = gateway._made.values()
        assert isinstance(submitter, Submitter)
        await forbid_growth(store)
        submitter.submitted(
            [SubmitResponse(Try(one.ref, 0), p.Status.ESME_ROK, f"{place:064d}") for place, one in enumerate(claimed)]
        )
        await until(lambda: submitter._answers.refused)
        await allow_growth(store)
        assert await gateway.delivered(link.name, [delivered(f"{7:064d}", destination="33600000007")]) == [0]
        await submitter.finish()
    assert await verdicts(store) == {"moved": 1}

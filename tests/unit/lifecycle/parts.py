"""Short ways to say what the lifecycle is given in tests."""

from esito.smpp import pdu as p
from esito.smpp.codec import encode
from esito.store.sqlite import SqliteStore
from tests.kit import looking


def deliver(
    text: str,
    *,
    esm_class: int = p.EsmClass.DELIVERY_RECEIPT,
    source: str = "33612345678",
    tlvs: dict[int, bytes] | None = None,
) -> p.DeliverSm:
    """Return a deliver_sm as it would come off the wire."""
    fields = {"source_addr": source, "destination_addr": "36111", "esm_class": int(esm_class), "tlvs": tlvs or {}}
    octets = text.encode("latin-1")
    frame = encode(p.DeliverSm(sequence=1, short_message=octets, **fields))  # type: ignore[arg-type]  # checked at run time
    return p.DeliverSm(sequence=1, short_message=octets, frame=frame, **fields)  # type: ignore[arg-type]


def appendix_b(smsc_id: str, stat: str = "DELIVRD", *, done: str = "2701150800", err: str = "000") -> str:
    return f"id:{smsc_id} sub:001 dlvrd:001 submit date:2701150759 done date:{done} stat:{stat} err:{err} text:ciao"


async def forbid_growth(store: SqliteStore) -> None:
    """Make the disk as good as full for everything that needs a page more."""
    await looking.change(store, "PRAGMA max_page_count = 1")


async def allow_growth(store: SqliteStore) -> None:
    await looking.change(store, "PRAGMA max_page_count = 2000000")

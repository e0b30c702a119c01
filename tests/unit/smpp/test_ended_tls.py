"""Dropping a connection whose TLS has ended: Python 3.11.2 cannot abort a transport that was closed twice."""

import asyncio

from esito.simulator.esme_session import EsmeSession
from esito.simulator.smsc import Smsc, SmscSettings
from esito.smpp.connect import SmppSettings
from esito.smpp.connection import SmppConnection
from esito.smpp.pdu import DataSm, DeliverSm
from esito.smpp.responses import SubmitResponse
from tests.kit.links import in_a_loop
from tests.unit.simulator.esme import still


class EndedTls(asyncio.Transport):
    """What `asyncio.sslproto` hands out, as Python 3.11.2 leaves it behind after a second close()."""

    _ssl_protocol = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def is_closing(self) -> bool:
        return True

    def abort(self) -> None:
        self._ssl_protocol._abort()  # type: ignore[attr-defined]  # what raises AttributeError there


class Nobody:
    """Owner of a connection, indifferent to what it reports."""

    def bound(self, connection: SmppConnection) -> None: ...

    def rejected(self, status: int | None, reason: str) -> None: ...

    def answered(self, responses: list[SubmitResponse]) -> None: ...

    def eased(self) -> None: ...


async def keep(pdus: list[DeliverSm | DataSm]) -> list[int]:
    return [0] * len(pdus)


@in_a_loop
async def test_a_connection_whose_tls_has_ended_can_be_dropped() -> None:
    settings = SmppSettings(name="alpha", host="192.0.2.1", port=2775, system_id="esme", password="secret")
    connection = SmppConnection(settings, "transceiver", Nobody(), keep)
    connection.connection_made(EndedTls())
    connection.close("the SMSC is silent")
    connection.connection_lost(None)
    assert connection.closed.result() == "the SMSC is silent"


@in_a_loop
async def test_the_simulator_drops_a_session_whose_tls_has_ended() -> None:
    smsc = Smsc(SmscSettings(port=0, seed=1), clock=still())
    await smsc.start()
    session = EsmeSession(smsc, 1)
    session.connection_made(EndedTls())
    session.abort()
    session.connection_lost(None)
    await smsc.stop()
    assert session.gone.done()

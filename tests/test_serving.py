"""Connections to a server of a test end with it, at whatever moment it ends (tests/kit/serving.py)."""

import asyncio
import contextlib
import gc
import socket

import pytest

from tests.kit.patience import until
from tests.kit.serving import Serving


@pytest.mark.parametrize("turns", range(8))
def test_a_connection_ends_with_its_server_however_young_it_is(turns: int) -> None:
    """`turns` of the loop after connect(), before which nothing has been accepted yet."""

    async def run() -> None:
        serving = Serving(serve)
        here = socket.create_connection(("127.0.0.1", serving.port))
        for _ in range(turns):
            await asyncio.sleep(0)
        await serving.end()
        with here:
            here.setblocking(True)
            with contextlib.suppress(ConnectionResetError):
                assert here.recv(16) in {b"", b"hello"}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await reader.read()

    asyncio.run(run())
    gc.collect()  # tells of what was left open, as an error


def test_what_serving_a_connection_raises_is_told_at_the_end() -> None:
    served = []

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        served.append(await reader.read())
        raise ValueError("not in the script")

    async def run() -> None:
        serving = Serving(serve)
        _, writer = await asyncio.open_connection("127.0.0.1", serving.port)
        writer.close()
        await until(lambda: served)
        await serving.end()

    with pytest.raises(ValueError, match="not in the script"):
        asyncio.run(run())

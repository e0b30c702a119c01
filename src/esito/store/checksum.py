"""The checksum that every trail row carries and `esito check` verifies (architecture.md#what-the-store-promises)."""

from zlib import crc32


def checksum(
    *,
    received_at: int,
    verdict: str,
    smsc_id: str,
    state: int | None,
    error: str,
    message_id: int | None,
    seq: int | None,
    part: int | None,
    raw: bytes,
) -> int:
    """Return the CRC-32 over what the row says and the octets it keeps."""
    said = f"{received_at}|{verdict}|{smsc_id}|{state}|{error}|{message_id}|{seq}|{part}|"
    return crc32(raw, crc32(said.encode("utf-8", "surrogatepass")))

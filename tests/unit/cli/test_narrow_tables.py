"""Tables fit into a terminal of 80 columns: no number or instant is folded, and nothing is left out."""

import pytest

from esito.cli.callback_commands import _destinations, _troubles
from esito.cli.receipt_log_commands import _print_marks
from esito.cli.terminal import show
from esito.store.interface.frame_store import Mark

WIDTH = 80


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    found = capsys.readouterr().out.splitlines()
    assert max(map(len, found)) <= WIDTH
    return found


def cells(table: list[str], column: int) -> list[str]:
    """Return what stands in a column of a table, below its heading."""
    rows = [line.split("│")[1:-1] for line in table if line.startswith("│")]
    return [row[column].strip() for row in rows]


def place(origin: str, **more: object) -> dict[str, object]:
    return {
        "origin": origin, "state": "disabled", "reason": "five days without a success",
        "last_success_at": 1_800_000_000_000, "failing_since": 1_800_000_000_000, "disabled_at": None,
        "waiting": 1_234_567, "dead": 7_654_321, "gone_paths": [],
    } | more  # fmt: skip


def test_destinations(capsys: pytest.CaptureFixture[str]) -> None:
    host = "https://" + "a-long-name." * 8 + "example.org"
    show(_destinations([place(f"{host}:8443"), place("http://short.example:80", last_success_at=None)]))
    table = lines(capsys)
    assert "".join(cells(table, 0)) == f"{host}:8443http://short.example"
    assert [one for one in cells(table, 4) if one] == ["2027-01-15 08:00:00"]
    assert [one for one in cells(table, 2) if one] == ["1234567"] * 2


def test_what_is_wrong_with_destinations_is_said_below() -> None:
    at = 1_800_000_000_000
    found = [
        place("https://a.example:443", failing_since=None, gone_paths=["/x"]),
        place("https://b.example:443"),
        place("https://c.example:8443", disabled_at=at),
    ]
    assert list(_troubles(found)) == [
        "https://a.example/x: HTTP 410, called no more",
        "https://b.example: failing since 2027-01-15 08:00:00 UTC",
        "https://c.example:8443: disabled since 2027-01-15 08:00:00 UTC, five days without a success",
    ]


def test_frames_of_gateways(capsys: pytest.CaptureFixture[str]) -> None:
    gateway = "gateway-1.a-long-name.example.org:/var/lib/esito/installations/one/spool"
    series, confirmed = 1_795_474_212_345, 123_456_789
    _print_marks([Mark(gateway, series, confirmed, (confirmed + 13,))])
    *table, below = capsys.readouterr().out.splitlines()
    assert max(map(len, table)) <= WIDTH
    assert "".join(cells(table, 0)) == gateway
    assert [[one for one in cells(table, column) if one] for column in (1, 2, 3)] == [
        [str(series)], [str(confirmed)], ["12"],
    ]  # fmt: skip
    assert below == (
        f"Of series {series} of {gateway} these are missing: "
        + ", ".join(str(confirmed + 1 + one) for one in range(10))
        + " ..."
    )

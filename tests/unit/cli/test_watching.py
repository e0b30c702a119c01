"""What `status` draws: a table, a summary, and while it watches a bar that fits the screen."""

import io
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live
from rich.progress import MofNCompleteColumn, Progress

from esito.cli.message_commands import _draw, _summary, _table
from esito.cli.receipt_commands import line
from esito.client.models import RecipientStatus

AT = datetime(2027, 1, 15, 8, 0, 0, tzinfo=UTC)


def recipients(*words: str) -> list[RecipientStatus]:
    return [
        RecipientStatus(msisdn=f"+336123400{number:02}", status=word, stopped=word == "KO", changed_at=AT)
        for number, word in enumerate(words)
    ]


def drawn(words: list[str], *, height: int) -> list[str]:
    """Return the lines of the screen while these statuses are watched."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=height, color_system=None)
    shown = recipients(*words)
    progress = Progress(MofNCompleteColumn(), console=console)
    task = progress.add_task("final", total=len(shown))
    with console.capture() as capture, Live(console=console, auto_refresh=False) as live:
        _draw(live, progress, task, shown)
    return capture.get().splitlines()


def test_everything_is_drawn_when_there_is_room() -> None:
    lines = drawn(["Delivered", "Waiting"], height=24)
    assert [line for line in lines if "more" in line] == []
    assert any("+33612340001" in line for line in lines)
    assert any("1/2" in line for line in lines)


def test_a_long_list_is_cut_so_that_the_bar_stays_on_the_screen() -> None:
    lines = drawn(["Delivered"] * 60 + ["Waiting"] * 40, height=20)
    assert any("and 88 more" in line for line in lines)
    assert any("60 Delivered, 40 Waiting" in line for line in lines)
    assert any("60/100" in line for line in lines)


def test_a_status_has_its_colour_and_a_stop_its_mark() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard")
    with console.capture() as capture:
        console.print(_table(recipients("Delivered", "Not delivered", "Waiting", "KO")))
    shown = capture.get()
    for word, colour in {"Delivered": 32, "Not delivered": 31, "Waiting": 33, "KO": 35}.items():
        assert f"\x1b[{colour}m{word}" in shown
    assert "STOP" in shown.splitlines()[-2]


def test_the_summary_counts_the_most_frequent_first() -> None:
    assert _summary(recipients("Waiting", "Delivered", "Delivered")).plain == "2 Delivered, 1 Waiting"


def test_a_followed_receipt_is_told_with_the_status_of_its_recipient_now_and_calls_it_so() -> None:
    event = {
        "received_at": 1_800_000_000_000, "message_id": 13, "msisdn": "+33648130007",
        "stat": "UNDELIV", "verdict": "moved", "status": "Delivered",
    }  # fmt: skip
    assert line(event) == "2027-01-15 08:00:00 UTC  message 13 to +33648130007: “UNDELIV” moved; now Delivered"

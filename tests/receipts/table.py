"""Writes docs/explanation/receipts.md from the file of cases: `python -m tests.receipts.table`."""

from pathlib import Path

from tests.receipts import words
from tests.receipts.runner import CASES, load

SECTIONS = {
    "Words of a case": words.CASE,
    "Events": words.EVENTS,
    "Within `submit`": words.SUBMIT,
    "Within `late_answer`": words.LATE_ANSWER,
    "Within `receipt`": words.RECEIPT,
    "Within `query_sm`": words.QUERY,
    "Of a link (and every setting of `[[link]]`)": words.LINK,
    "What is filled in": words.TEMPLATES,
    "What is expected": words.EXPECT,
}

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "receipts.md"

HEAD = """# Receipts: what operators do, and what Esito makes of it

## An id is believed only of a number and a time that fit

An operator's ids come round, get lost with a response, and look like those of another base. So an id alone proves
nothing. A receipt is about a segment only if

1. **the number fits**: a receipt that names a subscriber's number, in either address and in any form (`+33`, `0033`,
   national, with or without what a country has put into its numbers or taken out), is never about another number. An
   address that is our own sender names nobody. One in second place, behind a number that did not send the message, is
   the recipient only where the id is its own and nothing that was sent to the first number has it, or may have it: then
   that one is the operator's. `receipt_addresses` is for operators that put numbers of their own there;
2. **the time fits**: a receipt that arrived before a submit_sm left is not about it;
3. **the id fits**: the very spelling always comes first, then the same id in other case, with other zeros, with `0x`
   or blanks, cut to 64 octets, or as a signed number.

What is left open is decided in this order:

- **Several messages under one id** (it came round): the operator's submit date decides (within two minutes of our own
  submit_sm), else the newest message without a last word is meant. The trail says `reused_id`. A receipt without a
  submit date is about the message that has its id, though the response of a newer one was lost.
- **Submit dates of another zone or of a wrong clock** decide wrongly. Where a receipt can be about one segment only its
  date is compared with ours, and once ten more were far than near `/v2/links` warns (`dates`): `receipt_timezone` is to
  be put right.
- **A response is still owed** to that number, of a submit_sm newer than the segment found, or of one that left at the
  date of the receipt where the segment's is far from it: the receipt is parked if the segment has its last word already
  or its date is not the one of the receipt, as the response may bring the same id.
- **No response came** (timeout, lost connection, `kill -9`, or a response without an id): the segment is uncertain and
  is found by its number. A readable submit date must be near ours; without one it must be the only uncertain message to
  that number within three days, and no newer submit_sm to it may be open. Several messages to one number whose
  responses were lost together are settled once as many ids with the same last word have come: which is whose changes
  nothing for anybody. The trail says `matched_by_address`.
- **Submitted again** (`resubmit_uncertain`): each try left at a time of its own, and any of them may have been taken.
  An id that a response brought is about the try that was answered; an id that nobody knows may be about any of them.
- **Another base** (hexadecimal in the response, decimal in the receipt, or the other way round) is a hypothesis about
  the operator. It is never tried while a response is owed that may bring the very id, nor where an uncertain segment
  fits. Receipts that only one form explains are counted for it and against the others; a form is known after three,
  when ten times as many speak for plain ids as against them, or twenty times as many for another base. From then on it
  decides; until then a receipt that names nobody and fits in two bases is refused, kept as an orphan (`ambiguous`), and
  settled once the form is known, or once one of the segments that it fits turns out to have been refused.
  `message_id_form` locks it.

An answer to query_sm (`query_after`) is asked for by the segment's own id, and counts for less than a receipt: one that
says the same later is still the receipt. An answer that was final before the submit_sm left, or whose id the operator
has given again since, is kept and moves nobody.

A parked receipt is looked at again when a response brings its id, when a segment to its number becomes uncertain, and
when no submit_sm is owed any more that left before it came: always in the transaction in which that happened. What is
kept is never altered; a receipt that finds nobody stays an orphan, counted and listed (`esito orphans`).

## The cases

Each row is a case of `tests/receipts/cases.json`. Every one is played by `make test`, end to end: a scripted
operator on a real socket, the running server, and the v1 API asked for the outcome. `make receipts CASES=FILE`
plays the cases of any file of this form against a fresh server, prints a line for each, and ends with exit
status 1 if one fails. This page is written by `python -m tests.receipts.table`.

How the runner reads a case, where its words leave room:

- Socket times (`response_delay`, `bind_delay`, `link_down`, `drip`, `for`, the link's timeouts) pass twenty times
  faster, and none lasts longer than ten seconds; times of messages (`advance`, and what is to be tried again) are
  pushed on the server's clock, which begins at 2026-11-23 05:00 UTC unless `local` says otherwise.
- With `repeat` the recipients have consecutive numbers, and `{n}` counts on from one to the next.
- Numbers may be written as numbers, as text, or as `0x58`; a command_status also by its name.
- Link `a2` belongs to a's operator, any other name to an operator of its own; `tx` and `rx` are two binds of one link.
- A file with a word that is known nowhere is not played at all. A word that is known, but means nothing where it
  stands, fails its case.

"""


def head() -> str:
    """Return everything before the table of cases: every word, and what it means."""
    parts = [HEAD]
    for title, table in SECTIONS.items():
        parts.append(f"## {title}\n\n| word | what it means |\n|---|---|\n")
        parts += [f"| `{word}` | {_cell(meaning)} |\n" for word, meaning in table.items()]
        parts.append("\n")
    parts.append("## Cases\n\n| case | what happens | must end as |\n|---|---|---|\n")
    return "".join(parts)


def page() -> str:
    """Return the page as it must be."""
    rows = []
    for case in load(CASES):
        expected = {name: wanted for name, wanted in case["expect"].items() if name != "note"}
        shown = ", ".join(f"{name} {_short(wanted)}" for name, wanted in expected.items())
        rows.append(f"| {case['id']} | {_cell(case['title'])} | {_cell(shown)} |\n")
    return head() + "".join(rows)


def _short(wanted: object) -> str:
    if isinstance(wanted, list):
        return " then ".join(str(one) for one in wanted) or "none"
    if isinstance(wanted, dict):
        return "; ".join(f"{name or 'empty'}: {value}" for name, value in wanted.items())
    return str(wanted)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""Writes docs/receipts.md from the file of cases: `python -m tests.receipts.table`."""

from pathlib import Path

from tests.receipts.runner import CASES, load

PAGE = Path(__file__).parents[2] / "docs" / "receipts.md"

HEAD = """# Receipts: what operators do, and what Esito makes of it

Each row is a case of `tests/receipts/cases.json`. Every one is played by `make test`, end to end: a scripted
operator on a real socket, the running server, and the v1 API asked for the outcome. `make receipts CASES=FILE`
plays the cases of any file of this form against a fresh server, prints a line for each, and ends with exit
status 1 if one fails. This page is written by `python -m tests.receipts.table`.

How the runner reads a case, where its words leave room:

- Socket times (`response_delay`, `bind_delay`, `link_down`, `drip`, the link's timeouts) pass twenty times faster;
  times of messages (`advance`) are pushed on the server's clock, which begins at 2026-11-23 05:00 UTC.
- With `repeat` the recipients have consecutive numbers, and `{n}` counts on from one to the next.
- A receipt without `source_addr` comes from the newest recipient whose id it names.
- Link `a2` belongs to a's operator, any other name to an operator of its own; `tx` and `rx` are two binds of one link.
- `partition` mutes the session for good: nothing is read, nothing is said, no reset comes.
- `kill9: before_resp` kills the server once the receipt is committed; to the operator it was never answered.
- `store_delay` holds the database's write lock.
- `callbacks` counts the rows written for the sender's `urlDlr`; `submitted_times` the submit_sm that were accepted.

| case | what happens | must end as |
|---|---|---|
"""


def page() -> str:
    """Return the page as it must be."""
    rows = []
    for case in load(CASES):
        expected = {name: wanted for name, wanted in case["expect"].items() if name != "note"}
        shown = ", ".join(f"{name} {_short(wanted)}" for name, wanted in expected.items())
        rows.append(f"| {case['id']} | {_cell(case['title'])} | {_cell(shown)} |\n")
    return HEAD + "".join(rows)


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

"""Where pages of the recipients with one tag end, so that the next is found without counting from the first."""

import time
from collections import OrderedDict

from esito.store.transactions.message_reading import TagPageEnd

REMEMBERED_S = 60.0
"""Seconds for which it is known where a page ended: whoever reads on asks for the next one sooner."""

MOST = 10_000
"""Ends that are remembered, of all accounts."""

BEGINNING = TagPageEnd(0, 0, -1)


class TagPages:
    """Remembers ends of pages; pages are counted from 1."""

    def __init__(self) -> None:
        self._ends: OrderedDict[tuple[int, str, int], tuple[float, TagPageEnd]] = OrderedDict()

    def before(self, account_id: int, tag: str, page: int) -> tuple[int, TagPageEnd]:
        """Return how many pages lie between the returned end and this page: none, or all before it."""
        found = self._ends.get((account_id, tag, page - 1))
        if found is None or found[0] < time.monotonic():
            return page - 1, BEGINNING
        return 0, found[1]

    def ended(self, account_id: int, tag: str, page: int, end: TagPageEnd) -> None:
        """Remember where a whole page ended."""
        self._ends[account_id, tag, page] = time.monotonic() + REMEMBERED_S, end
        self._ends.move_to_end((account_id, tag, page))
        if len(self._ends) > MOST:
            self._ends.popitem(last=False)

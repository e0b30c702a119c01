"""What receipts teach about an operator: in which form it writes its ids again, and what its submit dates are worth.

Any form but the plain one is a hypothesis about an operator. Only receipts that one form
explains and the others do not are counted, so each is evidence for one form and against
the rest. The plain form needs a clear majority; another base needs nearly all, because it
overrules ids that read as they were given. A form in the configuration is locked: no other
is tried.
"""

from dataclasses import dataclass
from enum import Enum

from esito.domain.message_ids import Spelling, canonical

ENOUGH = 3
"""Receipts, explained by one form only, after which it is known if hardly any contradict it."""

PLAIN_OUTWEIGHS = 10
"""How many times more receipts must support plain ids than another base."""

BASE_OUTWEIGHS = 20
"""How many times more receipts must support another base than contradict it."""

COUNT_TO = 1000
"""Evidence beyond this changes nothing and is not counted."""


class IdForm(Enum):
    """`message_id_form` of a link."""

    AUTO = "auto"
    """Not known yet, or the evidence disagrees."""
    AS_IS = "as-is"
    STRIP_ZEROS = "strip-zeros"
    HEX_TO_DEC = "hex-to-dec"
    DEC_TO_HEX = "dec-to-hex"

    __hash__ = object.__hash__  # by identity: faster, and hashed for every receipt


FORM_OF = {
    Spelling.SAME: IdForm.AS_IS,
    Spelling.CASE: IdForm.AS_IS,
    Spelling.PADDED: IdForm.STRIP_ZEROS,
    Spelling.HEX_TO_DEC: IdForm.HEX_TO_DEC,
    Spelling.DEC_TO_HEX: IdForm.DEC_TO_HEX,
}
"""The form that an agreement is evidence of."""

_ONE_BASE = frozenset(one for one in Spelling if not one.converted)

ALLOWED = {
    IdForm.AUTO: frozenset(Spelling),
    IdForm.AS_IS: _ONE_BASE,
    IdForm.STRIP_ZEROS: _ONE_BASE,
    IdForm.HEX_TO_DEC: frozenset({Spelling.HEX_TO_DEC}),
    IdForm.DEC_TO_HEX: frozenset({Spelling.DEC_TO_HEX}),
}
"""The agreements that mean the same segment, by the known form."""


def says_nothing(smsc_message_id: str) -> bool:
    """Tell whether an id reads the same in every form: a single decimal digit."""
    bare = canonical(smsc_message_id)
    return len(bare) == 1 and bare.isdecimal()


# -- submit dates -------------------------------------------------------------------------------

SURE = 20
"""The count stays within this, either way: a clock that was right for years may be wrong tomorrow."""

MISLEAD = 10
"""How many more dates must have been far from our own than near for them to be misleading."""


@dataclass(slots=True)
class SubmitDates:
    """Whether the submit dates in one operator's receipts are those of our submissions.

    They are written in a zone that somebody had to look up, by a clock that may be wrong, and they decide when an id
    does not. So a link whose dates are far from ours time after time is reported. Only receipts whose id and number
    leave one segment possible are counted.
    """

    count: int = 0
    """Receipts dated near our own submit_sm, less those that were not; between -SURE and SURE."""
    changed: bool = False
    """Whether there is anything new to store."""

    @property
    def mislead(self) -> bool:
        """Whether somebody should look at them."""
        return self.count <= -MISLEAD

    @property
    def is_sure(self) -> bool:
        """Whether one more near date would change nothing."""
        return self.count >= SURE

    def saw(self, net: int) -> None:
        """Count a batch of receipts: those near our own date less those far from it."""
        count = max(-SURE, min(self.count + net, SURE))
        self.changed = self.changed or count != self.count
        self.count = count


# -- what is known of an operator -----------------------------------------------------------------


class Learned:
    """What is known of one operator's form of ids, and of its submit dates."""

    __slots__ = (
        *("_allowed", "ambiguous", "changed", "counts_plain", "dates", "form", "known_before", "locked", "seen"),
        "takes_plain",
    )

    def __init__(
        self,
        locked: IdForm = IdForm.AUTO,
        seen: dict[IdForm, int] | None = None,
        ambiguous: int = 0,
        dates: int = 0,
    ) -> None:
        """`seen`, `ambiguous` and `dates` (`SubmitDates.count`): the stored counts of earlier receipts."""
        self.dates = SubmitDates(dates)
        self.locked = locked
        self.changed = False
        """Whether there is anything new to store."""
        self.seen = dict.fromkeys(FORM_OF.values(), 0) | (seen or {})
        self.counts_plain = self.learns(Spelling.SAME)
        """Whether another receipt with exactly the id would still be counted."""
        self.ambiguous = ambiguous
        """Receipts refused because their id could mean two segments."""
        self._know(self.locked if self.locked is not IdForm.AUTO else self._conclusion())
        self.known_before = self.form is not IdForm.AUTO
        """Whether the form was known when this was loaded."""

    def copy(self) -> "Learned":
        """Return another that knows the same and learns on its own, with nothing new to keep."""
        return Learned(self.locked, self.seen, self.ambiguous, self.dates.count)

    @property
    def has_news(self) -> bool:
        """Whether there is anything new to keep."""
        return self.changed or self.dates.changed

    @property
    def became_known(self) -> bool:
        """Whether the form has become known since this was loaded."""
        return not self.known_before and self.form is not IdForm.AUTO

    @property
    def is_another_base(self) -> bool:
        """Whether receipts are known to write ids in another base than responses."""
        return self.form in {IdForm.HEX_TO_DEC, IdForm.DEC_TO_HEX}

    def _know(self, form: IdForm) -> None:
        self.form = form
        self._allowed = ALLOWED[form]
        self.takes_plain = form is not IdForm.AUTO and Spelling.SAME in self._allowed
        """Whether ids are known to come as they were given, perhaps padded with zeros."""

    def learns(self, agreement: Spelling) -> bool:
        """Tell whether another match of this kind would still be counted."""
        return self.seen[FORM_OF[agreement]] < COUNT_TO

    def saw(self, agreement: Spelling) -> None:
        """Count a receipt that no other form explains."""
        form = FORM_OF[agreement]
        count = self.seen[form]
        if count >= COUNT_TO:
            return
        self.seen[form] = count + 1
        self.counts_plain = self.learns(Spelling.SAME)
        self.changed = True
        if self.locked is IdForm.AUTO:
            self._know(self._conclusion())

    def supports(self, agreement: Spelling) -> bool:
        """Tell whether any receipt supports the form of this agreement."""
        return self.seen[FORM_OF[agreement]] > 0

    def refused(self) -> None:
        """Count a receipt whose id could mean two segments."""
        self.ambiguous += 1
        self.changed = True

    def allows(self, agreement: Spelling) -> bool:
        """Tell whether ids that agree so mean the same segment, by what is known of the form."""
        return agreement in self._allowed

    def _conclusion(self) -> IdForm:
        """Return the form that the evidence supports; of plain and padded ids, padding if any were padded."""
        plain = self.seen[IdForm.AS_IS] + self.seen[IdForm.STRIP_ZEROS]
        hex_to_dec, dec_to_hex = self.seen[IdForm.HEX_TO_DEC], self.seen[IdForm.DEC_TO_HEX]
        if plain >= ENOUGH and plain >= (hex_to_dec + dec_to_hex) * PLAIN_OUTWEIGHS:
            return IdForm.STRIP_ZEROS if self.seen[IdForm.STRIP_ZEROS] else IdForm.AS_IS
        if hex_to_dec >= ENOUGH and hex_to_dec >= (plain + dec_to_hex) * BASE_OUTWEIGHS:
            return IdForm.HEX_TO_DEC
        if dec_to_hex >= ENOUGH and dec_to_hex >= (plain + hex_to_dec) * BASE_OUTWEIGHS:
            return IdForm.DEC_TO_HEX
        return IdForm.AUTO

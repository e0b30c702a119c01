"""How an operator spells in its receipts the ids it gave in its responses, learned from the first matches.

A few matches that could mean nothing else teach the form. From then on it decides
between segments that an id could mean in two ways, and an id in another form is
believed only when the recipient's address confirms it. A form that is written in
the configuration is locked: nothing else is tried.
"""

from enum import Enum

from esito.domain.message_ids import Spelling, canonical

ENOUGH = 3
"""Matches of one form, and none of another base, that make it known."""

COUNT_TO = 1000
"""Evidence beyond this changes nothing and is not counted."""


class IdForm(Enum):
    """`message_id_form` of a link (design 2)."""

    AUTO = "auto"
    """Not known yet, or the evidence disagrees."""
    AS_IS = "as-is"
    STRIP_ZEROS = "strip-zeros"
    HEX_TO_DEC = "hex-to-dec"
    DEC_TO_HEX = "dec-to-hex"


FORM_OF = {
    Spelling.SAME: IdForm.AS_IS,
    Spelling.CASE: IdForm.AS_IS,
    Spelling.PADDED: IdForm.STRIP_ZEROS,
    Spelling.HEX_TO_DEC: IdForm.HEX_TO_DEC,
    Spelling.DEC_TO_HEX: IdForm.DEC_TO_HEX,
}
"""What one agreement is evidence of."""

_ONE_BASE = frozenset(one for one in Spelling if not one.converted)

ALLOWED = {
    IdForm.AUTO: frozenset(Spelling),
    IdForm.AS_IS: _ONE_BASE,
    IdForm.STRIP_ZEROS: _ONE_BASE,
    IdForm.HEX_TO_DEC: frozenset({Spelling.HEX_TO_DEC}),
    IdForm.DEC_TO_HEX: frozenset({Spelling.DEC_TO_HEX}),
}
"""The agreements that mean the same segment, by what is known of the form."""


def says_nothing(smsc_message_id: str) -> bool:
    """Tell whether an id reads the same in every form: a single decimal digit."""
    bare = canonical(smsc_message_id)
    return len(bare) == 1 and bare.isdecimal()


class Learned:
    """What is known of one operator's form."""

    __slots__ = ("_allowed", "ambiguous", "changed", "form", "locked", "seen")

    def __init__(self, locked: IdForm = IdForm.AUTO, seen: dict[IdForm, int] | None = None, ambiguous: int = 0) -> None:
        self.locked = locked
        self.changed = False
        """Whether there is anything new to keep."""
        self.remember(seen or {}, ambiguous)

    def remember(self, seen: dict[IdForm, int], ambiguous: int) -> None:
        """Know what was kept, instead of what was known so far."""
        self.seen = dict.fromkeys(FORM_OF.values(), 0) | seen
        self.ambiguous = ambiguous
        """Receipts refused because their id could mean two segments."""
        self._know(self.locked if self.locked is not IdForm.AUTO else self._conclusion())

    def _know(self, form: IdForm) -> None:
        self.form = form
        self._allowed = ALLOWED[form]

    def learns(self, agreement: Spelling) -> bool:
        """Tell whether another match of this kind would still be counted."""
        return self.seen[FORM_OF[agreement]] < COUNT_TO

    def saw(self, agreement: Spelling) -> None:
        """Count a match that could mean nothing else."""
        form = FORM_OF[agreement]
        count = self.seen[form]
        if count >= COUNT_TO:
            return
        self.seen[form] = count + 1
        self.changed = True
        if self.locked is IdForm.AUTO:
            self._know(self._conclusion())

    def refused(self) -> None:
        """Count a receipt whose id could mean two segments."""
        self.ambiguous += 1
        self.changed = True

    def allows(self, agreement: Spelling) -> bool:
        """Tell whether ids that agree so mean the same segment, as far as the form is known."""
        return agreement in self._allowed

    def _conclusion(self) -> IdForm:
        """Return the form that all evidence speaks for; padding beside plain ids is the wider of the two."""
        plain = self.seen[IdForm.AS_IS] + self.seen[IdForm.STRIP_ZEROS]
        hex_to_dec, dec_to_hex = self.seen[IdForm.HEX_TO_DEC], self.seen[IdForm.DEC_TO_HEX]
        if plain >= ENOUGH and not hex_to_dec and not dec_to_hex:
            return IdForm.STRIP_ZEROS if self.seen[IdForm.STRIP_ZEROS] else IdForm.AS_IS
        if hex_to_dec >= ENOUGH and not plain and not dec_to_hex:
            return IdForm.HEX_TO_DEC
        if dec_to_hex >= ENOUGH and not plain and not hex_to_dec:
            return IdForm.DEC_TO_HEX
        return IdForm.AUTO

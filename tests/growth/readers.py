"""Every reader of what strangers write, with the most octets it is given and what they may write to make it work.

A reader of one text is given all of `SPITEFUL`, one of octets with a form its own. What a new module of `src/esito`
reads belongs here too: `test_no_reader_is_missing` looks for it.
"""

from tests.growth import customers, operators

READERS = {
    **{f"customer: {name}": reader for name, reader in (customers.TEXTS | customers.BODIES).items()},
    **{f"operator: {name}": reader for name, reader in (operators.TEXTS | operators.PDUS).items()},
}

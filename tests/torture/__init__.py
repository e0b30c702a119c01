"""Durability torture: whatever dies, fills up, fails or stalls, nothing that was answered is missing.

`make test` runs a few rounds of each; `make torture` (`ESITO_TORTURE=full`) runs all of them.
"""

import os

FULL = os.environ.get("ESITO_TORTURE") == "full"
"""Whether the long counts are wanted."""

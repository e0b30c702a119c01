"""What one connection learns of a server that hangs, for all others of the process.

A server that was stopped, and perhaps replaced, says nothing to anybody: every connection would wait in vain once,
one after the other, as what a send needs is asked on several.
"""

import math
import time


class StallDetection:
    """When a server was last given up because it did not answer."""

    def __init__(self) -> None:
        self._noticed = -math.inf

    def notice(self) -> None:
        """Say that an answer was waited for in vain."""
        self._noticed = time.monotonic()

    def since(self, heard: float) -> bool:
        """Tell whether a server that was last heard at this moment, of the monotonic clock, may be the one that hangs.

        Its connection is better made anew than asked.
        """
        return heard < self._noticed

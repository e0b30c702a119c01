"""How many may pass in a second."""


class Meter:
    """Lets through so many per second of real time, and as many at once after a quiet second."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._left = float(per_second)
        self._filled_at = 0.0

    def passes(self, now: float) -> bool:
        """Tell whether one more may pass; `now` is in seconds of a steady clock."""
        if not self._per_second:
            return True
        self._left = min(self._per_second, self._left + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

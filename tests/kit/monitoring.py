"""Asks a server in this process what it tells its monitors."""

from esito.app.wiring import key_secret
from esito.config import Settings
from esito.domain.credentials import monitor_pass
from esito.domain.timing import RealClock


def as_monitor(settings: Settings) -> dict[str, str]:
    """Return the headers of somebody who has the installation's secret."""
    return {"Authorization": f"Bearer {monitor_pass(key_secret(settings), RealClock().now())}"}

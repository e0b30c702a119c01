"""The areas of the API beyond statuses and sending; a new one is named here."""

from esito.api import sending_area
from esito.api.area import Area

AREAS: tuple[Area, ...] = (sending_area.AREA,)

"""The areas of the API beyond statuses and sending; a new one is named here."""

from esito.api import accounts_area, admin_area, sending_area, stops_pages, v2callbacks_pages, v2events, v2search_pages
from esito.api.area import Area

AREAS: tuple[Area, ...] = (
    sending_area.AREA,
    accounts_area.AREA,
    stops_pages.AREA,
    v2callbacks_pages.AREA,
    v2events.AREA,
    v2search_pages.AREA,
    admin_area.AREA,
)

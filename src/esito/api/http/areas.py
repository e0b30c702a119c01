"""The areas of the API beyond statuses and sending; a new one is named here."""

from esito.api.http.area import Area
from esito.api.v1 import accounts_area, sending_area, stops_pages
from esito.api.v2 import admin_area, callbacks_pages, events, search_pages

AREAS: tuple[Area, ...] = (
    sending_area.AREA,
    accounts_area.AREA,
    stops_pages.AREA,
    callbacks_pages.AREA,
    events.AREA,
    search_pages.AREA,
    admin_area.AREA,
)

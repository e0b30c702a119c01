"""The prices of the settings, and a line of the log that says which countries have one: no other is sent to."""

import structlog

from esito.config import PricingSettings
from esito.domain.pricing import PriceList

log = structlog.get_logger()


def price_list(pricing: PricingSettings) -> PriceList:
    """Return the prices."""
    return PriceList(
        home=pricing.home,
        default=pricing.default,
        low_cost=pricing.low_cost,
        countries=pricing.countries,
        prefixes=pricing.prefixes,
    )


def tell_prices(pricing: PricingSettings) -> None:
    """Log what has a price."""
    log.info("priced", home=pricing.home, countries=sorted(pricing.countries), prefixes=sorted(pricing.prefixes))

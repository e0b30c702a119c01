"""Moving everything that is kept from one SQLite file to a PostgreSQL database."""

from esito.store.moving.copying import Copied, copy
from esito.store.moving.refusal import CopyDiffers, CopyRefused
from esito.store.moving.tables import Extent

__all__ = ["Copied", "CopyDiffers", "CopyRefused", "Extent", "copy"]

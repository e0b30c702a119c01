"""Moving everything that is kept from one SQLite file to a PostgreSQL database."""

from esito.store.copy.copying import Copied, copy
from esito.store.copy.source import CopyDiffers, CopyRefused
from esito.store.copy.tables import TableChecksum

__all__ = ["Copied", "CopyDiffers", "CopyRefused", "TableChecksum", "copy"]

"""Why a copy is not made, or not believed."""

from esito.domain.errors import EsitoError


class CopyRefused(EsitoError):
    """The copy cannot be made, or not go on; whatever was copied before is still there."""


class CopyDiffers(CopyRefused):
    """The copy was made, and what is read back from it is not what the source holds."""

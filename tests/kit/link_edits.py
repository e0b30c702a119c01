"""Changes no link, and takes down what it is asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from esito.api.services import LinkEdited


class RecordedEdits:
    """Takes down what it is asked for."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.error = error

    async def add(self, name: str, settings: Mapping[str, Any], *, actor: str) -> LinkEdited:
        return self._did("add", name, dict(settings), actor)

    async def change(self, name: str, settings: Mapping[str, Any], unset: Sequence[str], *, actor: str) -> LinkEdited:
        return self._did("change", name, dict(settings), list(unset), actor)

    async def remove(self, name: str, *, forced: bool, actor: str) -> LinkEdited:
        return self._did("remove", name, forced, actor)

    def _did(self, *asked: object) -> LinkEdited:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        return LinkEdited(changed=True, rebinds=True, notes=("a note",))

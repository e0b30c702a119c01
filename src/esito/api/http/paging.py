"""The parameters of pages: `limit`, `cursor` and `status`. What cannot be read is refused (code 9)."""

import re
from collections.abc import Collection

from esito.api.http.request import LARGEST_ID, ApiRequest, as_message_id
from esito.domain.errors import FieldError, InvalidFields

LIMIT = 100
"""Items on a page, unless the caller says otherwise."""
MOST = 1000

LONGEST_DATE = 40
"""Characters of an ISO 8601 date; a longer text is not parsed."""

_NUMBER = re.compile(r"[0-9]{1,16}")


def unusable(name: str, message: str) -> InvalidFields:
    """Return the refusal of one parameter, as an invalid field."""
    return InvalidFields([FieldError(element=f"children[{name}].data", message=message)])


def page_limit(request: ApiRequest, most: int = MOST) -> int:
    """Return `limit`, at most `most`. Raises InvalidFields for what is no number from 1 on."""
    if not request.inputs.has("limit"):
        return min(LIMIT, most)
    asked = as_message_id(request.inputs.raw("limit"))
    if asked is None:
        raise unusable("limit", "La limite n'est pas valide")
    return min(asked, most)


def page_cursor(request: ApiRequest, *, first: int) -> int:
    """Return `cursor`, a number that an earlier answer gave; `first` without one. Raises InvalidFields."""
    found = cursor_like(request, _NUMBER)
    return first if found is None else min(int(found[0]), LARGEST_ID)


def cursor_like(request: ApiRequest, form: re.Pattern[str]) -> re.Match[str] | None:
    """Return `cursor` matched against its form; None without one. Raises InvalidFields when it does not match."""
    if not request.inputs.has("cursor"):
        return None
    found = form.fullmatch(request.inputs.text("cursor").strip())
    if found is None:
        raise unusable("cursor", "Le curseur n'est pas valide")
    return found


def status_among(request: ApiRequest, words: Collection[str]) -> str:
    """Return `status` in lower case with hyphens; empty without one. Raises InvalidFields for any other word."""
    if not request.inputs.has("status"):
        return ""
    asked = request.inputs.text("status").strip().lower().replace(" ", "-")
    if asked not in words:
        raise unusable("status", "Le statut n'est pas valide")
    return asked

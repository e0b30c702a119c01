"""The fields of a send, and the errors of those that cannot be used (contract 2.1, 2.6).

Errors are gathered in the order of the contract's table: text, numbers, sender, date, minute,
hour; then the fields for which it has no literal. Our own texts keep to its manner: French
without accents.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from esito.api.http.request import Inputs, as_text
from esito.api.v1.schedule import read_due
from esito.domain.account import Account
from esito.domain.errors import FieldError, InvalidFields, TooManyRecipients
from esito.domain.message import MAX_RECIPIENTS, MAX_TAG_LENGTH, Range
from esito.domain.msisdn import InvalidMsisdn, normalise_many, split_numbers
from esito.domain.text import LONGEST, has_too_many_marks
from esito.domain.turns import HIGHEST_PRIORITY, LOWEST_PRIORITY
from esito.lifecycle.accept import DraftOptions

MIN_SENDER, MAX_SENDER = 3, 11
MAX_REFERENCE = 64
MAX_URL = 2000

SENDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .-]*")
"""Characters that every operator shows as they were written."""

GAMMES = {"1": Range.PREMIUM, "2": Range.LOW_COST, "3": Range.PREMIUM}  # 3 is seen in one client

PRIORITIES = {str(one): one for one in range(LOWEST_PRIORITY, HIGHEST_PRIORITY + 1)}
"""A field of ours; the contract has none."""

MAX_SHOWN = 50
"""Characters of an invalid number that the error quotes."""

MAX_READ = 10 * MAX_RECIPIENTS
"""Numbers or items that are read at most, empty ones included; a longer list is refused unread."""

NO_TEXT = "Le message est requis"
NO_REAL_TEXT = "Le message n'est pas valide"


class FieldErrors:
    """The errors of the fields of one send."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def add(self, field: str, message: str) -> None:
        """Add one error; the first 500 are kept."""
        if len(self._errors) < MAX_RECIPIENTS:
            self._errors.append(FieldError(element=f"children[{field}].data", message=message))

    def add_numbers(self, field: str, raws: Sequence[str]) -> None:
        """Add an error for each text that is no phone number."""
        for raw in raws[:MAX_RECIPIENTS]:
            shown = raw if len(raw) <= MAX_SHOWN else raw[:MAX_SHOWN] + "..."
            self.add(field, f"Ce numero de telephone n'est pas valide ({shown})")

    def raise_any(self) -> None:
        """Raise InvalidFields if there is an error."""
        if self._errors:
            raise InvalidFields(self._errors)


def read_options(
    inputs: Inputs, errors: FieldErrors, *, account: Account, now: int, never_called: Callable[[str], str]
) -> DraftOptions:
    """Read the options; what cannot be used, or not by this account, goes to `errors`.

    `never_called` says why callbacks to a URL are refused, or nothing.
    """
    sender = _sender(inputs, errors)
    due_at = read_due(inputs, errors.add, now=now)
    gamme = _gamme(inputs, errors)
    return DraftOptions(
        sender=sender,
        gamme=gamme,
        priority=_priority(inputs, errors),
        tag=_tag(inputs, errors),
        reference=_reference(inputs, errors),
        due_at=due_at,
        # `webhookUrl` is an older name of `urlDlr`.
        url_dlr=_url(inputs, "urlDlr" if inputs.has("urlDlr") else "webhookUrl", errors, never_called),
        url_response=_url(inputs, "urlResponse", errors, never_called),
        unicode=_unicode(inputs, account, errors),
        stop_mention=inputs.flag("isStopSms") and gamme is Range.PREMIUM,
        sandbox=inputs.flag("sandbox"),
    )


def read_text(inputs: Inputs, errors: FieldErrors) -> str:
    """Read `message` as it is, blanks included."""
    text = inputs.text("message")
    if flaw := flaw_of(text):
        errors.add("message", flaw)
    return text


def flaw_of(text: str) -> str:
    """Return what is wrong with a text, or an empty string; its length has codes of its own (42, 52)."""
    text = text[:LONGEST]  # a longer one is refused whatever follows
    if not text.strip():
        return NO_TEXT
    return NO_REAL_TEXT if has_too_many_marks(text) else ""


def raw_numbers(value: Any) -> list[str]:
    """Return the numbers of `phoneNumbers`, a text with commas or an array, as they were written.

    Raises TooManyRecipients before a long list is taken apart.
    """
    if not isinstance(value, list):
        text = _shown(value)
        require_readable(text.count(",") + 1)
        return split_numbers(text)
    require_readable(len(value))
    if all(isinstance(item, str) and "," not in item for item in value):  # nearly always
        return [stripped for item in value if (stripped := item.strip())]
    items = [_shown(item) for item in value]
    require_readable(len(items) + sum(item.count(",") for item in items))
    return [number for item in items for number in split_numbers(item)]


def require_readable(count: int) -> None:
    """Refuse a list of too many before it is read. Raises TooManyRecipients."""
    if count > MAX_READ:
        raise TooManyRecipients


def read_numbers(raws: Sequence[str], field: str, errors: FieldErrors) -> list[str]:
    """Return the numbers in E.164, in the same order; an empty list when one of them is invalid."""
    try:
        return normalise_many(raws)
    except InvalidMsisdn as error:
        errors.add_numbers(field, error.raws)
        return []


def _shown(value: Any) -> str:
    """Return a scalar as text; a list or an object is no number, and is not quoted in errors."""
    if isinstance(value, list | dict):
        return "[...]" if isinstance(value, list) else "{...}"
    return as_text(value)


def _sender(inputs: Inputs, errors: FieldErrors) -> str:
    """Return the sender; empty: the operator's short code."""
    sender = inputs.optional("sender")
    if sender is None:
        return ""
    if len(sender) > MAX_SENDER:
        errors.add("sender", "L'emetteur ne peut pas etre plus long que 11 caracteres")
    elif len(sender) < MIN_SENDER:
        errors.add("sender", "L'emetteur ne peut pas etre plus court que 3 caracteres")
    elif not SENDER.fullmatch(sender):
        errors.add("sender", "L'emetteur ne peut pas contenir de caracteres speciaux")
    return sender


def _unicode(inputs: Inputs, account: Account, errors: FieldErrors) -> bool:
    wanted = inputs.flag("isUnicode")
    if wanted and not account.profile.unicode_allowed:
        errors.add("isUnicode", "L'unicode n'est pas active sur ce compte")
    return wanted


def _gamme(inputs: Inputs, errors: FieldErrors) -> Range:
    name = "gamme" if inputs.has("gamme") else "range"
    given = inputs.optional(name)
    if given is None:
        return Range.PREMIUM
    if given not in GAMMES:
        errors.add(name, "La gamme n'est pas valide")
    return GAMMES.get(given, Range.PREMIUM)


def _priority(inputs: Inputs, errors: FieldErrors) -> int:
    given = inputs.optional("priority")
    if given is None:
        return LOWEST_PRIORITY
    if given not in PRIORITIES:
        errors.add("priority", "La priorite n'est pas valide")
    return PRIORITIES.get(given, LOWEST_PRIORITY)


def _tag(inputs: Inputs, errors: FieldErrors) -> str | None:
    if not inputs.has("tag"):
        return None
    tag = inputs.text("tag")
    if not tag or " " in tag or not tag.isprintable():  # of all spaces only this one is printable
        errors.add("tag", "Le tag ne peut pas contenir d'espaces")
    elif len(tag) > MAX_TAG_LENGTH:
        errors.add("tag", "Le tag ne peut pas etre plus long que 20 caracteres")
    return tag


def _reference(inputs: Inputs, errors: FieldErrors) -> str | None:
    reference = inputs.optional("reference")
    if reference == "":
        errors.add("reference", "La reference n'est pas valide")
    elif reference is not None and len(reference) > MAX_REFERENCE:
        errors.add("reference", "La reference ne peut pas etre plus longue que 64 caracteres")
    return reference


def _url(inputs: Inputs, name: str, errors: FieldErrors, never_called: Callable[[str], str]) -> str | None:
    url = inputs.optional(name)
    if url is None:
        return None
    if not _callable(url):
        errors.add(name, "L'URL n'est pas valide")
    elif never_called(url):
        errors.add(name, "Cette URL ne peut pas etre appelee: adresse ou port refuse")
    return url


def _callable(url: str) -> bool:
    """Tell whether this is an absolute http or https URL without invisible characters."""
    if len(url) > MAX_URL or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not match
        return False

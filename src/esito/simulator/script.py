"""Reads a script file: an operator's behaviour in TOML or JSON (`docs/reference/simulator.md`)."""

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from esito.domain.errors import EsitoError
from esito.domain.states import STAT_WORDS
from esito.domain.timing import SECOND_MS
from esito.simulator.behaviour import Behaviour, Delay
from esito.simulator.fates import ENDINGS, FATES, SCRIPTED_DELAY_MS, SHARES, Fate, Word
from esito.simulator.ids import IdKind, IdNotation
from esito.simulator.trouble import Scheduled, Trouble, TroubleKind
from esito.smpp.pdu import Status


class InvalidScript(EsitoError):
    """The script file cannot be used."""


class _Word(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    state: str
    after: float | Literal["usual"] = SCRIPTED_DELAY_MS / SECOND_MS
    error: str = ""


class _Fate(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    words: list[_Word] = []
    refused: int = 0
    throttled: int = 0
    late: bool = False
    receipt_first: bool = False
    copies: int = 1
    other_session: bool = False
    broken_text: bool = False
    response_id: IdNotation | None = None
    receipt_id: IdNotation | None = None
    reply: str = ""


class _Delay(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    median: float = Delay().median_ms / SECOND_MS
    sigma: float = Delay().sigma
    longest: float = Delay().longest_ms / SECOND_MS


class _Trouble(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    kind: TroubleKind
    after: float = 0.0
    lasts: float = 0.0
    every: float = 0.0
    per_second: int = 0
    prefixes: list[str] = []
    status: int = Status.ESME_RINVPASWD


class _Script(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    standard_endings: bool = True
    endings: dict[str, str] = {}
    shares: dict[str, float] = {}
    fates: dict[str, _Fate] = {}
    delay: _Delay = msgspec.field(default_factory=_Delay)
    submit_per_second: int = 0
    zone: str = "UTC"
    ids: IdKind = IdKind.COUNTER
    ids_start: int | None = None
    ids_wrap: int = 0
    response_id: IdNotation | None = None
    receipt_id: IdNotation | None = None
    troubles: list[_Trouble] = []


def load_script(path: Path) -> Behaviour:
    """Return the behaviour a file describes. Raises InvalidScript; OSError when it cannot be read."""
    content = path.read_bytes()
    try:
        if path.suffix == ".json":
            script = msgspec.json.decode(content, type=_Script)
        else:
            script = msgspec.toml.decode(content, type=_Script)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidScript(f"{path}: {error}{_allowed(str(error))}") from error
    try:
        return _behaviour(script)
    except InvalidScript as error:
        raise InvalidScript(f"{path}: {error}") from error


CHOICES = {
    "ids": [kind.value for kind in IdKind],
    "response_id": [form.value for form in IdNotation],
    "receipt_id": [form.value for form in IdNotation],
    "kind": [kind.value for kind in TroubleKind],
    "after": ["usual", "a number of seconds"],
}
"""The words that are allowed in a field, by its name."""


def _allowed(refusal: str) -> str:
    """Return the words that are allowed instead of a refused one; empty if the error is another."""
    field = refusal.rpartition("`")[0].rpartition(".")[2]
    if not refusal.startswith("Invalid enum value") or field not in CHOICES:
        return ""
    return f"; there are {', '.join(CHOICES[field])}"


def _behaviour(script: _Script) -> Behaviour:
    fates = FATES | {name: _fate(name, fate) for name, fate in script.fates.items()}
    endings = (ENDINGS if script.standard_endings else {}) | script.endings
    shares = script.shares or SHARES
    _check_names(fates, endings, shares)
    _check_numbers(script, shares)
    try:
        ZoneInfo(script.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidScript(f"there is no zone {script.zone!r}") from None
    return Behaviour(
        fates=fates,
        endings=endings,
        shares=shares,
        delay=Delay(
            median_ms=int(script.delay.median * SECOND_MS),
            sigma=script.delay.sigma,
            longest_ms=int(script.delay.longest * SECOND_MS),
        ),
        submit_per_second=script.submit_per_second,
        zone=script.zone,
        ids=script.ids,
        ids_start=script.ids_start,
        ids_wrap=script.ids_wrap,
        response_id=script.response_id,
        receipt_id=script.receipt_id,
        troubles=tuple(_scheduled(trouble) for trouble in script.troubles),
    )


def _scheduled(said: _Trouble) -> Scheduled:
    if min(said.after, said.lasts, said.every, said.per_second) < 0:
        raise InvalidScript(f"trouble {said.kind.value!r}: no time or rate is negative")
    if said.every and said.every < said.lasts:
        raise InvalidScript(f"trouble {said.kind.value!r}: it cannot come again before it is over")
    if not all(prefix.isascii() and prefix.isdecimal() for prefix in said.prefixes):
        raise InvalidScript(f"trouble {said.kind.value!r}: prefixes are digits")
    if not 0 < said.status < 1 << 32:
        raise InvalidScript(f"trouble {said.kind.value!r}: status is a command_status that refuses")
    trouble = Trouble(kind=said.kind, per_second=said.per_second, prefixes=tuple(said.prefixes), status=said.status)
    return Scheduled(trouble=trouble, after=said.after, lasts=said.lasts, every=said.every)


def _check_names(fates: dict[str, Fate], endings: dict[str, str], shares: dict[str, float]) -> None:
    for ending in endings:
        if not (ending.isascii() and ending.isdecimal()):
            raise InvalidScript(f"an ending is digits, not {ending!r}")
    for name in [*endings.values(), *shares]:
        if name not in fates:
            raise InvalidScript(f"there is no fate {name!r}; there are {', '.join(fates)}")


def _check_numbers(script: _Script, shares: dict[str, float]) -> None:
    if min(shares.values()) < 0 or sum(shares.values()) <= 0:
        raise InvalidScript("shares are zero or more, and one of them is more")
    if script.delay.median < 1 / SECOND_MS or script.delay.sigma < 0 or script.delay.longest < 0:
        raise InvalidScript("a delay's median is a millisecond or more, its sigma and its longest are not negative")
    if script.ids_wrap < 0 or (script.ids_start is not None and script.ids_start < 0):
        raise InvalidScript("ids_start and ids_wrap are zero or more")
    if script.submit_per_second < 0:
        raise InvalidScript("submit_per_second is zero or more")


def _fate(name: str, fate: _Fate) -> Fate:
    if fate.copies < 1 or fate.throttled < 0 or fate.refused < 0:
        raise InvalidScript(f"fate {name!r}: copies is 1 or more, throttled and refused are 0 or more")
    if len(fate.reply) > 160:
        raise InvalidScript(f"fate {name!r}: a reply has at most 160 characters")
    return Fate(
        words=tuple(_word(name, word) for word in fate.words),
        refused=fate.refused,
        throttled=fate.throttled,
        late=fate.late,
        receipt_first=fate.receipt_first,
        copies=fate.copies,
        other_session=fate.other_session,
        broken_text=fate.broken_text,
        response_id=fate.response_id,
        receipt_id=fate.receipt_id,
        reply=fate.reply,
    )


def _word(name: str, word: _Word) -> Word:
    state = STAT_WORDS.get(word.state)
    if state is None:
        raise InvalidScript(f"fate {name!r}: {word.state!r} is not a state; there are {', '.join(STAT_WORDS)}")
    if word.after == "usual":
        return Word(state=state, after_ms=None, error=word.error)
    if word.after < 0 or len(word.error) > 20:
        raise InvalidScript(f"fate {name!r}: after is not negative, error has at most 20 characters")
    return Word(state=state, after_ms=int(word.after * SECOND_MS), error=word.error)

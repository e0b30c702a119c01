"""Reads a case: its variants, the links it needs, and the templates in its strings."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import permutations
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from esito.config import LinkSettings
from esito.smpp.pdu import Status
from tests.kit.patience import HANGS
from tests.receipts.words import TEMPLATE

Event = dict[str, Any]

TIME_SCALE = 20
"""Seconds of a case that concern sockets (timeouts, delays, a link that is down) pass this much faster.

The links of the server are configured with timeouts divided alike, so that what a case says
about their order stays true. Times of messages (`advance`) are pushed, not waited for."""

LONGEST = 10.0
"""Real seconds: longer no case waits at one place, whatever it says."""

RESPONSE_TIMEOUT, ENQUIRE_INTERVAL, REBIND_MAX = 60.0, 30.0, 60.0
"""Seconds, as the links of a case are set up in earnest."""

ABOUT_SILENCE = frozenset(
    {"bind_delay", "detected_within", "enquire_links_sent", "late_answer", "link_down", "lose_response", "partition",
     "raw", "raw_text", "response_delay", "response_hex", "response_timeout", "sequence", "sigstop", "silent"}
)  # fmt: skip
"""Words of cases in which somebody is to find out that the other says nothing. In all others an answer that a busy
machine holds up is no silence."""

MODIFIERS = frozenset(
    {"repeat", "window", "links", "bind_delay", "for_each", "permute", "response_delay", "link_timezone", "id_form",
     "link_setting"}
)  # fmt: skip
"""Events that say how the whole case is played; all others happen where they stand."""

SOCKET_TIMES = frozenset({"response_timeout", "enquire_interval", "rebind_max", "bind_timeout"})
"""Settings of a link that pass as much faster as its sockets do."""

BEGIN = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
"""When a case begins, by the server's clock, unless it says so itself: the dates in the receipts fit."""

USUAL_TEXT = "id:1001 sub:001 dlvrd:001 submit date:2611230500 done date:2611230501 stat:{each} err:000 text:ciao"

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}

_T = TypeVar("_T")


def seconds(written: str) -> float:
    """Return `47h59m`, `20s`, `1.5h`, `500ms` as seconds. Raises ValueError for what is no time."""
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|[smhd]))+", written):
        raise ValueError(f"{written!r} is no time, such as 47h59m or 500ms")
    pieces = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhd])", written)
    return float(sum(float(count) * _UNITS[unit] for count, unit in pieces))


def scaled(written: str | float) -> float:
    """Return how long a time of the sockets takes here; a number is seconds."""
    whole = seconds(written) if isinstance(written, str) else float(written)
    return min(whole / TIME_SCALE, LONGEST)


def integer(written: Any) -> int:
    """Return a number that may be written as a number, `88`, `0x58`, or the name of a command_status."""
    if not isinstance(written, str):
        return int(written)
    if written.startswith("ESME_"):
        return int(Status[written])
    return int(written, 16 if written.lower().startswith("0x") else 10)


def filled(template: Any, each: Any) -> Any:
    """Fill `{each}` wherever it stands; alone it is the value itself, a number or a text."""
    if isinstance(template, str):
        for mark, value in (_marks(each) if "{each" in template else {}).items():
            if template == mark:
                return value
            template = template.replace(mark, str(value))
        return template
    if isinstance(template, Mapping):
        return {filled(name, str(each)): filled(value, each) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, each) for value in template]
    return template


def _marks(each: Any) -> dict[str, Any]:
    """Return what stands for what: an object is spoken of by its names, `{each.name}`."""
    if isinstance(each, Mapping):
        return {f"{{each.{name}}}": value for name, value in each.items()}
    return {"{each}": each}


def local_time(written: Any, zone: tzinfo, now: datetime) -> datetime:
    """Return the moment at which a clock of the zone says so; a time alone: the next such moment."""
    text = str(written)
    if re.fullmatch(r"\d{10}", text):
        return datetime.strptime(text, "%y%m%d%H%M").replace(tzinfo=zone)
    if re.fullmatch(r"\d\d?:\d\d(:\d\d)?", text):
        there = now.astimezone(zone)
        hour, minute, *_ = (int(piece) for piece in text.split(":"))
        moment = there.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return moment if moment > there else moment + timedelta(days=1)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One play of a case."""

    case: Mapping[str, Any]
    each: Any = None
    """The value that stands for `{each}`."""
    rule: str = ""
    """The multipart rule to play it under, when the case compares several."""

    @property
    def name(self) -> str:
        extra = [str(one) for one in (self.each, self.rule) if one is not None and one != ""]
        return " ".join([self.case["id"], *extra])

    @property
    def events(self) -> list[Event]:
        """The events, with `{each}` filled in."""
        events: list[Event] = self.case["events"]
        if self.each is None:
            return events
        return [event if "for_each" in event else filled(event, self.each) for event in events]

    @property
    def expected(self) -> dict[str, Any]:
        """What must hold, with `{each}` filled in."""
        wanted: dict[str, Any] = self.case["expect"]
        return wanted if self.each is None else filled(wanted, self.each)

    @property
    def modifiers(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self.events:
            found |= {name: value for name, value in event.items() if name in MODIFIERS and not _is_bind_status(event)}
        return found

    @property
    def patient_s(self) -> float:
        """Real seconds that the links wait for an answer, at least: few where a case is about waiting in vain."""
        return 0.0 if ABOUT_SILENCE & set(_words([self.case["events"], self.case["expect"]])) else LONGEST

    @property
    def steps(self) -> list[Event]:
        return [event for event in self.events if _is_bind_status(event) or not MODIFIERS & set(event)]

    @property
    def begin(self) -> datetime:
        """When the case begins, by the server's clock."""
        for event in self.steps:
            if "local" in event:
                return local_time(event["local"], self.zone, BEGIN).astimezone(UTC)
            if "submit" in event or "receipt" in event:
                break
        return BEGIN

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the first link's operator writes dates."""
        return ZoneInfo(links_of(self)[0].settings.get("receipt_timezone", "UTC"))

    @property
    def orders(self) -> list[tuple[str, ...]]:
        """The orders of words to play one after the other; each word comes twice."""
        words = self.modifiers.get("permute")
        return [tuple(word for word in order for _ in range(2)) for order in permutations(words)] if words else []


def _words(said: Any) -> Iterator[str]:
    """Yield every word that stands in it, as a name or alone."""
    if isinstance(said, Mapping):
        yield from said
        said = list(said.values())
    if isinstance(said, list):
        for one in said:
            yield from _words(one)


def _is_bind_status(event: Event) -> bool:
    """Tell whether `repeat` in an event counts binds, and not recipients."""
    return "bind_status" in event


def variants(case: Mapping[str, Any]) -> Iterator[Variant]:
    """Yield every play that a case asks for."""
    values = next((event["for_each"] for event in case["events"] if "for_each" in event), [None])
    rules = list(case["expect"].get("by_rule", {})) or [""]
    for each in values:
        for rule in rules:
            yield Variant(case=case, each=each, rule=rule)


LINK_SETTINGS = frozenset(field.name for field in fields(LinkSettings)) - {"name", "operator"}


@dataclass(slots=True, kw_only=True)
class LinkPlan:
    """A link of the server, as a case needs it."""

    name: str
    operator: str
    settings: dict[str, Any] = field(default_factory=dict)


def _settings(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of `[[link]]` that a link of a case, or its events, speak of."""
    found = {name: value for name, value in said.items() if name in LINK_SETTINGS}
    if "link_timezone" in said:
        found["receipt_timezone"] = said["link_timezone"]
    if "id_form" in said:
        found["message_id_form"] = said["id_form"]
    for name, value in (said.get("link_setting") or {}).items():
        found[name] = scaled(value) if name in SOCKET_TIMES else value
    return found


def links_of(variant: Variant) -> list[LinkPlan]:
    """Return the links; where the case does not list them, the names it uses tell.

    `a2` is another link of a's operator, any other name an operator of its own; `tx` and `rx`
    are the two binds of link `a`.
    """
    case, modifiers = variant.case, variant.modifiers
    listed = case.get("links") or [{"name": name} for name in _names_used(variant)]
    if variant.each is not None:
        listed = filled(listed, variant.each)
    plans = []
    for one in listed:
        name = one["name"]
        operator = one.get("operator") or ("a" if re.fullmatch(r"a\d+", name) else name)
        settings = _patience(variant) | _settings(one) | _settings(modifiers)
        if variant.rule:
            settings["multipart_rule"] = variant.rule
        if modifiers.get("links") == "tx+rx":
            settings["bind"] = "transmitter + receiver"
        if any(_wants_sessions(event) for event in variant.events):
            settings["sessions"] = 2
        if any(event.get("receipt", {}).get("read_responses") is False for event in variant.events):
            settings["response_timeout"] = HANGS  # a peer that does not read answers no enquire_link either
        plans.append(LinkPlan(name=name, operator=operator, settings=settings))
    if "other_links" in case["expect"]:
        plans.append(LinkPlan(name="other", operator="other"))
    return plans


def _patience(variant: Variant) -> dict[str, Any]:
    """Return the settings of `[[link]]` that say how long an answer is waited for."""
    return {
        "response_timeout": max(RESPONSE_TIMEOUT / TIME_SCALE, variant.patient_s),
        "enquire_interval": max(ENQUIRE_INTERVAL / TIME_SCALE, variant.patient_s),
    }


def _names_used(variant: Variant) -> list[str]:
    names = ["a"]
    for event in variant.events:
        for part in ("submit", "receipt"):
            name = event.get(part, {}).get("link", "a") if isinstance(event.get(part), dict) else "a"
            if name not in names and name not in {"tx", "rx"} and "{" not in name:
                names.append(name)
    return names


def _wants_sessions(event: Event) -> bool:
    receipt = event.get("receipt", {})
    return "session" in receipt or "{" in str(receipt.get("link", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """Fills the templates of a case."""

    each: Any
    now: datetime
    zone: tzinfo = UTC
    """In which the operator writes dates."""
    submits: Sequence[datetime] = ()
    """When each message was submitted."""
    ids: Sequence[str] = ()
    """The id of each message, as its first response gave it."""

    def text(self, template: Any, number: int) -> Any:
        """Fill the templates of `words.TEMPLATES`; `number` is `{n}`. Raises ValueError for one that cannot be."""
        if not isinstance(template, str) or "{" not in template:
            return template
        return TEMPLATE.sub(lambda found: self._one(found[0], found[1], (found[2] or "").strip(), number), template)

    def _one(self, whole: str, name: str, rest: str, number: int) -> str:
        if name == "each" and not rest:
            return str(self.each)
        if name == "n":
            return self._number(whole, rest, number)
        if name in {"hex", "dec"} and rest.startswith(":n"):
            counted = int(self._number(whole, rest[2:], number))
            return f"{counted:x}" if name == "hex" else str(counted)
        if name == "id":
            return self._nth(whole, self.ids, rest)
        if name in {"now", "submit"}:
            return self._date(whole, name, rest)
        raise ValueError(f"the runner cannot fill {whole}")

    @staticmethod
    def _number(whole: str, rest: str, number: int) -> str:
        found = re.fullmatch(r"([%+-])(\d+)", rest)
        if rest and not found:
            raise ValueError(f"the runner cannot fill {whole}")
        if not found:
            return str(number)
        by = int(found[2])
        return str({"%": number % by if by else 0, "+": number + by, "-": number - by}[found[1]])

    @staticmethod
    def _nth(whole: str, values: Sequence[_T], rest: str) -> _T:
        found = re.fullmatch(r":(\d+)", rest) if rest else None
        place = int(found[1]) if found else len(values)
        if (rest and not found) or not 1 <= place <= len(values):
            raise ValueError(f"the runner cannot fill {whole}: {len(values)} messages were submitted")
        return values[place - 1]

    def _date(self, whole: str, name: str, rest: str) -> str:
        found = re.fullmatch(r"(:\d+)? ?(?:([+-])((?:\d+[dhms])+))? ?(?:in ([A-Za-z0-9_+/-]+)|(local))?", rest)
        if not found or (name == "now" and found[1]):
            raise ValueError(f"the runner cannot fill {whole}")
        moment = self.now if name == "now" else self._nth(whole, self.submits, found[1] or "")
        shift = timedelta(seconds=seconds(found[3] or "0s"))
        zone = ZoneInfo(found[4]) if found[4] else self.zone
        return f"{(moment - shift if found[2] == '-' else moment + shift).astimezone(zone):%y%m%d%H%M}"


def first_number(case: Mapping[str, Any]) -> int:
    """Return the first `{n}`: one with a letter when it is written in two bases, so that they differ."""
    return 0xA1F0 if "{hex:n}" in str(case["events"]) else 1

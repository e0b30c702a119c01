"""Reads a case: its variants, the links it needs, and the templates in its strings."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

Event = dict[str, Any]

TIME_SCALE = 20
"""Seconds of a case that concern sockets (timeouts, delays, a link that is down) pass this much faster.

The links of the server are configured with timeouts divided alike, so that what a case says
about their order stays true. Times of messages (`advance`) are pushed, not waited for."""

MODIFIERS = frozenset({"order", "repeat", "window", "links", "bind_delay", "for_each", "permute", "response_delay"})
"""Events that say how the whole case is played; all others happen where they stand."""

USUAL_TEXT = "id:1001 sub:001 dlvrd:001 submit date:2611230500 done date:2611230501 stat:{each} err:000 text:ciao"

_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(written: str) -> float:
    """Return `47h59m`, `20s` as seconds."""
    pieces = re.findall(r"(\d+)([smh])", written)
    return float(sum(int(count) * _UNITS[unit] for count, unit in pieces))


def scaled(written: str) -> float:
    """Return how long a time of the sockets takes here."""
    return seconds(written) / TIME_SCALE


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
        extra = [str(one) for one in (self.each, self.rule) if one not in {None, ""}]
        return " ".join([self.case["id"], *extra])

    @property
    def modifiers(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self.case["events"]:
            found |= {name: value for name, value in event.items() if name in MODIFIERS}
        return found

    @property
    def steps(self) -> list[Event]:
        return [event for event in self.case["events"] if not MODIFIERS & set(event)]

    @property
    def orders(self) -> list[tuple[str, ...]]:
        """The orders of words to play one after the other; each word comes twice."""
        words = self.modifiers.get("permute")
        return [tuple(word for word in order for _ in range(2)) for order in permutations(words)] if words else []


def variants(case: Mapping[str, Any]) -> Iterator[Variant]:
    """Yield every play that a case asks for."""
    values = next((event["for_each"] for event in case["events"] if "for_each" in event), [None])
    rules = list(case["expect"].get("by_rule", {})) or [""]
    for each in values:
        for rule in rules:
            yield Variant(case=case, each=each, rule=rule)


@dataclass(slots=True, kw_only=True)
class LinkPlan:
    """A link of the server, as a case needs it."""

    name: str
    operator: str
    settings: dict[str, Any] = field(default_factory=dict)


def links_of(variant: Variant) -> list[LinkPlan]:
    """Return the links; where the case does not list them, the names it uses tell.

    `a2` is another link of a's operator, any other name an operator of its own; `tx` and `rx`
    are the two binds of link `a`.
    """
    case, modifiers = variant.case, variant.modifiers
    listed = case.get("links") or [{"name": name} for name in _names_used(variant)]
    plans = []
    for one in listed:
        name = one["name"]
        operator = one.get("operator") or ("a" if re.fullmatch(r"a\d+", name) else name)
        settings = {key: one[key] for key in ("receipt_timezone", "multipart_rule", "message_id_form") if key in one}
        if variant.rule:
            settings["multipart_rule"] = variant.rule
        if modifiers.get("links") == "tx+rx":
            settings["bind"] = "transmitter + receiver"
        if any(_wants_sessions(event) for event in case["events"]):
            settings["sessions"] = 2
        if "window" in modifiers:
            settings["window"] = modifiers["window"]
        if any(event.get("receipt", {}).get("read_responses") is False for event in variant.case["events"]):
            settings["response_timeout"] = 30  # a peer that does not read answers no enquire_link either
        plans.append(LinkPlan(name=name, operator=operator, settings=settings))
    if "other_links" in case["expect"]:
        plans.append(LinkPlan(name="other", operator="other"))
    return plans


def _names_used(variant: Variant) -> list[str]:
    names = ["a"]
    for event in variant.case["events"]:
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

    def text(self, template: Any, number: int) -> Any:
        """Fill `{each}`, `{n}`, `{hex:n}`, `{dec:n}`, `{n%2}`, `{now+1h}`, `{now in ZONE}`."""
        if not isinstance(template, str) or "{" not in template:
            return template
        filled = template.replace("{each}", str(self.each)).replace("{n}", str(number))
        filled = filled.replace("{hex:n}", f"{number:x}").replace("{dec:n}", str(number))
        filled = re.sub(r"\{n%(\d+)\}", lambda found: str(number % int(found[1])), filled)
        filled = re.sub(
            r"\{now in ([^}]+)\}", lambda found: self._date(self.now.astimezone(ZoneInfo(found[1]))), filled
        )
        return re.sub(r"\{now(?:([+-])([^}]*))?\}", self._shifted, filled)

    def _shifted(self, found: re.Match[str]) -> str:
        shift = timedelta(seconds=seconds(found[2] or "")) if found[1] else timedelta()
        return self._date(self.now.astimezone(UTC) + (-shift if found[1] == "-" else shift))

    @staticmethod
    def _date(moment: datetime) -> str:
        return f"{moment:%y%m%d%H%M}"


def first_number(case: Mapping[str, Any]) -> int:
    """Return the first `{n}`: one with a letter when it is written in two bases, so that they differ."""
    return 0xA1F0 if "{hex:n}" in str(case["events"]) else 1

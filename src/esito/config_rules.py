"""The rules for values of settings, and how a value is read from file or environment.

The text of a rule ends the sentence "... must be"; for a bad value its check returns
something false or raises ValueError.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, tzinfo
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NamedTuple, get_args, get_origin
from zoneinfo import ZoneInfo

import msgspec

from esito.domain.account import ISO_COUNTRIES
from esito.domain.address import AddressKind
from esito.domain.national_numbers import code_of_country
from esito.domain.retrying import read_rules

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")

_TYPE_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", Decimal: "a price"}
_TYPE_NAMES = {str: "text", int: "integer", float: "number", bool: "boolean", Decimal: "decimal"}


class Rule(NamedTuple):
    """A restriction beyond the type."""

    allowed: str
    """Ends the sentence "... must be"; empty: the type is enough."""
    check: Callable[[Any], object]


# -- values ------------------------------------------------------------------------------------


def host_and_port(value: str) -> tuple[str, int]:
    """Split `host:port`; an IPv6 host is in brackets. Raises ValueError."""
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError(value)
    if ":" in host:
        ipaddress.IPv6Address(host)
    return host, int(port)


def _host_alone(value: str) -> bool:
    return "[" not in value and host_and_maybe_port(value, 0) == (value, 0)


def host_and_maybe_port(value: str, port: int) -> tuple[str, int]:
    """Split `host` or `host:port`; an IPv6 host with a port is in brackets. Raises ValueError."""
    if value.count(":") == 1 or "]:" in value:
        host, port = host_and_port(value)
        if not port:
            raise ValueError(value)
        return host, port
    host = value.removeprefix("[").removesuffix("]")
    if ":" in host:
        ipaddress.IPv6Address(host)
    elif not re.fullmatch(r"[A-Za-z0-9._-]+", host):
        raise ValueError(value)
    return host, port


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name. Raises ValueError or OSError (ZoneInfoNotFoundError is a KeyError)."""
    # UTC must work on a machine without a zone database.
    return UTC if name == "UTC" else ZoneInfo(name)


def _zone(value: str) -> bool:
    try:
        zone_of(value)
    except (KeyError, OSError):  # unknown, or the name of a directory of the database
        return False
    return True


def _store_url(value: str) -> bool:
    if value.startswith(POSTGRES):
        return re.fullmatch(r"[^/\s]*/[^/?\s]+(\?\S*)?", value.partition("://")[2]) is not None
    return value.startswith(SQLITE) and value not in {SQLITE, SQLITE + ":memory:"}


def _bus_url(value: str) -> bool:
    return value == "" or all(re.fullmatch(r"(nats|tls)://[^\s,/]+", one) for one in value.split(","))


def _is_price(value: Decimal) -> bool:
    return value.is_finite() and 0 <= value < 1000 and value == round(value, 3)


def _countries(value: dict[str, Decimal]) -> bool:
    return all(country in ISO_COUNTRIES and _is_price(price) for country, price in value.items())


def _priced_prefixes(value: dict[str, Decimal]) -> bool:
    return all(re.fullmatch(r"\+[1-9]\d{0,7}", prefix) and _is_price(price) for prefix, price in value.items())


def _host(value: str) -> object:
    return host_and_maybe_port(value, 0)


NUMBERED = ("all", *(kind.value for kind in AddressKind))
"""Addresses with a TON and NPI of their own: all, or those of one kind."""


def _numbering(value: dict[str, tuple[int, int]]) -> bool:
    return all(kind in NUMBERED and 0 <= ton <= 255 and 0 <= npi <= 255 for kind, (ton, npi) in value.items())


APPENDIX_B = ("ENROUTE", "ACCEPTD", "UNKNOWN", "EXPIRED", "DELETED", "REJECTD", "UNDELIV", "DELIVRD")
"""The `stat:` words (SMPP 3.4, appendix B)."""


def _words(value: dict[str, str]) -> bool:
    once = len({word.upper() for word in value}) == len(value)
    return once and all(re.fullmatch(r"[^\s:]{1,64}", word) and state in APPENDIX_B for word, state in value.items())


WORD = Rule("letters, digits, - and _", lambda value: re.fullmatch("[A-Za-z0-9_-]{1,64}", value) is not None)
ANY = Rule("", lambda _value: True)
NOT_EMPTY = Rule("a text that is not empty", bool)
POSITIVE = Rule("a number above 0", lambda value: 0 < value < 1e9)
HOST = Rule("a host name or an IP address, without a port", _host_alone)
PORT = Rule("a port, 1 to 65535", lambda value: 1 <= value <= 65535)
NO_ADDRESS = Rule("host:port, or empty", lambda value: not value or host_and_port(value))
ADDRESS = Rule("host:port, such as 127.0.0.1:8000 or [::1]:8000", host_and_port)


def port_range(written: str) -> range:
    """Return the ports of `443` or `1024-65535`; an empty range if reversed."""
    first, _, last = written.partition("-")
    return range(int(first), min(int(last or first), 65535) + 1)


NETWORKS = Rule(
    "a list of IP addresses or networks, such as 10.0.0.0/8",
    lambda value: all(ipaddress.ip_network(network) for network in value),
)
PORTS = Rule(
    "a list of ports and ranges of ports, such as 443 and 1024-65535",
    lambda value: all(re.fullmatch(r"[1-9]\d{0,4}(-[1-9]\d{0,4})?", one) and port_range(one) for one in value),
)
STORE_URL = Rule("sqlite:///relative/path.db, sqlite:////absolute/path.db or postgresql://user@host/db", _store_url)
BUS_URL = Rule("empty, or nats://host:port, several with commas", _bus_url)
HTTP_URLS = Rule(
    "a list of addresses such as http://10.0.0.1:8222",
    lambda value: all(re.fullmatch(r"https?://[^\s/]+/?", one) for one in value),
)
PRICE = Rule("a price of 0 or more with at most 3 decimals", _is_price)
CURRENCY = Rule("three capital letters, such as EUR", lambda value: re.fullmatch("[A-Z]{3}", value))
HOME = Rule("a country by its code of ISO 3166, such as FR", ISO_COUNTRIES.__contains__)
COUNTRIES = Rule('a table of countries and prices, such as {FR = "0.045"}', _countries)
PRICED_PREFIXES = Rule(
    'a table of prefixes with +, up to 8 digits, and prices, such as {"+3246" = "0.07"}', _priced_prefixes
)
OPERATOR = Rule("at most 64 characters that can be seen", lambda value: len(value) <= 64 and value.isprintable())
LINK_NAME = Rule(
    "1 to 32 letters, digits, - or _, with a letter or digit first",
    lambda value: re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", value),
)
COUNTRY = Rule(
    "empty, or the two letters of a country (ISO 3166), such as FR",
    lambda value: value == "" or code_of_country(value) is not None,
)
ZONE = Rule("a time zone, such as UTC or Europe/Paris", _zone)
PREFIXES = Rule(
    "a list of prefixes with +, such as +33", lambda value: all(re.fullmatch(r"\+[1-9]\d{0,14}", p) for p in value)
)
RETRY = Rule(
    "a table of statuses and what to do, such as {0x08 = {times = 5, after = 2, longest = 60}}; there are times (whole"
    " number), after and longest (seconds, up to a day), rebind (true or false) and slows (nothing, destination, link)",
    lambda value: read_rules(value) is not None,
)
OCTET = Rule("a whole number, 0 to 255", lambda value: 0 <= value <= 255)
HOST_NAME = Rule("empty, or the name of a host", re.compile(r"[A-Za-z0-9._-]*").fullmatch)
HOSTS = Rule("a list of hosts, such as smsc2.example or 192.0.2.7:2776", lambda value: all(map(_host, value)))
NUMBERING = Rule(
    "a table of kinds and pairs, such as {alphanumeric = [5, 0]}; kinds are " + ", ".join(NUMBERED), _numbering
)
WORDS = Rule('a table of words and states, such as {FAILED = "UNDELIV"}; states are ' + ", ".join(APPENDIX_B), _words)
SENDER = Rule(
    "at most 11 ASCII letters, digits and blanks, or a number", re.compile(r"[A-Za-z0-9 ]{0,11}|\+?\d{1,15}").fullmatch
)
STOP_NUMBER = Rule("a number of 3 to 15 digits", re.compile(r"(\+?[0-9]{3,15})?").fullmatch)


SPANS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds of a minute, an hour and a day, by their letter."""


def span_ms(value: str) -> int:
    """Return a span such as 90m, 1h or 2d in milliseconds; 0 for an empty text. Raises ValueError."""
    if not value:
        return 0
    if (found := re.fullmatch(r"([1-9]\d{0,5})([mhd])", value)) is None:
        raise ValueError(value)
    return int(found[1]) * SPANS[found[2]]


SPAN = Rule(
    "empty, or minutes, hours or days such as 30m, 1h or 1d, less than validity_hours or 48 h",
    lambda value: value == "" or span_ms(value) <= 7 * SPANS["d"],
)


def octets(most: int) -> Rule:
    """Allow what fits an SMPP field of `most` octets, its final NUL not counted."""
    return Rule(f"at most {most} ASCII characters", lambda value: value.isascii() and len(value) <= most)


def between(least: int, most: int) -> Rule:
    """Allow whole numbers of a range."""
    return Rule(f"a whole number, {least} to {most}", lambda value: least <= value <= most)


def at_least(least: int) -> Rule:
    """Allow whole numbers from `least`."""
    return Rule(f"a whole number, {least} or more", lambda value: least <= value < 2**31)


# -- reading -----------------------------------------------------------------------------------


def type_name(kind: Any) -> str:
    """Return the name of a type in the documentation."""
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{choice.value}`" for choice in kind)
    if get_origin(kind) is tuple:
        return "list of text"
    return _TYPE_NAMES.get(kind, "table")


def allowed(kind: Any, rule: Rule) -> str:
    """Return what a setting must be."""
    if rule.allowed:
        return rule.allowed
    if get_origin(kind) is tuple:
        return "a list of texts"
    return _TYPE_WORDS.get(kind) or "one of " + type_name(kind).replace("`", "")


def read(value: Any, kind: Any, rule: Rule, *, from_text: bool) -> Any:
    """Return a setting, converted to its type; `from_text`: the value is text, as in the environment.

    Raises ValueError.
    """
    if from_text and get_origin(kind) is tuple:
        value = [item.strip() for item in value.split(",") if item.strip()]
    elif from_text and get_origin(kind) is Literal:
        value = next((choice for choice in get_args(kind) if str(choice) == value), value)
    elif kind is Decimal and isinstance(value, bool):
        raise ValueError
    try:
        converted = msgspec.convert(value, kind, strict=not from_text)
    except msgspec.ValidationError:
        raise ValueError from None
    if not rule.check(converted):
        raise ValueError
    return converted

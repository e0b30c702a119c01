"""Names that a case takes from elsewhere: settings of a link, codecs, optional parameters."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from tests.receipts.case import variants
from tests.receipts.deliveries import ENCODINGS, TAGS


def strange_names(case: Mapping[str, Any], settings: Collection[str]) -> list[str]:
    """Return a sentence for every name in a case that nobody knows, and for a message to nobody.

    `settings`: the names of `[[link]]`.
    """
    found = [
        f"case {case.get('id', '?')}: {said}"
        for variant in variants(case)
        for said in _strange([*variant.events, *case.get("links", [])], settings)
    ]
    return list(dict.fromkeys(found))


def _strange(places: Iterable[Mapping[str, Any]], settings: Collection[str]) -> Iterator[str]:
    for place in places:
        for name in place.get("link_setting") or {}:
            if name not in settings:
                yield f"[[link]] has no setting {name!r}; it has {', '.join(sorted(settings))}"
        sent, receipt = place.get("submit"), place.get("receipt")
        if isinstance(sent, Mapping) and "to" not in sent:
            yield "a message is submitted to nobody: 'to' is missing"
        if isinstance(receipt, Mapping):
            name = str(receipt.get("encoding", ""))
            if "{" not in name and not _is_codec(name):
                yield f"there is no encoding {name!r}; there are {', '.join(ENCODINGS)} and the codecs of Python"
            for tag in _tags(receipt):
                if not _is_tag(tag):
                    yield f"{tag!r} is no optional parameter; it may be {', '.join(TAGS)}, or a tag in hexadecimal"


def _tags(receipt: Mapping[str, Any]) -> Iterator[str]:
    for word in ("tlvs", "tlv_hex"):
        yield from (tag for tag in receipt.get(word, {}) if "{" not in tag)
    for one in receipt.get("tlv_list", []):
        written = one[:1] if isinstance(one, list) else [one[name] for name in ("tag", "name") if name in one] or [*one]
        tag = str(written[0]) if written else ""
        if "{" not in tag:
            yield tag


def _is_codec(name: str) -> bool:
    if not name or name in ENCODINGS:
        return True
    try:
        "".encode(name)  # codecs that make no octets of a text are refused too
    except LookupError:
        return False
    return True


def _is_tag(name: str) -> bool:
    try:
        return name in TAGS or 0 <= int(name, 16) <= 0xFFFF
    except ValueError:
        return False

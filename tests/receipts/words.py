"""Every word a case file may use and what it means: what the runner refuses and docs/explanation/receipts.md shows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Words = Mapping[str, str]

CASE: Words = {
    "id": "name of the case",
    "title": "what it means",
    "source": "where it comes from",
    "links": "the links of the server, where they need settings; else the names that events use tell",
    "events": "what happens, in order",
    "expect": "what must hold in the end",
}

EVENTS: Words = {
    "submit": "one message is sent through the API, or `repeat` of them; the operator answers as the words below say",
    "receipt": "the operator delivers a receipt",
    "advance": "the clock of the server is pushed: `48h1m`",
    "kill9": "the server is killed and started again. `true`: now. `before_response`: the responses held back are lost."
    " `before_resp`: the next receipt, or the last one, is committed and never answered",
    "restart": "the server is stopped by SIGTERM and started again",
    "link_down": "the operator's host is unreachable for that long; `rx`: the receiver bind is lost and refused",
    "partition": "the sessions there are fall silent for good: nothing is read or said, no reset comes",
    "sigstop": "a process is stopped and goes on after `for`: `operator` (its sockets stay open, nothing is read or"
    " said), or `server`: ours, by SIGSTOP and SIGCONT. A time or `true` alone: the operator",
    "bind_status": "the operator hangs up and refuses binds with this command_status (a number, or a list: one for each"
    " bind) for the time of `for`, or for as many binds as `repeat` says",
    "for": "how long `partition`, `sigstop`, `store` or `bind_status` lasts, as a socket time; without it `partition`"
    " is for good, `store` until another word, the others for one response timeout",
    "store": "`full`: every write of the store fails as on a full disk. `read-only`: as on one mounted read-only"
    " (PostgreSQL: on a standby). `ok`: it works again, and a server that has stopped over it is started again",
    "store_delay": "somebody else holds the store's write lock for that long",
    "raw": "octets, in hexadecimal, that the operator writes",
    "raw_text": "text that the operator writes",
    "drip": "the header of a PDU comes octet by octet, with this pause between two",
    "fuzz": "`pdu`: random bodies behind whole headers are decoded",
    "n": "how many octets `fuzz` makes",
    "query_sm": "what the operator answers to query_sm from now on; words below. It answers ENROUTE for ids that it"
    " gave where nothing else is said, and ESME_RQUERYFAIL for all others",
    "local": "the operator's clock, in the zone of its link, says this when the case begins; later in a case: the clock"
    " is pushed until it does. `2026-10-25T02:30` or `2610250230`; a time alone means the next time it is so late",
    "order": "from here on: `receipt_first`: the operator keeps its submit_sm_resp back until the receipts that follow"
    " are acknowledged; `response_first`: it does not; `reversed`, `shuffled` or a list such as `[2, 1]`: receipts that"
    " are repeated leave in this order",
    "repeat": "the whole case: so many recipients, with consecutive numbers; `{n}` counts on",
    "for_each": "the whole case is played once for each of these numbers and texts, which stand for `{each}`",
    "permute": "the receipt comes with these words in every order, each twice",
    "window": "the window of the link",
    "links": "`tx+rx`: link `a` is bound as transmitter and receiver",
    "bind_delay": "the operator answers every bind this late",
    "response_delay": "responses that were held back follow the receipt this late",
    "link_timezone": "the zone in which the operator writes dates, and the link's `receipt_timezone`",
    "id_form": "the link's `message_id_form`",
    "link_setting": "settings of `[[link]]` for this case; socket times are written as they would be in earnest",
}  # fmt: skip

SUBMIT: Words = {
    "to": "number of the first recipient",
    "segments": "how many segments the text needs; 1 where nothing is said",
    "link": "the link that serves the number",
    "response_ids": "message_id in the submit_sm_resp of each segment; null or empty: none",
    "response_hex": "the submit_sm_resp in hexadecimal: a whole PDU, whose sequence_number is put right, or what"
    " follows the header; a list: one for each segment",
    "response_order": "the parts in the order in which they are answered",
    "response_delay": "the response comes this late",
    "response_timeout": "how long the server waits for it (its setting in every case)",
    "sequence": "sequence_number of the submit_sm_resp, in place of the one that is right",
    "submit_status": "command_status of the response",
    "submit_status_once": "command_status of the first try of each segment, or a list: of the first tries; the next one"
    " is answered as usual",
    "submit_status_of": "command_status by part",
    "throttle": "so many tries are answered ESME_RTHROTTLED first",
    "throttle_every": "every so many submit_sm of the operator is answered ESME_RTHROTTLED",
    "queue_full": "so many tries are answered ESME_RMSGQFUL first",
    "resp_body": "`with_body`: a refusal carries a message_id; `bare`: it ends with the header",
    "then": "`unbind`: the operator takes leave in the middle of the window, and answers then",
    "repeat": "as the event: so many recipients, for this message",
    "lose_response": "the submit_sm_resp of the first try never arrives: `timeout`, `disconnect`, or `kill9` of our"
    " server. After `order: receipt_first` it is lost once the receipts that follow are acknowledged, else at once",
    "late_answer": "the answer to one try comes late; words below",
}  # fmt: skip

LATE_ANSWER: Words = {
    "try": "which try, from 1",
    "status": "command_status of the late answer",
    "id": "its message_id, where it is no refusal; else the usual one",
    "after": "when it comes: `tryN_accepted`, `tryN_submitted`, `timeout` (the segment is uncertain or was handed out"
    " again), or a socket time such as `70s`",
}

RECEIPT: Words = {
    "text": "short_message",
    "encoding": "how the text becomes octets: any codec of Python, or `gsm`, `gsm-packed`, `ucs2`, `hex`",
    "payload": "`ascii`: the octets stay ASCII whatever data_coding says",
    "prefix_hex": "octets before the text",
    "data_coding": "data_coding; 8 alone makes the text UTF-16",
    "esm_class": "esm_class; 4 where nothing is said",
    "pdu": "`data_sm` instead of deliver_sm",
    "source_addr": "source_addr; where nothing is said: the newest recipient whose id the receipt names",
    "destination_addr": "destination_addr",
    "tlvs": "optional parameters by name or tag in hexadecimal, with their values",
    "tlv_list": "optional parameters in this order, repeated if need be: `[[name or tag, value], ...]`, or objects of"
    " `tag` and `value` or `hex`",
    "tlv_hex": "optional parameters by tag, in hexadecimal, with their raw octets",
    "raw_tail": "octets after the PDU, counted in command_length",
    "sm_length_delta": "sm_length is wrong by this much",
    "sequence": "sequence_number; further receipts of the same word count on",
    "link": "the link it comes by; `{n%2}`: the sessions take turns",
    "session": "the session it comes by, from 1",
    "repeat": "so many times. `true`: the operator sends an unacknowledged receipt again, on the next session; it does"
    " so in any case when the store works again, unless this is `false`",
    "order": "of those that are repeated: `reversed`, `shuffled`, or a list",
    "coalesce": "all octets are handed to the socket in one write, as they always are",
    "chunk": "so many octets in each write",
    "cut_at": "the PDU comes in two writes, cut after so many octets (negative: before the last ones); a list: cut at"
    " each; `every`: after every octet",
    "local": "dates that are filled in are written in the zone of the link (`true`, as always), in UTC (`false`), or in"
    " this zone",
    "read_responses": "`false`: the operator does not read our responses for a while",
}  # fmt: skip

QUERY: Words = {
    "id": "the message_id asked for; without it: every id",
    "state": "message_state, as a number or a name",
    "final_date": "final_date: an absolute time of SMPP, or one as in a receipt, in the zone of the link",
    "error": "error_code",
    "status": "command_status of the query_sm_resp",
    "silent": "`true`: no answer at all",
}

LINK: Words = {
    "name": "its name; `a2` belongs to a's operator, `tx` and `rx` are the binds of link `a`",
    "operator": "its operator",
    "link_timezone": "as the event",
    "id_form": "as the event",
    "link_setting": "as the event",
}

EXPECT: Words = {
    "note": "is for the reader",
    "status": "the v1 word for the first message, or for all of a repeated case",
    "state": "the state on the ladder",
    "by_word": "`status` by the value of `{each}`",
    "by_rule": "`status` by multipart rule; the case is played under each",
    "after_48h": "by rule, what holds once 48 hours have passed: status, `inferred`, segments delivered",
    "inferred": "whether a conclusion of our own is in the trail",
    "delivered": "numbers that are `Delivered`; NUMBER#2 is the second message to a number; an empty list: none is",
    "not_delivered": "numbers that are `Not delivered`",
    "waiting": "numbers that are `Waiting`",
    "delivered_all": "every recipient of every message is `Delivered`",
    "trail": "the verdict of each receipt about the first recipient, in order",
    "trail_flags": "flags that are in the trail, among others",
    "trail_rows_max": "most rows of the trail",
    "error_raw": "the error of the last receipt, as it was written",
    "raw_bytes_kept": "every receipt is kept, octet for octet",
    "done_at": "when the first segment is settled, as the operator says; `{now}`: about now",
    "callbacks": "rows written for the sender's `urlDlr`",
    "orphans": "receipts that have no segment",
    "orphan_reason": "a flag of one of them",
    "replies": "messages of subscribers that were kept",
    "error_category": "category of the error, as `explain` says",
    "permanent": "whether trying again helps, as `explain` says",
    "deliver_sm_resp": "command_status of the response to every receipt, or to each in order",
    "answered_with": "the kind of response",
    "acked": "how many receipts were acknowledged",
    "acked_equals_committed": "as many are kept as were acknowledged",
    "acknowledged_receipts_kept": "what was acknowledged is kept",
    "link": "`bound`: no session was lost; `rebound`: they were bound anew",
    "other_links": "`untouched`: another link kept its session",
    "submitted_times": "submit_sm that came for each recipient, without those told to wait (ESME_RTHROTTLED,"
    " ESME_RMSGQFUL)",
    "queried_times": "query_sm that came",
    "dlr_requested": "whether registered_delivery asks for receipts",
    "sent": "what we sent: `generic_nack 0x00000003 seq 9`, `unbind_resp`",
    "id_form": "the form of ids that was learned",
    "link_warning": "a word in the warnings of a link",
    "log_says": "a piece of our log",
    "readyz": "`ready` or `degraded`, while the accident lasted",
    "max_outstanding": "most submit_sm without their response; the operator answers none until so many have come",
    "order_kept": "recipients are tried first in the order of the message",
    "rate_falls_then_recovers": "after a refusal submit_sm come further apart, and all come",
    "within": "how soon the link is bound again",
    "detected_within": "how soon a silent session is given up",
    "enquire_link_resp_within": "our enquire_link_resp comes while the store is still held",
    "enquire_links_sent": "enquire_link that came before our bind was answered",
    "rss_growth_max_mb": "most growth of the server, megabytes",
    "uncaught": "errors that left the codec and should not have",
}  # fmt: skip

VALUES: Mapping[str, frozenset[str]] = {
    "lose_response": frozenset({"timeout", "disconnect", "kill9"}),
    "store": frozenset({"full", "read-only", "ok"}),
    "order": frozenset({"receipt_first", "response_first", "reversed", "reverse", "shuffled"}),
}
"""Words whose values are words themselves."""

TEMPLATES: Words = {
    "each": "the value of `for_each` or `permute`",
    "n": "counts on with each recipient or repetition; `{n%2}` takes turns",
    "hex": "`{hex:n}`: n in hexadecimal",
    "dec": "`{dec:n}`: n in decimal",
    "id": "the id of the newest message; `{id:N}`: of the Nth",
    "now": "the date as the operator writes it, in the zone of its link; `{now+1h}`, `{now-5m}`, `{now in ZONE}`",
    "submit": "`{submit:N}`: the submit date of the Nth message as the operator writes it; `{submit:N+1h}`,"
    " `{submit:N in ZONE}`",
}

TEMPLATE = re.compile(r"\{([a-z]+)([^{}a-z][^{}]*)?\}")

PLACES: Mapping[str, Words] = {
    "case": CASE,
    "event": EVENTS,
    "submit": SUBMIT,
    "late_answer": LATE_ANSWER,
    "receipt": RECEIPT,
    "query_sm": QUERY,
    "link": LINK,
    "expectation": EXPECT,
}

_ANYWHERE = frozenset(word for words in PLACES.values() for word in words)


class UnknownWords(ValueError):
    """A file of cases uses words that mean nothing."""

    def __init__(self, path: Path, complaints: Sequence[str]) -> None:
        super().__init__("\n".join([f"{path} is not played:", *complaints]))


def _used(case: Mapping[str, Any], link_settings: Iterable[str]) -> Iterator[tuple[str, str, Words]]:
    """Yield place, word and the words that are known there."""
    links = dict(LINK) | dict.fromkeys(link_settings, "")
    yield from (("case", word, CASE) for word in case)
    for link in case.get("links", []):
        yield from (("link", word, links) for word in link)
    for event in case.get("events", []):
        yield from (("event", word, EVENTS) for word in event)
        for place in ("submit", "receipt", "query_sm"):
            if isinstance(event.get(place), Mapping):
                yield from ((place, word, PLACES[place]) for word in event[place])
        late = event["submit"].get("late_answer") if isinstance(event.get("submit"), Mapping) else None
        yield from (("late_answer", word, LATE_ANSWER) for word in late or ())
        for word, values in VALUES.items():
            for where in (event, event.get("submit"), event.get("receipt")):
                said = where.get(word) if isinstance(where, Mapping) else None
                if isinstance(said, str) and "{" not in said:
                    yield word, said, dict.fromkeys(values, "")
    yield from (("expectation", word, EXPECT) for word in case.get("expect", {}))
    for found in TEMPLATE.finditer(str(case.get("events", []))):
        yield "template", found[1], TEMPLATES


def unknown(cases: Iterable[Mapping[str, Any]], link_settings: Iterable[str] = ()) -> list[str]:
    """Return a sentence for every word that means nothing anywhere; `link_settings`: names of `[[link]]`."""
    settings = list(link_settings)
    found: dict[str, None] = {}
    for case in cases:
        for place, word, known in _used(case, settings):
            if word not in known and (word not in _ANYWHERE or place in VALUES or place == "template"):
                name, there = case.get("id", "?"), ", ".join(sorted(known))
                found[f"case {name}: the {place} {word!r} is not known; known are {there}"] = None
    return list(found)


def misplaced(case: Mapping[str, Any], link_settings: Iterable[str] = ()) -> list[str]:
    """Return a sentence for every word that is known, but means nothing where it stands."""
    return [
        f"{word!r} means nothing as {place}; known there are {', '.join(sorted(known))}"
        for place, word, known in _used(case, list(link_settings))
        if word not in known
    ]

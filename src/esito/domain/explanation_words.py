"""The sentences about states, verdicts and flags, for somebody who does not know SMPP."""

from esito.domain.receipt import Verdict
from esito.domain.states import MessageState

REFUSED_AT_ONCE = "submit_sm_resp"
"""Stands for the operator's word if it refused a submission."""

MEANINGS = {
    MessageState.KO: "the message never left us",
    MessageState.WAITING: "nothing is known yet",
    MessageState.ENROUTE: "the message is on its way to the phone",
    MessageState.ACCEPTED: "the operator has taken the message and goes on with it",
    MessageState.UNKNOWN: "the operator does not know what became of the message",
    MessageState.EXPIRED: "the operator tried until the time for it ran out, as when a phone stays off or out of reach",
    MessageState.DELETED: "the message was removed before it reached the phone",
    MessageState.REJECTED: "the message was refused on its way to the phone",
    MessageState.UNDELIVERABLE: "the message could not be delivered",
    MessageState.DELIVERED: "the message reached the phone",
}
"""Each continues `which means that`."""

VERDICTS = {
    Verdict.MOVED: "The operator reported {word}, {meaning}.",
    Verdict.WEAKER: "The operator reported {word}, {meaning}. We knew more already, so this changed nothing.",
    Verdict.DUPLICATE: "The operator reported {word} once more. This changed nothing.",
    Verdict.UNKNOWN_WORD: "The operator reported {word}, a word we do not know. We kept it; it changed nothing.",
    Verdict.PARKED: "The operator reported {word} before it had confirmed the message. We kept it to match it later.",
    Verdict.ORPHAN: "The operator reported {word} for a message we could not find. We kept it to match it later.",
    Verdict.QUERIED: "We asked the operator what became of the message, and it answered with {word}, {meaning}.",
    Verdict.NOT_A_RECEIPT: (
        "The phone or its user acknowledged the message. That is no report of the operator, so it changed nothing."
    ),
}

CONFIRMED = "The operator reported {word}, which confirms what we had concluded."
"""Replaces the sentence of the verdict if only we had concluded the state before."""

FLAGS = {
    "skewed_date": "Its date cannot be right, so we go by when it arrived.",
    "bad_date": "Its date cannot be read, so we go by when it arrived.",
    "bad_tlv": "A part of it was damaged; we read the rest.",
    "long_id": "The message number in it is longer than the rules between operators allow.",
    "no_id": "It did not say which message it was about.",
    "unparsed": "Its text could not be read.",
    "unreadable": "It was so damaged that nothing in it could be read; we kept it as it came.",
    "disagree": (
        "What it says in one place contradicts what it says in another; a field of its own counts before the text."
    ),
    "ambiguous": "The message number in it could have meant two messages, so we waited until it was clear which.",
    "other_number": "It named another phone number than the message it seemed to mean, so we do not believe it.",
    "undecided": "That the operator does not know is no answer to go by, so this changed nothing.",
    "other_id": "It named another message than the one we asked about, so we do not believe it.",
    "reused_id": "The operator has given its message number to more than one message; the date told which was meant.",
    "matched_by_address": (
        "The message number was not known to us, as its confirmation was lost; "
        "the phone number and the time told us which message was meant."
    ),
}
"""Each is a sentence of its own, after that of the verdict."""

NOT_TOLD = "We asked the operator what became of the message, and it gave no answer but the refusal {word}."
"""The operator refused to answer a query_sm."""

NOT_BELIEVED = (
    "We asked the operator what became of the message, and it answered with {word}. "
    "It has given its message number to more than one message, and this answer is not about ours."
)
"""The answer to a query_sm is about another message with the same id."""

OTHER_WORD = "Its text says “{word}” instead; the number counts."
"""The number of the state disagrees with the word in the text."""

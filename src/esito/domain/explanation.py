"""Explains what happened to one recipient, in sentences for somebody who asks where a message is.

Technical words are always explained: the reader may be the sender's customer. Every sentence
follows from the evidence; nothing is made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from esito.domain.evidence import RecipientEvidence, SegmentEvidence, SegmentPhase, TrailEvidence
from esito.domain.explanation_words import (
    CONFIRMED,
    FLAGS,
    MEANINGS,
    NOT_BELIEVED,
    NOT_TOLD,
    OTHER_WORD,
    REFUSED_AT_ONCE,
    VERDICTS,
)
from esito.domain.receipt import Verdict, read_stat
from esito.domain.retrying import RetryRule, RetryTable
from esito.domain.states import FIRST_FINAL, STAT_WORDS, MessageState, is_final
from esito.domain.status_query import said_more
from esito.domain.timing import HOUR_MS, SECOND_MS, VALIDITY_MS
from esito.domain.vocabulary import ErrorMeaning, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureEvidence:
    """The reason that the operator gave, and its meaning."""

    raw: str
    meaning: ErrorMeaning | None
    """None: there is no failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The explanation for one recipient."""

    sentences: tuple[str, ...]
    last_word: TrailEvidence | None
    """The report that decided last; None: no report counts yet."""
    failure: FailureEvidence | None
    stops_waiting_at: int | None
    """When we stop waiting; None: nothing is awaited."""


def moment(instant: int) -> str:
    """Return an instant for people to read."""
    return datetime.fromtimestamp(instant // SECOND_MS, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def explain(
    known: RecipientEvidence,
    vocabulary: Vocabulary,
    *,
    now: int,
    retries: Mapping[str, RetryTable] = MappingProxyType({}),
) -> Explanation:
    """Return the explanation: when the message left and how, the last report, until when we wait, and what then.

    `retries`: the refusals that pass, by link; for other links the usual ones.
    """
    last = _last_word(known)
    failure = _failure(known, last, vocabulary)
    until = _stops_waiting_at(known)
    sentences = [
        *_handover(known, now),
        *_postponed(known, vocabulary, retries),
        *_doubts(known),
        *_report(known, last),
        *_asked(known, last),
        *_reason(failure),
    ]
    return Explanation(
        sentences=(*sentences, *_outlook(known, until)),
        last_word=last,
        failure=failure,
        stops_waiting_at=until,
    )


def explain_trail(trail: Sequence[TrailEvidence]) -> list[str]:
    """Return a plain sentence or two about each entry of the trail."""
    return [_explain_receipt(one, confirms=_confirms(trail, place)) for place, one in enumerate(trail)]


def _explain_receipt(one: TrailEvidence, *, confirms: bool) -> str:
    if one.verdict is Verdict.INFERRED:
        return _conclusion(one)
    if one.verdict is Verdict.QUERIED:
        return _answered(one)
    said = [
        CONFIRMED.format(word=_word(one))
        if confirms
        else VERDICTS[one.verdict].format(word=_word(one), meaning=_meaning(one.state))
    ]
    said += _other_word(one)
    if one.waited:
        said.append("It came before we knew which message it belonged to, so we kept it and matched it later.")
    said += [text for flag, text in FLAGS.items() if flag in one.flags]
    return " ".join(said)


def _answered(one: TrailEvidence) -> str:
    """Tell what the operator answered to our query_sm."""
    if "reused_id" in one.flags:
        return NOT_BELIEVED.format(word=_word(one))
    if one.state is None and read_stat(one.stat).number is None:
        return NOT_TOLD.format(word=_shown(one.stat))
    said = [VERDICTS[Verdict.QUERIED].format(word=_word(one), meaning=_meaning(one.state))]
    return " ".join([*said, *(text for flag, text in FLAGS.items() if flag in one.flags)])


# -- the parts of the answer -------------------------------------------------------------------


def _taken_back(known: RecipientEvidence) -> int | None:
    """Return when the message was cancelled; None if this recipient's part had left already."""
    return known.cancelled_at if known.state is MessageState.KO else None


def _handover(known: RecipientEvidence, now: int) -> list[str]:
    if (taken_back := _taken_back(known)) is not None:
        return [f"The message was taken back at {moment(taken_back)}. It was not sent and is not charged."]
    if known.sandbox:
        return [
            "This is a trial message: it was checked, but never sent to a phone. "
            "The last four digits of the number chose its status."
        ]
    if known.state is MessageState.KO:
        return [_never_left(known)]
    offered = [part for part in known.submitted if part.attempts]
    if not offered:
        return [_not_yet(known, now)]
    if all(part.phase is SegmentPhase.REFUSED for part in offered):
        return [f"We offered the message to {_operator(known)} at {moment(_first(offered))}; it refused it at once."]
    taken = [
        part
        for part in offered
        if part.phase in {SegmentPhase.ANSWERED, SegmentPhase.SUBMITTED, SegmentPhase.UNCERTAIN}
    ]
    if not taken:
        return [_put_off(known, offered)]
    return _handed_over(known, taken)


def _handed_over(known: RecipientEvidence, taken: list[SegmentEvidence]) -> list[str]:
    said = f"The message was handed to {_operator(known)} at {moment(_first(taken))}"
    if known.segments == 1:
        return [f"{said}."]
    many = "It is long, so it travels in"
    if len(taken) == known.segments:
        return [f"{said}.", f"{many} {known.segments} pieces (segments), which the phone joins again."]
    return [f"{said}.", f"{many} {known.segments} pieces (segments); {len(taken)} of them have been handed over."]


def _never_left(known: RecipientEvidence) -> str:
    if not known.link:
        return "We are connected to no operator that serves this number, so the message was not sent or charged."
    return (
        f"The message could not be handed to {_operator(known)} within 48 hours of {moment(known.due_at)}, "
        "when it was due. It was given up and is not charged."
    )


def _not_yet(known: RecipientEvidence, now: int) -> str:
    if not known.link:
        return (
            f"The message was accepted at {moment(known.created_at)}, "
            "but we are connected to no operator that serves this number."
        )
    if known.due_at > now:
        return f"The message is scheduled: it will be handed to {_operator(known)} at {moment(known.due_at)}."
    return f"The message was accepted at {moment(known.created_at)} and waits to be handed to {_operator(known)}."


def _put_off(known: RecipientEvidence, offered: list[SegmentEvidence]) -> str:
    return (
        f"We last offered the message to {_operator(known)} at {moment(max(one.submitted_at for one in offered))}, "
        "but it asked us to try again later or could not be reached. We will."
    )


def _postponed(known: RecipientEvidence, vocabulary: Vocabulary, retries: Mapping[str, RetryTable]) -> list[str]:
    """Tell what the operator answered to what waits to be offered again, and when that is."""
    waiting = [part for part in known.submitted if part.phase is SegmentPhase.LATER and part.status]
    if not waiting or is_final(known.state):
        return []
    part = min(waiting, key=lambda one: one.retry_at or 0)
    status = part.status or 0
    meaning = vocabulary.of_submit(part.operator, status)
    said = f"Its answer was 0x{status:08X}: {meaning.reason if meaning else ''}"
    if part.retry_at is None:
        return [said]
    rule = retries.get(part.link, RetryTable()).rule(status, nack=True)
    return [said, f"We offer it again at {moment(part.retry_at)}, for the {_times(part.attempts, rule)}."]


def _times(number: int, rule: RetryRule | None) -> str:
    """Return which repetition it is, and of how many."""
    end = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in {11, 12, 13} else 0, "th")
    most = f" of at most {rule.times}" if rule is not None and number <= rule.times else ""
    return f"{number}{end} time{most}"


def _doubts(known: RecipientEvidence) -> list[str]:
    said = []
    if any(part.phase is SegmentPhase.UNCERTAIN for part in known.submitted):
        said.append(
            "The connection was lost before the operator confirmed that it took the message, so nobody can be sure "
            "that it did. We do not send it again by ourselves, because the recipient might then get it twice; "
            "a report of the operator would settle the matter."
        )
    elif any(part.phase is SegmentPhase.SUBMITTED for part in known.submitted):
        said.append("The operator has yet to confirm that it took the message.")
    again = max((part.attempts for part in known.submitted if part.phase is not SegmentPhase.LATER), default=0)
    if again > 1:
        said.append(f"It took {again} attempts: the operator had put off the earlier ones, or had not answered.")
    kept_back = sum(not part.attempts for part in known.submitted)
    if kept_back:
        said.append(f"{kept_back} of its pieces could not be handed over within 48 hours and were kept back.")
    return said


def _report(known: RecipientEvidence, last: TrailEvidence | None) -> list[str]:
    if last is not None and last.verdict is Verdict.QUERIED:
        word = f"It answered {_word(last)}, {_meaning(last.state)}; that was at {moment(last.received_at)}."
        return ["The operator did not report what became of it by itself, so we asked.", word]
    if last is not None:
        word = f"The operator's last word came at {moment(last.received_at)}: {_word(last)}, {_meaning(last.state)}."
        return [word, *_other_word(last)]
    if any(part.attempts and part.phase is not SegmentPhase.REFUSED for part in known.submitted):
        return [
            "The operator has not reported yet what became of it."
            if not is_final(known.state)
            else "The operator never reported what became of it."
        ]
    return []


def _asked(known: RecipientEvidence, last: TrailEvidence | None) -> list[str]:
    """Tell that we asked the operator, what it answered last, and when we ask next."""
    said = []
    asked = [one for one in known.trail if one.verdict is Verdict.QUERIED]
    if asked and asked[-1] is not last:
        times = "once" if len(asked) == 1 else f"{len(asked)} times"
        said.append(f"We asked {times}, last at {moment(asked[-1].received_at)}. {_answered(asked[-1])}")
    due = [part.query_at for part in known.submitted if part.query_at is not None]
    if due and not is_final(known.state):
        again = "again " if asked else ""
        said.append(f"Should no report come, we ask the operator {again}at {moment(min(due))}.")
    return said


def _reason(failure: FailureEvidence | None) -> list[str]:
    if failure is None or failure.meaning is None:
        return []
    meaning = failure.meaning
    advice = " Sending it again unchanged would fail again." if meaning.permanent else ""
    return [f"Reason: {meaning.reason}{advice}"]


def _outlook(known: RecipientEvidence, until: int | None) -> list[str]:
    if known.sandbox or _taken_back(known) is not None:
        return []
    if known.state is MessageState.DELIVERED:
        return ["Delivered is final: we wait for nothing more."]
    if is_final(known.state):
        if all(part.phase is SegmentPhase.REFUSED for part in known.submitted):
            return ["It counts as not delivered. The operator never took it, so nothing more can come."]
        return [
            *_silence(known),
            "It counts as not delivered, and we wait no longer. Should the operator report a delivery after all, "
            "the status becomes Delivered.",
        ]
    if until is not None:
        return [
            f"We wait for the operator's final word until {moment(until)}, {known.wait_ms // HOUR_MS} hours after the "
            "message was handed over. "
            "If none has come by then, it counts as not delivered; a later report can still correct that."
        ]
    if known.state is MessageState.KO:
        return []
    return [
        f"If it cannot be handed over by {moment(known.due_at + VALIDITY_MS)}, 48 hours after it was due, "
        "it is given up and not charged."
    ]


def _silence(known: RecipientEvidence) -> list[str]:
    """Tell of the expiry that we concluded, where the state rests on it."""
    expired = [one for one in known.trail if one.verdict is Verdict.INFERRED and one.state is MessageState.EXPIRED]
    if known.state is not MessageState.EXPIRED or not expired or _confirmed(known):
        return []
    return [f"{_conclusion(expired[-1])} That was at {moment(expired[-1].received_at)}."]


# -- what they rest on -------------------------------------------------------------------------


def _last_word(known: RecipientEvidence) -> TrailEvidence | None:
    words = _confirmed(known) or said_more(known.trail)
    return words[-1] if words else None


def _confirmed(known: RecipientEvidence) -> list[TrailEvidence]:
    """Return the operator's words for what we had concluded ourselves, where the state rests on that."""
    return [one for place, one in enumerate(known.trail) if one.state is known.state and _confirms(known.trail, place)]


def _confirms(trail: Sequence[TrailEvidence], place: int) -> bool:
    """Tell whether an entry is the operator's first word for what had been concluded before."""
    one = trail[place]
    before = [earlier for earlier in trail[:place] if (earlier.part, earlier.state) == (one.part, one.state)]
    return one.verdict is Verdict.DUPLICATE and {earlier.verdict for earlier in before} == {Verdict.INFERRED}


def _failure(known: RecipientEvidence, last: TrailEvidence | None, vocabulary: Vocabulary) -> FailureEvidence | None:
    """Return the reason of a failure, that of the piece that failed where there are several."""
    if known.state is MessageState.DELIVERED or known.sandbox:
        return None
    refused = next((part for part in known.submitted if part.phase is SegmentPhase.REFUSED and part.status), None)
    if refused is not None and refused.status is not None:
        raw = f"0x{refused.status:08X}"
        return FailureEvidence(raw=raw, meaning=vocabulary.of_submit(refused.operator, refused.status))
    moved = said_more(known.trail)
    failed = [one for one in moved if one.state is not None and FIRST_FINAL <= one.state < MessageState.DELIVERED]
    one = failed[-1] if failed else last
    if one is None:
        return None
    word, number = read_stat(one.stat)
    if number is not None and word.upper() in STAT_WORDS:
        word = ""  # it contradicts the number, so it is no reason for the number's state
    meaning = vocabulary.of_receipt(known.operator, one.error, one.state, stat=word)
    return FailureEvidence(raw=one.error, meaning=meaning)


def _stops_waiting_at(known: RecipientEvidence) -> int | None:
    """Return when the first piece without a final word has been away for 48 hours."""
    if known.sandbox or is_final(known.state) or known.state is MessageState.KO:
        return None
    away = [
        part.submitted_at
        for part in known.submitted
        if part.attempts
        and part.phase in {SegmentPhase.SUBMITTED, SegmentPhase.ANSWERED, SegmentPhase.UNCERTAIN}
        and part.state < FIRST_FINAL
    ]
    return min(away) + known.wait_ms if away else None


def _conclusion(one: TrailEvidence) -> str:
    """Tell what we concluded ourselves."""
    if one.stat == REFUSED_AT_ONCE:
        return "The operator refused the message when we offered it."
    if one.state is MessageState.EXPIRED:
        hours = "".join(filter(str.isdigit, one.stat)) or "48"
        return f"No final report had come in {hours} hours, so we concluded that the message was not delivered."
    return "The operator's report for another piece of this message holds for this one, so we applied it here too."


def _word(one: TrailEvidence) -> str:
    word, number = read_stat(one.stat)
    if number is None:
        return f"“{_shown(word)}”" if word else "a report without a word"
    # The parameter spoke where the text was silent or broken, or against it.
    return (
        f"the number {number}" if word or one.verdict is Verdict.QUERIED else f"the number {number} instead of a word"
    )


def _other_word(one: TrailEvidence) -> list[str]:
    """Tell of the word in the text that does not mean what the number means."""
    word, number = read_stat(one.stat)
    return [OTHER_WORD.format(word=_shown(word))] if word and number is not None else []


def _shown(word: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in word)


def _meaning(state: MessageState | None) -> str:
    return "which we do not know" if state is None else f"which means that {MEANINGS[state]}"


def _operator(known: RecipientEvidence) -> str:
    names = f"the operator {known.operator}"
    return names if known.link == known.operator else f"{names} (over the link {known.link})"


def _first(parts: list[SegmentEvidence]) -> int:
    return min(part.submitted_at for part in parts)

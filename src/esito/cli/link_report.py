"""The result of trying a link, as lines for people and as data for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from esito.cli.link_trial import BindResult, TlsSession, Trial, TrialReceipt, TrialSegment
from esito.config import LinkSettings
from esito.domain.display import mask
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import public_word
from esito.domain.timing import MINUTE_MS
from esito.smpp.bind_refusals import Advice, advice
from esito.smpp.pdu import status_name

HALF_AN_HOUR_MS = 30 * MINUTE_MS
"""Zones differ by at least this; a receipt of a trial is younger."""

VERSIONS = {0x33: "SMPP 3.3", 0x34: "SMPP 3.4", 0x50: "SMPP 5.0"}


def is_good(configured: LinkSettings, trial: Trial) -> bool:
    """Whether the whole message was accepted and, if this link receives, a final receipt came for it."""
    return trial.accepted and (not configured.receives or all(one.final for one in trial.segments))


def as_lines(
    configured: LinkSettings, sessions: Sequence[BindResult], trial: Trial | None, notes: Sequence[str]
) -> Iterator[str]:
    """Yield lines for people."""
    several = len({one.host for one in sessions}) > 1
    for one in sessions:
        where = f" at {one.host}" if several else ""
        reason = f": {one.reason}" if one.reason else ""
        yield f"{configured.name} ({one.kind}){where} {one.state}{reason} after {one.seconds * 1000:.0f} ms"
        yield from (f"  {line}" for line in _details(one))
    yield from (f"Note: {sentence}." for sentence in notes)
    if trial is not None:
        yield from _message_lines(configured, trial)


def _details(one: BindResult) -> Iterator[str]:
    if one.good:
        who = f"The SMSC calls itself {one.system_id}" if one.system_id else "The SMSC does not say who it is"
        yield f"{who} and {_version_words(one.interface_version)}."
        yield _tls_words(one.tls)
        return
    said = _advice(one)
    if said is not None:
        yield said.meaning
        yield f"Hint: {said.hint}"


def _version_words(version: int | None) -> str:
    if version is None:
        return "names no version of SMPP: optional parameters may be lost on it"
    return f"speaks {VERSIONS.get(version, f'version 0x{version:02X}')}"


def _tls_words(tls: TlsSession | None) -> str:
    if tls is None:
        return "No TLS: the password and every text can be read on the way."
    return f"{tls.version}; its certificate is that of {tls.subject}, by {tls.issuer}, good until {tls.until}."


def _advice(one: BindResult) -> Advice | None:
    return None if one.good else advice(one.status, one.reason)


def _message_lines(configured: LinkSettings, trial: Trial) -> Iterator[str]:
    if not trial.segments:
        yield "The message was not sent: no session is bound for sending."
        return
    for segment in trial.segments:
        which = f" (segment {segment.part} of {len(trial.segments)})" if len(trial.segments) > 1 else ""
        yield f"submit_sm to {mask(trial.to)}{which} {_answer_words(segment)}"
    for heard in sorted(trial.heard, key=lambda one: one.seconds):
        yield f"{heard.kind.value} after {heard.seconds:.1f} s: {_receipt_words(heard)}"
    if trial.accepted:
        yield from _missing(configured, trial)


def _answer_words(segment: TrialSegment) -> str:
    if segment.seconds is None or segment.status is None:
        return f"has no answer: {segment.error or 'nothing came in time'}"
    after = f"after {segment.seconds * 1000:.0f} ms"
    if segment.status:
        return f"refused {after}: {status_name(segment.status)}"
    if not segment.smsc_id:
        return f"accepted {after} without an id: receipts can be told by number only"
    return f"accepted {after} under the id {segment.smsc_id}"


def _receipt_words(heard: TrialReceipt) -> str:
    receipt = heard.receipt
    said = f"id {receipt.smsc_message_id or '(none)'}, {_state_words(receipt)}"
    if receipt.error_code:
        said += f", error {receipt.error_code}"
    if receipt.flags:
        said += f"; noted: {receipt.flags}"
    said += _date_words(receipt)
    if heard.part is None:
        return f"{said}. It names the number and not our id, so it was put off."
    return f"{said}. The id is spelled {heard.form}."


def _date_words(receipt: DeliveryReceipt) -> str:
    """Return a sentence about a date that looks like one of another zone."""
    if "skewed_date" in receipt.flags.split():
        return ". Its done date lies in the future: is receipt_timezone right?"
    behind = 0 if receipt.done_at is None else receipt.received_at - receipt.done_at
    if behind >= HALF_AN_HOUR_MS:
        return f". Its done date lies {behind // MINUTE_MS} minutes back: is receipt_timezone right?"
    return ""


def _state_words(receipt: DeliveryReceipt) -> str:
    word = receipt.stat or "(none)"
    if receipt.state is None:
        return f"state {word}, which we do not know: give it a meaning in [link.words]"
    return f"state {word}, which is {receipt.state.name}: {public_word(receipt.state)}"


def _missing(configured: LinkSettings, trial: Trial) -> Iterator[str]:
    if not configured.receives:
        yield "Its receipts come by another link of the operator."
    elif not all(one.final for one in trial.segments):
        yield (
            f"No final receipt of it came within {trial.patience:g} s. A server that is bound to the same account may "
            "have been given it; or the operator reports later, or not at all."
        )


# -- as data ---------------------------------------------------------------------------------------


def as_data(
    configured: LinkSettings, sessions: Sequence[BindResult], trial: Trial | None, notes: Sequence[str]
) -> dict[str, Any]:
    """Return data for programs."""
    shown: dict[str, Any] = {
        "link": configured.name,
        "bound": all(one.good for one in sessions),
        "seconds": round(sum({one.host: one.seconds for one in sessions}.values()), 3),
        "sessions": [_session_data(one) for one in sessions],
        "notes": list(notes),
    }
    if trial is not None:
        shown["message"] = {
            "accepted": trial.accepted,
            "reported": bool(trial.segments) and all(one.final for one in trial.segments),
            "segments": [_segment_data(one) for one in trial.segments],
            "receipts": [_receipt_data(one) for one in trial.heard],
        }
    return shown


def _session_data(one: BindResult) -> dict[str, Any]:
    said = _advice(one)
    return {
        "bind": one.kind,
        "host": one.host,
        "state": one.state,
        "status": None if one.status is None else status_name(one.status),
        "reason": one.reason or None,
        "meaning": None if said is None else said.meaning,
        "hint": None if said is None else said.hint,
        "systemId": one.system_id or None,
        "interfaceVersion": None if one.interface_version is None else f"0x{one.interface_version:02X}",
        "tls": None
        if one.tls is None
        else {
            "version": one.tls.version,
            "subject": one.tls.subject,
            "issuer": one.tls.issuer,
            "until": one.tls.until,
        },
    }


def _segment_data(one: TrialSegment) -> dict[str, Any]:
    return {
        "part": one.part,
        "status": None if one.status is None else status_name(one.status),
        "id": one.smsc_id or None,
        "seconds": None if one.seconds is None else round(one.seconds, 3),
        "error": one.error or None,
    }


def _receipt_data(one: TrialReceipt) -> dict[str, Any]:
    receipt = one.receipt
    return {
        "kind": one.kind.value,
        "part": one.part,
        "seconds": round(one.seconds, 3),
        "id": receipt.smsc_message_id or None,
        "idForm": one.form or None,
        "stat": receipt.stat or None,
        "state": None if receipt.state is None else receipt.state.name,
        "status": None if receipt.state is None else public_word(receipt.state),
        "error": receipt.error_code or None,
        "submittedAt": receipt.submitted_at,
        "doneAt": receipt.done_at,
        "flags": receipt.flags.split(),
    }

"""What a case expects, word by word; each word is a question that answers with a complaint or nothing."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from esito.smpp import pdu as p
from tests.kit.patience import PATIENCE
from tests.receipts.case import TIME_SCALE, integer, seconds
from tests.receipts.evidence import Recipient
from tests.receipts.scene import Scene, Sent

Question = Callable[[Scene, Any], Awaitable[str]]

QUESTIONS: dict[str, Question] = {}


def word(name: str) -> Callable[[Question], Question]:
    """Register the question behind a word."""

    def keep(question: Question) -> Question:
        QUESTIONS[name] = question
        return question

    return keep


LATER = "after_48h"
"""The word that is about a time after all others."""


async def complaints(scene: Scene, *, later: bool = False) -> list[str]:
    """Return what does not hold, now or `later`."""
    found = []
    for name, wanted in scene.variant.expected.items():
        if name == "note" or (name == LATER) is not later:  # a note is for the reader
            continue
        if complaint := await QUESTIONS[name](scene, wanted):
            found.append(f"{name}: {complaint}")
    return found


def _differs(found: object, wanted: object) -> str:
    return "" if found == wanted else f"is {found!r}, not {wanted!r}"


def _meant(scene: Scene) -> list[Sent]:
    """Return the messages that `status` and `state` are about: all of a repeated case, else the first."""
    modifiers = scene.variant.modifiers
    return scene.sent if "repeat" in modifiers or "permute" in modifiers else scene.sent[:1]


def _recipients(scene: Scene) -> list[Recipient]:
    return [one for sent in _meant(scene) for one in scene.evidence.recipients(sent.message_id)]


async def _statuses(scene: Scene, messages: Iterable[Sent]) -> dict[str, str]:
    found: dict[str, str] = {}
    for sent in messages:
        found |= await scene.server.statuses(sent.message_id)
    return found


# -- states ------------------------------------------------------------------------------------


@word("status")
async def _status(scene: Scene, wanted: str) -> str:
    return _differs(set((await _statuses(scene, _meant(scene))).values()), {wanted})


@word("state")
async def _state(scene: Scene, wanted: str) -> str:
    return _differs({one.state.name for one in _recipients(scene)}, {wanted})


@word("by_word")
async def _by_word(scene: Scene, wanted: dict[str, str]) -> str:
    return await _status(scene, wanted[str(scene.variant.each)])


@word("by_rule")
async def _by_rule(scene: Scene, wanted: dict[str, str]) -> str:
    return await _status(scene, wanted[scene.variant.rule])


@word(LATER)
async def _after_48h(scene: Scene, wanted: dict[str, str]) -> str:
    sentence = wanted.get(scene.variant.rule)
    if sentence is None:
        return ""
    if not scene.notes.looked_later:
        scene.notes.looked_later = True
        await scene.server.advance(48 * 3_600_000 + 60_000)
    (status, _, parts) = sentence.split(", ")
    done, _, of = parts.removeprefix("segments ").partition("/")
    recipient = _recipients(scene)[0]
    delivered = sum(one.state.name == "DELIVERED" for one in recipient.segments)
    return (
        await _status(scene, status)
        or await _inferred(scene, True)
        or _differs((delivered, len(recipient.segments)), (int(done), int(of)))
    )


@word("inferred")
async def _inferred(scene: Scene, wanted: bool) -> str:
    return _differs(any(row.verdict == "inferred" for one in _recipients(scene) for row in one.trail), wanted)


async def _by_number(scene: Scene) -> dict[str, str]:
    """Return the status of every number; `NUMBER#2` is the second message to it, the number alone the newest."""
    found: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for sent in scene.sent:
        for number, status in (await scene.server.statuses(sent.message_id)).items():
            counts[number] += 1
            found[number] = found[f"{number}#{counts[number]}"] = status
    return found


def _numbers_with(status: str) -> Question:
    async def question(scene: Scene, wanted: list[str]) -> str:
        statuses = await _by_number(scene)
        others = [number for number in wanted if statuses.get(number) != status]
        if others:
            return f"{others} are {[statuses.get(number) for number in others]}"
        # An empty list says that there is none.
        return _differs([one for one, found in statuses.items() if found == status], []) if not wanted else ""

    return question


QUESTIONS |= {
    "delivered": _numbers_with("Delivered"),
    "not_delivered": _numbers_with("Not delivered"),
    "waiting": _numbers_with("Waiting"),
}


@word("delivered_all")
async def _delivered_all(scene: Scene, wanted: bool) -> str:
    found = set((await _statuses(scene, scene.sent)).values())
    return _differs(found == {"Delivered"}, wanted)


# -- the trail ---------------------------------------------------------------------------------


@word("trail")
async def _trail(scene: Scene, wanted: list[str]) -> str:
    return _differs([row.verdict for row in _recipients(scene)[0].trail], wanted)


@word("trail_flags")
async def _trail_flags(scene: Scene, wanted: list[str]) -> str:
    found = {flag for one in _recipients(scene) for row in one.trail for flag in row.flags}
    return "" if set(wanted) <= found else f"are {sorted(found)}, without all of {wanted}"


@word("trail_rows_max")
async def _trail_rows_max(scene: Scene, wanted: int) -> str:
    count = sum(len(one.trail) for one in _recipients(scene))
    return "" if count <= wanted else f"{count} rows"


@word("error_raw")
async def _error_raw(scene: Scene, wanted: str) -> str:
    return _differs(_recipients(scene)[0].trail[-1].error if _recipients(scene)[0].trail else None, wanted)


@word("raw_bytes_kept")
async def _raw_bytes_kept(scene: Scene, wanted: bool) -> str:
    return _differs(all(scene.evidence.has_raw(one.octets) for one in scene.receipts), wanted)


@word("done_at")
async def _done_at(scene: Scene, wanted: str) -> str:
    done_at = _recipients(scene)[0].segments[0].done_at
    if done_at is None:
        return "is missing"
    moment = datetime.fromtimestamp(done_at / 1000, UTC)
    if wanted != "{now}":
        return _differs(moment, datetime.fromisoformat(wanted))
    return "" if abs((scene.server.now - moment).total_seconds()) < 120 else f"is {moment}, now is {scene.server.now}"


@word("callbacks")
async def _callbacks(scene: Scene, wanted: int) -> str:
    return _differs(sum(one.callbacks for one in _recipients(scene)), wanted)


@word("orphans")
async def _orphans(scene: Scene, wanted: int) -> str:
    return _differs(len(scene.evidence.orphans()), wanted)


@word("orphan_reason")
async def _orphan_reason(scene: Scene, wanted: str) -> str:
    found = [flags for flags in scene.evidence.orphans() if wanted in flags]
    return "" if found else f"the orphans' flags are {scene.evidence.orphans()}"


@word("replies")
async def _replies(scene: Scene, wanted: int) -> str:
    return _differs(scene.evidence.replies(), wanted)


@word("error_category")
async def _error_category(scene: Scene, wanted: str) -> str:
    return _differs((await _explained(scene)).get("category"), wanted)


@word("permanent")
async def _permanent(scene: Scene, wanted: bool) -> str:
    return _differs((await _explained(scene)).get("permanent"), wanted)


async def _explained(scene: Scene) -> dict[str, Any]:
    sent = scene.sent[0]
    found = await scene.server.get(f"/v2/messages/{sent.message_id}/recipients/+{sent.numbers[0]}")
    return found.get("error") or {}


# -- what was answered --------------------------------------------------------------------------


@word("deliver_sm_resp")
async def _deliver_sm_resp(scene: Scene, wanted: Any) -> str:
    """Ask for the last answers, or the first where receipts came again; a list: for every answer, in order."""
    if isinstance(wanted, list):
        found = [answer.status for one in scene.receipts for answer in one.answers]
        return _differs(found, [integer(one) for one in wanted])
    status = integer(wanted)
    first = {one.answers[0].status if one.answers else None for one in scene.receipts}
    last = {None if one.answer is None else one.answer.status for one in scene.receipts}
    return "" if first == {status} else _differs(last, {status})


@word("answered_with")
async def _answered_with(scene: Scene, wanted: str) -> str:
    kinds = {"data_sm_resp": p.DataSmResp, "deliver_sm_resp": p.DeliverSmResp}
    return _differs({type(one.answer) for one in scene.receipts}, {kinds[wanted]})


@word("acked")
async def _acked(scene: Scene, wanted: int) -> str:
    return _differs(sum(one.is_acknowledged for one in scene.receipts), wanted)


@word("acked_equals_committed")
async def _acked_equals_committed(scene: Scene, wanted: bool) -> str:
    acked = sum(one.is_acknowledged for one in scene.receipts)
    kept = scene.evidence.trail_rows()
    return "" if (acked == kept) is wanted and acked else f"{acked} acknowledged, {kept} kept"


@word("acknowledged_receipts_kept")
async def _acknowledged_receipts_kept(scene: Scene, wanted: bool) -> str:
    acked = [one for one in scene.receipts if one.is_acknowledged]
    return _differs(bool(acked) and all(scene.evidence.has_raw(one.octets) for one in acked), wanted)


# -- the link ----------------------------------------------------------------------------------


@word("link")
async def _link(scene: Scene, wanted: str) -> str:
    now = [session for operator in scene.operators.values() for session in operator.sessions]
    before = [session for sessions in scene.notes.sessions_before.values() for session in sessions]
    stayed = len(now) == len(before) and not any(session.over for session in now)
    if wanted == "rebound":
        return "" if not stayed and scene.main.receivers else "the link was not bound anew"
    return "" if stayed else "a session was lost"


@word("other_links")
async def _other_links(scene: Scene, wanted: str) -> str:
    sessions = scene.operators["other"].sessions
    untouched = sessions == scene.notes.sessions_before["other"] and not any(one.over for one in sessions)
    return _differs("untouched" if untouched else "lost", wanted)


@word("submitted_times")
async def _submitted_times(scene: Scene, wanted: int) -> str:
    """Count the submit_sm that were not told to wait, per recipient."""
    counts = {len(scene.operator(sent.link).taken(number)) for sent in scene.sent for number in sent.numbers}
    return _differs(counts, {wanted})


@word("queried_times")
async def _queried_times(scene: Scene, wanted: int) -> str:
    return _differs(sum(len(one.said(p.QuerySm)) for one in scene.operators.values()), wanted)


@word("dlr_requested")
async def _dlr_requested(scene: Scene, wanted: bool) -> str:
    return _differs({bool(one.pdu.registered_delivery & 1) for one in scene.main.submitted}, {wanted})


@word("sent")
async def _sent(scene: Scene, wanted: str) -> str:
    name, *rest = wanted.split()
    kind = {"generic_nack": p.GenericNack, "unbind_resp": p.UnbindResp}[name]
    said = [(one.status, one.sequence) for one in scene.main.said(kind)]
    if not rest:
        return "" if said else "was not sent"
    return "" if (int(rest[0], 16), int(rest[2])) in said else f"said {said}"


@word("id_form")
async def _id_form(scene: Scene, wanted: str) -> str:
    return _differs(scene.evidence.learned(scene.plans[0].operator).form.value, wanted)


@word("link_warning")
async def _link_warning(scene: Scene, wanted: str) -> str:
    links = (await scene.server.told("/v2/links")).get("links", [])
    return "" if any(wanted in str(one.get("warnings")) for one in links) else f"/v2/links says {links}"


@word("log_says")
async def _log_says(scene: Scene, wanted: str) -> str:
    return "" if wanted in scene.server.log.read_text(encoding="utf-8") else "it does not"


@word("readyz")
async def _readyz(scene: Scene, wanted: str) -> str:
    return _differs("degraded" if scene.notes.readyz == 503 else "ready", wanted)


@word("max_outstanding")
async def _max_outstanding(scene: Scene, wanted: int) -> str:
    most = scene.main.most_outstanding
    return "" if most == wanted else f"were {most}"


@word("order_kept")
async def _order_kept(scene: Scene, wanted: bool) -> str:
    """Recipients are tried for the first time in the order of the message."""
    first_tries = list(dict.fromkeys(one.to for one in scene.main.submitted))
    return _differs(first_tries == [number for sent in scene.sent for number in sent.numbers], wanted)


@word("rate_falls_then_recovers")
async def _rate_falls_then_recovers(scene: Scene, wanted: bool) -> str:
    """After the first refusal the submit_sm come further apart; in the end all have come."""
    submitted = scene.main.submitted
    first = next((place for place, one in enumerate(submitted) if one.status), None)
    if first is None:
        return "nothing was refused"
    before = (submitted[first].at - submitted[0].at) / max(first, 1)
    after = (submitted[-1].at - submitted[first].at) / max(len(submitted) - first - 1, 1)
    return _differs(after > before, wanted)


# -- times and sizes ---------------------------------------------------------------------------

SLACK = PATIENCE
"""Seconds for a new connection and its bind."""


@word("within")
async def _within(scene: Scene, wanted: str) -> str:
    limit = seconds(wanted) / TIME_SCALE + SLACK
    return "" if 0 < scene.notes.rebound <= limit else f"took {scene.notes.rebound:.1f} s, limit {limit:.1f} s"


@word("detected_within")
async def _detected_within(scene: Scene, _wanted: str) -> str:
    limit = (30 + 60) / TIME_SCALE + SLACK
    return "" if 0 < scene.notes.detected <= limit else f"took {scene.notes.detected:.1f} s, limit {limit:.1f} s"


@word("enquire_link_resp_within")
async def _enquire_link_resp_within(scene: Scene, wanted: str) -> str:
    """The answer came before the store was let go: no clock of a busy machine is asked."""
    del wanted
    return "" if scene.notes.answered_while_held else "came only when the store was free, or not at all"


@word("enquire_links_sent")
async def _enquire_links_sent(scene: Scene, wanted: int) -> str:
    before = 0
    for session in scene.main.sessions:
        kinds = [type(one) for one in session.came]
        before += kinds[: kinds.index(p.BindTransceiver)].count(p.EnquireLink)
    return _differs(before, wanted)


@word("rss_growth_max_mb")
async def _rss_growth_max_mb(scene: Scene, wanted: float) -> str:
    growth = scene.notes.rss_after - scene.notes.rss_before
    return "" if growth <= wanted else f"grew by {growth:.0f} MB"


@word("uncaught")
async def _uncaught(scene: Scene, wanted: int) -> str:
    return _differs(scene.notes.uncaught, wanted)

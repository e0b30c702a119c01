"""Trying one link without a server: bind at each host, and perhaps send one message and follow what becomes of it."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from esito.bootstrap.links import incoming_settings, outgoing_settings, smpp_settings
from esito.config import LinkSettings
from esito.domain.message import SegmentRef, Submission
from esito.domain.message_ids import Spelling, spelling
from esito.domain.operator_habits import FORM_OF
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import is_final
from esito.domain.text import count_segments, prepare
from esito.domain.timing import SECOND_MS
from esito.links.interface import Link
from esito.links.smpp_link import SmppLink
from esito.links.smpp_session import LinkSession
from esito.smpp.connect import SmppSettings
from esito.smpp.incoming import IncomingSettings, WithoutEsmClass
from esito.smpp.outgoing import submit_sm
from esito.smpp.pdu import DataSm, DeliverSm, Status, Tag
from esito.smpp.receipts import DeliveryKind, has_text_of_receipt, kind_of, read_receipt, receipted_id
from esito.smpp.responses import SubmitResponse

GLANCE = 0.01
"""Seconds between two looks at what is waited for."""

LONGEST_TRY = 10.0
"""Seconds after which somebody at a terminal has waited enough for a bind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """What was agreed on with the SMSC."""

    version: str
    subject: str
    issuer: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How one session fared at one host."""

    host: str
    kind: str
    state: str
    seconds: float
    status: int | None = None
    """command_status of a refused bind."""
    reason: str = ""
    system_id: str = ""
    """Who the SMSC says it is."""
    interface_version: int | None = None
    """Of sc_interface_version; None: it names none."""
    tls: Tls | None = None

    @property
    def good(self) -> bool:
        """Whether we were let in."""
        return self.state == "bound"


@dataclass(slots=True, kw_only=True)
class Segment:
    """One submit_sm of the message, and its answer."""

    part: int
    status: int | None = None
    """command_status of the response; None: there is none."""
    smsc_id: str = ""
    seconds: float | None = None
    error: str = ""
    final: bool = False
    """Whether a receipt has said the last word on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One deliver_sm that came meanwhile, and how it was understood."""

    kind: DeliveryKind
    receipt: DeliveryReceipt
    seconds: float
    """Since the submit_sm."""
    part: int | None
    """The segment it is about; None: none of ours, and it was put off."""
    form: str
    """How its id is spelled, seen from the response."""


@dataclass(slots=True, kw_only=True)
class Trial:
    """A message that is sent for a try."""

    to: str
    """E.164 with plus."""
    text: str
    sender: str
    patience: float
    """Seconds that its receipts are waited for."""
    segments: list[Segment] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether the operator took all of it."""
        return bool(self.segments) and all(one.status == Status.ESME_ROK for one in self.segments)

    @property
    def settled(self) -> bool:
        """Whether nothing more is to come."""
        return all(one.final or (one.seconds is not None and one.status != Status.ESME_ROK) for one in self.segments)


async def try_link(configured: LinkSettings, trial: Trial | None = None) -> list[Bound]:
    """Bind one session of each kind at every host; send the trial by the first that lets us."""
    settings = smpp_settings(dataclasses.replace(configured, sessions=1))
    found: list[Bound] = []
    for host, port in settings.hosts:
        one = dataclasses.replace(settings, host=host, port=port, fallback_hosts=())
        wanted = trial if trial is not None and not trial.segments else None
        found += await _try_host(configured, one, wanted)
    return found


async def _try_host(configured: LinkSettings, settings: SmppSettings, trial: Trial | None) -> list[Bound]:
    patience = min(settings.response_timeout, LONGEST_TRY)
    events = _Following(configured, trial)
    tried = SmppLink(dataclasses.replace(settings, bind_timeout=patience), events)
    began = time.perf_counter()
    await tried.start()
    try:
        # A binding that was refused or lost is tried again only after a pause that outlasts our glance.
        await _until(lambda: all(one.state != "connecting" for one in tried.sessions), patience + 1)
        seconds = time.perf_counter() - began
        seen = [_seen(one, f"{settings.host}:{settings.port}", seconds, patience) for one in tried.sessions]
        if trial is not None and tried.can_send:
            await events.send(tried)
    finally:
        await tried.stop()
    return seen


async def _until(true: Callable[[], bool], patience: float) -> None:
    deadline = time.perf_counter() + patience
    while not true() and time.perf_counter() < deadline:
        await asyncio.sleep(GLANCE)


def _seen(binding: LinkSession, host: str, seconds: float, patience: float) -> Bound:
    state, reason = binding.state, binding.last_error
    if state == "connecting":
        state, reason = "lost", f"no answer to the bind within {patience:g} s"
    connection = binding.connection
    accepted = None if connection is None else connection.accepted
    version = b"" if accepted is None else accepted.tlvs.get(Tag.SC_INTERFACE_VERSION, b"")
    return Bound(
        host=host,
        kind=binding.kind,
        state=state,
        seconds=seconds,
        status=binding.last_status if state == "rejected" else None,
        reason=reason,
        system_id="" if accepted is None else accepted.system_id,
        interface_version=version[0] if version else None,
        tls=_tls(None if connection is None else connection.transport_info("ssl_object")),
    )


def _tls(agreed: Any) -> Tls | None:
    """Return what an SSL object says of the other side; None without TLS."""
    if agreed is None:
        return None
    certificate = agreed.getpeercert() or {}
    return Tls(
        version=agreed.version() or "",
        subject=_name(certificate.get("subject", ())),
        issuer=_name(certificate.get("issuer", ())),
        until=certificate.get("notAfter", ""),
    )


def _name(distinguished: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Return the common name of a certificate's subject or issuer, or else all that is said of it."""
    said = [pair for relative in distinguished for pair in relative]
    return dict(said).get("commonName") or ", ".join(f"{name}={value}" for name, value in said)


class _Following:
    """A link's events during a try: what is about our message is acknowledged, the rest comes again later."""

    def __init__(self, configured: LinkSettings, trial: Trial | None) -> None:
        self._configured = configured
        self._trial = trial
        self._began = 0.0
        self._answered = asyncio.Event()

    async def send(self, link: SmppLink) -> None:
        """Submit the trial, and wait for its answers and receipts."""
        trial = self._trial
        if trial is None:
            return
        count = count_segments(prepare(trial.text, unicode=False))
        trial.segments = [Segment(part=part) for part in range(1, count + 1)]
        outgoing = outgoing_settings(self._configured)
        pdus = []
        for segment in trial.segments:
            one = Submission(
                # Ids of messages begin at 1: none is taken for this one's.
                ref=SegmentRef(0, 0, segment.part),
                msisdn=trial.to,
                sender=trial.sender,
                text=trial.text,
                unicode=False,
                segments=count,
                attempts=0,
            )
            pdus.append((submit_sm(one, outgoing, at=int(time.time() * SECOND_MS)), segment))
        self._began = time.perf_counter()
        await _until(lambda: link.room >= count, LONGEST_TRY)
        link.submit(pdus)
        await _until(self._answered.is_set, link.settings.response_timeout + 1)
        if trial.accepted and self._configured.receives:
            await _until(lambda: trial.settled, trial.patience)

    def submitted(self, link: str, outcomes: list[SubmitResponse]) -> None:  # noqa: ARG002  the protocol's signature
        """Note the answers to our submit_sm."""
        for outcome in outcomes:
            segment: Segment = outcome.token
            segment.status, segment.smsc_id, segment.error = outcome.status, outcome.message_id, outcome.error
            segment.seconds = time.perf_counter() - self._began
        if self._trial is not None and all(one.seconds is not None for one in self._trial.segments):
            self._answered.set()

    async def delivered(self, _link: str, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Acknowledge what is about our message, once its id is known; nobody here keeps the rest."""
        trial = self._trial
        if trial is None or not trial.segments:
            return [Status.ESME_RMSGQFUL] * len(pdus)
        await self._answered.wait()
        return [self._take(trial, pdu) for pdu in pdus]

    def _take(self, trial: Trial, pdu: DeliverSm | DataSm) -> int:
        kind, settings = kind_of(pdu), incoming_settings(self._configured)
        if kind is DeliveryKind.REPLY:
            if not _is_receipt(trial, pdu, settings):
                return Status.ESME_RMSGQFUL
            kind = DeliveryKind.RECEIPT
        receipt = read_receipt(pdu, link=self._configured.name, at=int(time.time() * SECOND_MS), settings=settings)
        segment, form = _whose(trial, receipt)
        if segment is None and not _names(trial.to, receipt):
            return Status.ESME_RMSGQFUL
        part = None if segment is None else segment.part
        seconds = time.perf_counter() - self._began
        trial.heard.append(Heard(kind=kind, receipt=receipt, seconds=seconds, part=part, form=form))
        if segment is None:
            return Status.ESME_RMSGQFUL
        if receipt.counts and receipt.state is not None and is_final(receipt.state):
            segment.final = True
        return Status.ESME_ROK

    def changed(self, link: Link) -> None:
        """Do nothing: the bindings say it."""


def _is_receipt(trial: Trial, pdu: DeliverSm | DataSm, settings: IncomingSettings) -> bool:
    """Tell whether it is one although esm_class denies it, as the link is set (`receipts_without_esm_class`)."""
    rule = settings.without_esm_class
    if rule is WithoutEsmClass.NEVER or not has_text_of_receipt(pdu, settings.words):
        return False
    said = receipted_id(pdu)
    return rule is WithoutEsmClass.ALWAYS or any(
        spelling(segment.smsc_id, said) is not None for segment in trial.segments if segment.smsc_id and said
    )


def _whose(trial: Trial, receipt: DeliveryReceipt) -> tuple[Segment | None, str]:
    """Return the segment that a receipt is about, and how its id is spelled there."""
    agreements = [
        (agreement, segment.part, segment)
        for segment in trial.segments
        if segment.smsc_id and (agreement := spelling(segment.smsc_id, receipt.smsc_message_id)) is not None
    ]
    if not agreements:
        return None, ""
    agreement, _, segment = min(agreements)
    # In another base it may be the very id of somebody else's message.
    if agreement.converted and any(receipt.addresses) and not _names(trial.to, receipt):
        return None, ""
    return segment, _spelled(agreement)


def _spelled(agreement: Spelling) -> str:
    return FORM_OF[agreement].value


def _names(msisdn: str, receipt: DeliveryReceipt) -> bool:
    digits = msisdn.removeprefix("+")
    return any(address.lstrip("+").removeprefix("00") == digits for address in receipt.addresses)

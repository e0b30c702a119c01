"""Tries one link without a server: binds at each host, and may send one message and follow its receipts."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from esito.app.link_factory import incoming_settings, outgoing_settings, smpp_settings
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
"""Seconds between two checks while waiting."""

LONGEST_TRY = 10.0
"""Seconds that somebody at a terminal waits for a bind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSession:
    """The TLS session with the SMSC."""

    version: str
    subject: str
    issuer: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BindResult:
    """The result of one bind at one host."""

    host: str
    kind: str
    state: str
    seconds: float
    status: int | None = None
    """command_status of a refused bind."""
    reason: str = ""
    system_id: str = ""
    """That of the SMSC."""
    interface_version: int | None = None
    """From sc_interface_version; None if the SMSC sent none."""
    tls: TlsSession | None = None

    @property
    def good(self) -> bool:
        """Whether the SMSC accepted the bind."""
        return self.state == "bound"


@dataclass(slots=True, kw_only=True)
class TrialSegment:
    """One submit_sm of the message, and its response."""

    part: int
    status: int | None = None
    """command_status of the response; None: no response."""
    smsc_id: str = ""
    seconds: float | None = None
    error: str = ""
    final: bool = False
    """Whether a receipt with a final state has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialReceipt:
    """One deliver_sm that came during the trial, and how we read it."""

    kind: DeliveryKind
    receipt: DeliveryReceipt
    seconds: float
    """Since the submit_sm."""
    part: int | None
    """The segment it is about; None if it was not ours and was refused for now."""
    form: str
    """How it spells the id of the response."""


@dataclass(slots=True, kw_only=True)
class Trial:
    """A message that is sent to try a link."""

    to: str
    """E.164 with plus."""
    text: str
    sender: str
    patience: float
    """Seconds to wait for its receipts."""
    segments: list[TrialSegment] = field(default_factory=list)
    heard: list[TrialReceipt] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether the operator accepted all segments."""
        return bool(self.segments) and all(one.status == Status.ESME_ROK for one in self.segments)

    @property
    def settled(self) -> bool:
        """Whether no more receipts are expected."""
        return all(one.final or (one.seconds is not None and one.status != Status.ESME_ROK) for one in self.segments)


async def try_link(configured: LinkSettings, trial: Trial | None = None) -> list[BindResult]:
    """Bind one session of each kind at every host; send the trial by the first that can."""
    settings = smpp_settings(dataclasses.replace(configured, sessions=1))
    found: list[BindResult] = []
    for host, port in settings.hosts:
        one = dataclasses.replace(settings, host=host, port=port, fallback_hosts=())
        wanted = trial if trial is not None and not trial.segments else None
        found += await _try_host(configured, one, wanted)
    return found


async def _try_host(configured: LinkSettings, settings: SmppSettings, trial: Trial | None) -> list[BindResult]:
    patience = min(settings.response_timeout, LONGEST_TRY)
    events = _Following(configured, trial)
    tried = SmppLink(dataclasses.replace(settings, bind_timeout=patience), events)
    began = time.perf_counter()
    await tried.start()
    try:
        # A refused or lost binding is retried only after a pause that is longer than GLANCE.
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


def _seen(binding: LinkSession, host: str, seconds: float, patience: float) -> BindResult:
    state, reason = binding.state, binding.last_error
    if state == "connecting":
        state, reason = "lost", f"no answer to the bind within {patience:g} s"
    connection = binding.connection
    accepted = None if connection is None else connection.accepted
    version = b"" if accepted is None else accepted.tlvs.get(Tag.SC_INTERFACE_VERSION, b"")
    return BindResult(
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


def _tls(agreed: Any) -> TlsSession | None:
    """Return the version and certificate of an SSL object; None without TLS."""
    if agreed is None:
        return None
    certificate = agreed.getpeercert() or {}
    return TlsSession(
        version=agreed.version() or "",
        subject=_name(certificate.get("subject", ())),
        issuer=_name(certificate.get("issuer", ())),
        until=certificate.get("notAfter", ""),
    )


def _name(distinguished: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Return the common name of a certificate's subject or issuer, or else all its fields."""
    said = [pair for relative in distinguished for pair in relative]
    return dict(said).get("commonName") or ", ".join(f"{name}={value}" for name, value in said)


class _Following:
    """Events of a link during a trial: receipts of our message are acknowledged, all else is refused for now."""

    def __init__(self, configured: LinkSettings, trial: Trial | None) -> None:
        self._configured = configured
        self._trial = trial
        self._began = 0.0
        self._answered = asyncio.Event()

    async def send(self, link: SmppLink) -> None:
        """Submit the message, and wait for its responses and receipts."""
        trial = self._trial
        if trial is None:
            return
        count = count_segments(prepare(trial.text, unicode=False))
        trial.segments = [TrialSegment(part=part) for part in range(1, count + 1)]
        outgoing = outgoing_settings(self._configured)
        pdus = []
        for segment in trial.segments:
            one = Submission(
                # Stored messages have ids from 1, so 0 is free.
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
        """Note the responses to our submit_sm."""
        for outcome in outcomes:
            segment: TrialSegment = outcome.token
            segment.status, segment.smsc_id, segment.error = outcome.status, outcome.message_id, outcome.error
            segment.seconds = time.perf_counter() - self._began
        if self._trial is not None and all(one.seconds is not None for one in self._trial.segments):
            self._answered.set()

    async def delivered(self, _link: str, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Acknowledge receipts of our message once its ids are known; refuse the rest, as nobody here stores it."""
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
        trial.heard.append(TrialReceipt(kind=kind, receipt=receipt, seconds=seconds, part=part, form=form))
        if segment is None:
            return Status.ESME_RMSGQFUL
        if receipt.counts and receipt.state is not None and is_final(receipt.state):
            segment.final = True
        return Status.ESME_ROK

    def changed(self, link: Link) -> None:
        """Do nothing: we look at the bindings."""


def _is_receipt(trial: Trial, pdu: DeliverSm | DataSm, settings: IncomingSettings) -> bool:
    """Whether a deliver_sm without the esm_class of a receipt is one, by `receipts_without_esm_class`."""
    rule = settings.without_esm_class
    if rule is WithoutEsmClass.NEVER or not has_text_of_receipt(pdu, settings.words):
        return False
    said = receipted_id(pdu)
    return rule is WithoutEsmClass.ALWAYS or any(
        spelling(segment.smsc_id, said) is not None for segment in trial.segments if segment.smsc_id and said
    )


def _whose(trial: Trial, receipt: DeliveryReceipt) -> tuple[TrialSegment | None, str]:
    """Return the segment of a receipt, and how the receipt spells its id."""
    agreements = [
        (agreement, segment.part, segment)
        for segment in trial.segments
        if segment.smsc_id and (agreement := spelling(segment.smsc_id, receipt.smsc_message_id)) is not None
    ]
    if not agreements:
        return None, ""
    agreement, _, segment = min(agreements)
    # Converted to another base, it may be the id of somebody else's message.
    if agreement.converted and any(receipt.addresses) and not _names(trial.to, receipt):
        return None, ""
    return segment, _spelled(agreement)


def _spelled(agreement: Spelling) -> str:
    return FORM_OF[agreement].value


def _names(msisdn: str, receipt: DeliveryReceipt) -> bool:
    digits = msisdn.removeprefix("+")
    return any(address.lstrip("+").removeprefix("00") == digits for address in receipt.addresses)

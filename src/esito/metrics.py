"""All metrics, declared once and served at `/metrics`.

An increment costs about half a microsecond, and finding the child of a label set as
much again. So hot paths keep their children, and batches are counted with one `inc(n)`.
"""

from collections.abc import Callable, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The format of `render`."""

REGISTRY = CollectorRegistry()
"""Separate from the default registry, which a host program may use."""

ProcessCollector(registry=REGISTRY)

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds; a commit on a good disk takes one to five milliseconds."""

_BATCHES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)

# -- HTTP --------------------------------------------------------------------------------------

HTTP_REQUESTS = Counter(
    "esito_http_requests",
    "HTTP requests answered, by path template and status; a path we do not serve counts as `other`.",
    ["path", "status"],
    registry=REGISTRY,
)
HTTP_REQUEST_SECONDS = Histogram(
    "esito_http_request_seconds", "Seconds from a request to its answer.", ["path"], registry=REGISTRY, buckets=_FAST
)

# -- links -------------------------------------------------------------------------------------

LINK_UP = Gauge(
    "esito_link_up",
    "1 when a link is bound for `sending` or `receiving`, else 0.",
    ["link", "direction"],
    registry=REGISTRY,
)
LINK_TROUBLE = Gauge(
    "esito_link_trouble",
    "1 while the SMSC refuses our bind (`refused`), is there and answers no submit_sm (`unanswered`), or is asked"
    " nothing as it does not answer query_sm (`unqueried`), else 0.",
    ["link", "trouble"],
    registry=REGISTRY,
)
LINK_WINDOW = Gauge(
    "esito_link_window_in_use", "submit_sm written that lack their response.", ["link"], registry=REGISTRY
)
LINK_THROTTLED = Counter(
    "esito_link_throttled",
    "Answers that ask for less, such as ESME_RTHROTTLED and ESME_RMSGQFUL.",
    ["link"],
    registry=REGISTRY,
)
LINK_BINDS = Counter(
    "esito_link_binds", "Attempts to bind, by what the SMSC answered.", ["link", "status"], registry=REGISTRY
)
SUBMITS = Counter(
    "esito_submits", "Segments submitted, by what became of the submit_sm.", ["link", "answer"], registry=REGISTRY
)
QUERIES = Counter(
    "esito_queries",
    "query_sm, by what came of them: `answered`, `refused`, `unknown` (the command), `unanswered`.",
    ["link", "answer"],
    registry=REGISTRY,
)
RECEIPTS = Counter(
    "esito_receipts",
    "Delivery receipts kept, by verdict (the words of the trail); without a link: those that came through the log.",
    ["link", "verdict"],
    registry=REGISTRY,
)
REPLIES = Counter(
    "esito_replies",
    "Subscribers' texts, by what they came to: pieces received, whole replies, STOPs.",
    ["link", "stage"],
    registry=REGISTRY,
)
RECEIPT_COMMIT_SECONDS = Histogram(
    "esito_receipt_commit_seconds",
    "Seconds from a receipt's arrival to the commit that allows its deliver_sm_resp.",
    registry=REGISTRY,
    buckets=_FAST,
)
RECEIPT_BATCH = Histogram(
    "esito_receipt_batch", "Receipts that were kept in one go.", registry=REGISTRY, buckets=_BATCHES
)

# -- the store ---------------------------------------------------------------------------------

STORE_COMMIT_SECONDS = Histogram(
    "esito_store_commit_seconds", "Seconds one transaction took, commit included.", registry=REGISTRY, buckets=_FAST
)
STORE_BATCH = Histogram("esito_store_batch", "Writes that shared one transaction.", registry=REGISTRY, buckets=_BATCHES)
CLOCK_STEPPED = Gauge(
    "esito_clock_stepped_seconds",
    "How far this machine's clock has been set since the process began: above 0 ahead, below 0 back.",
    registry=REGISTRY,
)
CLOCK_AHEAD = Gauge(
    "esito_clock_ahead_of_store_seconds", "How far this machine's clock is ahead of the database's.", registry=REGISTRY
)
STORE_QUEUE = Gauge("esito_store_queue_depth", "Writes that wait for the writer.", registry=REGISTRY)

# -- the receipt log -----------------------------------------------------------------------------

LOG_WAITING = Gauge("esito_log_frames_waiting", "Frames in the log that no worker has applied.", registry=REGISTRY)
LOG_FILLED = Gauge("esito_log_filled_ratio", "Share of the log's room that is taken, 0 to 1.", registry=REGISTRY)
LOG_APPLIED = Counter(
    "esito_log_frames_applied", "Frames applied by this process for the first time.", registry=REGISTRY
)
LOG_MISSING = Gauge("esito_log_frames_missing", "Frames that later ones have overtaken for long.", registry=REGISTRY)
LOG_POISON = Counter("esito_log_frames_set_aside", "Records of the log that could not be applied.", registry=REGISTRY)
SPOOL_UNCONFIRMED = Gauge(
    "esito_spool_frames_unconfirmed", "Frames of this gateway that the store has not confirmed.", registry=REGISTRY
)
SPOOL_BYTES = Gauge("esito_spool_bytes", "Octets of this gateway's spool on disk.", registry=REGISTRY)
SENT_AGAIN = Counter(
    "esito_log_frames_sent_again", "Frames that the log had taken and the store never got.", registry=REGISTRY
)

# -- callbacks ---------------------------------------------------------------------------------

CALLBACK_ATTEMPTS = Counter(
    "esito_callback_attempts", "Attempts to make a callback: `delivered` or `failed`.", ["result"], registry=REGISTRY
)
CALLBACKS_GIVEN_UP = Counter("esito_callbacks_given_up", "Callbacks whose last attempt failed.", registry=REGISTRY)
CALLBACK_SECONDS = Histogram(
    "esito_callback_seconds", "Seconds one attempt took.", registry=REGISTRY, buckets=(*_FAST, 10.0, 15.0)
)
_DELIVERED, _FAILED = CALLBACK_ATTEMPTS.labels("delivered"), CALLBACK_ATTEMPTS.labels("failed")

# -- counts of the store, set when `/metrics` is read ---------------------------------------------

QUEUED = Gauge("esito_recipients_queued", "Recipients accepted and not yet submitted.", registry=REGISTRY)
UNANSWERED = Gauge("esito_segments_unanswered", "Segments that lack their submit_sm_resp.", registry=REGISTRY)
UNMATCHED = Gauge("esito_receipts_unmatched", "Receipts parked or orphaned.", registry=REGISTRY)
CALLBACKS_DUE = Gauge("esito_callbacks_due", "Callbacks that wait to be made.", registry=REGISTRY)
CALLBACKS_DEAD = Gauge("esito_callbacks_dead", "Callbacks given up, which can be replayed.", registry=REGISTRY)
RECIPIENTS = Gauge("esito_recipients", "Recipients in the store, by status word.", ["status"], registry=REGISTRY)


class Requests:
    """Counts requests of one path template; finds the child of each status once."""

    __slots__ = ("_by_status", "_path", "_seconds")

    def __init__(self, path: str) -> None:
        self._path = path
        self._seconds = HTTP_REQUEST_SECONDS.labels(path)
        self._by_status: dict[int, Counter] = {}

    def count(self, status: int, seconds: float) -> None:
        """Count one answer."""
        child = self._by_status.get(status)
        if child is None:
            child = self._by_status[status] = HTTP_REQUESTS.labels(self._path, str(status))
        child.inc()
        self._seconds.observe(seconds)


def link_state(link: str, *, sending: bool, receiving: bool, refused: bool = False, unanswered: bool = False) -> None:
    """Set what a link is bound for, and its troubles."""
    LINK_TROUBLE.labels(link, "refused").set(refused)
    LINK_TROUBLE.labels(link, "unanswered").set(unanswered)
    LINK_UP.labels(link, "sending").set(sending)
    LINK_UP.labels(link, "receiving").set(receiving)


def link_gone(link: str) -> None:
    """Remove the gauges of a link that no longer exists; its counters stay."""
    for direction in ("sending", "receiving"):
        LINK_UP.remove(link, direction)
    for trouble in ("refused", "unanswered"):
        LINK_TROUBLE.remove(link, trouble)
    LINK_WINDOW.remove(link)


def submit_answered(link: str, answer: str) -> None:
    """Count one submit_sm by its outcome."""
    _submits(link, answer).inc()


def query_answered(link: str, answer: str) -> None:
    """Count one query_sm by its outcome."""
    QUERIES.labels(link, answer).inc()


def queries_held(link: str, *, held: bool) -> None:
    """Set whether queries pause because the operator does not answer query_sm."""
    LINK_TROUBLE.labels(link, "unqueried").set(held)


def receipts_kept(link: str, verdicts: Mapping[str, int], seconds: float) -> None:
    """Count the receipts of one commit by verdict."""
    for verdict, count in verdicts.items():
        _receipts(link, verdict).inc(count)
    RECEIPT_BATCH.observe(sum(verdicts.values()))
    RECEIPT_COMMIT_SECONDS.observe(seconds)


def frames_applied(frames: int, verdicts: Mapping[str, int], seconds: float) -> None:
    """Count the frames and receipts of one commit that came through the log."""
    LOG_APPLIED.inc(frames)
    receipts_kept("", verdicts, seconds)


def frames_missing(count: int) -> None:
    """Set how many frames are overdue though later ones came."""
    LOG_MISSING.set(count)


def frame_set_aside() -> None:
    """Count a record of the log that could not be applied."""
    LOG_POISON.inc()


def frame_sent_again() -> None:
    """Count a frame that the log lost."""
    SENT_AGAIN.inc()


def log_stands(*, waiting: int, filled: float) -> None:
    """Set how far the store lags behind the log, and how full the log is."""
    LOG_WAITING.set(waiting)
    LOG_FILLED.set(filled)


def spool_holds(*, frames: Callable[[], int], octets: Callable[[], int]) -> None:
    """Read the size of a gateway's spool by these functions whenever `/metrics` is read."""
    SPOOL_UNCONFIRMED.set_function(frames)
    SPOOL_BYTES.set_function(octets)


def replies_kept(link: str, *, pieces: int, whole: int, stops: int) -> None:
    """Count subscribers' texts, and the replies and STOPs in them."""
    for stage, count in (("piece", pieces), ("whole", whole), ("stop", stops)):
        REPLIES.labels(link, stage).inc(count)


def callback_tried(*, delivered: bool, seconds: float) -> None:
    """Count one attempt at a callback."""
    (_DELIVERED if delivered else _FAILED).inc()
    CALLBACK_SECONDS.observe(seconds)


def counted(
    *,
    queued: int,
    unanswered: int,
    unmatched: int,
    callbacks_due: int,
    callbacks_dead: int = 0,
    by_status: Mapping[str, int],
) -> None:
    """Set the counts of the store; done when `/metrics` is read, never on a hot path."""
    QUEUED.set(queued)
    UNANSWERED.set(unanswered)
    UNMATCHED.set(unmatched)
    CALLBACKS_DUE.set(callbacks_due)
    CALLBACKS_DEAD.set(callbacks_dead)
    for status, count in by_status.items():
        RECIPIENTS.labels(status).set(count)


@cache
def _submits(link: str, answer: str) -> Counter:
    return SUBMITS.labels(link, answer)


@cache
def _receipts(link: str, verdict: str) -> Counter:
    return RECEIPTS.labels(link, verdict)


def render() -> bytes:
    """Return every metric in Prometheus's text format (`CONTENT_TYPE`)."""
    return generate_latest(REGISTRY)

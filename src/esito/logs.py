"""Configures the log, and hides API keys and whole MSISDNs in it.

Our events have a name and keys: `log.info("receipt_parked", link=..., smsc_message_id=...)`.
Messages of libraries, and warnings, are masked and formatted alike.
A disabled level costs an empty method call.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from esito.domain.display import mask, visible

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

HIDDEN = "***"

_SECRETS = frozenset(
    {"apikey", "key", "password", "secret", "signingsecret", "token", "authorization", "webhooksignature"}
)
"""Keys whose value is always hidden; compared in lower case without dashes and underscores."""

_NUMBERS = frozenset(
    {"msisdn", "msisdns", "to", "from", "phone", "phones", "phonenumber", "phonenumbers", "number", "numbers"}
    | {"recipient", "recipients", "source", "sourceaddr", "destination", "destinationaddr", "addresses", "sender"}
)
"""Keys whose value is or contains an MSISDN: every long run of digits in it is masked."""

_KEY_IN_TEXT = re.compile(r"""(api_?key["']?\s*(?:=|:|%3D)\s*["']?)[^&\s"',;}]+""", re.IGNORECASE)
_BEARER = re.compile(r"(bearer\s+)[^\s\"',;]+", re.IGNORECASE)
_KEY_BY_FORM = re.compile(r"(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])")
"""The form of keys from `domain.account.new_api_key`."""
_NUMBER_IN_TEXT = re.compile(r"(\+|%2B)((?:[ .()-]?\d){8,15})", re.IGNORECASE)
_NUMBER_IN_QUERY = re.compile(
    r"""((?:phone_?numbers?|msisdn|to|from)["']?\s*(?:=|:)\s*\[?["']?)([^&"'\]}]+)""", re.IGNORECASE
)
_NO_DIGIT = re.compile(r"\D")
_DIGITS = re.compile(r"\+?\d{8,}")


def hide(text: str) -> str:
    """Return a text with the keys and MSISDNs that we can recognise hidden."""
    # Most texts contain neither, and these checks are cheaper than the expressions.
    lowered = text.lower()
    if len(text) >= 40:
        text = _KEY_BY_FORM.sub(HIDDEN, text)
    if "key" in lowered:
        text = _KEY_IN_TEXT.sub(rf"\1{HIDDEN}", text)
    if "bearer" in lowered:
        text = _BEARER.sub(rf"\1{HIDDEN}", text)
    if "+" in text or "%2b" in lowered:
        text = _NUMBER_IN_TEXT.sub(lambda found: mask("+" + _NO_DIGIT.sub("", found[2])), text)
    if "=" in text or ":" in text:
        text = _NUMBER_IN_QUERY.sub(lambda found: found[1] + hide_digits(found[2]), text)
    return text


def hide_digits(text: str) -> str:
    """Return a text with every MSISDN masked, with or without plus."""
    return _DIGITS.sub(lambda found: mask(found[0]), text)


def hide_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide secrets and MSISDNs of an event; the last step before formatting."""
    return {hide(name): _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: Any) -> Any:
    """Return a value with what this name requires hidden."""
    if value is None or isinstance(value, bool | float):
        return value
    plain = name.lower().replace("_", "").replace("-", "")
    if plain in _SECRETS:
        return HIDDEN
    holds_number = plain in _NUMBERS
    if isinstance(value, int):
        if holds_number:
            return hide_digits(str(value))
        return value if abs(value) < 2**63 else str(value)  # the JSON encoder knows no larger ones
    if isinstance(value, Mapping):
        return {hide(str(inner)): _hidden(name if holds_number else str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(name, item) for item in value]
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    text = hide(text).encode("utf-8", "backslashreplace").decode()  # no lone surrogates
    return hide_digits(text) if holds_number else text


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return msgspec.json.encode(event).decode()


class _StandardError:
    """Standard error at the time of writing: loggers outlive a replaced stream."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def configure(*, level: str = "info", form: str = "console", stream: TextIO | None = None) -> None:
    """Write events from `level` up to `stream` (standard error): `console` for people, `json` for machines."""
    stream = stream or cast("TextIO", _StandardError())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    after: list[Processor] = [hide_event, _renderer(form, stream)]
    structlog.configure(
        processors=[*before, *after],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    logging.root.handlers = [handler]
    # Libraries log warnings only, unless we debug.
    logging.root.setLevel(max(LEVELS[level], logging.WARNING) if level != "debug" else logging.DEBUG)
    for name in ("_granian", "granian.access"):
        granian = logging.getLogger(name)
        granian.handlers, granian.propagate = [], True
    logging.captureWarnings(capture=True)


def _renderer(form: str, stream: TextIO) -> Processor:
    if form == "json":
        return _as_json
    console = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=28
    )
    return lambda logger, method, event: console(logger, method, {visible(name): _shown(event[name]) for name in event})


def _shown(value: Any) -> Any:
    """Return a value that cannot steer a terminal; line breaks of tracebacks stay."""
    if isinstance(value, str):
        return visible(value, keep="\n")
    if isinstance(value, Mapping):
        return {visible(str(name)): _shown(item) for name, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value

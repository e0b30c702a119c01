"""Every setting: name, type, default, help and allowed values, in one table.

A setting comes from the TOML file; a variable `ESITO_` + section + `_` + name overrides it
(`ESITO_HTTP_LISTEN`, `ESITO_LINK_ALPHA_PASSWORD`; lists have commas). Only this module reads
settings from the environment. `docs/reference/configuration.md` is tested against this table.

Long because it is one table.
"""
# ruff: noqa: RUF009  `_setting` declares a field, as dataclasses.field does

import dataclasses
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from esito import config_rules as rules
from esito.domain.account import HOME
from esito.domain.coding import Alphabet, Codings
from esito.domain.errors import EsitoError
from esito.domain.retrying import RetryTable, read_rules
from esito.domain.states import STAT_WORDS, MessageState, MultipartRule
from esito.domain.timing import HOUR_MS, VALIDITY_MS

T = TypeVar("T")


class ConfigError(EsitoError):
    """A setting cannot be used."""


def _setting(default: Any, text: str, rule: rules.Rule = rules.ANY, *, secret: bool = False, live: bool = False) -> Any:
    """Declare a setting; its type is that of the field. `live`: of a link, it may change while the link is bound."""
    metadata = {"help": text, "rule": rule, "live": live}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=default.copy, repr=not secret, metadata=metadata)
    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """How the API is served."""

    listen: str = _setting("127.0.0.1:8000", "Address and port of the API.", rules.ADDRESS)
    monitor: str = _setting(
        "",
        "Address and port that serve `/healthz`, `/readyz` and `/metrics` to anybody, without a key.",
        rules.NO_ADDRESS,
    )
    error_status: Literal[400, 200] = _setting(400, "HTTP status of error envelopes; 200 for clients that need it.")
    trusted_proxies: tuple[str, ...] = _setting((), "Proxies whose `X-Forwarded-For` is believed.", rules.NETWORKS)
    connections: int = _setting(2048, "Connections at a time; further ones wait until one ends.", rules.at_least(1))
    per_address: int = _setting(
        64,
        "Connections of one address, except `trusted_proxies`; 64 bits of an IPv6 address count as one. 0: any number.",
        rules.at_least(0),
    )
    tls_cert: str = _setting("", "PEM file with the certificate chain; together with `tls_key` it makes HTTPS.")
    tls_key: str = _setting("", "PEM file with the private key of `tls_cert`.")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        return rules.host_and_port(self.listen)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """The database."""

    url: str = _setting(
        "sqlite:///var/esito.db",
        "Database. SQLite: three slashes make a relative path. PostgreSQL: hosts separated by commas, any of"
        " them the primary.",
        rules.STORE_URL,
    )
    secret: str = _setting(
        "",
        "Secret of the keyed hashes of API keys; empty: a file `esito.secret` beside the SQLite file, created"
        " if missing. PostgreSQL needs one, the same for every process.",
        secret=True,
    )
    allow_unsafe: bool = _setting(
        default=False,
        text="Accept a PostgreSQL server that may lose what it has acknowledged (`fsync = off` and such).",
    )

    @property
    def shared(self) -> bool:
        """Whether several processes may use it."""
        return self.url.startswith(rules.POSTGRES)

    @property
    def path(self) -> Path:
        """The SQLite file of `url`."""
        return Path(self.url.removeprefix(rules.SQLITE))


@dataclass(frozen=True, slots=True, kw_only=True)
class BusSettings:
    """The receipt log between gateways and workers."""

    url: str = _setting("", "Receipt log between gateways and the store; empty: none.", rules.BUS_URL)
    monitors: tuple[str, ...] = _setting(
        (), "Monitoring address of each NATS server, to check that it always syncs.", rules.HTTP_URLS
    )
    stream: str = _setting("ESITO_RECEIPTS", "Name of the stream; several installations may share servers.", rules.WORD)
    replicas: int = _setting(3, "Servers that keep each record of the stream.", rules.at_least(1))
    max_megabytes: int = _setting(4096, "Size of the stream; links slow down before it is full.", rules.at_least(1))
    spool: str = _setting(
        "var/spool", "Directory of the spool: receipts that a gateway has acknowledged and the store has not confirmed."
    )
    allow_unsafe: bool = _setting(default=False, text="Accept NATS servers that may lose what they have acknowledged.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long data is stored."""

    text_days: int = _setting(7, "Days after which the text of a message is removed.", rules.at_least(1))
    number_days: int = _setting(
        90, "Days after which numbers are removed from messages, receipts and replies.", rules.at_least(3)
    )
    # A recipient without a final receipt expires after two days; it must not be removed before.
    status_days: int = _setting(90, "Days after which a message and its statuses are removed.", rules.at_least(3))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSettings:
    """How callbacks are sent to the servers of senders."""

    signing_secret: str = _setting("", "Signs callbacks of accounts without a secret of their own.", secret=True)
    allow_private_networks: bool = _setting(False, "Allow callbacks to private, loopback and link-local addresses.")
    refused_networks: tuple[str, ...] = _setting((), "Further networks that callbacks may not go to.", rules.NETWORKS)
    ports: tuple[str, ...] = _setting(("80", "443", "1024-65535"), "Ports that callbacks may go to.", rules.PORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSettings:
    """What time it is; for demonstrations and tests."""

    pushable: bool = _setting(False, "Allow `POST /v2/clock/advance`; never in production.")
    speed: float = _setting(1.0, "How fast a pushable clock runs.", rules.POSITIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingSettings:
    """What a segment costs."""

    home: str = _setting(
        HOME,
        "The home country: `default` and `low_cost` apply to it alone, and accounts without a list of"
        " countries send only to it.",
        rules.HOME,
    )
    default: Decimal = _setting(Decimal("0.045"), "Price of a segment in the home country.", rules.PRICE)
    low_cost: Decimal = _setting(
        Decimal("0.040"), "Price of a low cost segment, in the home country only.", rules.PRICE
    )
    currency: str = _setting("EUR", "Currency of all prices.", rules.CURRENCY)
    countries: Mapping[str, Decimal] = _setting(
        {},
        'Prices of a segment by country: `{BE = "0.06"}`; nothing is sent to a country without a price,'
        " except the home country.",
        rules.COUNTRIES,
    )
    prefixes: Mapping[str, Decimal] = _setting(
        {},
        'Prices by prefix of the number, which override those of countries: `{"+3246" = "0.07"}`; the longest'
        " prefix counts.",
        rules.PRICED_PREFIXES,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """How much is answered."""

    bad_keys_per_minute: int = _setting(
        20, "Wrong API keys that are checked per address and minute; 0: no limit.", rules.at_least(0)
    )
    requests_per_second: int = _setting(
        0,
        "Requests of one account per second, unless its profile says otherwise; 0: no limit.",
        rules.at_least(0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = _setting("info", "The lowest level that is logged.")
    format: Literal["console", "json"] = _setting("console", "`console` for people, `json` for machines.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSettings:
    """How operators' error codes are explained."""

    directory: str = _setting("", "Directory of error tables, which override those of the package.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """One way to an operator; the section `[[link]]` stands once for each."""

    name: str = _setting("", "Its name in answers, logs and metrics.", rules.LINK_NAME, live=True)
    enabled: bool = _setting(
        True,
        "Whether it is bound; what waits for a disabled link leaves by others that serve the prefix, or waits.",
        live=True,
    )
    operator: str = _setting(
        "", "Links of one operator share their SMSC ids; empty: the link's own name.", rules.OPERATOR
    )
    host: str = _setting("127.0.0.1", "Host of the SMSC.", rules.HOST)
    port: int = _setting(2775, "Port of the SMSC.", rules.PORT)
    fallback_hosts: tuple[str, ...] = _setting(
        (), "Further hosts of the same SMSC, tried in turn when one cannot be reached.", rules.HOSTS
    )
    system_id: str = _setting("", "Our name at the SMSC; SMPP allows 15 octets.", rules.octets(64))
    password: str = _setting("", "Our password; SMPP allows 8 octets.", rules.octets(64), secret=True)
    system_type: str = _setting("", "Our kind of system; most operators want none.", rules.octets(12))
    interface_version: Literal["3.4", "3.3", "5.0"] = _setting("3.4", "The SMPP version of a bind.")
    address_range: str = _setting(
        "",
        "Addresses whose receipts and replies the SMSC shall send to this link; most operators want none.",
        rules.octets(40),
    )
    addr_ton: int = _setting(0, "Type of number of `address_range`.", rules.OCTET)
    addr_npi: int = _setting(0, "Numbering plan of `address_range`.", rules.OCTET)
    bind: Literal["transceiver", "transmitter + receiver", "transmitter", "receiver"] = _setting(
        "transceiver", "How sessions are bound; a link with only a `receiver` sends nothing."
    )
    sessions: int = _setting(1, "Sessions of each kind.", rules.between(1, 100))
    window: int = _setting(100, "submit_sm of one session that may await their response.", rules.between(1, 65_535))
    throughput: int = _setting(0, "submit_sm per second over all sessions; 0: no limit.", rules.at_least(0))
    tls: bool = _setting(False, "Use TLS to the SMSC.")
    tls_ca: str = _setting("", "PEM file of the trusted authorities; empty: those of the machine.")
    tls_cert: str = _setting("", "PEM file with our certificate chain, for an SMSC that asks for one.")
    tls_key: str = _setting("", "PEM file with the private key of `tls_cert`.")
    tls_name: str = _setting(
        "", "Server name to ask for (SNI) and to expect in the certificate; empty: the host.", rules.HOST_NAME
    )
    enquire_interval: float = _setting(30.0, "Seconds of silence after which we send enquire_link.", rules.POSITIVE)
    response_timeout: float = _setting(60.0, "Seconds we wait for a response.", rules.POSITIVE)
    rebind_max: float = _setting(60.0, "Longest pause, in seconds, between two attempts to bind.", rules.POSITIVE)
    rebind_refused_max: float = _setting(
        300.0,
        "Likewise, when the SMSC refuses the bind for a permanent reason, or accepts it and answers no submit_sm.",
        rules.POSITIVE,
    )
    stop_patience: float = _setting(
        25.0,
        "Seconds that a stopping server waits for missing responses, at most `response_timeout`.",
        rules.POSITIVE,
    )
    sender: str = _setting("", "Sender of messages without one; empty: the operator chooses.", rules.SENDER, live=True)
    stop_number: str = _setting(
        "",
        "Number for STOPs that the STOP mention names, in texts whose sender is not a number; empty: `sender`"
        " if that is a number, else 36111.",
        rules.STOP_NUMBER,
        live=True,
    )
    source_numbering: Mapping[str, tuple[int, int]] = _setting(
        {}, "TON and NPI of senders that differ from the usual ones: by kind, or for `all`.", rules.NUMBERING, live=True
    )
    destination_numbering: Mapping[str, tuple[int, int]] = _setting(
        {}, "TON and NPI of recipients, likewise; all of ours are international.", rules.NUMBERING, live=True
    )
    service_type: str = _setting("", "`service_type` of each submit_sm, such as CMT.", rules.octets(5), live=True)
    protocol_id: int = _setting(0, "`protocol_id` of each submit_sm.", rules.OCTET, live=True)
    priority_flag: int = _setting(0, "`priority_flag` of messages without a priority.", rules.between(0, 3), live=True)
    registered_delivery: int = _setting(
        1, "`registered_delivery` of each submit_sm: 1 asks for a receipt of every final state, 17 for"
" intermediate ones too.",
        rules.OCTET, live=True,
    )  # fmt: skip
    validity: Literal["relative", "absolute", "none"] = _setting(
        "relative", "Form of `validity_period`: relative, an absolute date in UTC, or left to the operator.", live=True
    )
    validity_hours: int = _setting(
        48,
        "How long the operator shall try; beyond 48 hours we wait as long for the final receipt.",
        rules.between(1, 168),
        live=True,
    )
    alphabet: Alphabet = _setting(
        Alphabet.GSM,
        "What data_coding 0 means to this operator, in both directions; `gsm` is one septet an octet.",
        live=True,
    )
    data_coding_gsm: int = _setting(0, "data_coding of texts in the GSM alphabet.", rules.OCTET, live=True)
    data_coding_latin1: int = _setting(3, "data_coding of texts in Latin-1.", rules.between(1, 255), live=True)
    data_coding_ucs2: int = _setting(8, "data_coding of texts in UCS-2.", rules.between(1, 255), live=True)
    concatenation: Literal["udh8", "udh16", "sar", "message_payload", "udh"] = _setting(
        "udh8",
        "How the segments of one text are joined: user data header with a reference of 8 or 16 bits, `sar_*`"
        " parameters, or one submit_sm with `message_payload`; `udh` is `udh8`.",
    )
    receipt_timezone: str = _setting("UTC", "Time zone of the dates in receipts.", rules.ZONE, live=True)
    words: Mapping[str, str] = _setting(
        {}, 'States of this operator\'s own `stat:` words: `{FAILED = "UNDELIV"}`.', rules.WORDS, live=True
    )
    message_id_form: Literal["auto", "as-is", "hex-to-dec", "dec-to-hex", "strip-zeros"] = _setting(
        "auto", "How the id in a receipt differs from that of the submit_sm_resp; `auto`: learned.", live=True
    )
    receipts_without_esm_class: Literal["never", "known-id", "always"] = _setting(
        "known-id",
        "What counts as a receipt without the esm_class of one and without message_state: nothing; a"
        " receipt's text with an id of ours in receipted_message_id; or any receipt's text, whoever wrote it.",
        live=True,
    )
    receipt_addresses: Literal["recipient", "ignored"] = _setting(
        "recipient",
        "What the addresses of a receipt name: the recipient, for whom alone its id counts; or something"
        " else, such as a number of the SMSC, and then only the id counts.",
        live=True,
    )
    country: str = _setting(
        "",
        "Country (ISO 3166) whose numbers the operator writes in national form, with TON 2 or a leading 0;"
        " empty: France in replies, and any recipient's country in receipts.",
        rules.COUNTRY,
        live=True,
    )
    multipart_rule: MultipartRule = _setting(
        MultipartRule.ANY_FAILED, "How the states of several segments determine that of the recipient.", live=True
    )
    resubmit_uncertain: bool = _setting(
        False, "Submit again what may have been submitted when the process died: rather twice than never.", live=True
    )
    retry: Mapping[str, Mapping[str, Any]] = _setting(
        {}, "Temporary refusals of a submit_sm, by command_status or `generic_nack`; see below.", rules.RETRY
    )
    query_after: str = _setting(
        "",
        "How long after a submission we ask by query_sm for a missing final receipt; empty: never.",
        rules.SPAN,
        live=True,
    )
    prefixes: tuple[str, ...] = _setting(
        (), "Numbers it serves: longest prefix wins; empty: all others.", rules.PREFIXES, live=True
    )
    priority: int = _setting(
        1,
        "Of the usable links that serve a prefix, those with the lowest number take it.",
        rules.at_least(0),
        live=True,
    )
    weight: int = _setting(
        1, "Its share of a prefix among links of the same priority.", rules.between(1, 1000), live=True
    )

    @property
    def retries(self) -> RetryTable:
        """The refusals that pass: `retry` over the usual ones."""
        return RetryTable(read_rules(self.retry))

    @property
    def wait_ms(self) -> int:
        """How long after a submission the operator's last word is waited for, in milliseconds."""
        return max(VALIDITY_MS, self.validity_hours * HOUR_MS)

    @property
    def query_after_ms(self) -> int:
        """The span of `query_after` in milliseconds; 0: nothing is asked."""
        return rules.span_ms(self.query_after)

    @property
    def zone(self) -> tzinfo:
        """The time zone of `receipt_timezone`."""
        return rules.zone_of(self.receipt_timezone)

    @property
    def sends(self) -> bool:
        """Whether messages leave by it."""
        return self.bind != "receiver"

    @property
    def receives(self) -> bool:
        """Whether receipts and replies come by it."""
        return self.bind != "transmitter"

    @property
    def stat_words(self) -> Mapping[str, MessageState]:
        """The states behind what this operator writes after `stat:`, in upper case."""
        return STAT_WORDS | {word.upper(): STAT_WORDS[state] for word, state in self.words.items()}

    @property
    def codings(self) -> Codings:
        """How texts are written and read here."""
        return Codings(self.alphabet, self.data_coding_gsm, self.data_coding_latin1, self.data_coding_ucs2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings."""

    http: HttpSettings = HttpSettings()
    store: StoreSettings = StoreSettings()
    bus: BusSettings = BusSettings()
    retention: RetentionSettings = RetentionSettings()
    callbacks: CallbackSettings = CallbackSettings()
    clock: ClockSettings = ClockSettings()
    pricing: PricingSettings = PricingSettings()
    limits: LimitSettings = LimitSettings()
    logs: LogSettings = LogSettings()
    errors: ErrorSettings = ErrorSettings()
    links: tuple[LinkSettings, ...] = ()

    @staticmethod
    def help_table() -> list["HelpRow"]:
        """Return a row for every setting, in the order of the table."""
        return [
            HelpRow(
                heading,
                name,
                rules.type_name(kind),
                _shown(declared.default),
                declared.metadata["help"],
                declared.metadata["rule"].allowed,
            )
            for section, table in _TABLES.items()
            for heading in [f"[[{section}]]" if section == "link" else f"[{section}]"]
            for name, kind, declared in _declared(table)
        ]


class HelpRow(NamedTuple):
    """One setting in the documentation."""

    section: str
    name: str
    type: str
    default: str
    help: str
    allowed: str


_TABLES: dict[str, type] = {
    "http": HttpSettings,
    "store": StoreSettings,
    "bus": BusSettings,
    "retention": RetentionSettings,
    "callbacks": CallbackSettings,
    "clock": ClockSettings,
    "pricing": PricingSettings,
    "limits": LimitSettings,
    "logs": LogSettings,
    "errors": ErrorSettings,
    "link": LinkSettings,
}
"""The sections of the file."""


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a file, overridden by `environ`. Raises ConfigError.

    Without a path everything is the default or comes from `environ`.
    """
    document = _document(path) if path else {}
    file = str(path) if path else "settings"
    for section in document.keys() - _TABLES.keys():
        raise ConfigError(f"{file}: there is no section [{section}]; there are {', '.join(_TABLES)}")
    reader = _Reader(file, environ)
    links = document.pop("link", [])
    if not isinstance(links, list):
        raise ConfigError(f"{file}: a link begins with [[link]], in double brackets")
    sections: dict[str, Any] = {
        section: reader.section(section, table, document.get(section, {}))
        for section, table in _TABLES.items()
        if section != "link"
    }
    settings = Settings(**sections, links=tuple(reader.link(number, link) for number, link in enumerate(links, 1)))
    _agree(file, settings)
    return settings


def new_link(written: Mapping[str, Any], environ: Mapping[str, str], *, where: str) -> LinkSettings:
    """Return a link that is in no file; `environ` gives what is not `written`. Raises ConfigError."""
    name = str(written.get("name", ""))
    prefix = f"ESITO_LINK_{name}_".replace("-", "_").upper()
    apart = {
        variable: value for variable, value in environ.items() if variable.removeprefix(prefix).lower() not in written
    }
    return _Reader(where, apart).link(0, dict(written))


def changed_link(link: LinkSettings, written: Mapping[str, Any], *, where: str) -> LinkSettings:
    """Return a link with some settings changed, given as in its section. Raises ConfigError."""
    changed = _Reader(where, {}).link(0, {"name": link.name, **written})
    return dataclasses.replace(link, **{name: getattr(changed, name) for name in written})


def with_links(settings: Settings, links: Sequence[LinkSettings], *, where: str) -> Settings:
    """Return the settings with other links. Raises ConfigError if these contradict each other."""
    changed = dataclasses.replace(settings, links=tuple(links))
    _agree(where, changed)
    return changed


def as_written(name: str, text: str, *, where: str) -> Any:
    """Return a setting of a link as JSON has it, given in the spelling of a variable or of the file.

    Raises ConfigError.
    """
    settings = {known: (kind, declared) for known, kind, declared in _declared(LinkSettings)}
    if name not in settings:
        raise ConfigError(f"{where}: there is no setting {name!r}; [[link]] has {', '.join(settings)}")
    kind, declared = settings[name]
    as_in_file = kind in _TABLES_OF_VALUES or (get_origin(kind) is tuple and text.startswith("["))
    try:
        written = tomllib.loads(f"it = {text}")["it"] if as_in_file else text
        value = rules.read(written, kind, declared.metadata["rule"], from_text=not as_in_file)
    except ValueError:  # also for bad TOML
        raise _wrong(f"{where}.{name}", text, kind, declared) from None
    return msgspec.to_builtins(value)


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return variables that look like settings but are not.

    They are not refused, as container platforms set names such as ESITO_HTTP_PORT_80_TCP.
    """
    known = {f"ESITO_{section}_{name}".upper() for section, table in _TABLES.items() for name, _, _ in _declared(table)}
    prefixes = tuple(f"ESITO_{section.upper()}_" for section in _TABLES if section != "link")
    return sorted(name for name in environ if name.startswith(prefixes) and name not in known)


def tells_secrets(path: Path) -> bool:
    """Whether a settings file contains a password, a secret, or a URL with a password."""
    names = {declared.name for table in _TABLES.values() for _, _, declared in _declared(table) if not declared.repr}
    sections = _document(path).values()
    written = [one for section in sections for one in (section if isinstance(section, list) else [section])]
    texts = [(name, text) for section in written for name, text in section.items() if isinstance(text, str) and text]
    return any(name in names or urlsplit(text).password for name, text in texts)


def _document(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def _declared(table: type) -> Iterator[tuple[str, Any, "dataclasses.Field[Any]"]]:
    """Yield name, type and declaration of each setting of a section."""
    kinds = get_type_hints(table)
    for declared in dataclasses.fields(table):
        yield declared.name, kinds[declared.name], declared


class _Reader:
    """Reads the sections of one file, with the environment over them."""

    def __init__(self, file: str, environ: Mapping[str, str]) -> None:
        self._file = file
        self._environ = environ

    def section(self, section: str, table: type[T], written: Any) -> T:
        """Return a section."""
        return self._table(f"[{section}]", section, f"ESITO_{section}_", table, written)

    def link(self, number: int, written: Any) -> LinkSettings:
        """Return the link at position `number` of the file."""
        name = written.get("name") if isinstance(written, dict) else None
        shown = f"link.{name}" if name else f"link {number}"
        prefix = f"ESITO_LINK_{name}_".replace("-", "_")
        return self._table("[[link]]", shown, prefix, LinkSettings, written)

    def _table(self, heading: str, shown: str, prefix: str, table: type[T], written: Any) -> T:
        if not isinstance(written, dict):
            raise ConfigError(f"{self._file}: {shown} must be a section, {heading}")
        settings = {name: (kind, declared) for name, kind, declared in _declared(table)}
        for name in written.keys() - settings.keys():
            raise ConfigError(f"{self._file}: {shown}.{name} is not known; {heading} has {', '.join(settings)}")
        values = {}
        for name, (kind, declared) in settings.items():
            variable = f"{prefix}{name}".upper()
            if variable in self._environ and kind not in _TABLES_OF_VALUES:
                values[name] = _value(variable, self._environ[variable], kind, declared, from_text=True)
            elif name in written or (table is LinkSettings and name == "name"):
                where = f"{self._file}: {shown}.{name}"
                values[name] = _value(where, written.get(name, ""), kind, declared, from_text=False)
        return table(**values)


_TABLES_OF_VALUES = (
    Mapping[str, Decimal],
    Mapping[str, str],
    Mapping[str, tuple[int, int]],
    Mapping[str, Mapping[str, Any]],
)
"""Types that do not fit into one variable."""


def _value(where: str, written: Any, kind: Any, declared: "dataclasses.Field[Any]", *, from_text: bool) -> Any:
    rule: rules.Rule = declared.metadata["rule"]
    try:
        return rules.read(written, kind, rule, from_text=from_text)
    except ValueError:
        raise _wrong(where, written, kind, declared) from None


def _wrong(where: str, written: Any, kind: Any, declared: "dataclasses.Field[Any]") -> ConfigError:
    # A secret is not shown even if it is wrong.
    shown = f"; it is {written!r}" if declared.repr else ""
    return ConfigError(f"{where} must be {rules.allowed(kind, declared.metadata['rule'])}{shown}")


def _agree(file: str, settings: Settings) -> None:
    """Check settings against each other. Raises ConfigError."""
    if bool(settings.http.tls_cert) != bool(settings.http.tls_key):
        raise ConfigError(f"{file}: http.tls_cert and http.tls_key go together: both or none")
    seen: set[str] = set()
    for link in settings.links:
        # Names that differ only in case would share their variables.
        if link.name.upper() in seen:
            raise ConfigError(f"{file}: link.{link.name} is there twice; the name of a link must be its own")
        seen.add(link.name.upper())
        for sentence in _contradictions(link):
            raise ConfigError(f"{file}: link.{link.name}.{sentence}")


def _contradictions(link: LinkSettings) -> Iterator[str]:
    """Yield the contradictions within one link, each as the end of a sentence."""
    if not link.tls:
        for name in ("tls_ca", "tls_cert", "tls_key", "tls_name"):
            if getattr(link, name):
                yield f"{name} says nothing without tls = true"
    if bool(link.tls_cert) != bool(link.tls_key):
        yield "tls_cert and tls_key go together: both or none"
    if link.prefixes and not link.sends:
        yield "prefixes: a link that only receives serves no numbers"
    if link.query_after and not link.sends:
        yield "query_after: a link that only receives asks nothing"
    if rules.span_ms(link.query_after) >= link.wait_ms:
        hours, given = link.wait_ms // HOUR_MS, link.query_after
        yield f"query_after must be shorter than the {hours} hours that a last word is waited for; it is {given!r}"
    # data_coding_gsm = 0 counts only if the default alphabet is GSM.
    used = [link.data_coding_latin1, link.data_coding_ucs2]
    if link.data_coding_gsm or link.alphabet in {Alphabet.GSM, Alphabet.GSM_PACKED}:
        used.append(link.data_coding_gsm)
    if len(set(used)) < len(used):
        yield "data_coding_gsm, data_coding_latin1 and data_coding_ucs2 must differ"


def _shown(default: Any) -> str:
    """Return a default as the file would spell it."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return str(default)
    if isinstance(default, tuple):
        return json.dumps(default)
    if default is dataclasses.MISSING:
        return "{}"
    return f'"{default.value if isinstance(default, Enum) else default}"'

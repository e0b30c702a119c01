"""Readers of what customers and their browsers write, of what servers answer, and of what is written for either."""

import json
from collections.abc import Callable
from decimal import Decimal
from ipaddress import ip_network
from typing import Any, cast

from esito import logs
from esito.api.http import app, auth, body, client_address, idempotency, multipart, paging, request, xml
from esito.api.services import Services
from esito.api.v1 import (
    bulk_send,
    lookup,
    multi_status,
    schedule,
    send_fields,
    statistics,
    subaccount_credit,
    subaccounts,
)
from esito.api.v2 import (
    callback_destinations,
    callback_outbox,
    callback_replay,
    export_stream,
    interval,
    message_search,
    unmasking,
)
from esito.client import answers
from esito.domain import display, msisdn, text
from esito.domain.account import Account, AccountState, Profile
from esito.domain.credentials import key_digest
from esito.webhooks import sender, signing, status_line, targets
from tests.growth.spite import BODY, HEADER, SPITEFUL, Reader, allowed, numbered, octets, wrapped
from tests.kit.builders import NOW

Ask = Callable[[str], object]

ACCOUNT = Account(
    id=1, name="acme", state=AccountState.ACTIVE, credit=Decimal(1), profile=Profile(creates_subaccounts=True)
)


def asked(read: Callable[[request.AccountRequest], object], *names: str, **others: object) -> Callable[[str], object]:
    """Return a reader of a call whose parameters of these names are the text."""

    def reads(given: str) -> object:
        values = dict.fromkeys(names, given) | others
        scope: dict[str, Any] = {"headers": [(b"idempotency-key", b"a"), (b"authorization", b"a")]}
        return read(
            request.AccountRequest(cast("Services", None), ACCOUNT, request.Inputs(values), xml=False, scope=scope)
        )

    return reads


OPTIONS = (
    *("sender", "gamme", "range", "priority", "tag", "reference", "urlDlr", "webhookUrl", "urlResponse", "isUnicode"),
    *("isStopSms", "sandbox", *schedule.FIELDS),
)


NETWORKS = (ip_network("10.0.0.0/8"), ip_network("::/1"))


def octets_of(given: str) -> bytes:
    return given.encode("utf-8", "replace")


def forwarded(given: bytes) -> object:
    lines = [(client_address.FORWARDED, piece) for piece in given.split(b"\n")]
    client_address.read_address.cache_clear()
    return client_address.client_address({"client": ("10.0.0.1", 1), "headers": lines}, NETWORKS)


TEXTS: dict[str, Reader] = {
    name: Reader(most, allowed(read), SPITEFUL)
    for name, most, read in cast(
        "list[tuple[str, int, Callable[[str], object]]]",
        [
            # What customers write.
            (
                "list of numbers",
                BODY,
                lambda given: send_fields.read_numbers(send_fields.raw_numbers(given), "", send_fields.FieldErrors()),
            ),
            ("a number", BODY, msisdn.normalise),
            ("numbers to look up", BODY, lookup.numbers_of),
            (
                "kind of a number",
                BODY,
                lambda given: (msisdn.country_of(given), msisdn.is_mobile(given), display.mask(given)),
            ),
            (
                "scalars",
                BODY,
                lambda given: (request.as_message_id(given), request.as_number_text(given), request.as_text(given)),
            ),
            (
                "flags",
                BODY,
                lambda given: (request.Inputs({"a": given}).flag("a"), request.wants_xml({"_format": given})),
            ),
            ("flaws of a text", BODY, send_fields.flaw_of),
            ("segments of a text", BODY, lambda given: text.split(text.prepare(given, unicode=False))),
            ("segments in Unicode", BODY, lambda given: text.count_segments(text.prepare(given, unicode=True))),
            (
                "options of a send",
                BODY,
                asked(
                    lambda call: send_fields.read_options(
                        call.inputs, send_fields.FieldErrors(), account=ACCOUNT, now=NOW, never_called=lambda _url: ""
                    ),
                    *OPTIONS,
                ),
            ),
            (
                "when a send is due",
                BODY,
                asked(lambda call: schedule.read_due(call.inputs, lambda *_: None, now=NOW), *schedule.FIELDS),
            ),
            (
                "bulk send",
                BODY,
                lambda given: bulk_send._read_items(
                    [{"phoneNumber": given, "message": given}], send_fields.FieldErrors()
                ),
            ),
            ("multi-status", BODY, lambda given: multi_status._pair({"phoneNumber": given, "messageId": given})),
            ("limit", HEADER, asked(paging.page_limit, "limit")),
            ("cursor", HEADER, asked(lambda call: paging.page_cursor(call, first=0), "cursor")),
            ("cursor of a search", HEADER, asked(message_search._cursor, "cursor")),
            ("cursor of callbacks", HEADER, asked(callback_outbox._cursor, "cursor")),
            (
                "cursor of destinations",
                HEADER,
                asked(lambda call: paging.cursor_like(call, callback_destinations._ORIGIN), "cursor"),
            ),
            ("status", HEADER, asked(lambda call: paging.status_among(call, {"dead"}), "status")),
            ("interval", HEADER, asked(interval.interval, "from")),
            ("since", BODY, callback_replay._instant),
            ("days of statistics", HEADER, statistics._day),
            ("amount", BODY, subaccount_credit.read_amount),
            (
                "email",
                BODY,
                lambda given: asked(subaccounts._new, type="simple", parameters={"email": given, "isBuyer": "1"})(""),
            ),
            ("key", BODY, lambda given: key_digest(given, b"secret")),
            ("request of an idempotency key", BODY, asked(lambda call: idempotency._asked(call, "send"), "message")),
            (
                "bearer",
                HEADER,
                lambda given: auth.bearer({"headers": [(b"authorization", b"bearer " + octets_of(given))]}),
            ),
            ("signature", HEADER, lambda given: signing.is_signed("secret", given, given, b"", given)),
            (
                "path",
                HEADER,
                lambda given: (app.plain_path(given), app._pattern("/v2/{a}/b/{c}").fullmatch(f"/v2/{given}")),
            ),
            ("address of a customer", HEADER, client_address.read_address.__wrapped__),
            ("URL of a callback", send_fields.MAX_URL, lambda given: targets.parse_target(f"https://{given}")),
            ("host of a callback", send_fields.MAX_URL, targets._literal),
            ("reason of an unmasking", BODY, asked(unmasking._reason, "unmask")),
            ("path of a callback", send_fields.MAX_URL, lambda given: targets.parse_target(f"https://a/{given}")),
            (
                "answer of a receiver",
                sender.ANSWER_KEPT,
                lambda given: callback_outbox._readable(given.encode("utf-8", "replace")),
            ),
            # What is written for customers, administrators and logs.
            ("XML", BODY, lambda given: xml.to_xml({"a": given, "b": xml.Text(given)})),
            ("CSV", BODY, export_stream.csv_cell),
            ("terminal", HEADER, lambda given: (display.visible(given), display.visible_json(given))),
            (
                "log",
                HEADER,
                lambda given: (logs.hide(given), logs.hide_event(None, "", {"msisdn": given, given: given})),
            ),
            # What a server answers our own client.
            (
                "answer in XML",
                BODY,
                lambda given: answers.xml(f"<result><entry>true</entry><entry>{xml.cdata(given)}</entry></result>"),
            ),
            ("answer in JSON", BODY, lambda given: answers.json_text(json.dumps({"success": True, "a": given}))),
        ],
    )
}


JSON_BODIES = {
    **wrapped(b'{"a":[', b"1,", b"1]}"),
    **wrapped(b'{"a":["', b'","', b'"]}'),
    **wrapped(b'{"a":[', b"[],", b"1]}"),
    **wrapped(b'{"a":', b"[", b""),
    **wrapped(b'{"a":', b'{"a":', b""),
    **wrapped(b'{"a":"', b"\\u00e9", b'"}'),
    **wrapped(b'{"a":"', b"\\ud800", b'"}'),
    **wrapped(b'{"a":"', b"\\udc00\\ud800", b'"}'),
    **wrapped(b'{"a":"', b"\\\\", b'"}'),
    **wrapped(b'{"a":"', b"\xc3\xa9", b'"}'),
    **wrapped(b'{"a":"', b"\xff", b'"}'),
    **wrapped(b'{"a":"', b"\xf0\x9f\x98\x80", b'"}'),
    **wrapped(b'{"a":', b"9", b"}"),
    **wrapped(b'{"a":0.', b"1", b"}"),
    **wrapped(b'{"a":0.', b"0", b"1}"),
    **wrapped(b'{"a":1', b"0", b"e-9999}"),
    **wrapped(b'{"a":1e', b"9", b"}"),
    **wrapped(b'{"a":', b" ", b"1}"),
    **wrapped(b"{", b" ", b""),
    **wrapped(b'{"a":', b"-", b"1}"),
    **wrapped(b'{"a":[', b"NaN,", b"1]}"),
    **wrapped(b"{", b'"a":1,', b'"b":1}'),
    **numbered(b"{", '"{}":1,', b'"b":1}'),
    **numbered(b'{"a":[', "{},", b"1]}"),
    **wrapped(b"", b" ", b"{}"),
    **wrapped(b"\xef\xbb\xbf", b"\xef\xbb\xbf", b"{}"),
    **wrapped(b"", b'"apiKey" ', b""),
    **wrapped(b'"apiKey"', b" ", b""),
    **wrapped(b'"apiKey":"', b"a", b""),
}
FORM_BODIES = {
    **octets(b"&", b"=", b"a=b&", b"%", b"%4", b"%41", b"+", b"%c3", b"\xc3", b"\xff", b"a", b"&apiKey=", b" "),
    **wrapped(b"", b"&", b"a"),
    **wrapped(b"a=", b"%41", b""),
    **wrapped(b"a=", b"+", b"\xff"),
    **numbered(b"", "a{}=b&", b""),
}
MULTIPART_BODIES = {
    **wrapped(b"--a", b"\r\n--a", b"--"),
    **wrapped(b"--a", b'\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--a', b"--"),
    **wrapped(b"--a\r\n", b"content-disposition: form-data;", b'name="a"\r\n\r\n\r\n--a--'),
    **wrapped(b"--a\r\n", b"\r\ncontent-disposition: form-data", b"\r\n\r\n\r\n--a--"),
    **wrapped(b'--a\r\ncontent-disposition: form-data; name="', b"\\\\", b'"\r\n\r\n\r\n--a--'),
    **wrapped(b"--a\r\ncontent-disposition: form-data", b"; ", b'name="a"\r\n\r\n\r\n--a--'),
    **wrapped(b"--a\r\ncontent-disposition:", b" ", b"\r\n\r\n\r\n--a--"),
    **wrapped(b'--a\r\ncontent-disposition: form-data; name="a"\r\n\r\n', b"\r\n-", b"\r\n--a--"),
    **wrapped(b'--a\r\ncontent-disposition: form-data; name="a"\r\n\r\n', b"\xff", b"\r\n--a--"),
    **wrapped(b"", b'name="apiKey"', b""),
    **wrapped(b"", b'name="apiKey"\r\na\r\n', b""),
    **wrapped(b'name="apiKey"', b"\r\n", b""),
    **wrapped(b'name="apiKey"\r\n\r\n', b" ", b""),
}
CONTENT_TYPES = {
    **octets(b";", b" ", b"charset=", b"; charset=utf-8", b"; charset=x"),
    **wrapped(b"multipart/form-data; ", b"boundary=", b""),
    **wrapped(b"multipart/form-data; boundary=a", b" ", b"x"),
    **wrapped(b"multipart/form-data; ", b"boundary=a ", b"\xff"),
    **wrapped(b'multipart/form-data; boundary="', b"a", b'"'),
}
FORWARDED = octets(
    b",", b" ", b"10.0.0.1,", b"10.0.0.1\n", b"::1,", b"[", b"1.", b":", b"f", b"::ffff:10.0.0.1,", b"\n"
)


def a_body(content_type: bytes) -> Callable[[bytes], object]:
    return lambda given: (body.key_in(given), body.parse_body(given, content_type))


BODIES: dict[str, Reader] = {
    "JSON": Reader(BODY, allowed(a_body(b"application/json")), JSON_BODIES),
    "JSON in UTF-16": Reader(
        BODY,
        allowed(lambda given: body.parse_body(given.decode("latin-1").encode("utf-16"), b"a/b; charset=utf-16")),
        JSON_BODIES,
    ),
    "form": Reader(BODY, allowed(a_body(b"")), FORM_BODIES),
    "form in Latin-1": Reader(BODY, allowed(a_body(b"a/b; charset=latin1")), FORM_BODIES),
    "multipart": Reader(BODY, allowed(a_body(b"multipart/form-data; boundary=a")), MULTIPART_BODIES),
    "content type": Reader(
        HEADER, allowed(lambda given: (body._charset(given), multipart.boundary_of(given))), CONTENT_TYPES
    ),
    "status line of a receiver": Reader(
        status_line.MOST,
        status_line.status_of,
        octets(b"a", b"\n", b"HTTP/1.1 ", b"HTTP/1.1 100\n", b"HTTP/1.1 100\r\na\r\n\r\n", b"HTTP/1.1 100 a\n\n"),
    ),
    "X-Forwarded-For": Reader(HEADER, forwarded, FORWARDED),
    "list of a send": Reader(
        BODY,
        allowed(lambda given: bulk_send._read_items(json.loads(given)["a"], send_fields.FieldErrors())),
        {
            **wrapped(b'{"a":[', b'{"message":"a","phoneNumber":"0"},', b"{}]}"),
            **numbered(b'{"a":[', '{{"message":"{0}","phoneNumber":"{0}"}},', b"{}]}"),
            **wrapped(b'{"a":[', b"{},", b"{}]}"),
        },
    ),
    "array of numbers": Reader(
        BODY,
        allowed(lambda given: send_fields.raw_numbers(json.loads(given)["a"])),
        {
            **wrapped(b'{"a":["', b'","', b'"]}'),
            **wrapped(b'{"a":["', b',","', b'"]}'),
            **wrapped(b'{"a":[', b"[],", b"1]}"),
            **wrapped(b'{"a":[', b"1,", b"1]}"),
        },
    ),
}

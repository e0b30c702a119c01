"""Forms as browsers and HTTP libraries write them, field by field."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.api.http.body import BEFORE_KEY, MAX_FIELDS, parse_body
from esito.api.http.multipart import boundary_of, fields_of, key_in_multipart
from esito.domain.errors import MalformedJson
from tests.kit.desk import KEY, Desk, desk
from tests.kit.patience import WORK, Beside

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\\\'), min_size=1, max_size=20)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as opened:
        yield opened


def written(fields: dict[str, str]) -> tuple[bytes, bytes]:
    """Return body and Content-Type as an HTTP library writes them."""
    files = {name: (None, value) for name, value in fields.items()}
    request = httpx.Request("POST", "http://x", files=files)
    return request.read(), request.headers["content-type"].encode()


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=6))
def test_what_a_library_writes_is_read(fields: dict[str, str]) -> None:
    assert parse_body(*written(fields)) == fields


def test_a_send_may_come_as_such_a_form(api: Desk) -> None:
    fields = {"apiKey": KEY, "phoneNumbers": "+33611111111", "message": "Ciao, \u00e8 qui\r\n--x"}
    body, content_type = written(fields)
    sent = api.ask("POST", "/v1/send", body=body, headers=[("Content-Type", content_type.decode())])
    assert (sent.status, sent.json["nb_sms"]) == (200, 1)


def test_a_long_form_is_read_for_a_good_key_alone(api: Desk) -> None:
    for key, status in ((KEY, 400), ("other", 400)):
        body, content_type = written({"apiKey": key, "message": "x" * 2 * BEFORE_KEY})
        told = api.ask("POST", "/v1/send", body=body, headers=[("Content-Type", content_type.decode())])
        assert told.status == status
        assert (told.json["code"] == 10) is (key == "other")


def test_a_file_is_left_out() -> None:
    request = httpx.Request("POST", "http://x", files={"a": (None, "1"), "b": ("b.txt", b"2")})
    assert parse_body(request.read(), request.headers["content-type"].encode()) == {"a": "1"}


@pytest.mark.parametrize(
    "body",
    [
        b"--b",
        b"--b\r\n",
        b"--b\r\n\r\nx\r\n--b--",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\nx\r\n--b--',
        b'--b\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--b--',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * (MAX_FIELDS + 1) + b"--b--",
    ],
)
def test_what_is_no_such_form_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse_body(body, b"multipart/form-data; boundary=b")


def test_a_text_that_is_not_utf_8_is_what_windows_writes() -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\ncaff\xe8\r\n--b--\r\n'
    assert parse_body(body, b'multipart/form-data; boundary="b"') == {"a": "caff\u00e8"}


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b"),
        (b"multipart/form-data", b""),
        (b"multipart/form-data; boundary=" + b"x" * 71, b""),
        (b"application/x-www-form-urlencoded", b""),
    ],
)
def test_the_boundary_is_named_by_the_media_type(content_type: bytes, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "piece",
    [
        b'name="apiKey"\r\n',
        b"\r\n--b",
        b'\r\n--b\r\nContent-Disposition: form-data; name="a',
        b"\r\n\r\n",
        b"content-disposition: form-data",
        b"\\\\",
    ],
)
def test_it_is_read_in_linear_time(piece: bytes) -> None:
    both = Beside(WORK)

    def read(times: int) -> None:
        octets = b'--b\r\nContent-Disposition: form-data; name="' + piece * times
        key_in_multipart(octets)
        with suppress(MalformedJson):
            fields_of(octets, b"b", 10**9)

    for _ in range(10):
        for name, times in (("once", 2_000), ("four times", 8_000)):
            with both.timed(name):
                read(times)
    assert both.ratio("four times", "once") < 10

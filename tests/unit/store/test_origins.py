"""Which URLs go to the same server."""

import pytest

from esito.store.transactions.origins import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.org/dlr?secret=1", "https://example.org:443"),
        ("http://EXAMPLE.org", "http://example.org:80"),
        ("https://user:word@example.org:8443/", "https://example.org:8443"),
        ("http://[2001:db8::1]:81/", "http://[2001:db8::1]:81"),
        ("ftp://example.org/", None),
        ("https:///path", None),
        ("https://example.org:port/", None),
        ("https://example.org:99999/", None),
        ("http://[::1/", None),
        ("", None),
        (None, None),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str | None, origin: str | None) -> None:
    assert origin_of(url) == origin

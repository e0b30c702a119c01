"""What the two runners share: a call becomes a request, a response becomes an answer."""

import logging
from typing import TypeVar

import httpx

from esito.client.answers import AnswerError
from esito.client.calls import Call
from esito.client.models import UnexpectedAnswer, Unreachable

T = TypeVar("T")


class _WithoutKeys(logging.Filter):
    """Keeps API keys out of what the HTTP library logs of our requests: it writes whole addresses, at INFO."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide the key in the addresses of a record."""
        if isinstance(record.args, tuple):
            record.args = tuple(_keyless(one) if isinstance(one, httpx.URL) else one for one in record.args)
        return True


def _keyless(url: httpx.URL) -> httpx.URL:
    return url.copy_set_param("apiKey", "hidden") if "apiKey" in url.params else url


logging.getLogger("httpx").addFilter(_WithoutKeys())

TIMEOUT = httpx.Timeout(30, connect=5)


def request_of(call: Call[T], client: httpx.Client | httpx.AsyncClient, api_key: str) -> httpx.Request:
    """Return the request; the key goes where the API looks for it."""
    if call.bearer:
        headers = {"Authorization": f"Bearer {api_key}"}
        return client.build_request(call.method, call.path, params=call.params, headers=headers, json=call.body)
    if call.body is None:
        return client.build_request(call.method, call.path, params={"apiKey": api_key, **call.params})
    return client.build_request(call.method, call.path, params=call.params, json={"apiKey": api_key, **call.body})


def answer_of(call: Call[T], response: httpx.Response) -> T:
    """Return what the response says. Raises ApiError, UnexpectedAnswer."""
    try:
        return call.read(response.text)
    except AnswerError as error:
        place = response.request.url.copy_with(query=None)  # the query holds the key
        raise UnexpectedAnswer(
            f"{place} answered HTTP {response.status_code} with something else than Esito's API"
        ) from error


def unreachable(url: httpx.URL, error: httpx.HTTPError) -> Unreachable:
    """Say that nobody answered."""
    return Unreachable(f"{url} cannot be reached: {str(error) or type(error).__name__}")

"""The four request samples of the original API page work unchanged but for the base URL.

PHP, curl and Python really run; the VB.net sample is the request that it makes, octet by octet.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.live import LiveServer, live_server
from tests.kit.needs import needs
from tests.kit.patience import PATIENCE

PHP = """<?php
// Prepare data for GET request
$data = 'apiKey=%(key)s&messageId=%(id)s';

// Send the GET request with cURL
$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, '%(url)s/v1/bulk-status?' . $data);
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_HTTPHEADER, array('Content-Type: application/json'));
$result = curl_exec($ch);
curl_close($ch);

// Process your response here
echo $result;
"""

PYTHON = """
# std
import json
# 3rd
import requests

API_KEY = "%(key)s"
BASE_URL = "%(url)s/v1/"


class SMSPartner:
    def get_status(self, message_id):
        url = BASE_URL + "bulk-status"
        payload = {"apiKey": API_KEY, "messageId": message_id}
        r = requests.get(url, params=payload)
        return r.json()


print(SMSPartner().get_status(%(id)s))
"""

CURL = """curl -H "Content-Type: application/json" -X GET %(url)s/v1/bulk-status?apiKey=%(key)s&messageId=%(id)s"""
"""As printed: the shell cuts the address at the ampersand."""

CURL_QUOTED = (
    """curl -H "Content-Type: application/json" -X GET '%(url)s/v1/bulk-status?apiKey=%(key)s&messageId=%(id)s'"""
)

VB_NET = """GET /v1/bulk-status?apiKey=%(key)s&messageId=%(id)s HTTP/1.1\r
Content-Type: application/json; charset=utf-8\r
Host: %(host)s\r
Content-Length: 0\r
Connection: Close\r
\r
"""
"""What HttpWebRequest writes for Method = "GET", ContentType and ContentLength = 0."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("samples")) as running:
        yield running


@pytest.fixture(scope="module")
def message_id(server: LiveServer) -> int:
    return server.send("+33611111111", "+33622222222")


def filled(sample: str, server: LiveServer, message_id: int) -> str:
    host = server.url.removeprefix("http://")
    return sample % {"url": server.url, "host": host, "key": server.api_key, "id": message_id}


def ran(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout


def check(answer: Any, message_id: int) -> None:
    assert (answer["success"], answer["code"], answer["message_id"]) == (True, 200, str(message_id))
    told = [(item["phoneNumber"], item["status"]) for item in answer["StatutResponse_List"]]
    assert told == [("+33611111111", "Waiting"), ("+33622222222", "Waiting")]


@needs("php", "php-curl")
def test_php(server: LiveServer, message_id: int, tmp_path: Path) -> None:
    script = tmp_path / "sample.php"
    script.write_text(filled(PHP, server, message_id), encoding="utf-8")
    check(json.loads(ran("php", "-d", "display_errors=stderr", str(script))), message_id)


def test_python_requests(server: LiveServer, message_id: int) -> None:
    printed = ran(sys.executable, "-c", filled(PYTHON, server, message_id))
    check(ast.literal_eval(printed), message_id)


@needs("curl")
def test_curl(server: LiveServer, message_id: int) -> None:
    check(json.loads(ran("sh", "-c", filled(CURL_QUOTED, server, message_id))), message_id)


@needs("curl")
def test_curl_as_printed_reaches_us_without_its_message_id(server: LiveServer, message_id: int) -> None:
    printed = ran("sh", "-c", filled(CURL, server, message_id) + "\nwait")
    assert json.loads(printed) == {"success": False, "code": 3, "message": "L'ID du message est requis"}


def test_vb_net(server: LiveServer, message_id: int) -> None:
    head, _, body = server.exchange(filled(VB_NET, server, message_id).encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-type: application/json\r\n" in head
    check(json.loads(body), message_id)

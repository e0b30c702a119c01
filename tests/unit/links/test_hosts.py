"""An SMSC with several hosts, over TLS or not."""

import ssl
import subprocess
from pathlib import Path

import pytest

from esito.app.link_factory import smpp_settings
from esito.config import LinkSettings
from esito.links.smpp_link import SmppLink
from esito.smpp import pdu as p
from esito.smpp.pdu import Status
from esito_cluster.process import free_port
from tests.kit.links import Events, in_a_loop, linked
from tests.kit.needs import needs
from tests.kit.operators import configured
from tests.kit.peer import peer, until


@in_a_loop
async def test_a_host_that_cannot_be_reached_is_passed_over_at_once() -> None:
    async with peer() as second:
        there = ("127.0.0.1", second.port)
        # It would bind again only after a minute: whoever is passed over is passed over in the same try.
        async with linked(second, port=free_port(), fallback_hosts=(there,), rebind_min=60, rebind_max=60) as (link, _):
            await until(lambda: link.can_send)
            assert link.sessions[0].host == f"127.0.0.1:{second.port}"


@in_a_loop
async def test_a_host_that_refuses_the_bind_is_followed_by_the_next() -> None:
    async with peer(bind_status=Status.ESME_RSYSERR) as first, peer() as second:
        async with linked(first, fallback_hosts=(("127.0.0.1", second.port),)) as (link, _):
            await until(lambda: link.can_send)
        assert first.session.of(p.BindTransceiver)
        assert second.session.of(p.BindTransceiver)


@in_a_loop
async def test_sessions_of_one_link_may_be_at_different_hosts() -> None:
    async with peer() as first, peer() as second:
        hosts = (("127.0.0.1", second.port),)
        async with linked(first, fallback_hosts=hosts, sessions=2) as (link, _):
            await until(lambda: all(one.state == "bound" for one in link.sessions))
            assert len(first.sessions) == 2
            # A connection that was lost too soon is made again at the next host, the other one stays.
            first.sessions[0].hang_up()
            await until(lambda: second.sessions and all(one.state == "bound" for one in link.sessions))
            assert {one.host for one in link.sessions} == {
                f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}",
            }  # fmt: skip


@in_a_loop
async def test_when_no_host_is_there_each_is_told() -> None:
    async with peer() as nobody:
        ports = free_port(), free_port()
        async with linked(nobody, port=ports[0], fallback_hosts=(("127.0.0.1", ports[1]),)) as (link, _):
            await until(lambda: link.sessions[0].last_error)
            for port in ports:
                assert f"127.0.0.1:{port}: " in link.sessions[0].last_error


# -- TLS -------------------------------------------------------------------------------------------


def authority(folder: Path, name: str) -> None:
    """Make an authority of its own: `NAME.pem` and `NAME.key`."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip


def vouched(folder: Path, name: str, by: str) -> None:
    """Make a certificate of that name that an authority vouches for."""
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", f"{name}.key",
            "-out", f"{name}.csr")  # fmt: skip
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
            "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", f"{name}.pem")  # fmt: skip


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SMSC and a client, each vouched for by an authority that no machine knows."""
    folder = tmp_path_factory.mktemp("pki")
    for name in ("theirs", "ours"):
        authority(folder, name)
    vouched(folder, "smsc.example", by="theirs")
    vouched(folder, "client.example", by="ours")
    return folder


class Asked:
    """A context of an SMSC that notes which name it is asked for."""

    def __init__(self, pki: Path) -> None:
        self.names: list[str | None] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pki / "smsc.example.pem", pki / "smsc.example.key")
        self.context.sni_callback = lambda _socket, name, _context: self.names.append(name)


def tls_link(folder: Path, pki: Path, port: int, **lines: str) -> LinkSettings:
    """Return a link over TLS; `lines` are its settings, those of files without their folder."""
    text = "tls = true\n" + "".join(
        f"{name} = '{value if name in {'tls_name', 'host'} else pki / value}'\n" for name, value in lines.items()
    )
    return configured(folder, text, port=port)


@needs("openssl")
@in_a_loop
async def test_a_link_asks_for_a_name_trusts_an_authority_and_shows_who_it_is(tmp_path: Path, pki: Path) -> None:
    asked = Asked(pki)
    asked.context.verify_mode = ssl.CERT_REQUIRED
    asked.context.load_verify_locations(pki / "ours.pem")
    async with peer(asked.context) as smsc:
        link = tls_link(
            tmp_path, pki, smsc.port, tls_ca="theirs.pem", tls_name="smsc.example", tls_cert="client.example.pem",
            tls_key="client.example.key",
        )  # fmt: skip
        bound = SmppLink(smpp_settings(link), Events())
        await bound.start()
        try:
            await until(lambda: bound.can_send)
        finally:
            await bound.stop()
        (bind,) = smsc.session.of(p.BindTransceiver)
    assert isinstance(bind, p.BindTransceiver)
    assert bind.system_id == "smsc"
    assert set(asked.names) == {"smsc.example"}


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({"tls_ca": "theirs.pem"}, "IP address mismatch"),
        ({"tls_ca": "theirs.pem", "tls_name": "other.example"}, "Hostname mismatch"),
        ({"tls_ca": "ours.pem", "tls_name": "smsc.example"}, "CERTIFICATE_VERIFY_FAILED"),
        ({"tls_name": "smsc.example"}, "CERTIFICATE_VERIFY_FAILED"),
    ],
)
@needs("openssl")
@in_a_loop
async def test_an_smsc_that_is_not_the_right_one_gets_no_password(
    tmp_path: Path, pki: Path, lines: dict[str, str], why: str
) -> None:
    async with peer(Asked(pki).context) as smsc:
        bound = SmppLink(smpp_settings(tls_link(tmp_path, pki, smsc.port, **lines)), Events())
        await bound.start()
        try:
            await until(lambda: why in bound.sessions[0].last_error)
        finally:
            await bound.stop()
        assert all(not session.came for session in smsc.sessions)


@needs("openssl")
@in_a_loop
async def test_an_smsc_that_asks_who_we_are_is_not_bound_to_without_a_certificate(tmp_path: Path, pki: Path) -> None:
    asked = Asked(pki)
    asked.context.verify_mode = ssl.CERT_REQUIRED
    asked.context.load_verify_locations(pki / "ours.pem")
    async with peer(asked.context) as smsc:
        link = tls_link(tmp_path, pki, smsc.port, tls_ca="theirs.pem", tls_name="smsc.example")
        bound = SmppLink(smpp_settings(link), Events())
        await bound.start()
        try:
            await until(lambda: bound.sessions[0].last_error)
            assert not bound.can_send
        finally:
            await bound.stop()
        assert all(not session.came for session in smsc.sessions)
